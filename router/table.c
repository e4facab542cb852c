#include "router/table.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TABLE_FIRST = 64 };

uint64_t table_hash(uint32_t app, const char *id)
{
    return XXH3_64bits_withSeed(id, strlen(id), app);
}

void *table_find(const struct table *table, uint64_t hash, table_same_fn *same, const void *key)
{
    size_t mask = table->size - 1;

    if (table->size == 0)
        return NULL;
    for (size_t i = hash & mask; table->slots[i].item != NULL; i = (i + 1) & mask)
        if (table->slots[i].hash == hash && same(table->slots[i].item, key))
            return table->slots[i].item;
    return NULL;
}

static void place(struct table_slot *slots, size_t size, uint64_t hash, void *item)
{
    size_t i = hash & (size - 1);

    while (slots[i].item != NULL)
        i = (i + 1) & (size - 1);
    slots[i] = (struct table_slot){hash, item};
}

static enum hy_err grow(struct table *table)
{
    size_t size = table->size == 0 ? TABLE_FIRST : table->size * 2;
    struct table_slot *slots = calloc(size, sizeof *slots);

    if (slots == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].item != NULL)
            place(slots, size, table->slots[i].hash, table->slots[i].item);
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return HY_OK;
}

enum hy_err table_put(struct table *table, uint64_t hash, void *item)
{
    /* Above three quarters full, runs of taken slots grow fast. */
    if ((table->count + 1) * 4 > table->size * 3) {
        enum hy_err err = grow(table);

        if (err != HY_OK)
            return err;
    }
    place(table->slots, table->size, hash, item);
    table->count++;
    return HY_OK;
}

/* Move later items of the run back, so that searches meet no hole before them. */
static void close_hole(struct table *table, size_t hole)
{
    size_t mask = table->size - 1;

    for (size_t i = (hole + 1) & mask; table->slots[i].item != NULL; i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        table->slots[hole] = table->slots[i];
        hole = i;
    }
    table->slots[hole].item = NULL;
}

void table_remove(struct table *table, uint64_t hash, const void *item)
{
    size_t mask = table->size - 1;

    if (table->size == 0)
        return;
    for (size_t i = hash & mask; table->slots[i].item != NULL; i = (i + 1) & mask) {
        if (table->slots[i].item != item)
            continue;
        close_hole(table, i);
        table->count--;
        return;
    }
}

void table_each(const struct table *table, void (*fn)(void *arg, void *item), void *arg)
{
    for (size_t i = 0; i < table->size; i++)
        if (table->slots[i].item != NULL)
            fn(arg, table->slots[i].item);
}

void table_free(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}
