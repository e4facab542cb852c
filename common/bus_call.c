/* Calls under way are in a table by id, and in a wheel by when to look at them next. */

#include <stdlib.h>
#include <string.h>

#include "common/bus_int.h"
#include "common/clock.h"

enum {
    WHEEL = 256, /* slots of a tick: 12.8 s around; what is later is looked at once a round */
    TABLE_FIRST = 256,
    DEADLINE_MS = 5000,
    RETRY_MS = 1000,
    NOBODY_MS = 100, /* ask pick again after this long when there was nobody */
};

/* A ring with a head, so that taking one out needs no list. */
struct ring {
    struct ring *prev, *next;
};

struct call {
    struct ring ring; /* first: a wheel slot's or the due list's */
    struct call *next_id;
    uint64_t id;
    uint64_t deadline_ms, next_ms;
    uint64_t peer;  /* handle of whom to ask, without pick */
    uint64_t asked; /* handle of who has the question; 0: nobody */
    bool sent;      /* ever */
    unsigned open;  /* tries that nobody answered */
    struct hy_call how;
    size_t len;
    uint8_t payload[];
};

struct bus_calls {
    struct hy_bus *bus;
    struct call **table;
    size_t size, count;
    uint64_t last_id, tick; /* tick: the last one whose slot was emptied */
    struct ring slots[WHEEL], due;
};

/* ---- rings ---- */

static void ring_init(struct ring *head)
{
    head->prev = head->next = head;
}

static void ring_put(struct ring *head, struct ring *ring)
{
    ring->prev = head->prev;
    ring->next = head;
    head->prev->next = ring;
    head->prev = ring;
}

static void ring_take(struct ring *ring)
{
    ring->prev->next = ring->next;
    ring->next->prev = ring->prev;
    ring_init(ring);
}

/* ---- table ---- */

static struct call **bucket(const struct bus_calls *calls, uint64_t id)
{
    return &calls->table[id & (calls->size - 1)]; /* ids count up: no need to mix */
}

/* Without memory the chains get longer, that is all. */
static void table_grow(struct bus_calls *calls)
{
    struct call **old = calls->table;
    size_t old_size = calls->size;
    struct call **table = calloc(old_size * 2, sizeof(struct call *));

    if (table == NULL)
        return;
    calls->table = table;
    calls->size = old_size * 2;
    for (size_t i = 0; i < old_size; i++) {
        for (struct call *call = old[i], *next; call != NULL; call = next) {
            next = call->next_id;
            call->next_id = *bucket(calls, call->id);
            *bucket(calls, call->id) = call;
        }
    }
    free(old);
}

static struct call **find(const struct bus_calls *calls, uint64_t id)
{
    struct call **at = bucket(calls, id);

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next_id;
    return at;
}

/* Out of table and ring; the memory is the caller's. */
static struct call *take(struct bus_calls *calls, struct call **at)
{
    struct call *call = *at;

    *at = call->next_id;
    calls->count--;
    ring_take(&call->ring);
    return call;
}

/* ---- when ---- */

static void schedule(struct bus_calls *calls, struct call *call)
{
    uint64_t when = call->next_ms < call->deadline_ms ? call->next_ms : call->deadline_ms;
    uint64_t tick = when / BUS_TICK_MS + 1; /* not before */

    if (tick <= calls->tick)
        tick = calls->tick + 1;
    if (tick > calls->tick + WHEEL)
        tick = calls->tick + WHEEL;
    ring_put(&calls->slots[tick % WHEEL], &call->ring);
}

/* ---- asking ---- */

static struct hy_peer *whom(struct bus_calls *calls, struct call *call)
{
    struct hy_peer *peer = NULL;

    if (call->how.pick != NULL)
        peer = call->how.pick(call->how.pick_arg, &call->how.pick_key);
    else
        peer = bus_peer_by_handle(calls->bus, call->peer);
    return peer != NULL && peer->up ? peer : NULL;
}

/* Ask whom there is; a full queue is as good as nobody. */
static void ask(struct bus_calls *calls, struct call *call, uint64_t now_ms)
{
    struct hy_peer *peer = whom(calls, call);

    call->asked = 0;
    call->next_ms = now_ms + NOBODY_MS;
    if (peer != NULL &&
        hy_bus_send(peer, call->how.kind, call->id, call->payload, call->len) == HY_OK) {
        call->asked = peer->handle;
        call->sent = true;
        call->open++;
        call->next_ms = now_ms + call->how.retry_ms;
    }
    schedule(calls, call);
}

static void finish(struct call *call, enum hy_err err, const struct hy_record *answer)
{
    hy_call_fn *done = call->how.done;
    void *arg = call->how.arg;

    free(call);
    done(arg, err, answer);
}

void bus_calls_run(struct bus_calls *calls)
{
    uint64_t now_ms = hy_loop_now_ms(calls->bus->loop);

    while (calls->due.next != &calls->due) {
        struct call *call = (struct call *)calls->due.next;

        /* finish() unlinks what it frees. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        if (now_ms >= call->deadline_ms) {
            take(calls, find(calls, call->id));
            finish(call, call->sent ? HY_ETIMEOUT : HY_EBUSY, NULL);
            continue;
        }
        ring_take(&call->ring);
        if (now_ms >= call->next_ms)
            ask(calls, call, now_ms);
        else
            schedule(calls, call);
    }
}

/* Everything in the slots that passed is due to be looked at. */
void bus_calls_tick(struct bus_calls *calls)
{
    uint64_t now = hy_loop_now_ms(calls->bus->loop) / BUS_TICK_MS;
    uint64_t from = now > calls->tick + WHEEL ? now - WHEEL : calls->tick;

    for (uint64_t tick = from + 1; tick <= now; tick++) {
        struct ring *slot = &calls->slots[tick % WHEEL];

        while (slot->next != slot) {
            struct ring *first = slot->next;

            ring_take(first);
            ring_put(&calls->due, first);
        }
    }
    if (now > calls->tick)
        calls->tick = now;
    bus_calls_run(calls);
}

static void make_due(struct bus_calls *calls, struct call *call)
{
    call->asked = 0;
    call->next_ms = 0;
    ring_take(&call->ring);
    ring_put(&calls->due, &call->ring);
}

void bus_calls_peer(struct bus_calls *calls, const struct hy_peer *peer)
{
    for (size_t i = 0; i < calls->size; i++) {
        for (struct call *call = calls->table[i]; call != NULL; call = call->next_id) {
            if (call->asked == 0 || (peer != NULL && call->asked == peer->handle))
                make_due(calls, call);
        }
    }
}

void hy_bus_ask_again(struct hy_bus *bus, const struct hy_peer *peer)
{
    bus_calls_peer(bus->calls, peer);
    bus_wake(bus);
}

size_t hy_bus_asked(const struct hy_bus *bus, const struct hy_peer *peer)
{
    size_t count = 0;

    for (size_t i = 0; i < bus->calls->size; i++)
        for (const struct call *call = bus->calls->table[i]; call != NULL; call = call->next_id)
            count += call->asked == peer->handle;
    return count;
}

/* ---- the calls of bus.h ---- */

static struct call *call_new(struct hy_bus *bus, const struct hy_call *how, size_t len)
{
    struct bus_calls *calls = bus->calls;
    struct call *call = malloc(sizeof *call + len);

    if (call == NULL)
        abort(); /* there is no way to say so: done must come, and later */
    *call = (struct call){.how = *how, .len = len, .id = ++calls->last_id};
    if (call->how.retry_ms == 0)
        call->how.retry_ms = RETRY_MS;
    call->deadline_ms =
        hy_loop_now_ms(bus->loop) + (how->deadline_ms > 0 ? how->deadline_ms : DEADLINE_MS);
    call->peer = how->peer != NULL ? how->peer->handle : 0;
    if (++calls->count > calls->size)
        table_grow(calls);
    ring_init(&call->ring);
    call->next_id = *bucket(calls, call->id);
    *bucket(calls, call->id) = call;
    return call;
}

uint64_t hy_bus_call(struct hy_bus *bus, const struct hy_call *call, const void *payload,
                     size_t len)
{
    struct call *c = call_new(bus, call, len);

    if (len > 0)
        memcpy(c->payload, payload, len);
    ask(bus->calls, c, hy_loop_now_ms(bus->loop));
    return c->id;
}

uint64_t hy_bus_call_pb(struct hy_bus *bus, const struct hy_call *call, const ProtobufCMessage *msg)
{
    struct call *c = call_new(bus, call, protobuf_c_message_get_packed_size(msg));

    protobuf_c_message_pack(msg, c->payload);
    ask(bus->calls, c, hy_loop_now_ms(bus->loop));
    return c->id;
}

void hy_bus_cancel(struct hy_bus *bus, uint64_t id)
{
    struct call **at = find(bus->calls, id);

    if (*at != NULL)
        free(take(bus->calls, at));
}

/* Whoever was asked is not the one to ask. An answer of one that was asked before says nothing. */
static void refused(struct bus_calls *calls, struct call *call, struct hy_peer *by,
                    const struct hy_record *record)
{
    uint32_t pause_ms;

    call->open -= call->open > 0;
    if (call->asked != by->handle)
        return;
    pause_ms = call->how.refused(call->how.pick_arg, &call->how.pick_key, by, record);
    make_due(calls, call);
    call->next_ms = hy_loop_now_ms(calls->bus->loop) + pause_ms;
    bus_wake(calls->bus);
}

void bus_calls_answer(struct bus_calls *calls, struct hy_peer *peer, const struct hy_record *record)
{
    struct call **at = find(calls, record->id);
    struct hy_record answer = *record;

    if (*at == NULL)
        return; /* a forgotten call, or its second answer */
    answer.doubtful = (*at)->open > 1;
    if (((*at)->how.kind | HY_BUS_ANSWER) == record->kind)
        finish(take(calls, at), HY_OK, &answer);
    else if ((*at)->how.refusal != 0 && ((*at)->how.refusal | HY_BUS_ANSWER) == record->kind)
        refused(calls, *at, peer, record);
}

enum hy_err bus_calls_open(struct hy_bus *bus, struct bus_calls **calls)
{
    struct bus_calls *c = calloc(1, sizeof *c);

    if (c == NULL)
        return HY_ENOMEM;
    c->table = calloc(TABLE_FIRST, sizeof(struct call *));
    if (c->table == NULL) {
        free(c);
        return HY_ENOMEM;
    }
    c->bus = bus;
    c->size = TABLE_FIRST;
    /* A random start: an answer to a process that was here before us matches nothing. */
    c->last_id = hy_random64() >> 1;
    c->tick = hy_loop_now_ms(bus->loop) / BUS_TICK_MS;
    for (int i = 0; i < WHEEL; i++)
        ring_init(&c->slots[i]);
    ring_init(&c->due);
    *calls = c;
    return HY_OK;
}

void bus_calls_close(struct bus_calls **calls)
{
    struct bus_calls *c = *calls;

    if (c == NULL)
        return;
    *calls = NULL;
    for (size_t i = 0; i < c->size; i++) {
        while (c->table[i] != NULL)
            free(take(c, &c->table[i]));
    }
    free(c->table);
    free(c);
}
