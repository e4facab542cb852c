#include "router/numberset.h"

#include <stdlib.h>
#include <string.h>

#include "router/memory.h"

enum { SIZE_MIN = 64 };

/* Where the number is, or where it would go. The numbers are hashes already. */
static size_t place(const struct numberset *set, uint64_t number)
{
    size_t i = number & (set->size - 1);

    while (set->slots[i] != 0 && set->slots[i] != number)
        i = (i + 1) & (set->size - 1);
    return i;
}

bool numberset_has(const struct numberset *set, uint64_t number)
{
    return set->size > 0 && set->slots[place(set, number)] == number;
}

static void grow(struct numberset *set)
{
    struct numberset old = *set;

    set->size = old.size == 0 ? SIZE_MIN : old.size * 2;
    set->slots = memory_get(set->size * sizeof *set->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i] != 0)
            set->slots[place(set, old.slots[i])] = old.slots[i];
    free(old.slots);
}

void numberset_add(struct numberset *set, uint64_t number)
{
    size_t i;

    if (set->count * 4 >= set->size * 3)
        grow(set);
    i = place(set, number);
    set->count += set->slots[i] == 0;
    set->slots[i] = number;
}

void numberset_remove(struct numberset *set, uint64_t number)
{
    size_t hole = set->size == 0 ? 0 : place(set, number), mask = set->size - 1;

    if (set->size == 0 || set->slots[hole] == 0)
        return;
    set->count--;
    /* Those behind move up, so that no search ends too early. */
    for (size_t i = (hole + 1) & mask; set->slots[i] != 0; i = (i + 1) & mask) {
        size_t home = set->slots[i] & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        set->slots[hole] = set->slots[i];
        hole = i;
    }
    set->slots[hole] = 0;
}

void numberset_free(struct numberset *set)
{
    free(set->slots);
    *set = (struct numberset){0};
}
