/* groups_list - the groups somebody is in. */

#include <stdlib.h>
#include <string.h>

#include "common/grouptype.h"
#include "router/calls.h"
#include "router/groups.h"
#include "router/heads.h"

struct list {
    const Hy__GroupListReq *body;
    const struct op_user *user;
    const struct op_ask *index;
    struct convlist_item *items;
    size_t count, total;
    struct heads *heads;
};

static void on_heads(struct op *op)
{
    struct list *list = op->work;
    Hy__GroupListRes res = HY__GROUP_LIST_RES__INIT;

    if (!heads_take(op, list->heads, on_heads))
        return;
    res.groups = op_get(op, (list->count + 1) * sizeof *res.groups);
    res.selves = op_get(op, (list->count + 1) * sizeof *res.selves);
    for (size_t i = 0; i < list->count; i++) {
        Hy__Conv *conv = list->items[i].conv;

        /* The index may be a moment behind: the group's own word counts. */
        if (conv == NULL || conv->group == NULL || conv->self == NULL) {
            list->total--;
            continue;
        }
        res.groups[res.n_groups++] = conv->group;
        res.selves[res.n_selves++] = conv->self;
    }
    res.total = (uint32_t)list->total;
    call_answer(op, &res.base);
}

static bool wanted(const Hy__IndexEntry *entry, const struct hy_group_type *type)
{
    const struct hy_group_type *is;

    if (entry->type != HY__CONV_TYPE__CONV_GROUP || entry->row == NULL || !entry->row->joined)
        return false;
    is = hy_group_type(entry->row->group_type);
    return type == NULL || is == type;
}

/* Newest membership first, so pages do not shift when somebody is added. */
static int by_join(const void *left, const void *right)
{
    const Hy__IndexEntry *a = ((const struct convlist_item *)left)->entry;
    const Hy__IndexEntry *b = ((const struct convlist_item *)right)->entry;

    if (a->row->join_time_s != b->row->join_time_s)
        return a->row->join_time_s > b->row->join_time_s ? -1 : 1;
    return strcmp(a->peer, b->peer);
}

/* The page that was asked for, of all items. */
static void cut_page(struct list *list)
{
    size_t limit = list->body->limit == 0 || list->body->limit > GROUPS_LIST_MOST
                       ? (size_t)GROUPS_LIST_MOST
                       : list->body->limit;

    list->total = list->count;
    if (list->body->offset >= list->count) {
        list->count = 0;
        return;
    }
    list->items += list->body->offset;
    list->count -= list->body->offset;
    if (list->count > limit)
        list->count = limit;
}

static bool unknown_account(const struct op *op, const struct list *list)
{
    return op->caller->admin && list->user->wait.code == HY_CODE_OK &&
           !list->user->wait.user->exists;
}

static void on_index(struct op *op)
{
    struct list *list = op->work;
    const struct hy_group_type *type =
        list->body->type[0] == '\0' ? NULL : hy_group_type(list->body->type);
    const Hy__IndexRes *index = list->index->answer;

    if (op_failed(op, list->index))
        return;
    if (unknown_account(op, list)) {
        op_refuse(op, HY_CODE_GROUP_ACCOUNT);
        return;
    }
    list->items = op_get(op, (index->n_entries + 1) * sizeof *list->items);
    for (size_t i = 0; i < index->n_entries; i++)
        if (wanted(index->entries[i], type))
            list->items[list->count++].entry = index->entries[i];
    qsort(list->items, list->count, sizeof *list->items, by_join);
    cut_page(list);
    list->heads = heads_ask(op, list->items, list->count, true);
    op_then(op, on_heads);
}

void group_list_begin(struct op *op)
{
    struct list *list = op_get(op, sizeof *list);
    Hy__IndexReq req = HY__INDEX_REQ__INIT;

    op->work = list;
    list->body = call_body(op);
    if (list->body->type[0] != '\0' && hy_group_type(list->body->type) == NULL) {
        op_refuse(op, HY_CODE_GROUP_PARAM);
        return;
    }
    req.app = op->caller->app;
    req.user = op->caller->user;
    req.groups_only = true;
    list->user = op_user(op, op->caller->user, USER_RECORD);
    list->index = op_store(op, hy_slot_user(req.app, req.user), HY__BUS_KIND__STORE_INDEX,
                           &req.base, &hy__index_res__descriptor);
    op_then(op, on_index);
}
