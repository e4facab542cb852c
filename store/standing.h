/* standing - a store's place in a cluster on etcd: it is known as a node, and leads its shard.
 *
 * For a shard of one replica: it takes the lead whenever nobody has it, or an earlier process of
 * this name has. With the static coordinator there is nothing to do. */

#ifndef STORE_STANDING_H
#define STORE_STANDING_H

#include "common/err.h"
#include "common/loop.h"
#include "store/settings.h"

struct standing;

/* endpoint: where the store serves. */
enum hy_err standing_open(struct hy_loop *loop, const struct store_settings *settings,
                          const char *endpoint, struct standing **standing,
                          char why[static 256]) HY_CHECKED;
void standing_close(struct standing **standing);

#endif
