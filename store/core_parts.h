/* core_parts - opening and closing the core: the parts that live as long as the shard, and the
 * database, which comes and goes with a reign. */

#ifndef STORE_CORE_PARTS_H
#define STORE_CORE_PARTS_H

#include "store/core.h"
#include "store/gate.h"

struct core_config {
    uint32_t shard;
    const struct hy_shardmap *map; /* lent; may be replaced in core between batches */
    size_t history_cache_bytes;
    uint64_t (*now_ms)(void *arg);
    void *now_arg;
    struct gate_config gate;
};

/* Open them in a core that is all zero. After an error core_close() it. */
enum hy_err core_open(struct core *core, const struct core_config *config) HY_CHECKED;

/* After core_follow(). Says what still waits for other shards. */
void core_close(struct core *core);

/* A reign begins: decide on this database, by way of this replica. Reads what the parts keep of it.
 * After an error it is as before. */
enum hy_err core_lead(struct core *core, struct db *db, struct replica *replica,
                      size_t cache_rows) HY_CHECKED;

/* It is over: who waits for an answer that may not be said is sent away; everything that the
 * database or a decision told is forgotten. NULL database is fine. */
void core_follow(struct core *core);

/* Slots changed owners between two batches: core->map is another. gained: some came, and with them
 * rows that were not written through here. */
enum hy_err core_remap(struct core *core, bool gained) HY_CHECKED;

#endif
