/* slots - which slots this shard serves, by its own rows: those it has whole, the runs that leave
 * or left, the runs that come.
 *
 * The map says who is to serve a slot; the rows say whether this shard can. Both must agree, and
 * the map must be as new as any that the shard ever acted upon: a leader whose coordinator is
 * behind serves nothing that was given away meanwhile. The rows go with the shard's log, so every
 * leader to come knows them. On one machine, where the map is for ever, there are no such rows. */

#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/shardmap.h"
#include "records.pb-c.h"
#include "store/batch.h"
#include "store/db.h"

enum { SLOTS_NOBODY = 0xFFFF }; /* the owner, in a map, of a slot that is not served here */

struct slots_out { /* MoveOut */
    uint32_t id, to, attempt;
    uint16_t first, last;
    bool gone;
    uint64_t gone_ms;
    struct slots_out *next;
};

struct slots_in { /* MoveIn, as far as it is not looked up */
    uint32_t id;
    uint16_t first, last;
    struct slots_in *next;
};

struct slots {
    bool there; /* the database has a ShardSlots; else it is as the first map has it */
    uint64_t map_epoch;
    bool has[HY_SLOTS];
    struct slots_out *out;
    struct slots_in *in;
};

/* Read the rows. HY_ECORRUPT and what reading may say. */
enum hy_err slots_load(struct slots *slots, struct db *db) HY_CHECKED;
void slots_clear(struct slots *slots);

/* The map as this shard goes by it: what it does not serve, though the map says so, is nobody's. */
void slots_serve(const struct slots *slots, uint32_t shard, const struct hy_shardmap *map,
                 struct hy_shardmap *mine);

/* Is the map as new as any that was acted upon? */
bool slots_fresh(const struct slots *slots, const struct hy_shardmap *map);

/* The shard has all that the map gives it: the first rows of a shard. */
void slots_begin(struct slots *slots, uint32_t shard, const struct hy_shardmap *map);

/* It has the run whole, or not any more. */
void slots_set(struct slots *slots, uint16_t first, uint16_t last, bool has);

/* The frozen run; NULL: none. */
struct slots_out *slots_frozen(const struct slots *slots);

/* What is known is changed, and so is the batch. HY_ENOMEM. */
void slots_put(const struct slots *slots, struct batch *batch);
enum hy_err slots_put_out(struct slots *slots, const struct slots_out *out,
                          struct batch *batch) HY_CHECKED;
void slots_drop_out(struct slots *slots, uint32_t id, struct batch *batch);
enum hy_err slots_put_in(struct slots *slots, uint32_t id, const Hy__MoveIn *in,
                         struct batch *batch) HY_CHECKED;
void slots_drop_in(struct slots *slots, uint32_t id, struct batch *batch);

/* The key of the row of a run that comes. */
void slots_key_in(uint32_t id, struct key *key);

#endif
