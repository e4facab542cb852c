/* talk - see talk.h. */

#include "bench/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stamp.h"
#include "common/clock.h"
#include "common/codes.h"

struct stream { /* one sender to one conversation */
    struct talker *talker;
    struct person *sender;
    uint32_t id;
    char to[64];
};

struct sent { /* what done() is told about one message; kept in a free list */
    struct sent *next;
    struct stream *stream;
    uint64_t number, due_us;
};

/* One worker's side of a talk. */
struct talker {
    struct worker *worker;
    const struct talk *talk;
    const struct talk_options *options;
    struct ledger *ledger;
    struct crowd crowd, idle;
    struct stream *streams; /* of senders in this worker */
    uint32_t stream_count;
    uint64_t next; /* open loop: how many were due here */
    bool stopped;
    struct sent *unused;
};

static void *behind_ledger(const struct talk *talk, void *shared)
{
    return (char *)shared + ledger_size(talk->streams);
}

/* ---- sending ---- */

enum { ACKED_IN_TIME }; /* of tally.custom */

static void on_sent(void *arg, const struct hongyan_sent *result);

static struct sent *take_sent(struct talker *t)
{
    struct sent *sent = t->unused;

    if (sent != NULL)
        t->unused = sent->next;
    else
        sent = malloc(sizeof *sent);
    return sent;
}

static void put_sent(struct talker *t, struct sent *sent)
{
    sent->next = t->unused;
    t->unused = sent;
}

/* What the library does not take (out of memory) was sent and failed. */
static void talk_send(struct stream *stream, uint64_t due_us)
{
    struct talker *t = stream->talker;

    if (t->talk->wanders)
        t->talk->to(t->talk, stream->id, stream->to);

    struct stamp stamp = {stream->id, ++t->ledger->sent[stream->id], due_us};
    uint8_t body[STAMP_BYTES];
    struct hongyan_message message = {.conv_type = t->talk->conv_type,
                                      .to = stream->to,
                                      .body = body,
                                      .body_len = sizeof body,
                                      .flags = t->talk->flags,
                                      .priority = t->talk->priority};
    struct sent *sent = take_sent(t);
    enum hy_err err = sent == NULL ? HY_ENOMEM : HY_OK;

    t->worker->tally->sent++;
    stamp_write(&stamp, body);
    if (err == HY_OK) {
        *sent = (struct sent){NULL, stream, stamp.number, due_us};
        err = hongyan_send(stream->sender->client, &message, on_sent, sent);
    }
    if (err == HY_OK)
        return;
    if (sent != NULL)
        put_sent(t, sent);
    t->worker->tally->failed++;
    ledger_refuse(t->ledger, stream->id, stamp.number);
}

static void note_failure(struct talker *t, const struct sent *sent,
                         const struct hongyan_sent *result)
{
    struct tally *tally = t->worker->tally;

    ledger_refuse(t->ledger, sent->stream->id, sent->number);
    if (t->stopped)
        tally->unanswered++;
    else if (tally->failed++ == 0)
        fprintf(stderr, "a send failed: %u %s%s\n", result->code, result->info,
                result->code == HY_CODE_FREQUENCY ? "; more senders, or a higher request_rate"
                                                  : "");
}

static bool in_time(const struct worker *worker)
{
    uint64_t now = hy_steady_us();

    return now >= worker->from_us && now < worker->to_us;
}

static void on_sent(void *arg, const struct hongyan_sent *result)
{
    struct sent *sent = arg;
    struct stream *stream = sent->stream;
    struct talker *t = stream->talker;

    if (result->code == 0) {
        t->worker->tally->acked++;
        t->worker->tally->custom[ACKED_IN_TIME] += in_time(t->worker);
        t->worker->tally->expected += t->talk->receivers;
        worker_ack(t->worker, sent->due_us);
    } else {
        note_failure(t, sent, result);
    }
    put_sent(t, sent);
    if (t->options->rate == 0 && !t->worker->stopping && !t->stopped)
        talk_send(stream, hy_steady_us());
}

/* Message number k of all workers together is due k / rate after the beginning; worker w has every
 * count-th of them. */
static uint64_t due_us(const struct talker *t)
{
    uint64_t k = t->next * t->worker->count + t->worker->index, rate = (uint64_t)t->options->rate;

    return t->worker->begun_us + k / rate * 1000000 + k % rate * 1000000 / rate;
}

static void send_due(struct worker *worker)
{
    struct talker *t = worker->own;
    uint64_t now = hy_steady_us(), due = 0;

    if (t->options->rate == 0 || t->stream_count == 0)
        return;
    if (now > worker->to_us)
        now =
            worker
                ->to_us; /* the last turn may be late: what was due till the end is sent, no more */
    while ((due = due_us(t)) <= now)
        talk_send(&t->streams[t->next++ % t->stream_count], due);
}

/* ---- receiving ---- */

static const struct talk *person_talk(const struct person *person)
{
    return ((const struct talker *)person->crowd->worker->own)->talk;
}

static void on_body(void *arg, const uint8_t *body, size_t len)
{
    const struct person *person = arg;
    struct worker *worker = person->crowd->worker;
    struct tally *tally = worker->tally;
    struct stamp stamp;
    enum heard heard = HEARD_NEW;

    if (!stamp_read(body, len, &stamp) || stamp.stream < person->hears_from ||
        stamp.stream - person->hears_from >= person->hears)
        return;
    heard = hearing_note(&person->heard[stamp.stream - person->hears_from], stamp.number);
    if (heard == HEARD_TWICE) {
        tally->doubled++;
        return;
    }
    tally->reordered += heard == HEARD_LATE && !person_talk(person)->wanders;
    tally->delivered++;
    worker_operation(worker, stamp.due_us);
}

/* ---- the plan ---- */

static enum hy_err make_streams(struct talker *t)
{
    uint32_t mine = 0;

    t->streams = calloc(t->talk->streams > 0 ? t->talk->streams : 1, sizeof *t->streams);
    if (t->streams == NULL)
        return HY_ENOMEM;
    for (uint32_t i = 0; i < t->talk->streams; i++) {
        struct person *sender = crowd_find(&t->crowd, t->talk->sender(i));
        struct stream *stream = &t->streams[mine];

        if (sender == NULL)
            continue;
        *stream = (struct stream){.talker = t, .sender = sender, .id = i};
        t->talk->to(t->talk, i, stream->to);
        sender->deaf_to = i;
        mine++;
    }
    t->stream_count = mine;
    return HY_OK;
}

static enum hy_err open_talker(struct worker *worker)
{
    const struct talk *talk = worker->plan->ctx;
    const struct crowd_config idle = {.prefix = "idle", .people = talk->idle};
    struct talker *t = calloc(1, sizeof *t);
    enum hy_err err = HY_OK;

    if (t == NULL)
        return HY_ENOMEM;
    worker->own = t;
    *t = (struct talker){.worker = worker,
                         .talk = talk,
                         .options = worker->bench->options,
                         .ledger = worker->shared};
    t->crowd.body = on_body;
    err = crowd_open(&t->idle, worker, &idle);
    if (err == HY_OK)
        err = crowd_open(&t->crowd, worker, &talk->crowd);
    for (uint32_t i = 0; err == HY_OK && i < t->crowd.count; i++) {
        uint32_t from = 0, count = 0;

        talk->hears(talk, t->crowd.people[i].index, &from, &count);
        if (count > 0)
            err = crowd_listen(&t->crowd.people[i], from, count);
    }
    return err;
}

static enum hy_err prepare(const struct bench *bench, const struct plan *plan, void *shared)
{
    const struct talk *talk = plan->ctx;

    return talk->prepare != NULL ? talk->prepare(bench, talk, behind_ledger(talk, shared)) : HY_OK;
}

static enum hy_err enter(struct worker *worker)
{
    struct talker *t = worker->own;
    enum hy_err err = HY_OK;

    if (t->talk->enter != NULL)
        err = t->talk->enter(&t->crowd, t->talk, behind_ledger(t->talk, worker->shared));
    return err == HY_OK ? make_streams(t) : err;
}

static enum hy_err begin(struct worker *worker)
{
    struct talker *t = worker->own;

    for (uint32_t i = 0; t->options->rate == 0 && i < t->stream_count; i++)
        for (int64_t k = 0; k < t->options->window; k++)
            talk_send(&t->streams[i], hy_steady_us());
    return HY_OK;
}

static bool settled(struct worker *worker)
{
    const struct tally *tally = worker->tally;

    return tally->acked + tally->failed == tally->sent;
}

static void stop(struct worker *worker)
{
    struct talker *t = worker->own;

    t->stopped = true;
    crowd_stop(&t->crowd);
    crowd_stop(&t->idle);
}

static void account(struct worker *worker)
{
    struct talker *t = worker->own;

    for (uint32_t i = 0; i < t->crowd.count; i++) {
        const struct person *p = &t->crowd.people[i];

        for (uint32_t k = 0; k < p->hears; k++)
            if (p->hears_from + k != p->deaf_to)
                worker->tally->lost += ledger_lost(t->ledger, p->hears_from + k, &p->heard[k]);
    }
}

static void close_talker(struct worker *worker)
{
    struct talker *t = worker->own;

    if (t == NULL)
        return;
    t->stopped = true;
    crowd_close(&t->crowd); /* calls what waits */
    crowd_close(&t->idle);
    while (t->unused != NULL) {
        struct sent *next = t->unused->next;

        free(t->unused);
        t->unused = next;
    }
    free(t->streams);
    free(t);
}

/* One to one, an operation is a message that was acknowledged and delivered. */
static void report(const struct bench *bench, const struct plan *plan, const uint64_t custom[8])
{
    const struct talk *talk = plan->ctx;
    struct result *result = bench->result;

    if (talk->receivers == 1 && custom[ACKED_IN_TIME] < result->operations)
        result->operations = custom[ACKED_IN_TIME];
}

enum hy_err talk_run(struct bench *bench, const struct talk *talk)
{
    const struct talk_options *options = bench->options;
    struct plan plan = {
        .links = (uint64_t)talk->crowd.people + talk->idle,
        .shared_size = ledger_size(talk->streams) + talk->shared_size,
        .pace_us = options->rate > 0 ? (uint32_t)options->pace_us : 0,
        .ctx = (void *)(uintptr_t)talk,
        .open = open_talker,
        .prepare = prepare,
        .enter = enter,
        .begin = begin,
        .turn = send_due,
        .settled = settled,
        .stop = stop,
        .account = account,
        .close = close_talker,
        .report = report,
    };

    bench->result->latency_from = "due to delivery";
    return engine_run(bench, &plan);
}
