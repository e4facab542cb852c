#include "tests/lib/load.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/codes.h"
#include "ctl/talk.h"

enum { TICK_MS = 5, OPEN_MOST = 64, READ_AGAIN_MOST = 3, HEAR_MS = 15000 };

static void touch(struct load *load)
{
    load->moved_ms = hy_loop_now_ms(load->loop);
}

/* ---- sending ---- */

/* Which send; kept until its answer. */
struct flight {
    struct seat *seat;
    size_t n;
};

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct flight *flight = arg;
    struct seat *seat = flight->seat;
    struct load *load = seat->load;
    struct sending *sending = &seat->sends[flight->n];
    uint64_t now = hy_loop_now_ms(load->loop);

    free(flight);
    if (load->stage == LOAD_ENDED)
        return; /* closing */
    seat->open--;
    load->open--;
    touch(load);
    sending->done_ms = now;
    sending->code = sent->code;
    if (sent->code != 0) {
        bool unknown = sent->code == HY_CODE_TIMEOUT;

        sending->state = unknown ? SEND_UNKNOWN : SEND_FAILED;
        load->last_code = sent->code;
        load->accounts.unknown += unknown;
        load->accounts.failed += !unknown;
        return;
    }
    sending->state = SEND_OK;
    sending->seq = sent->seq;
    load->accounts.acked++;
    if (now - load->acked_ms > load->accounts.max_gap_ms)
        load->accounts.max_gap_ms = now - load->acked_ms;
    if (now - sending->at_ms > load->accounts.max_ack_ms)
        load->accounts.max_ack_ms = now - sending->at_ms;
    load->acked_ms = now;
}

static struct sending *add_sending(struct seat *seat)
{
    if (seat->sent == seat->sends_size) {
        seat->sends_size = seat->sends_size > 0 ? seat->sends_size * 2 : 64;
        seat->sends = realloc(seat->sends, seat->sends_size * sizeof *seat->sends);
        if (seat->sends == NULL)
            abort();
    }
    return &seat->sends[seat->sent];
}

static const char *peer_of(const struct seat *seat)
{
    const struct talk *talk = seat->talk;
    const struct seat *first = &seat->load->seats[talk->first];

    if (talk->type == HY__CONV_TYPE__CONV_GROUP)
        return talk->group;
    return seat == first ? first[1].user : first->user;
}

static void send_one(struct seat *seat)
{
    struct load *load = seat->load;
    struct flight *flight = calloc(1, sizeof *flight);
    char text[64];

    if (flight == NULL)
        abort();
    *flight = (struct flight){seat, seat->sent};
    *add_sending(seat) = (struct sending){.at_ms = hy_loop_now_ms(load->loop)};
    snprintf(text, sizeof text, "%zu:%zu", (size_t)(seat - load->seats), seat->sent);
    seat->sent++;
    seat->open++;
    load->open++;
    load->accounts.sent++;
    if (hongyan_send_text(seat->client, seat->talk->type, peer_of(seat), text, on_sent, flight) !=
        HY_OK)
        on_sent(flight, &(struct hongyan_sent){.code = 1, .info = ""});
}

static void send_due(struct load *load, uint64_t now)
{
    uint64_t due = (now - load->begun_ms) * (uint64_t)load->rate / 1000;

    for (; load->due < due; load->due++) {
        struct seat *seat = &load->seats[load->next_seat++ % load->seat_count];

        if (seat->open < OPEN_MOST) /* else it waits as people would */
            send_one(seat);
    }
    if (load->open == 0)
        load->acked_ms = now;
}

/* ---- reading on the way ---- */

static void on_peek(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct seat *seat = arg;
    struct load *load = seat->load;
    const Hy__HistoryRes *res = answer != NULL ? answer->history_res : NULL;
    struct peek peek = {.asked_ms = seat->peek_ms, .first = seat->pages.count};

    (void)info;
    if (load->stage == LOAD_ENDED)
        return; /* closing */
    seat->peek_ms = 0;
    if (code != 0 || res == NULL)
        return; /* as it happens; nothing was seen */
    peek.answered_ms = hy_loop_now_ms(load->loop);
    peek.count = res->n_msgs;
    for (size_t i = 0; i < res->n_msgs; i++)
        seen_add(&seat->pages, load_parse(res->msgs[i], peek.answered_ms));
    peek_add(&seat->peeks, peek);
    load->accounts.peeks++;
}

static void peek_due(struct load *load, uint64_t now)
{
    uint64_t due = (now - load->begun_ms) * (uint64_t)load->reads / 1000;

    for (; load->peeks_due < due; load->peeks_due++) {
        struct seat *seat = &load->seats[load->next_peek++ % load->seat_count];

        if (seat->peek_ms == 0 && hongyan_history(seat->client, seat->talk->type, peer_of(seat), 0,
                                                  false, 0, on_peek, seat) == HY_OK)
            seat->peek_ms = now;
    }
}

/* ---- reading back ---- */

static void read_page(struct seat *seat, uint64_t from_seq);

static void on_page(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct seat *seat = arg;
    struct load *load = seat->load;
    const Hy__HistoryRes *res = answer != NULL ? answer->history_res : NULL;

    if (load->stage != LOAD_READS)
        return;
    touch(load);
    if (code != 0 || res == NULL) {
        fprintf(stderr, "hongyan-probe: history of %s: %u %s; again\n", seat->user, code, info);
        seat->history.count = 0;
        read_page(seat, 0);
        return;
    }
    for (size_t i = 0; i < res->n_msgs; i++)
        seen_add(&seat->history, load_parse(res->msgs[i], hy_loop_now_ms(load->loop)));
    if (res->complete)
        load->reading--;
    else
        read_page(seat, res->next_seq);
}

static void read_page(struct seat *seat, uint64_t from_seq)
{
    if (hongyan_history(seat->client, seat->talk->type, peer_of(seat), from_seq, true, 0, on_page,
                        seat) != HY_OK)
        seat->load->moved_ms = 0; /* gives up */
}

/* Who sent nothing looks at conversations that were judged before: one of each reads it. */
static bool reads_back(const struct load *load, const struct seat *seat)
{
    return load->rate > 0 || seat == &load->seats[seat->talk->first];
}

static void start_reading(struct load *load)
{
    load->stage = LOAD_READS;
    load->reading = 0;
    touch(load);
    for (size_t i = 0; i < load->seat_count; i++) {
        struct seat *seat = &load->seats[i];

        if (!reads_back(load, seat))
            continue;
        load->reading++;
        seat->history.count = 0;
        read_page(seat, 0);
    }
}

/* ---- stages ---- */

/* How many messages of others a seat has read. */
static size_t others_of(const struct seat *seat)
{
    size_t others = 0;
    uint32_t self = (uint32_t)(seat - seat->load->seats);

    for (size_t i = 0; i < seat->history.count; i++)
        others += seat->history.items[i].seat != self && seat->history.items[i].seat != SEAT_NONE;
    return others;
}

/* Has everybody been told of everything that they read? */
static bool all_heard(const struct load *load)
{
    for (size_t i = 0; i < load->seat_count; i++)
        if (load->seats[i].stream.count < others_of(&load->seats[i]))
            return false;
    return true;
}

/* Was somebody told what came after they read? A send whose end is not known may still do that. */
static bool is_outdated(const struct load *load)
{
    for (size_t i = 0; i < load->seat_count; i++)
        if (load->seats[i].stream.count > others_of(&load->seats[i]))
            return true;
    return false;
}

static void on_tick(void *arg)
{
    struct load *load = arg;
    uint64_t now = hy_loop_now_ms(load->loop);
    bool patient = now < load->moved_ms + (uint64_t)load->patience_s * 1000;

    switch (load->stage) {
    case LOAD_SENDS:
        if (load->stopped || now - load->begun_ms >= (uint64_t)load->seconds * 1000) {
            load->stage = LOAD_SETTLES;
            touch(load);
        } else {
            send_due(load, now);
            peek_due(load, now);
        }
        break;
    case LOAD_SETTLES:
        if (load->open == 0 || !patient)
            start_reading(load);
        break;
    case LOAD_READS:
        if (load->reading == 0)
            load->stage = LOAD_HEARS;
        else if (!patient)
            hy_loop_stop(load->loop);
        break;
    case LOAD_HEARS: /* a tick of 5 ms would count the same thousands again and again */
        if (load->rate == 0)
            hy_loop_stop(load->loop);
        if (now % 100 >= TICK_MS)
            break;
        if (is_outdated(load) && load->read_again++ < READ_AGAIN_MOST)
            start_reading(load);
        else if (all_heard(load) || now >= load->moved_ms + HEAR_MS)
            hy_loop_stop(load->loop);
        break;
    case LOAD_CONNECTS:
        if (!patient)
            hy_loop_stop(load->loop);
        break;
    case LOAD_ENDED:
        break;
    }
}

/* ---- clients ---- */

static void on_state(void *ctx, const struct hongyan_change *change)
{
    struct seat *seat = ctx;
    struct load *load = seat->load;

    if (change->state == HONGYAN_KICKED) {
        fprintf(stderr, "hongyan-probe: %s: %u %s\n", seat->user, change->code, change->info);
        hy_loop_stop(load->loop);
    }
    if (change->state != HONGYAN_ONLINE || seat->was_online)
        return;
    seat->was_online = true;
    touch(load);
    if (++load->online < load->seat_count)
        return;
    fprintf(stderr, "hongyan-probe: %zu users are online\n", load->online);
    load->stage = LOAD_SENDS;
    load->begun_ms = load->acked_ms = hy_loop_now_ms(load->loop);
    if (load->rate == 0)
        start_reading(load);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct seat *seat = ctx;
    struct seen seen = load_parse(msg, hy_loop_now_ms(seat->load->loop));

    if (seen.seat == SEAT_NONE)
        return;
    seen_add(&seat->stream, seen);
    touch(seat->load);
}

static enum hy_err open_clients(struct load *load)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < load->seat_count && err == HY_OK; i++) {
        struct seat *seat = &load->seats[i];
        struct hongyan_config config = {
            .platform = HY__PLATFORM__PLATFORM_LINUX,
            .send_ms = load->send_s > 0 ? (uint32_t)load->send_s * 1000 : UINT32_MAX,
            .backoff_ms = 2000,
            .events = {.state = on_state, .message = on_message},
            .ctx = seat,
        };

        err = talk_open(load->loop, &load->cluster, seat->user, SIZE_MAX, &config, &seat->client);
    }
    return err;
}

/* ---- life ---- */

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct load *load = arg;

    (void)number;
    (void)what;
    load->stopped = true;
}

enum hy_err load_run(struct load *load)
{
    struct event *stop = NULL, *term = NULL;
    enum hy_err err = hy_loop_open(&load->loop);

    if (err == HY_OK)
        err = hy_timer_open(load->loop, on_tick, load, &load->timer);
    if (err != HY_OK)
        return err;
    stop = evsignal_new(hy_loop_base(load->loop), SIGINT, on_signal, load);
    term = evsignal_new(hy_loop_base(load->loop), SIGTERM, on_signal, load);
    if (stop == NULL || term == NULL || event_add(stop, NULL) != 0 || event_add(term, NULL) != 0)
        err = HY_ENOMEM;
    touch(load);
    if (err == HY_OK)
        err = open_clients(load);
    if (err == HY_OK) {
        hy_timer_every(load->timer, TICK_MS);
        hy_loop_run(load->loop);
    }
    event_free(stop);
    event_free(term);
    return err;
}

void load_close(struct load *load)
{
    load->stage = LOAD_ENDED;
    for (size_t i = 0; i < load->seat_count && load->seats != NULL; i++) {
        hongyan_close(&load->seats[i].client);
        free(load->seats[i].sends);
        free(load->seats[i].stream.items);
        free(load->seats[i].history.items);
        free(load->seats[i].pages.items);
        free(load->seats[i].peeks.items);
    }
    hy_timer_close(&load->timer);
    hy_loop_close(&load->loop);
    free(load->talks);
    free(load->seats);
    cluster_free(&load->cluster);
}
