/* worker - see worker.h. */

#include "bench/peers/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"

enum { EVENTS = 512, READ_BYTES = 1 << 18, IDLE_WAIT_US = 5000, PAGE_ROWS = 20 };

static bool has_pairs(enum load_kind kind)
{
    return kind == LOAD_PAIRS || kind == LOAD_PAGES;
}

/* Units are pairs or single users; unit u belongs to worker u % workers. */
static uint32_t units_of(const struct load_options *o, enum load_kind kind)
{
    if (has_pairs(kind))
        return o->pairs;
    return kind == LOAD_ROOM ? o->members : o->links;
}

static uint32_t share_of(uint32_t units, const struct load_options *o, unsigned index)
{
    return units / o->workers + (index < units % o->workers);
}

uint32_t worker_share(const struct load_options *o, enum load_kind kind, unsigned index)
{
    return share_of(units_of(o, kind), o, index) * (has_pairs(kind) ? 2 : 1);
}

uint32_t worker_users(const struct load_options *o, enum load_kind kind)
{
    return units_of(o, kind) * (has_pairs(kind) ? 2 : 1);
}

uint32_t worker_streams(const struct load_options *o, enum load_kind kind)
{
    if (has_pairs(kind))
        return o->pairs;
    if (kind != LOAD_ROOM)
        return 0;
    return o->pairs < o->members ? o->pairs : o->members;
}

static uint32_t user_of(const struct worker *w, uint32_t k)
{
    if (has_pairs(w->kind))
        return 2 * (k / 2 * w->options->workers + w->index) + k % 2;
    return k * w->options->workers + w->index;
}

/* ---- what is sent ---- */

static bool sending(const struct worker *w)
{
    return w->phase == LOAD_RUN || w->phase == LOAD_MEASURE;
}

static void say(struct worker *w, struct stream *stream, uint64_t due_us)
{
    struct stamp stamp = {stream->id, ++stream->sent, due_us};
    char text[STAMP_TEXT];

    stamp_text_write(&stamp, text);
    w->options->protocol->send(stream->link, stream->to, text);
    atomic_fetch_add_explicit(&w->tally->sent, 1, memory_order_relaxed);
}

static void ask_page(struct worker *w, struct link *link)
{
    link->asked_us = hy_steady_us();
    link->rows = 0;
    w->options->protocol->page(link);
}

/* One message of a closed one-to-one loop has come through. */
static void came_through(struct worker *w, struct stream *stream)
{
    if (w->kind == LOAD_PAGES ? stream->sent < w->options->depth
                              : w->kind == LOAD_PAIRS && w->options->rate == 0 && sending(w))
        say(w, stream, hy_steady_us());
}

/* The room's closed loop: a message is through when every member has it. */
static void say_to_room(struct worker *w)
{
    for (uint32_t i = 0; i < w->stream_count; i++) {
        struct stream *stream = &w->streams[i];
        uint64_t through =
            atomic_load_explicit(&w->board->room[stream->id].received, memory_order_relaxed) /
            w->options->members;

        while (stream->sent < through + w->options->window)
            say(w, stream, hy_steady_us());
    }
}

/* When this worker's message number n of an open loop is due. */
static uint64_t due_at(const struct worker *w, uint64_t n)
{
    uint64_t all = worker_streams(w->options, w->kind);

    return w->begun_us + (n * all + w->index) * 1000000 / (w->options->rate * w->stream_count);
}

static void say_what_is_due(struct worker *w)
{
    while (w->stream_count > 0 && due_at(w, w->due_count) <= hy_steady_us()) {
        say(w, &w->streams[w->due_count % w->stream_count], due_at(w, w->due_count));
        w->due_count++;
    }
}

static void begin(struct worker *w)
{
    w->begun_us = hy_steady_us();
    if (w->kind == LOAD_PAGES) {
        for (uint32_t k = 1; k < w->count; k += 2)
            ask_page(w, &w->links[k]);
    } else if (w->kind == LOAD_PAIRS && w->options->rate == 0) {
        for (uint32_t i = 0; i < w->stream_count; i++)
            for (uint32_t k = 0; k < w->options->window; k++)
                say(w, &w->streams[i], w->begun_us);
    }
}

/* History is paged once it is there: each sender fills that of its partner. */
static void fill_history(struct worker *w)
{
    for (uint32_t i = 0; i < w->stream_count; i++)
        if (w->streams[i].sent == 0)
            for (uint32_t k = 0; k < w->options->window && k < w->options->depth; k++)
                say(w, &w->streams[i], hy_steady_us());
}

/* ---- what is heard ---- */

void load_online(struct link *link)
{
    link->online = true;
    atomic_fetch_add(&link->worker->tally->online, 1);
}

void load_refused(struct link *link, const char *why, size_t len)
{
    if (atomic_fetch_add(&link->worker->tally->refused, 1) == 0)
        fprintf(stderr, "user %u is refused: %.*s\n", link->index, (int)len, why);
}

void load_failed(struct link *link, const char *why, size_t len)
{
    if (atomic_fetch_add(&link->worker->tally->failed, 1) == 0)
        fprintf(stderr, "user %u is told: %.*s\n", link->index, (int)len, why);
}

void load_acked(struct link *link)
{
    struct worker *w = link->worker;

    atomic_fetch_add_explicit(&w->tally->acked, 1, memory_order_relaxed);
    if (link->stream != NULL)
        came_through(w, link->stream);
}

/* A stream is numbered from 1; the account is exact as long as nothing is taken out of the sum. */
static bool is_next(struct link *link, const struct stamp *stamp)
{
    struct tally *tally = link->worker->tally;
    uint64_t *heard = &link->heard[stamp->stream - link->heard_from];
    uint64_t before = *heard;

    if (stamp->number <= before) { /* or late: a gap was counted for it */
        atomic_fetch_add(&tally->doubled, 1);
        return false;
    }
    *heard = stamp->number;
    if (stamp->number > before + 1)
        atomic_fetch_add(&tally->gaps, stamp->number - before - 1);
    return true;
}

static uint64_t streams_heard(const struct worker *w)
{
    return w->kind == LOAD_ROOM ? worker_streams(w->options, w->kind) : 1;
}

void load_text(struct link *link, const char *text, size_t len)
{
    struct worker *w = link->worker;
    struct stamp stamp;

    if (link->heard == NULL || !stamp_text_read(text, len, &stamp) ||
        stamp.stream < link->heard_from || stamp.stream - link->heard_from >= streams_heard(w) ||
        !is_next(link, &stamp))
        return;
    atomic_fetch_add_explicit(&w->tally->delivered, 1, memory_order_relaxed);
    if (w->phase == LOAD_MEASURE && w->kind != LOAD_PAGES)
        hist_add(&w->tally->latency, hy_steady_us() - stamp.due_us);
    if (w->kind == LOAD_ROOM)
        w->fresh[stamp.stream]++;
    else if (!w->options->protocol->acks) {
        atomic_fetch_add_explicit(&w->tally->acked, 1, memory_order_relaxed);
        came_through(w, (link - 1)->stream); /* its partner is the link before it */
    }
}

void load_row(struct link *link)
{
    link->rows++;
}

void load_page(struct link *link)
{
    struct worker *w = link->worker;

    atomic_fetch_add(&w->tally->pages, 1);
    if (w->phase == LOAD_MEASURE)
        hist_add(&w->tally->latency, hy_steady_us() - link->asked_us);
    if (link->rows != PAGE_ROWS)
        load_failed(link, "a page that is not full", 23);
    if (sending(w))
        ask_page(w, link);
}

/* ---- the turns of the loop ---- */

static void lose(struct worker *w, struct link *link)
{
    if (atomic_load(&w->board->phase) != LOAD_END) /* they all part at the end */
        load_refused(link, "the connection broke", 20);
    link_close(link);
}

/* Keep what begins a packet whose end has not come. */
static void keep(struct link *link, const uint8_t *rest, size_t len)
{
    uint8_t *data = NULL;

    if (len > 0) {
        data = malloc(len);
        if (data == NULL)
            abort();
        memcpy(data, rest, len);
    }
    free(link->in.data);
    link->in = (struct bytes){data, 0, len, len};
}

static void hear(struct worker *w, struct link *link)
{
    static uint8_t scratch[READ_BYTES]; /* a process has one worker */
    size_t kept = link->in.len;
    ssize_t got = 0, taken = 0;

    if (kept >= sizeof scratch) {
        lose(w, link);
        return;
    }
    if (kept > 0)
        memcpy(scratch, link->in.data, kept);
    got = recv(link->fd, scratch + kept, sizeof scratch - kept, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        taken = w->options->protocol->take(link, scratch, kept + (size_t)got);
    if (got <= 0 || taken < 0)
        lose(w, link);
    else if (kept > 0 || (size_t)taken < (size_t)got)
        keep(link, scratch + taken, kept + (size_t)got - (size_t)taken);
}

static void on_event(struct worker *w, const struct epoll_event *event)
{
    struct link *link = event->data.ptr;

    if (link->fd < 0)
        return;
    if (event->events & EPOLLOUT) {
        if (!link->greeted) {
            link->greeted = true;
            w->options->protocol->greet(link);
        }
        if (link_flush(link) != HY_OK) {
            lose(w, link);
            return;
        }
    }
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        hear(w, link);
}

static void open_some(struct worker *w)
{
    uint32_t allowed = atomic_load(&w->board->allowed[w->index]);
    uint32_t online = atomic_load(&w->tally->online);

    while (w->opened < allowed && w->opened < w->count && w->opened - online < w->options->at_once)
        if (link_open(&w->links[w->opened++], w->options->port) != HY_OK)
            atomic_fetch_add(&w->tally->refused, 1);
}

static void flush_all(struct worker *w)
{
    while (w->dirty != NULL) {
        struct link *link = w->dirty;

        w->dirty = link->next_dirty;
        link->dirty = false;
        if (link->fd >= 0 && !link->blocked && link_flush(link) != HY_OK)
            lose(w, link);
    }
}

static void tell_room(struct worker *w)
{
    for (uint32_t i = 0; w->kind == LOAD_ROOM && i < LOAD_STREAMS; i++) {
        if (w->fresh[i] > 0)
            atomic_fetch_add_explicit(&w->board->room[i].received, w->fresh[i],
                                      memory_order_relaxed);
        w->fresh[i] = 0;
    }
}

/* Idle links say that they live, spread over the time. */
static void beat(struct worker *w)
{
    uint64_t now = hy_steady_us();
    uint64_t step = (uint64_t)w->options->heartbeat_ms * 1000 / (w->count + 1);

    while (w->kind == LOAD_IDLE && w->beat_at_us <= now) {
        struct link *link = &w->links[w->beat_next++ % w->count];

        if (link->online)
            w->options->protocol->beat(link);
        w->beat_at_us = (w->beat_at_us == 0 ? now : w->beat_at_us) + step;
    }
}

static uint64_t wait_us(const struct worker *w)
{
    uint64_t now = hy_steady_us(), due = 0;

    if (w->options->rate == 0 || !sending(w) || w->stream_count == 0)
        return IDLE_WAIT_US;
    due = due_at(w, w->due_count);
    return due <= now ? 0 : due - now < IDLE_WAIT_US ? due - now : IDLE_WAIT_US;
}

static void turn(struct worker *w)
{
    static struct epoll_event events[EVENTS];
    uint64_t us = wait_us(w);
    struct timespec wait = {.tv_nsec = (long)us * 1000};
    int count = epoll_pwait2(w->epoll, events, EVENTS, &wait, NULL);

    for (int i = 0; i < count; i++)
        on_event(w, &events[i]);
    tell_room(w);
    if (sending(w) && w->options->rate > 0)
        say_what_is_due(w);
    else if (sending(w) && w->kind == LOAD_ROOM)
        say_to_room(w);
    beat(w);
    flush_all(w);
}

/* ---- its life ---- */

static bool prepare_links(struct worker *w)
{
    uint64_t heard = streams_heard(w);

    w->links = calloc(w->count + 1, sizeof *w->links);
    for (uint32_t k = 0; w->links != NULL && k < w->count; k++) {
        struct link *link = &w->links[k];

        link->worker = w;
        link->fd = -1;
        link->index = user_of(w, k);
        link->receives = has_pairs(w->kind) && k % 2 == 1;
        link->heard_from = link->receives ? link->index / 2 : 0;
        if (link->receives || w->kind == LOAD_ROOM)
            link->heard = calloc(heard, sizeof *link->heard);
    }
    return w->links != NULL;
}

static bool prepare_streams(struct worker *w)
{
    uint32_t count = share_of(worker_streams(w->options, w->kind), w->options, w->index);

    w->stream_count = count;
    w->streams = calloc(count + 1, sizeof *w->streams);
    for (uint32_t i = 0; w->streams != NULL && i < count; i++) {
        struct stream *stream = &w->streams[i];

        stream->link = &w->links[has_pairs(w->kind) ? 2 * i : i];
        stream->link->stream = stream;
        stream->id = has_pairs(w->kind) ? stream->link->index / 2 : stream->link->index;
        stream->to = has_pairs(w->kind) ? stream->link->index + 1 : TO_ROOM;
    }
    return w->streams != NULL;
}

static void part(struct worker *w)
{
    for (uint32_t k = 0; k < w->count; k++) {
        struct link *link = &w->links[k];

        if (link->fd >= 0 && link->online && w->options->protocol->leave != NULL) {
            w->options->protocol->leave(link);
            if (link_flush(link) != HY_OK)
                link_close(link);
        }
        link_close(link);
        free(link->heard);
    }
    free(w->links);
    free(w->streams);
    close(w->epoll);
}

static void count_cpu(struct tally *tally)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    tally->user_us = (uint64_t)usage.ru_utime.tv_sec * 1000000 + (uint64_t)usage.ru_utime.tv_usec;
    tally->system_us = (uint64_t)usage.ru_stime.tv_sec * 1000000 + (uint64_t)usage.ru_stime.tv_usec;
}

int worker_live(const struct load_options *options, enum load_kind kind, struct board *board,
                unsigned index)
{
    struct worker w = {.options = options,
                       .kind = kind,
                       .board = board,
                       .tally = &board->tally[index],
                       .index = index,
                       .epoll = epoll_create1(EPOLL_CLOEXEC),
                       .count = worker_share(options, kind, index)};
    enum load_phase was = LOAD_OPEN;

    if (w.epoll < 0 || !prepare_links(&w) || !prepare_streams(&w)) {
        free(w.links);
        free(w.streams);
        return EXIT_FAILURE;
    }
    while ((w.phase = atomic_load(&board->phase)) != LOAD_END) {
        if (w.phase == LOAD_OPEN)
            open_some(&w);
        else if (w.phase == LOAD_FILL)
            fill_history(&w);
        else if (w.phase == LOAD_RUN && was != LOAD_RUN)
            begin(&w);
        was = w.phase;
        count_cpu(w.tally);
        turn(&w);
        atomic_store(&w.tally->turned, w.phase);
    }
    part(&w);
    return EXIT_SUCCESS;
}
