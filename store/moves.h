/* moves - runs of slots that come to this shard and leave it, while it serves (common/moves.h).
 *
 * Binds the steps (store/move/) to the database, the coordinator and the other shard. The source
 * reads a run part by part; each part is what the database had when it began, and, behind it, what
 * changed meanwhile of what was read so far, so nothing old is kept open. It goes through the
 * target's ordinary writes, into rows that nobody sees there. Of one source one run leaves at a
 * time. The writer's thread only. */

#ifndef STORE_MOVES_H
#define STORE_MOVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/coord.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/moves.h"
#include "common/shardmap.h"
#include "store/core.h"

struct moves;

/* Ask another shard (STORE_MOVE, STORE_MOVE_END); moves_answered() with the same token follows, not
 * from inside. */
typedef void moves_send_fn(void *ctx, uint32_t shard, uint64_t token, uint16_t kind,
                           uint32_t deadline_ms, const void *payload, size_t len);

struct moves_config {
    struct core *core;
    struct hy_loop *loop;   /* NULL: all is read in place */
    struct hy_coord *coord; /* NULL: nothing ever moves */
    uint32_t shard;
    uint32_t keep_s; /* rows of a run that left are deleted so much later */
    moves_send_fn *send;
    void *ctx;                          /* of send */
    enum hy_err (*settle)(void *store); /* write what waits; HY_OK: nothing does any more */
    enum hy_err (*write)(void *store);  /* write the batch, whatever it takes */
    void (*refresh)(void *store);       /* other slots are served than before: go by that now */
    void *store;
};

enum hy_err moves_open(const struct moves_config *config, struct moves **moves) HY_CHECKED;
void moves_close(struct moves **moves);

/* A reign begins, on this database, or ends. */
enum hy_err moves_lead(struct moves *moves, struct db *db) HY_CHECKED;
void moves_follow(struct moves *moves);

/* The map, lent until there is another; and as this shard goes by it. */
void moves_map(struct moves *moves, const struct hy_shardmap *map);
void moves_serve(const struct moves *moves, struct hy_shardmap *mine);

/* Is the slot one that the map gives to this shard, but not served just now? Who asks is to wait.
 */
bool moves_waits(const struct moves *moves, uint16_t slot);

/* Is a run frozen? */
bool moves_frozen(const struct moves *moves);

/* A value of the coordinator changed. */
void moves_value(struct moves *moves, const struct hy_coord_value *value);

/* Go on. While it leads, between two batches. */
void moves_turn(struct moves *moves);

/* The other shard answered, or did not. */
void moves_answered(struct moves *moves, uint64_t token, enum hy_err err, const void *payload,
                    size_t len);

/* A batch failed, and what it was to change is not so: read it again. */
void moves_failed(struct moves *moves);

#endif
