#include "bench/heads.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "sdk/c/hongyan.h"

enum { AT_ONCE = 64, WAIT_MS = 60000 };

struct reader {
    struct reading *reading;
    const struct head *head;
    struct hongyan_client *client;
    bool asked, done;
};

struct reading {
    struct hy_loop *loop;
    const struct target *target;
    uint64_t sum;
    size_t under_way;
    enum hy_err err; /* the first that went wrong */
};

static void fail(struct reader *reader, uint32_t code, const char *info)
{
    if (reader->reading->err == HY_OK)
        fprintf(stderr, "%s: %u %s\n", reader->head->user, code, info);
    reader->reading->err = HY_EDENIED;
}

static void on_page(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct reader *reader = arg;

    if (reader->done)
        return; /* we are closing */
    if (code != 0 || answer->body_case != HY__FRAME__BODY_HISTORY_RES)
        fail(reader, code, info);
    else
        reader->reading->sum += answer->history_res->last_seq;
    if (hongyan_sign_out(reader->client) != HY_OK)
        fail(reader, 0, "cannot sign out");
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct reader *reader = ctx;

    if (change->state == HONGYAN_KICKED) {
        if (change->code != 0)
            fail(reader, change->code, change->info);
        reader->done = true;
        reader->reading->under_way--;
    }
    if (change->state != HONGYAN_ONLINE || reader->asked)
        return;
    reader->asked = true;
    if (hongyan_history(reader->client, reader->head->conv_type, reader->head->peer, 0, false, 1,
                        on_page, reader) != HY_OK)
        fail(reader, 0, "cannot ask");
}

static enum hy_err begin(struct reader *reader, size_t i)
{
    const struct target *target = reader->reading->target;
    const char *address = target->tcp[i % target->gateways];
    char ticket[HY_USERSIG_MAX];
    struct hongyan_config config = {.addresses = &address,
                                    .address_count = 1,
                                    .sdkappid = target->sdkappid,
                                    .identifier = reader->head->user,
                                    .usersig = ticket,
                                    .platform = HY__PLATFORM__PLATFORM_LINUX,
                                    .device_id = "bench-heads",
                                    .raw = true,
                                    .events = {.state = on_state},
                                    .ctx = reader};
    enum hy_err err = target_ticket(target, reader->head->user, ticket);

    if (err == HY_OK)
        err = hongyan_open(reader->reading->loop, &config, &reader->client);
    reader->reading->under_way += err == HY_OK;
    return err;
}

enum hy_err heads_sum(struct hy_loop *loop, const struct target *target, const struct head *heads,
                      size_t count, uint64_t *sum)
{
    struct reading reading = {.loop = loop, .target = target};
    struct reader *readers = calloc(count + 1, sizeof *readers);
    uint64_t deadline = hy_steady_ms() + WAIT_MS;
    size_t next = 0;

    if (readers == NULL)
        return HY_ENOMEM;
    while (reading.err == HY_OK && (next < count || reading.under_way > 0)) {
        while (reading.err == HY_OK && next < count && reading.under_way < AT_ONCE) {
            readers[next] = (struct reader){.reading = &reading, .head = &heads[next]};
            reading.err = begin(&readers[next], next);
            next++;
        }
        hy_loop_turn(loop, 10);
        if (reading.err == HY_OK && hy_steady_ms() > deadline)
            reading.err = HY_ETIMEOUT;
    }
    for (size_t i = 0; i < next; i++) {
        readers[i].done = true;
        hongyan_close(&readers[i].client);
    }
    free(readers);
    *sum = reading.sum;
    return reading.err;
}
