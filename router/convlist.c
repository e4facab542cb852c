#include "router/convlist.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_group(const struct convlist_item *item)
{
    return item->entry->type == HY__CONV_TYPE__CONV_GROUP;
}

static int by_row(const void *left, const void *right)
{
    const struct convlist_item *a = left, *b = right;

    if (is_group(a) != is_group(b))
        return is_group(a) ? -1 : 1;
    if (a->entry->row->last_time_ms != b->entry->row->last_time_ms)
        return a->entry->row->last_time_ms > b->entry->row->last_time_ms ? -1 : 1;
    return strcmp(a->entry->peer, b->entry->peer);
}

size_t convlist_candidates(size_t count, Hy__IndexEntry *const *entries, uint32_t cap,
                           struct convlist_item *items)
{
    size_t usable = 0, kept = 0;
    uint64_t cut_ms = 0; /* the time of the row that fills the list */
    uint32_t shown = 0;

    for (size_t i = 0; i < count; i++)
        if (entries[i]->row != NULL &&
            (entries[i]->type != HY__CONV_TYPE__CONV_GROUP || entries[i]->row->joined))
            items[usable++] = (struct convlist_item){.entry = entries[i]};
    qsort(items, usable, sizeof *items, by_row);
    for (size_t i = 0; i < usable; i++) {
        const Hy__IndexRow *row = items[i].entry->row;

        if (!is_group(&items[i])) {
            if (shown >= cap && !row->pinned && row->last_time_ms + CONVLIST_SLACK_MS < cut_ms)
                continue;
            shown += row->hidden_seq == 0 && !row->pinned;
            if (shown == cap && cut_ms == 0)
                cut_ms = row->last_time_ms;
        }
        items[kept++] = items[i];
    }
    return kept;
}

static int by_head(const void *left, const void *right)
{
    const struct convlist_item *a = left, *b = right;

    if (a->conv->pinned != b->conv->pinned)
        return a->conv->pinned ? -1 : 1;
    if (a->conv->last_time_ms != b->conv->last_time_ms)
        return a->conv->last_time_ms > b->conv->last_time_ms ? -1 : 1;
    return strcmp(a->conv->peer, b->conv->peer);
}

size_t convlist_order(struct convlist_item *items, size_t count, uint32_t cap)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        Hy__Conv *conv = items[i].conv;
        const Hy__IndexRow *row = items[i].entry->row;

        if (conv == NULL || conv->type == HY__CONV_TYPE__CONV_NONE)
            continue;
        if (row->hidden_seq != 0 && row->hidden_seq >= conv->last_seq)
            continue;
        conv->pinned = row->pinned;
        /* How a group is to be heard is part of the membership. */
        conv->remind = conv->self != NULL ? conv->self->msg_flag : row->remind;
        items[kept++] = items[i];
    }
    qsort(items, kept, sizeof *items, by_head);
    return kept < cap ? kept : cap;
}
