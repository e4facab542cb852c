#include "store/replica/copies.h"

#include <string.h>

bool copy_id_same(const struct copy_id *a, const struct copy_id *b)
{
    return strcmp(a->node, b->node) == 0 && strcmp(a->db, b->db) == 0;
}

bool copy_id_ran_on(const struct copy_id *a, const struct copy_id *b)
{
    return copy_id_same(a, b) && strcmp(a->boot, b->boot) == 0;
}

static size_t find(const struct copies *set, const struct copy_id *id)
{
    size_t i = 0;

    while (i < set->count && !copy_id_same(&set->ids[i], id))
        i++;
    return i;
}

bool copies_have(const struct copies *set, const struct copy_id *id)
{
    return find(set, id) < set->count;
}

const struct copy_id *copies_at(const struct copies *set, const char *node)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->ids[i].node, node) == 0)
            return &set->ids[i];
    return NULL;
}

bool copies_add(struct copies *set, const struct copy_id *id)
{
    if (set->count == COPIES_MAX || copies_have(set, id))
        return false;
    set->ids[set->count++] = *id;
    return true;
}

void copies_remove(struct copies *set, const struct copy_id *id)
{
    size_t i = find(set, id);

    if (i == set->count)
        return;
    set->count--;
    memmove(&set->ids[i], &set->ids[i + 1], (set->count - i) * sizeof *set->ids);
}

void copies_join(struct copies *set, const struct copies *more)
{
    for (size_t i = 0; i < more->count; i++)
        copies_add(set, &more->ids[i]);
}

bool copies_same(const struct copies *a, const struct copies *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t k = find(b, &a->ids[i]);

        if (k == b->count || !copy_id_ran_on(&a->ids[i], &b->ids[k]))
            return false;
    }
    return true;
}
