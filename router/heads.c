#include "router/heads.h"

struct question { /* to the shard that has the first of them */
    const struct op_ask *ask;
    uint16_t slot; /* of the first */
    Hy__ConvKey **keys;
    size_t *which; /* items, in the order of keys */
    size_t count;
};

struct heads {
    struct convlist_item *items;
    size_t count;
    bool no_last_msg;
    size_t asked; /* questions */
    struct question *questions;
};

static uint16_t slot_of(const struct op *op, const Hy__IndexEntry *entry)
{
    return hy_slot_conv(op->caller->app, (int)entry->type, op->caller->user, entry->peer);
}

static uint32_t shard_of(const struct op *op, const Hy__IndexEntry *entry)
{
    return hy_stores_shard(op->parts->stores, slot_of(op, entry));
}

/* Room for the questions: how many conversations each shard has. */
static void measure(struct op *op, struct heads *heads)
{
    for (size_t i = 0; i < heads->count; i++)
        heads->questions[shard_of(op, heads->items[i].entry)].count++;
    for (size_t s = 0; s < heads->asked; s++) {
        struct question *question = &heads->questions[s];

        question->keys = op_get(op, (question->count + 1) * sizeof *question->keys);
        question->which = op_get(op, (question->count + 1) * sizeof *question->which);
        question->count = 0;
    }
}

static void add(struct op *op, struct question *question, const struct heads *heads, size_t item)
{
    const Hy__IndexEntry *entry = heads->items[item].entry;
    Hy__ConvKey *key = op_get(op, sizeof *key);

    hy__conv_key__init(key);
    key->type = entry->type;
    key->peer = entry->peer;
    if (question->count == 0)
        question->slot = slot_of(op, entry);
    question->keys[question->count] = key;
    question->which[question->count++] = item;
}

static void ask(struct op *op, const struct heads *heads, struct question *question)
{
    Hy__HeadsReq req = HY__HEADS_REQ__INIT;

    if (question->count == 0)
        return;
    req.app = op->caller->app;
    req.user = op->caller->user;
    req.no_last_msg = heads->no_last_msg;
    req.n_convs = question->count;
    req.convs = question->keys;
    question->ask = op_store(op, question->slot, HY__BUS_KIND__STORE_HEADS, &req.base,
                             &hy__heads_res__descriptor);
}

struct heads *heads_ask(struct op *op, struct convlist_item *items, size_t count, bool no_last_msg)
{
    struct heads *heads = op_get(op, sizeof *heads);

    heads->items = items;
    heads->count = count;
    heads->no_last_msg = no_last_msg;
    heads->asked = hy_stores_count(op->parts->stores);
    heads->questions = op_get(op, heads->asked * sizeof *heads->questions);
    measure(op, heads);
    for (size_t i = 0; i < count; i++)
        add(op, &heads->questions[shard_of(op, items[i].entry)], heads, i);
    for (size_t s = 0; s < heads->asked; s++)
        ask(op, heads, &heads->questions[s]);
    return heads;
}

/* Slots moved between the question and its answer: ask for each of their conversations alone,
 * wherever it is. */
static void ask_again(struct op *op, struct heads *heads, const size_t *which, size_t count)
{
    heads->asked = count;
    heads->questions = op_get(op, count * sizeof *heads->questions);
    for (size_t i = 0; i < count; i++) {
        struct question *question = &heads->questions[i];

        question->keys = op_get(op, sizeof *question->keys);
        question->which = op_get(op, sizeof *question->which);
        add(op, question, heads, which[i]);
        ask(op, heads, question);
    }
}

static void take(const struct heads *heads, const struct question *question, size_t *elsewhere,
                 size_t *count)
{
    const Hy__HeadsRes *res = question->ask->answer;

    for (size_t i = 0; i < question->count && i < res->n_convs; i++)
        heads->items[question->which[i]].conv = res->convs[i];
    for (size_t i = 0; i < res->n_elsewhere && *count < heads->count; i++)
        if (res->elsewhere[i] - 1 < question->count)
            elsewhere[(*count)++] = question->which[res->elsewhere[i] - 1];
}

bool heads_take(struct op *op, struct heads *heads, op_fn *then)
{
    size_t *elsewhere = op_get(op, (heads->count + 1) * sizeof *elsewhere), count = 0;

    for (size_t s = 0; s < heads->asked; s++) {
        const struct question *question = &heads->questions[s];

        if (question->ask == NULL)
            continue;
        if (op_failed(op, question->ask))
            return false;
        take(heads, question, elsewhere, &count);
    }
    if (count == 0)
        return true;
    ask_again(op, heads, elsewhere, count);
    op_then(op, then);
    return false;
}
