/* slotplan - which slots have to move so that some shards share all of them evenly.
 *
 * Pure: the map and the shards go in, moves come out. As few slots move as can be; a shard gives
 * its highest slots away, so that what stays is one run; moves of different sources take turns, so
 * that a plan that ends halfway is half done everywhere. */

#ifndef CTL_SLOTPLAN_H
#define CTL_SLOTPLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/shardmap.h"

/* Slots first..last, all of one shard, to another. */
struct slotplan_move {
    uint16_t first, last, from, to;
};

struct slotplan {
    struct slotplan_move *moves;
    size_t count;
    uint32_t slots;                                    /* of all moves */
    uint32_t have[HY_SHARDS_MAX], want[HY_SHARDS_MAX]; /* slots by shard, before and after */
};

/* Plan so that the shards of the list, and no others, own all slots. A move has at most `most`
 * slots. HY_ECONFIG: the list is empty, or names one twice or out of range. */
enum hy_err slotplan_make(const struct hy_shardmap *map, const uint16_t *shards, size_t count,
                          uint32_t most, struct slotplan *plan) HY_CHECKED;
void slotplan_free(struct slotplan *plan);

#endif
