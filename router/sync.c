#include "router/sync.h"

#include <string.h>

#include "router/calls.h"
#include "router/convlist.h"
#include "router/heads.h"

struct sync {
    const struct op_ask *index;
    struct convlist_item *items;
    const struct op_user **peers; /* of the items, NULL for groups */
    size_t count;
    uint32_t cap;
    struct heads *heads;
    bool no_last_msg; /* the heads came without: ask again for those that are shown */
    const Hy__ConvGetReq *one;
};

static void ask_index(struct op *op, struct sync *sync)
{
    Hy__IndexReq req = HY__INDEX_REQ__INIT;

    req.app = op->caller->app;
    req.user = op->caller->user;
    sync->index = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_INDEX,
                           &req.base, &hy__index_res__descriptor);
}

static void answer(struct op *op, struct sync *sync)
{
    Hy__ConvListRes res = HY__CONV_LIST_RES__INIT;
    Hy__Conv **convs = op_get(op, (sync->count + 1) * sizeof *convs);

    for (size_t i = 0; i < sync->count; i++)
        convs[i] = sync->items[i].conv;
    res.n_convs = sync->count;
    res.convs = convs;
    call_answer(op, &res.base);
}

/* ---- names ---- */

static void on_names(struct op *op)
{
    struct sync *sync = op->work;

    for (size_t i = 0; i < sync->count; i++) {
        Hy__Conv *conv = sync->items[i].conv;

        if (sync->peers[i] == NULL || sync->peers[i]->wait.code != HY_CODE_OK)
            continue;
        conv->name = (char *)sync->peers[i]->wait.user->nick;
        conv->face = (char *)sync->peers[i]->wait.user->face;
    }
    answer(op, sync);
}

static void ask_names(struct op *op, struct sync *sync)
{
    sync->peers = op_get(op, (sync->count + 1) * sizeof *sync->peers);
    for (size_t i = 0; i < sync->count; i++)
        if (sync->items[i].conv->type == HY__CONV_TYPE__CONV_C2C)
            sync->peers[i] = op_user(op, sync->items[i].conv->peer, USER_RECORD);
    op_then(op, on_names);
}

/* ---- the list ---- */

static void on_last_msgs(struct op *op)
{
    struct sync *sync = op->work;

    if (!heads_take(op, sync->heads, on_last_msgs))
        return;
    sync->count = convlist_order(sync->items, sync->count, sync->cap);
    ask_names(op, sync);
}

static void on_heads(struct op *op)
{
    struct sync *sync = op->work;

    if (!heads_take(op, sync->heads, on_heads))
        return;
    sync->count = convlist_order(sync->items, sync->count, sync->cap);
    if (!sync->no_last_msg) {
        ask_names(op, sync);
        return;
    }
    sync->heads = heads_ask(op, sync->items, sync->count, false);
    op_then(op, on_last_msgs);
}

static void on_index(struct op *op)
{
    struct sync *sync = op->work;
    const Hy__IndexRes *index;

    if (op_failed(op, sync->index))
        return;
    index = sync->index->answer;
    sync->items = op_get(op, (index->n_entries + 1) * sizeof *sync->items);
    sync->count = convlist_candidates(index->n_entries, index->entries, sync->cap, sync->items);
    /* Somebody in a thousand groups is shown fifty: do not read a thousand messages for that. */
    sync->no_last_msg = sync->count > 2 * (size_t)sync->cap;
    sync->heads = heads_ask(op, sync->items, sync->count, sync->no_last_msg);
    op_then(op, on_heads);
}

void conv_list_begin(struct op *op)
{
    struct sync *sync = op_get(op, sizeof *sync);

    op->work = sync;
    sync->cap = op_app(op)->recent_contacts;
    if (sync->cap == 0) {
        answer(op, sync); /* recent contacts are turned off for this app */
        return;
    }
    ask_index(op, sync);
    op_then(op, on_index);
}

/* ---- one conversation ---- */

static const Hy__IndexRow *row_of(const Hy__IndexRes *index, const Hy__ConvGetReq *one)
{
    for (size_t i = 0; i < index->n_entries; i++)
        if (index->entries[i]->type == one->type && strcmp(index->entries[i]->peer, one->peer) == 0)
            return index->entries[i]->row;
    return NULL;
}

static void on_one(struct op *op)
{
    struct sync *sync = op->work;
    const Hy__IndexRow *row;
    Hy__Conv *conv;

    if (op_failed(op, sync->index) || !heads_take(op, sync->heads, on_one))
        return;
    conv = sync->items[0].conv;
    if (conv == NULL || conv->type == HY__CONV_TYPE__CONV_NONE) {
        op_refuse(op, sync->one->type == HY__CONV_TYPE__CONV_GROUP ? HY_CODE_GROUP_DENIED
                                                                   : HY_CODE_C2C_ACCOUNT);
        return;
    }
    row = row_of(sync->index->answer, sync->one);
    conv->pinned = row != NULL && row->pinned;
    if (conv->self != NULL)
        conv->remind = conv->self->msg_flag;
    else if (row != NULL)
        conv->remind = row->remind;
    ask_names(op, sync);
}

void conv_get_begin(struct op *op)
{
    struct sync *sync = op_get(op, sizeof *sync);
    Hy__IndexEntry *entry = op_get(op, sizeof *entry);

    op->work = sync;
    sync->one = call_body(op);
    if (sync->one->peer[0] == '\0' || sync->one->type == HY__CONV_TYPE__CONV_NONE) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    hy__index_entry__init(entry);
    entry->type = sync->one->type;
    entry->peer = sync->one->peer;
    sync->items = op_get(op, sizeof *sync->items);
    sync->items[0].entry = entry;
    sync->count = 1;
    ask_index(op, sync);
    sync->heads = heads_ask(op, sync->items, 1, false);
    op_then(op, on_one);
}
