/* Pages and lists: what each must hold is known, and is looked at byte for byte. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history.h"
#include "common/clock.h"
#include "common/slot.h"

enum { SPREAD = 7919 /* a prime */, KNOCK_MS = 60000 };

struct page { /* one that was asked for; lists have but a reader and a time */
    struct page *next_unused;
    struct asker *asker;
    struct person *reader;
    uint32_t conv;
    uint64_t from, first, last; /* what must come */
    uint64_t due_us;
    bool newer;
};

/* One worker's side. */
struct asker {
    struct worker *worker;
    const struct history *history;
    struct crowd crowd;
    void (*ask)(struct asker *a, struct person *reader, uint64_t due_us);
    struct span answer; /* the HistoryRes of the page that is told about */
    uint64_t random;
    uint64_t next;   /* open loop: how many were due here */
    uint64_t chosen; /* cold: how many were asked for */
    bool exhausted, stopped;
    struct page *unused;
};

static struct page *take_page(struct asker *a)
{
    struct page *p = a->unused;

    if (p != NULL)
        a->unused = p->next_unused;
    else
        p = malloc(sizeof *p);
    if (p != NULL)
        *p = (struct page){.asker = a};
    return p;
}

static void put_page(struct page *p)
{
    p->next_unused = p->asker->unused;
    p->asker->unused = p;
}

/* ---- looking ---- */

/* A page of history is not decoded: what is looked at is found in its bytes. */
static bool on_frame(struct person *person, const uint8_t *bytes, size_t len)
{
    struct asker *a = person->crowd->worker->own;
    struct span frame = {bytes, bytes + len};
    struct field field;
    uint64_t id = 0;

    a->answer = (struct span){NULL, NULL};
    while (field_next(&frame, &field)) {
        if (field.number == 1)
            id = field.value;
        else if (field.number == HY__FRAME__BODY_HISTORY_RES && field.bytes)
            a->answer = field.content;
        else
            return false;
    }
    if (a->answer.at == NULL || frame.at != frame.end)
        return false;
    hongyan_answered(person->client, id, 0);
    return true;
}

static bool is_right(const struct page *p)
{
    enum { MSGS = 1, COMPLETE, FIRST_SEQ, LAST_SEQ, FIELDS };
    const struct history *h = p->asker->history;
    struct span span = p->asker->answer;
    uint64_t numbers[FIELDS] = {0}, seq = p->first;
    struct history_conv conv;
    struct field field;
    bool good = true;

    history_conv(h, history_writer_of(h, p->reader->index, p->conv), p->reader->index, &conv);
    while (good && field_next(&span, &field)) {
        if (field.number == MSGS)
            good = field.bytes && seq <= p->last && history_is(&conv, field.content, seq++);
        else if (field.number < FIELDS)
            numbers[field.number] = field.value;
    }
    return good && span.at == span.end && seq == p->last + 1 && numbers[FIRST_SEQ] == 1 &&
           numbers[LAST_SEQ] == h->depth &&
           numbers[COMPLETE] == (p->newer ? p->last == h->depth : p->first == 1);
}

static void on_page(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct page *p = arg;
    struct asker *a = p->asker;
    struct tally *tally = a->worker->tally;
    struct person *reader = p->reader;

    (void)answer;
    if (code != 0 && a->stopped) {
        tally->unanswered++;
    } else if (code != 0) {
        if (tally->failed++ == 0)
            fprintf(stderr, "a page failed: %u %s\n", code, info);
    } else {
        tally->acked++;
        if (is_right(p))
            tally->delivered++;
        else
            tally->lost++;
        worker_operation(a->worker, p->due_us);
    }
    put_page(p);
    if (a->history->options->rate == 0 && !a->worker->stopping && !a->stopped)
        a->ask(a, reader, hy_steady_us());
}

/* ---- choosing ---- */

/* A page with its edge at place at, from 1. */
static void choose(const struct history *h, struct page *p, uint64_t at)
{
    p->from = at;
    p->first = p->newer ? at : at > HISTORY_PAGE ? at - HISTORY_PAGE + 1 : 1;
    p->last = !p->newer ? at : at + HISTORY_PAGE - 1 < h->depth ? at + HISTORY_PAGE - 1 : h->depth;
}

/* A third from the newest end, a third from the oldest, a third from anywhere. */
static void choose_any(struct asker *a, struct page *p)
{
    const struct history *h = a->history;
    uint64_t n = a->random = hy_mix64(a->random + 1), where = (n >> 4) % 3;

    p->conv = (uint32_t)(n >> 8) % h->convs;
    p->newer = where == 2 ? (n & 1) != 0 : where == 1;
    choose(h, p, where == 2 ? 1 + (n >> 32) % h->depth : p->newer ? 1 : h->depth);
    if (where != 2)
        p->from = 0;
}

/* One that nobody has asked for; those after one another are of other conversations. */
static bool choose_new(struct asker *a, struct page *p)
{
    const struct history *h = a->history;
    uint64_t convs = (uint64_t)a->crowd.count * h->convs, all = convs * (h->depth / HISTORY_PAGE);
    uint64_t n, place;

    if (a->chosen >= all)
        return false;
    n = a->chosen++ * (all % SPREAD == 0 ? 1 : SPREAD) % all;
    place = n / convs;
    p->reader = &a->crowd.people[n % a->crowd.count];
    p->conv = (uint32_t)(n / a->crowd.count % h->convs);
    p->newer = (place & 1) != 0;
    choose(h, p, place * HISTORY_PAGE + (p->newer ? 1 : HISTORY_PAGE));
    return true;
}

static void ask_page(struct asker *a, struct person *reader, uint64_t due_us)
{
    const struct history *h = a->history;
    struct page *p = take_page(a);
    struct history_conv conv;

    if (p == NULL)
        return;
    p->reader = reader;
    p->due_us = due_us;
    if (!h->options->cold) {
        choose_any(a, p);
    } else if (!choose_new(a, p)) {
        a->exhausted = true;
        put_page(p);
        return;
    }
    history_conv(h, history_writer_of(h, p->reader->index, p->conv), p->reader->index, &conv);
    a->worker->tally->sent++;
    if (hongyan_history(p->reader->client, HY__CONV_TYPE__CONV_C2C, conv.from, p->from, p->newer,
                        HISTORY_PAGE, on_page, p) == HY_OK)
        return;
    a->worker->tally->failed++;
    put_page(p);
}

/* ---- lists ---- */

static void on_list(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct page *p = arg;
    struct asker *a = p->asker;
    struct tally *tally = a->worker->tally;
    struct person *reader = p->reader;

    if (code != 0 && a->stopped) {
        tally->unanswered++;
    } else if (code != 0) {
        if (tally->failed++ == 0)
            fprintf(stderr, "a list failed: %u %s\n", code, info);
    } else {
        const Hy__ConvListRes *res = answer->conv_list_res;

        tally->acked++;
        tally->lost += res->n_convs != a->history->convs || res->convs[0]->last_msg == NULL ||
                       res->convs[0]->last_seq != a->history->depth;
        worker_operation(a->worker, p->due_us);
    }
    put_page(p);
    if (!a->worker->stopping && !a->stopped)
        a->ask(a, reader, hy_steady_us());
}

static void ask_list(struct asker *a, struct person *reader, uint64_t due_us)
{
    struct page *p = take_page(a);

    if (p == NULL)
        return;
    p->reader = reader;
    p->due_us = due_us;
    a->worker->tally->sent++;
    if (hongyan_conv_list(reader->client, on_list, p) == HY_OK)
        return;
    a->worker->tally->failed++;
    put_page(p);
}

/* ---- a store that was started again ---- */

struct knock {
    bool answered;
    uint32_t code;
};

static void on_knock(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct knock *knock = arg;

    (void)info;
    (void)answer;
    knock->answered = true;
    knock->code = code;
}

/* What a reader has said to themselves, which is nothing, until it comes. */
static enum hy_err knock_until_open(struct person *reader)
{
    uint64_t end = hy_steady_ms() + KNOCK_MS;
    struct knock knock = {.code = 1};

    while (knock.code != 0 && hy_steady_ms() < end) {
        knock.answered = false;
        if (hongyan_history(reader->client, HY__CONV_TYPE__CONV_C2C,
                            hongyan_identifier(reader->client), 0, false, 1, on_knock,
                            &knock) != HY_OK)
            return HY_ENOMEM;
        while (!knock.answered) /* requests have a deadline */
            hy_loop_turn(reader->crowd->worker->loop, 20);
    }
    return knock.code == 0 ? HY_OK : HY_ETIMEOUT;
}

/* ---- the plans ---- */

static enum hy_err open_asker(struct worker *worker, bool pages)
{
    const struct history *h = worker->plan->ctx;
    const struct crowd_config readers = {.prefix = h->readers, .people = h->people};
    struct asker *a = calloc(1, sizeof *a);
    enum hy_err err;

    if (a == NULL)
        return HY_ENOMEM;
    worker->own = a;
    *a = (struct asker){.worker = worker,
                        .history = h,
                        .ask = pages ? ask_page : ask_list,
                        .random = worker->index * 1000003ull};
    a->crowd.frame = pages ? on_frame : NULL;
    err = crowd_open(&a->crowd, worker, &readers);
    for (uint32_t i = 0; err == HY_OK && h->options->cold && pages && i < a->crowd.count; i++)
        err = knock_until_open(&a->crowd.people[i]);
    return err;
}

static enum hy_err open_pages(struct worker *worker)
{
    return open_asker(worker, true);
}

static enum hy_err open_lists(struct worker *worker)
{
    return open_asker(worker, false);
}

static enum hy_err begin_pages(struct worker *worker)
{
    struct asker *a = worker->own;
    const struct history_options *options = a->history->options;

    for (int64_t k = 0; options->rate == 0 && k < options->window; k++)
        for (uint32_t i = 0; i < a->crowd.count && !a->exhausted; i++)
            a->ask(a, &a->crowd.people[i], hy_steady_us());
    return HY_OK;
}

static enum hy_err begin_lists(struct worker *worker)
{
    struct asker *a = worker->own;

    for (uint32_t i = 0; i < a->crowd.count; i++)
        a->ask(a, &a->crowd.people[i], hy_steady_us());
    return HY_OK;
}

/* Page number k of all workers together is due k / rate after the beginning. */
static void ask_due(struct worker *worker)
{
    struct asker *a = worker->own;
    uint64_t rate = (uint64_t)a->history->options->rate, now = hy_steady_us();

    if (rate == 0 || worker->stopping || a->crowd.count == 0)
        return;
    if (now > worker->to_us)
        now = worker->to_us;
    while (!a->exhausted) {
        uint64_t n = a->next, k = n * worker->count + worker->index;
        uint64_t due = worker->begun_us + k / rate * 1000000 + k % rate * 1000000 / rate;

        if (due > now)
            return;
        a->next = n + 1;
        a->ask(a, &a->crowd.people[n % a->crowd.count], due);
    }
}

static bool settled(struct worker *worker)
{
    const struct asker *a = worker->own;
    const struct tally *tally = worker->tally;

    return tally->acked + tally->failed == tally->sent && (worker->stopping || a->exhausted);
}

static void stop(struct worker *worker)
{
    struct asker *a = worker->own;

    a->stopped = true;
    crowd_stop(&a->crowd);
}

static void close_asker(struct worker *worker)
{
    struct asker *a = worker->own;

    if (a == NULL)
        return;
    a->stopped = true;
    crowd_close(&a->crowd); /* calls what waits */
    while (a->unused != NULL) {
        struct page *next = a->unused->next_unused;

        free(a->unused);
        a->unused = next;
    }
    free(a);
}

enum hy_err history_pages(struct bench *bench, struct history *h)
{
    const struct history_options *options = h->options;
    const struct plan plan = {.links = h->people,
                              .pace_us = options->rate > 0 ? (uint32_t)options->pace_us : 0,
                              .until_done = options->cold,
                              .ctx = h,
                              .open = open_pages,
                              .begin = begin_pages,
                              .turn = ask_due,
                              .settled = settled,
                              .stop = stop,
                              .close = close_asker};

    bench->result->latency_from = "due to page";
    return engine_run(bench, &plan);
}

enum hy_err history_lists(struct bench *bench, struct history *h)
{
    const struct plan plan = {.links = h->people,
                              .ctx = h,
                              .open = open_lists,
                              .begin = begin_lists,
                              .settled = settled,
                              .stop = stop,
                              .close = close_asker};

    return engine_run(bench, &plan);
}
