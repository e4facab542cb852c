/* index_read - a user's index, as one answer: conversations' rows and the user's marks joined. */

#include <stdlib.h>
#include <string.h>

#include "common/codes.h"
#include "common/slot.h"
#include "store/answers.h"
#include "store/index_entry.h"
#include "store/value.h"
#include "store/view.h"

/* Of C2C rows only the newest matter: what is beyond the cap comes back with its next message. Some
 * more are given, since those that are hidden do not count. */
enum { SPARE = 64 };

struct list {
    struct view *view;
    uint32_t app;
    Hy__IndexEntry **entries;
    size_t count, size;
    size_t pairs;
};

static enum hy_err list_add(struct list *list, Hy__IndexEntry *entry)
{
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 64 : list->size * 2;
        Hy__IndexEntry **entries = realloc(list->entries, size * sizeof *entries);

        if (entries == NULL)
            return HY_ENOMEM;
        list->entries = entries;
        list->size = size;
    }
    list->entries[list->count++] = entry;
    list->pairs += entry->type == HY__CONV_TYPE__CONV_C2C;
    return HY_OK;
}

/* C2C first: pinned, then newest; groups behind. */
static int by_rank(const void *a, const void *b)
{
    const Hy__IndexEntry *x = *(Hy__IndexEntry *const *)a, *y = *(Hy__IndexEntry *const *)b;

    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->row->pinned != y->row->pinned)
        return x->row->pinned ? -1 : 1;
    if (x->row->last_time_ms != y->row->last_time_ms)
        return x->row->last_time_ms > y->row->last_time_ms ? -1 : 1;
    return 0;
}

static void cut(struct list *list)
{
    size_t most = 4 * (size_t)appset_recent(list->view->apps, list->app) + SPARE;
    size_t groups = list->count - list->pairs;

    if (list->pairs <= most)
        return;
    qsort(list->entries, list->count, sizeof(Hy__IndexEntry *), by_rank);
    memmove(list->entries + most, list->entries + list->pairs, groups * sizeof(Hy__IndexEntry *));
    list->count = most + groups;
}

static enum hy_err gather(struct list *list, const Hy__IndexReq *in)
{
    struct index_walk walk;
    Hy__IndexEntry *entry;
    enum hy_err err = index_walk_user(list->view, in->app, in->user, in->groups_only, &walk);

    while (err == HY_OK) {
        err = index_walk_next(&walk, &entry);
        if (err != HY_OK || entry == NULL)
            break;
        err = list_add(list, entry);
    }
    index_walk_close(&walk);
    return err;
}

enum hy_err index_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out)
{
    Hy__IndexReq *in = hy__index_req__unpack(&view->arena.pb, len, payload);
    Hy__IndexRes res = HY__INDEX_RES__INIT;
    struct list list = {.view = view};
    enum hy_err err;

    if (in == NULL || !key_text_ok(in->user))
        return answer_refusal(HY__BUS_KIND__STORE_INDEX, 0, HY_CODE_PARAM, out);
    if (!view_needs(view, hy_slot_user(in->app, in->user)))
        return answer_refusal(HY__BUS_KIND__STORE_INDEX, 0, HY_CODE_UNAVAILABLE, out);
    list.app = in->app;
    err = gather(&list, in);
    if (err == HY_OK) {
        cut(&list);
        res.n_entries = list.count;
        res.entries = list.entries;
        err = hy_buf_put_pb(out, &res.base);
    }
    free(list.entries);
    return err;
}
