#include "router/heads.h"

struct question { /* to one shard */
    const struct op_ask *ask;
    Hy__ConvKey **keys;
    size_t *which; /* items, in the order of keys */
    size_t count;
};

struct heads {
    struct convlist_item *items;
    size_t count;
    uint32_t shards;
    struct question *questions;
};

static uint32_t shard_of(const struct op *op, const Hy__IndexEntry *entry)
{
    uint16_t slot = hy_slot_conv(op->caller->app, (int)entry->type, op->caller->user, entry->peer);

    return hy_stores_shard(op->parts->stores, slot);
}

/* Room for the questions: how many conversations each shard has. */
static void measure(struct op *op, struct heads *heads)
{
    for (size_t i = 0; i < heads->count; i++)
        heads->questions[shard_of(op, heads->items[i].entry)].count++;
    for (uint32_t s = 0; s < heads->shards; s++) {
        struct question *question = &heads->questions[s];

        question->keys = op_get(op, (question->count + 1) * sizeof *question->keys);
        question->which = op_get(op, (question->count + 1) * sizeof *question->which);
        question->count = 0;
    }
}

static void fill(struct op *op, struct heads *heads)
{
    for (size_t i = 0; i < heads->count; i++) {
        const Hy__IndexEntry *entry = heads->items[i].entry;
        struct question *question = &heads->questions[shard_of(op, entry)];
        Hy__ConvKey *key = op_get(op, sizeof *key);

        hy__conv_key__init(key);
        key->type = entry->type;
        key->peer = entry->peer;
        question->keys[question->count] = key;
        question->which[question->count++] = i;
    }
}

struct heads *heads_ask(struct op *op, struct convlist_item *items, size_t count, bool no_last_msg)
{
    struct heads *heads = op_get(op, sizeof *heads);

    heads->items = items;
    heads->count = count;
    heads->shards = hy_stores_count(op->parts->stores);
    heads->questions = op_get(op, heads->shards * sizeof *heads->questions);
    measure(op, heads);
    fill(op, heads);
    for (uint32_t s = 0; s < heads->shards; s++) {
        struct question *question = &heads->questions[s];
        Hy__HeadsReq req = HY__HEADS_REQ__INIT;

        if (question->count == 0)
            continue;
        req.app = op->caller->app;
        req.user = op->caller->user;
        req.no_last_msg = no_last_msg;
        req.n_convs = question->count;
        req.convs = question->keys;
        question->ask =
            op_shard(op, s, HY__BUS_KIND__STORE_HEADS, &req.base, &hy__heads_res__descriptor);
    }
    return heads;
}

bool heads_take(struct op *op, struct heads *heads)
{
    for (uint32_t s = 0; s < heads->shards; s++) {
        const struct question *question = &heads->questions[s];
        const Hy__HeadsRes *res;

        if (question->ask == NULL)
            continue;
        if (op_failed(op, question->ask))
            return false;
        res = question->ask->answer;
        for (size_t i = 0; i < question->count && i < res->n_convs; i++)
            heads->items[question->which[i]].conv = res->convs[i];
    }
    return true;
}
