/* Clients that come back, and pull all that was missed. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history.h"
#include "common/clock.h"

struct backlog { /* of one conversation */
    struct history_conv conv;
    uint64_t last;
};

struct back { /* one reader */
    struct roof *roof;
    struct hongyan_client *client;
    uint32_t index;
    uint64_t got, begun_us;
    bool whole;
    struct backlog *heard; /* of each conversation */
};

/* One worker's readers. */
struct roof {
    struct worker *worker;
    const struct history *history;
    uint64_t want; /* messages of a backlog */
    struct back *readers;
    struct backlog *heard;
    uint32_t count, next, under_way;
};

enum { MESSAGES, BACKLOGS }; /* of tally.custom */

static struct backlog *find(const struct back *back, const char *from)
{
    for (uint32_t k = 0; k < back->roof->history->convs; k++)
        if (strcmp(back->heard[k].conv.from, from) == 0)
            return &back->heard[k];
    return NULL;
}

static bool is_next(const struct backlog *heard, const Hy__Msg *msg)
{
    uint8_t body[STAMP_BYTES];

    history_body(&heard->conv, heard->last + 1, body);
    return msg->seq == heard->last + 1 && strcmp(msg->to, heard->conv.to) == 0 &&
           msg->time_ms > 0 && msg->body.len == sizeof body &&
           memcmp(msg->body.data, body, sizeof body) == 0;
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct back *back = ctx;
    struct roof *roof = back->roof;
    struct tally *tally = roof->worker->tally;
    struct backlog *heard = find(back, msg->from);
    uint64_t now = hy_steady_us();

    if (heard == NULL || !is_next(heard, msg)) {
        tally->lost++;
        return;
    }
    heard->last++;
    tally->delivered++;
    tally->custom[MESSAGES] += now >= roof->worker->from_us && now < roof->worker->to_us;
    if (++back->got < roof->want)
        return;
    back->whole = true;
    roof->under_way--;
    tally->acked++;
    tally->custom[BACKLOGS]++;
    worker_operation(roof->worker, back->begun_us);
}

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct back *back = ctx;

    if (change->state != HONGYAN_KICKED)
        return;
    fprintf(stderr, "user %u: %u %s\n", back->index, change->code, change->info);
    back->roof->worker->tally->failed += !back->whole;
    back->roof->under_way -= !back->whole;
    back->whole = true;
}

static enum hy_err open_client(struct back *back)
{
    const struct roof *roof = back->roof;
    const struct target *target = roof->worker->bench->target;
    bool tls = roof->worker->bench->common->tls;
    const char *address = (tls ? target->tls : target->tcp)[back->index % target->gateways];
    char user[HISTORY_NAME], ticket[HY_USERSIG_MAX];
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
        .backlog = HONGYAN_FROM_FIRST,
        .events = {.state = on_state, .message = on_message},
        .ctx = back,
    };
    enum hy_err err;

    snprintf(user, sizeof user, "%s%" PRIu32, roof->history->readers, back->index);
    err = target_ticket(target, user, ticket);
    return err == HY_OK ? hongyan_open(roof->worker->loop, &config, &back->client) : err;
}

/* The next reader, anew: one that is not pulling. */
static void come_back(struct roof *roof)
{
    struct back *back = &roof->readers[roof->next++ % roof->count];

    if (!back->whole)
        return;
    hongyan_close(&back->client);
    for (uint32_t k = 0; k < roof->history->convs; k++)
        back->heard[k].last = 0;
    back->got = 0;
    back->whole = false;
    back->begun_us = hy_steady_us();
    roof->under_way++;
    roof->worker->tally->sent++;
    if (open_client(back) == HY_OK)
        return;
    back->whole = true;
    roof->under_way--;
    roof->worker->tally->failed++;
}

static void turn(struct worker *worker)
{
    struct roof *roof = worker->own;
    uint32_t most = (uint32_t)roof->history->options->window;

    if (most > roof->count)
        most = roof->count;
    for (uint32_t looks = 0; !worker->stopping && roof->under_way < most && looks < roof->count;
         looks++)
        come_back(roof);
}

static enum hy_err open_roof(struct worker *worker)
{
    const struct history *h = worker->plan->ctx;
    struct roof *roof = calloc(1, sizeof *roof);

    if (roof == NULL)
        return HY_ENOMEM;
    worker->own = roof;
    *roof = (struct roof){.worker = worker, .history = h, .want = h->depth * h->convs};
    roof->readers = calloc(h->people, sizeof *roof->readers);
    roof->heard = calloc((size_t)h->people * h->convs, sizeof *roof->heard);
    if (roof->readers == NULL || roof->heard == NULL)
        return HY_ENOMEM;
    for (uint32_t i = worker->index; i < h->people; i += worker->count) {
        struct back *back = &roof->readers[roof->count];

        *back = (struct back){.roof = roof,
                              .index = i,
                              .whole = true,
                              .heard = &roof->heard[(size_t)roof->count * h->convs]};
        for (uint32_t k = 0; k < h->convs; k++)
            history_conv(h, history_writer_of(h, i, k), i, &back->heard[k].conv);
        roof->count++;
    }
    return HY_OK;
}

static bool settled(struct worker *worker)
{
    const struct roof *roof = worker->own;

    return roof->under_way == 0;
}

/* Who has not got everything by now never will. */
static void stop(struct worker *worker)
{
    struct roof *roof = worker->own;

    if (roof->under_way > 0)
        fprintf(stderr, "%u backlogs did not arrive whole\n", roof->under_way);
    worker->tally->failed += roof->under_way;
    for (uint32_t i = 0; i < roof->count; i++)
        hongyan_close(&roof->readers[i].client);
}

static void close_roof(struct worker *worker)
{
    struct roof *roof = worker->own;

    if (roof == NULL)
        return;
    for (uint32_t i = 0; roof->readers != NULL && i < roof->count; i++)
        hongyan_close(&roof->readers[i].client);
    free(roof->heard);
    free(roof->readers);
    free(roof);
}

static void report(const struct bench *bench, const struct plan *plan, const uint64_t custom[8])
{
    struct history *h = plan->ctx;

    (void)bench;
    h->messages = custom[MESSAGES];
    h->backlogs = custom[BACKLOGS];
}

enum hy_err history_backlogs(struct bench *bench, struct history *h)
{
    const struct plan plan = {.links = h->people,
                              .ctx = h,
                              .open = open_roof,
                              .turn = turn,
                              .settled = settled,
                              .stop = stop,
                              .close = close_roof,
                              .report = report};

    return engine_run(bench, &plan);
}
