/* People and filling: writers write, and leave. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history.h"
#include "common/clock.h"

enum { FILL_WINDOW = 64, FILL_S = 600 };

uint32_t history_writer_of(const struct history *h, uint32_t reader, uint32_t k)
{
    return (reader + k) % h->people;
}

void history_conv(const struct history *h, uint32_t writer, uint32_t reader,
                  struct history_conv *conv)
{
    conv->from_len =
        (size_t)snprintf(conv->from, sizeof conv->from, "%s%" PRIu32, h->writers, writer);
    conv->to_len = (size_t)snprintf(conv->to, sizeof conv->to, "%s%" PRIu32, h->readers, reader);
    conv->stream = (uint64_t)writer * h->people + reader;
}

void history_body(const struct history_conv *conv, uint64_t seq, uint8_t body[static STAMP_BYTES])
{
    const struct stamp stamp = {conv->stream, seq, 0};

    stamp_write(&stamp, body);
}

bool history_is(const struct history_conv *conv, struct span msg, uint64_t seq)
{
    enum {
        TYPE = 1,
        FROM,
        TO,
        BODY = 6,
        SEQ = 14,
        TIME,
        ALL = 1 << TYPE | 1 << FROM | 1 << TO | 1 << BODY | 1 << SEQ | 1 << TIME
    };
    uint8_t body[STAMP_BYTES];
    struct field field;
    unsigned good = 0;

    history_body(conv, seq, body);
    while (field_next(&msg, &field)) {
        bool right = (field.number == TYPE && field.value == HY__CONV_TYPE__CONV_C2C) ||
                     (field.number == FROM && field_is(&field, conv->from, conv->from_len)) ||
                     (field.number == TO && field_is(&field, conv->to, conv->to_len)) ||
                     (field.number == BODY && field_is(&field, body, sizeof body)) ||
                     (field.number == SEQ && field.value == seq) ||
                     (field.number == TIME && field.value > 0);

        good |= right ? 1u << field.number : 0;
    }
    return msg.at == msg.end && good == ALL;
}

/* ---- filling ---- */

struct stream { /* one writer to one reader */
    struct filler *filler;
    struct hongyan_client *client;
    struct history_conv conv;
    uint64_t sent;
};

struct filler {
    struct worker *worker;
    const struct history *history;
    struct crowd writers;
    struct stream *streams;
};

static void on_sent(void *arg, const struct hongyan_sent *sent);

static void say(struct stream *s)
{
    uint8_t body[STAMP_BYTES];
    struct hongyan_message message = {.conv_type = HY__CONV_TYPE__CONV_C2C,
                                      .to = s->conv.to,
                                      .body = body,
                                      .body_len = sizeof body};

    history_body(&s->conv, s->sent + 1, body);
    if (hongyan_send(s->client, &message, on_sent, s) != HY_OK)
        return;
    s->sent++;
    s->filler->worker->tally->sent++;
}

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct stream *s = arg;
    struct tally *tally = s->filler->worker->tally;

    if (sent->code == 0) {
        tally->acked++;
        worker_operation(s->filler->worker, hy_steady_us());
    } else if (tally->failed++ == 0) {
        fprintf(stderr, "a send failed: %u %s\n", sent->code, sent->info);
    }
    if (tally->failed == 0 && s->sent < s->filler->history->depth)
        say(s);
}

/* An account is made by its first sign-in. */
static enum hy_err open_filler(struct worker *worker)
{
    const struct history *h = worker->plan->ctx;
    const struct crowd_config readers = {.prefix = h->readers, .people = h->people};
    const struct crowd_config writers = {
        .prefix = h->writers, .people = h->people, .window = FILL_WINDOW};
    struct filler *f = calloc(1, sizeof *f);
    struct crowd crowd = {0};
    enum hy_err err;

    if (f == NULL)
        return HY_ENOMEM;
    worker->own = f;
    *f = (struct filler){.worker = worker, .history = h};
    err = crowd_open(&crowd, worker, &readers);
    crowd_close(&crowd);
    return err == HY_OK ? crowd_open(&f->writers, worker, &writers) : err;
}

static enum hy_err begin(struct worker *worker)
{
    struct filler *f = worker->own;
    const struct history *h = f->history;
    uint32_t count = f->writers.count * h->convs;

    f->streams = calloc(count + 1, sizeof *f->streams);
    if (f->streams == NULL)
        return HY_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct person *writer = &f->writers.people[i / h->convs];
        uint32_t reader = (writer->index + h->people - i % h->convs) % h->people;
        struct stream *s = &f->streams[i];

        *s = (struct stream){.filler = f, .client = writer->client};
        history_conv(h, writer->index, reader, &s->conv);
        while (s->sent < FILL_WINDOW && s->sent < h->depth && worker->tally->failed == 0)
            say(s);
    }
    return HY_OK;
}

static bool settled(struct worker *worker)
{
    const struct filler *f = worker->own;

    return worker->tally->failed > 0 ||
           worker->tally->acked == f->writers.count * f->history->convs * f->history->depth;
}

static void stop(struct worker *worker)
{
    struct filler *f = worker->own;

    crowd_stop(&f->writers);
}

static void close_filler(struct worker *worker)
{
    struct filler *f = worker->own;

    if (f == NULL)
        return;
    crowd_close(&f->writers);
    free(f->streams);
    free(f);
}

enum hy_err history_fill(const struct bench *bench, struct history *h)
{
    static struct result result;
    struct history_options options = *h->options;
    struct bench mine = *bench;
    const struct plan plan = {.links = h->people,
                              .until_done = true,
                              .ctx = h,
                              .open = open_filler,
                              .begin = begin,
                              .settled = settled,
                              .stop = stop,
                              .close = close_filler};
    uint64_t all = (uint64_t)h->people * h->convs * h->depth;
    enum hy_err err;

    options.common.seconds = FILL_S;
    result.unit = "messages";
    mine.options = mine.common = &options.common;
    mine.result = &result;
    err = engine_run(&mine, &plan);
    if (err == HY_OK && result.acked != all) {
        fprintf(stderr, "hongyan-bench: %" PRIu64 " of %" PRIu64 " messages were filled in\n",
                result.acked, all);
        err = HY_ETIMEOUT;
    }
    result_free(&result);
    return err;
}
