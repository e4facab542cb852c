#include "router/push.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/buf.h"
#include "common/metrics.h"
#include "router/table.h"
#include "router/wire.h"

/* Numbers of fields, from cluster.proto. */
enum {
    PUSH_SEQ = 1,
    PUSH_ITEMS = 2,
    ITEM_FRAME = 1,
    ITEM_LINKS = 2,
    ITEM_ROOM = 3,
    ITEM_EXCEPT = 4,
    ITEM_PRIORITY = 5,
    ROOM_APP = 1,
    ROOM_GROUP = 2,
    MARK_SEQ = 1,
    MARK_LAST = 2,
};

/* A batch beyond this leaves before the turn ends: a ZeroMQ message should fit a cache. */
enum { PUSH_BATCH_BYTES = 256 * 1024 };

struct gate {
    struct gate *next;
    struct gate *next_touched;
    struct hy_peer *peer; /* NULL: away */
    uint64_t seq;
    struct hy_buf batch; /* encoded items of the Push being gathered */
    uint64_t *targets;
    size_t target_count, target_cap;
    bool touched; /* in push->touched: has targets */
    char name[];
};

struct push {
    push_send_fn *send;
    uint64_t drop_every, sent;
    struct gate *gates;
    struct gate *touched;
    struct table by_name;
    struct hy_metric *pushes, *lost, *dropped;
};

static bool same_name(const void *item, const void *key)
{
    const struct gate *gate = item;

    return strcmp(gate->name, key) == 0;
}

enum hy_err push_open(push_send_fn *send, uint64_t drop_every, struct push **push)
{
    struct push *p = calloc(1, sizeof *p);

    if (p == NULL)
        return HY_ENOMEM;
    p->send = send;
    p->drop_every = drop_every;
    p->pushes =
        hy_counter("hongyan_router_pushes_total", "result=\"sent\"", "Push records to gateways");
    p->lost =
        hy_counter("hongyan_router_pushes_total", "result=\"lost\"", "Push records to gateways");
    p->dropped = hy_counter("hongyan_router_test_dropped_pushes_total", "",
                            "Push records lost on purpose (test.drop_push_every)");
    *push = p;
    return HY_OK;
}

void push_close(struct push **push)
{
    struct push *p = *push;

    if (p == NULL)
        return;
    *push = NULL;
    for (struct gate *gate = p->gates, *next; gate != NULL; gate = next) {
        next = gate->next;
        hy_buf_free(&gate->batch);
        free(gate->targets);
        free(gate);
    }
    table_free(&p->by_name);
    free(p);
}

struct gate *push_gate(struct push *push, const char *name)
{
    uint64_t hash = table_hash(0, name);
    struct gate *gate = table_find(&push->by_name, hash, same_name, name);

    if (gate != NULL)
        return gate;
    gate = calloc(1, sizeof *gate + strlen(name) + 1);
    if (gate == NULL)
        return NULL;
    strcpy(gate->name, name);
    if (table_put(&push->by_name, hash, gate) != HY_OK) {
        free(gate);
        return NULL;
    }
    gate->next = push->gates;
    push->gates = gate;
    return gate;
}

const char *gate_name(const struct gate *gate)
{
    return gate->name;
}

bool gate_up(const struct gate *gate)
{
    return gate->peer != NULL;
}

void push_peer(struct push *push, const char *name, struct hy_peer *peer, enum hy_peer_event event)
{
    struct gate *gate = push_gate(push, name);

    if (gate == NULL)
        return;
    gate->peer = event == HY_PEER_DOWN ? NULL : peer;
    if (event != HY_PEER_RESTARTED)
        return;
    gate->seq = 0; /* it counts from the start as well */
    gate->batch.len = 0;
}

/* Count a Push that never leaves. */
static void lose(struct push *push, struct gate *gate)
{
    gate->seq++;
    gate->batch.len = 0;
    hy_add(push->lost, 1);
}

static bool to_be_dropped(struct push *push)
{
    push->sent++;
    if (push->drop_every == 0 || push->sent % push->drop_every != 0)
        return false;
    hy_add(push->dropped, 1);
    return true;
}

static void flush_gate(struct push *push, struct gate *gate)
{
    uint8_t *end;

    if (gate->batch.len == 0)
        return;
    if (gate->peer == NULL || to_be_dropped(push) ||
        hy_buf_reserve(&gate->batch, WIRE_NUMBER_MAX) != HY_OK) {
        lose(push, gate);
        return;
    }
    end = wire_number(gate->batch.data + gate->batch.len, PUSH_SEQ, gate->seq + 1);
    gate->batch.len = (size_t)(end - gate->batch.data);
    if (push->send(gate->peer, HY__BUS_KIND__GATEWAY_PUSH, 0, gate->batch.data, gate->batch.len) !=
        HY_OK) {
        lose(push, gate);
        return;
    }
    gate->seq++;
    gate->batch.len = 0;
    hy_add(push->pushes, 1);
}

void push_flush(struct push *push)
{
    for (struct gate *gate = push->gates; gate != NULL; gate = gate->next)
        flush_gate(push, gate);
}

void push_skip(struct push *push)
{
    for (struct gate *gate = push->gates; gate != NULL; gate = gate->next) {
        flush_gate(push, gate);
        gate->seq++;
    }
    hy_add(push->lost, 1);
}

static void mark_all(struct push *push, bool last)
{
    push_flush(push);
    for (struct gate *gate = push->gates; gate != NULL; gate = gate->next) {
        uint8_t mark[2 * WIRE_NUMBER_MAX];
        size_t len =
            (size_t)(wire_number(wire_number(mark, MARK_SEQ, gate->seq), MARK_LAST, last) - mark);

        /* A mark that is lost is made good by the next one. */
        if (gate->peer != NULL)
            (void)!push->send(gate->peer, HY__BUS_KIND__GATEWAY_PUSH_MARK, 0, mark, len);
    }
}

void push_mark(struct push *push)
{
    mark_all(push, false);
}

void push_end(struct push *push)
{
    mark_all(push, true);
}

/* ---- items ---- */

/* Room for one more item, with what follows the frame in extra bytes; NULL: the push is lost. */
static uint8_t *item_room(struct push *push, struct gate *gate, const struct push_frame *frame,
                          size_t extra)
{
    if (gate->batch.len > PUSH_BATCH_BYTES)
        flush_gate(push, gate);
    if (gate->peer != NULL &&
        hy_buf_reserve(&gate->batch, frame->len + extra + 4 * WIRE_HEAD_MAX) == HY_OK)
        return gate->batch.data + gate->batch.len;
    lose(push, gate);
    return NULL;
}

static void item_end(struct gate *gate, uint8_t *content, uint8_t *out,
                     const struct push_frame *frame)
{
    out = wire_number(out, ITEM_PRIORITY, frame->priority);
    gate->batch.len = (size_t)(wire_close(content, out) - gate->batch.data);
}

void push_to_links(struct push *push, struct gate *gate, const uint64_t *links, size_t n,
                   uint64_t except, const struct push_frame *frame)
{
    uint8_t *out = item_room(push, gate, frame, n * 10);
    uint8_t *content, *packed;

    if (out == NULL)
        return;
    content = wire_open(out, PUSH_ITEMS);
    out = wire_bytes(content, ITEM_FRAME, frame->bytes, frame->len);
    packed = wire_open(out, ITEM_LINKS);
    out = packed;
    for (size_t i = 0; i < n; i++)
        if (links[i] != except)
            out = wire_varint(out, links[i]);
    if (out == packed)
        return; /* the excepted link was the only one */
    item_end(gate, content, wire_close(packed, out), frame);
}

void push_to_room(struct push *push, struct gate *gate, uint32_t app, const char *group,
                  uint64_t except_session, const struct push_frame *frame)
{
    uint8_t *out = item_room(push, gate, frame, strlen(group) + 3 * WIRE_NUMBER_MAX);
    uint8_t *content, *room;

    if (out == NULL)
        return;
    content = wire_open(out, PUSH_ITEMS);
    out = wire_bytes(content, ITEM_FRAME, frame->bytes, frame->len);
    room = wire_open(out, ITEM_ROOM);
    out = wire_text(wire_number(room, ROOM_APP, app), ROOM_GROUP, group);
    out = wire_number(wire_close(room, out), ITEM_EXCEPT, except_session);
    item_end(gate, content, out, frame);
}

/* ---- single targets ---- */

static bool target_room(struct gate *gate)
{
    size_t cap = gate->target_cap == 0 ? 16 : gate->target_cap * 2;
    uint64_t *more;

    if (gate->target_count < gate->target_cap)
        return true;
    more = realloc(gate->targets, cap * sizeof *more);
    if (more == NULL)
        return false;
    gate->targets = more;
    gate->target_cap = cap;
    return true;
}

void push_target(struct push *push, struct gate *gate, uint64_t link)
{
    if (!target_room(gate)) {
        gate->seq++; /* somebody will not be told: the gap tells the gateway */
        return;
    }
    gate->targets[gate->target_count++] = link;
    if (gate->touched)
        return;
    gate->touched = true;
    gate->next_touched = push->touched;
    push->touched = gate;
}

size_t push_to_targets(struct push *push, const struct push_frame *frame)
{
    size_t count = 0;

    while (push->touched != NULL) {
        struct gate *gate = push->touched;

        push->touched = gate->next_touched;
        gate->touched = false;
        push_to_links(push, gate, gate->targets, gate->target_count, 0, frame);
        count += gate->target_count;
        gate->target_count = 0;
    }
    return count;
}
