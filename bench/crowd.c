/* crowd - see crowd.h. */

#include "bench/crowd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

enum { STAMP_TEXT = 100, STAMP_HEAD = 6, OPEN_AT_ONCE = 256, OPEN_DEADLINE_MS = 120000 };

void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES])
{
    /* Body.elems { Elem.text { TextElem.text } }: three nested fields number 1 */
    const uint8_t head[STAMP_HEAD] = {0x0a, STAMP_TEXT + 4, 0x0a, STAMP_TEXT + 2, 0x0a, STAMP_TEXT};
    char text[STAMP_TEXT + 1];
    int len = snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, stamp->stream,
                       stamp->number, stamp->due_us);

    memset(text + len, '.', (size_t)(STAMP_TEXT - len));
    memcpy(body, head, STAMP_HEAD);
    memcpy(body + STAMP_HEAD, text, STAMP_TEXT);
}

static bool hex16(const uint8_t *text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < 16; i++) {
        uint8_t c = text[i];

        if (c >= '0' && c <= '9')
            *value = *value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp)
{
    return len == STAMP_BYTES && hex16(body + STAMP_HEAD, &stamp->stream) &&
           hex16(body + STAMP_HEAD + 16, &stamp->number) &&
           hex16(body + STAMP_HEAD + 32, &stamp->due_us);
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct person *p = ctx;

    if (change->state == HONGYAN_ONLINE)
        p->crowd->online++;
    if (change->state == HONGYAN_KICKED) {
        if (p->crowd->refused++ == 0)
            fprintf(stderr, "user %u: %u %s\n", p->index, change->code, change->info);
    }
}

/* A stream is numbered from 1; the account is exact as long as nothing is taken out of the sum. */
static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct person *p = ctx;
    struct crowd *crowd = p->crowd;
    struct stamp stamp;

    if (p->got == NULL || !stamp_read(msg->body.data, msg->body.len, &stamp))
        return;
    if (stamp.number == p->got[stamp.stream] + 1) {
        p->got[stamp.stream] = stamp.number;
    } else if (stamp.number > p->got[stamp.stream]) {
        crowd->gaps += stamp.number - p->got[stamp.stream] - 1;
        p->got[stamp.stream] = stamp.number;
    } else {
        crowd->doubled++; /* or late: a gap was counted for it */
        return;
    }
    crowd->delivered++;
    if (crowd->measuring)
        hist_add(&crowd->latency, hy_steady_us() - stamp.due_us);
}

static enum hy_err person_open(struct crowd *crowd, uint32_t i, const char *prefix, bool tls,
                               uint32_t window)
{
    const struct target *target = crowd->target;
    const char *address = (tls ? target->tls : target->tcp)[i % target->gateways];
    char user[33], ticket[HY_USERSIG_MAX];
    struct hongyan_config config = {
        .addresses = &address,
        .address_count = 1,
        .tls = tls,
        .insecure = true,
        .sdkappid = target->sdkappid,
        .identifier = user,
        .usersig = ticket,
        .platform = HY__PLATFORM__PLATFORM_LINUX,
        .device_id = "bench",
        .send_window = window,
        .max_queued = 1 << 20,
        .raw = true, /* what is measured is the push: a pull later on would hide a loss */
        .events = {.state = on_state, .message = on_message},
        .ctx = &crowd->people[i],
    };
    enum hy_err err = HY_OK;

    snprintf(user, sizeof user, "%.20s%u", prefix, i);
    err = target_ticket(target, user, ticket);
    if (err == HY_OK)
        err = hongyan_open(crowd->loop, &config, &crowd->people[i].client);
    return err;
}

enum hy_err crowd_open(struct crowd *crowd, const struct target *target, const char *prefix,
                       uint32_t count, bool tls, uint32_t window)
{
    uint64_t deadline = hy_steady_ms() + OPEN_DEADLINE_MS;
    enum hy_err err = HY_ENOMEM;
    uint32_t opened = 0;

    memset(crowd, 0, sizeof *crowd);
    crowd->target = target;
    crowd->people = calloc(count, sizeof *crowd->people);
    if (crowd->people == NULL)
        return err;
    crowd->count = count;
    err = hy_loop_open(&crowd->loop);
    while (err == HY_OK && crowd->online < count) {
        while (err == HY_OK && opened < count && opened - crowd->online < OPEN_AT_ONCE) {
            crowd->people[opened].crowd = crowd;
            crowd->people[opened].index = opened;
            err = person_open(crowd, opened++, prefix, tls, window);
        }
        hy_loop_turn(crowd->loop, 20);
        if (crowd->refused > 0)
            err = HY_EDENIED;
        else if (hy_steady_ms() > deadline)
            err = HY_ETIMEOUT;
    }
    fprintf(stderr, "%u of %u users online\n", crowd->online, count);
    return err;
}

void crowd_close(struct crowd *crowd)
{
    for (uint32_t i = 0; crowd->people != NULL && i < crowd->count; i++) {
        hongyan_close(&crowd->people[i].client);
        free(crowd->people[i].got);
    }
    free(crowd->people);
    crowd->people = NULL;
    hy_loop_close(&crowd->loop);
}

enum hy_err crowd_listen(struct crowd *crowd, uint32_t i, uint64_t streams)
{
    crowd->people[i].got = calloc(streams, sizeof *crowd->people[i].got);
    return crowd->people[i].got == NULL ? HY_ENOMEM : HY_OK;
}
