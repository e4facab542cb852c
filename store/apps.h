/* apps - the list of apps: kept by the shard that owns its slot, copied by the others.
 *
 * A copy outlives a restart, so that no shard shows expired messages before it has heard. */

#ifndef STORE_APPS_H
#define STORE_APPS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/shardmap.h"
#include "store/core.h"

/* Which shard keeps the list. */
uint32_t apps_owner(const struct hy_shardmap *map);

/* Add what a database has: of the shard that owns the list, or the copy of another. */
enum hy_err apps_read(struct db *db, bool owns, struct hy_apps *apps) HY_CHECKED;

/* Read what the database has into core->apps and core->appset, in place of what they had. */
enum hy_err apps_load(struct core *core) HY_CHECKED;

/* Other slots are served than before: the list came with its slot, or it left, and what is known of
 * it is a copy from now on, kept with the next batch. */
enum hy_err apps_remap(struct core *core) HY_CHECKED;

/* Take over what the owner answered, and keep a copy with the next batch. */
enum hy_err apps_learn(struct core *core, const Hy__AppsRes *res) HY_CHECKED;

/* The floors of a changed app: an extension of retention revives nothing that was gone before. */
void apps_floors(const Hy__App *before, Hy__App *after, uint64_t now_ms);

#endif
