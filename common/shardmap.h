/* shardmap - which shard owns each slot, at one epoch of the map.
 *
 * The value "map" of the coordinator: {"epoch":7,"runs":[[0,0],[8192,1]]}, a run being its first slot
 * and its shard, in order; it lasts until the next run begins. Every change of owners raises the epoch. */

#ifndef COMMON_SHARDMAP_H
#define COMMON_SHARDMAP_H

#include <stdint.h>

#include "common/err.h"
#include "common/slot.h"

enum { HY_SHARDS_MAX = 1024 };

struct hy_shardmap {
    uint64_t epoch;
    uint32_t shards; /* highest that owns a slot, plus one */
    uint16_t owner[HY_SLOTS];
};

/* Slots shared evenly, in order: what a cluster begins with. Epoch 1. */
void hy_shardmap_even(struct hy_shardmap *map, uint32_t shards);

/* HY_EMALFORMED: map is as before; why gets a sentence. */
enum hy_err hy_shardmap_parse(const char *text, struct hy_shardmap *map,
                              char why[static 128]) HY_CHECKED;

/* As text, NUL-terminated; free() it. NULL: no memory. */
char *hy_shardmap_print(const struct hy_shardmap *map);

/* The first slot at or after `slot` that shard owns; HY_SLOTS: none. */
uint32_t hy_shardmap_next(const struct hy_shardmap *map, uint32_t shard, uint32_t slot);

#endif
