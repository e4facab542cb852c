#include "store/gate.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "store/telling.h"

enum what { ANSWER, QUESTION };

/* One thing that waits; its payload lies behind it, padded to ALIGN. */
struct entry {
    uint64_t mark;
    enum what what;
    uint32_t shard; /* of a question */
    uint64_t token;
    struct hy_reply reply; /* of an answer */
    struct telling *telling;
    size_t items;
    size_t len;
};

enum { ALIGN = _Alignof(struct entry) };

struct written {
    uint64_t mark;
    size_t bytes;
};

struct gate {
    struct gate_config config;
    struct replica *replica;
    struct hy_buf queue; /* entries, in the order of their marks */
    size_t at;           /* of the first that waits */
    struct written *batches;
    size_t first, count; /* of a ring of GATE_BATCHES; a few may go uncounted beyond it */
    size_t bytes;        /* of those batches */
};

enum hy_err gate_open(const struct gate_config *config, struct gate **gate)
{
    struct gate *g = calloc(1, sizeof *g);

    if (g == NULL)
        return HY_ENOMEM;
    g->config = *config;
    g->batches = calloc(GATE_BATCHES, sizeof *g->batches);
    if (g->batches == NULL) {
        gate_close(&g);
        return HY_ENOMEM;
    }
    *gate = g;
    return HY_OK;
}

void gate_use(struct gate *gate, struct replica *replica)
{
    gate->replica = replica;
}

uint64_t gate_mark(struct gate *gate)
{
    return replica_mark(gate->replica);
}

bool gate_has_passed(const struct gate *gate, uint64_t mark)
{
    return replica_passed(gate->replica, mark);
}

/* ---- the queue ---- */

static size_t padded(size_t len)
{
    return (len + ALIGN - 1) / ALIGN * ALIGN;
}

static struct entry *first(const struct gate *g)
{
    return g->at == g->queue.len ? NULL : (struct entry *)(g->queue.data + g->at);
}

/* Off the queue, and the memory is its own again: nothing is lost by going back to the start. */
static void pop(struct gate *g, struct entry *e)
{
    telling_unref(&e->telling);
    g->at += sizeof *e + padded(e->len);
    if (g->at < g->queue.len)
        return;
    g->at = g->queue.len = 0;
    if (g->queue.cap > GATE_BYTES) /* it was a long wait */
        hy_buf_free(&g->queue);
}

static void to_the_front(struct gate *g)
{
    memmove(g->queue.data, g->queue.data + g->at, g->queue.len - g->at);
    g->queue.len -= g->at;
    g->at = 0;
}

static enum hy_err push(struct gate *g, const struct entry *e, const void *payload)
{
    size_t need = sizeof *e + padded(e->len);
    uint8_t *end;

    if (g->at > g->queue.len / 2 && g->queue.len + need > g->queue.cap)
        to_the_front(g);
    if (hy_buf_reserve(&g->queue, need) != HY_OK)
        return HY_ENOMEM;
    end = g->queue.data + g->queue.len;
    memcpy(end, e, sizeof *e);
    if (e->len > 0)
        memcpy(end + sizeof *e, payload, e->len);
    if (e->telling != NULL)
        (void)telling_ref(e->telling);
    g->queue.len += need;
    return HY_OK;
}

/* ---- out ---- */

static void say(struct gate *g, const struct hy_reply *reply, struct telling *telling,
                const uint8_t *payload, size_t len)
{
    if (telling == NULL || !telling_add(telling, reply, payload, len))
        g->config.answer(g->config.ctx, reply, payload, len);
}

static void let_out(struct gate *g, const struct entry *e)
{
    const uint8_t *payload = (const uint8_t *)(e + 1);

    if (e->what == ANSWER)
        say(g, &e->reply, e->telling, payload, e->len);
    else
        g->config.send(g->config.ctx, e->shard, e->token, payload, e->len);
}

void gate_passed(struct gate *gate, uint64_t mark)
{
    struct entry *e;

    while ((e = first(gate)) != NULL && e->mark <= mark) {
        let_out(gate, e);
        pop(gate, e);
    }
    while (gate->count > 0 && gate->batches[gate->first].mark <= mark) {
        gate->bytes -= gate->batches[gate->first].bytes;
        gate->first = (gate->first + 1) % GATE_BATCHES;
        gate->count--;
    }
}

/* Marks grow: when this one has passed, so has all that waits with an older one. */
static bool passes(struct gate *g, uint64_t mark)
{
    if (!replica_passed(g->replica, mark))
        return false;
    if (g->at != g->queue.len)
        gate_passed(g, mark);
    return true;
}

void gate_answer(struct gate *gate, uint64_t mark, const struct gate_answer *answer)
{
    struct entry e;

    if (passes(gate, mark)) {
        say(gate, &answer->reply, answer->telling, answer->payload, answer->len);
        return;
    }
    e = (struct entry){.mark = mark,
                       .what = ANSWER,
                       .reply = answer->reply,
                       .telling = answer->telling,
                       .items = answer->items,
                       .len = answer->len};
    if (push(gate, &e, answer->payload) != HY_OK)
        hy_log_warn("store.answer_lost", "why=\"%s\"", hy_err_text(HY_ENOMEM));
}

enum hy_err gate_send(struct gate *gate, uint64_t mark, uint32_t shard, uint64_t token,
                      const void *payload, size_t len)
{
    struct entry e;

    if (passes(gate, mark)) {
        gate->config.send(gate->config.ctx, shard, token, payload, len);
        return HY_OK;
    }
    e = (struct entry){.mark = mark, .what = QUESTION, .shard = shard, .token = token, .len = len};
    return push(gate, &e, payload);
}

void gate_refuse(struct gate *gate, const struct hy_reply *reply, const void *payload, size_t len)
{
    gate->config.answer(gate->config.ctx, reply, payload, len);
}

void gate_away(struct gate *gate, const struct hy_reply *reply, size_t items)
{
    gate->config.away(gate->config.away_ctx, reply, items);
}

/* ---- how much is on its way ---- */

void gate_wrote(struct gate *gate, uint64_t mark, size_t bytes)
{
    struct written *last;

    if (replica_passed(gate->replica, mark))
        return;
    if (gate->count < GATE_BATCHES)
        gate->batches[(gate->first + gate->count++) % GATE_BATCHES] = (struct written){0};
    last = &gate->batches[(gate->first + gate->count - 1) % GATE_BATCHES];
    last->mark = mark; /* beyond the most, the last stands for those after it, too */
    last->bytes += bytes;
    gate->bytes += bytes;
}

bool gate_full(const struct gate *gate)
{
    return gate->count == GATE_BATCHES ||
           gate->bytes + gate->queue.len - gate->at >= (size_t)GATE_BYTES;
}

size_t gate_batches(const struct gate *gate)
{
    return gate->count;
}

/* ---- the end of a reign ---- */

static void clear(struct gate *g, bool say_so)
{
    struct entry *e;

    while ((e = first(g)) != NULL) {
        if (say_so && e->what == ANSWER)
            gate_away(g, &e->reply, e->items);
        pop(g, e);
    }
    g->first = g->count = g->bytes = 0;
}

void gate_drop(struct gate *gate)
{
    clear(gate, true);
}

void gate_close(struct gate **gate)
{
    struct gate *g = *gate;

    if (g == NULL)
        return;
    *gate = NULL;
    clear(g, false);
    hy_buf_free(&g->queue);
    free(g->batches);
    free(g);
}
