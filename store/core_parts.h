/* core_parts - opening and closing the core: the parts that live as long as the shard, and the
 * database, which comes and goes. */

#ifndef STORE_CORE_PARTS_H
#define STORE_CORE_PARTS_H

#include "store/core.h"
#include "store/outbox.h"

struct core_config {
    uint32_t shard, shards;
    size_t history_cache_bytes;
    uint64_t (*now_ms)(void *arg);
    void *now_arg;
    answer_fn *answer;
    outbox_send_fn *send;
    void *ctx; /* of answer and send */
};

/* Open them in a core that is all zero. After an error core_close() it. */
enum hy_err core_open(struct core *core, const struct core_config *config) HY_CHECKED;

/* The database must be closed. Says what still waits for other shards. */
void core_close(struct core *core);

/* Open the database, and read what the parts keep of it. why gets a sentence when it fails. */
enum hy_err core_open_db(struct core *core, const struct db_config *config, size_t cache_rows,
                         char why[static 256]) HY_CHECKED;
void core_close_db(struct core *core);

#endif
