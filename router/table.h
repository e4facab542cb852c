/* table - a hash table of pointers with open addressing.
 *
 * The owner of the items makes the hash and compares; the table keeps neither keys nor items. One
 * thread. A table of zeros is empty and ready. */

#ifndef ROUTER_TABLE_H
#define ROUTER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct table_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct table {
    struct table_slot *slots;
    size_t count, size; /* size is a power of two, or 0 */
};

/* Is this the item of that key? */
typedef bool table_same_fn(const void *item, const void *key);

/* The hash of an id within an app. */
uint64_t table_hash(uint32_t app, const char *id);

/* The item with this hash for which same(item, key), or NULL. */
void *table_find(const struct table *table, uint64_t hash, table_same_fn *same, const void *key);

/* Add an item that is not there yet. HY_ENOMEM changes nothing. */
enum hy_err table_put(struct table *table, uint64_t hash, void *item) HY_CHECKED;

/* Take out an item; nothing happens if it is not there. */
void table_remove(struct table *table, uint64_t hash, const void *item);

/* Call fn for each item; fn must not change the table. */
void table_each(const struct table *table, void (*fn)(void *arg, void *item), void *arg);

/* Give the slots back; the items stay their owner's. */
void table_free(struct table *table);

#endif
