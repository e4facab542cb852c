/* shard - the copies of the shards of a cluster, as their processes tell. */

#ifndef CTL_SHARD_H
#define CTL_SHARD_H

#include <jansson.h>

/* Ask every store of a cluster whose cluster.json this is: {NAME: {"role": "leading", "epoch": N,
 * "insync": N, "latest": N, "commit": N, "lag": {FOLLOWER: {"sequences": N, "seconds": N}}}}.
 * Who does not answer is left out. */
json_t *shard_copies_read(const json_t *cluster);

/* As a table. */
void shard_copies_print(const json_t *copies);

#endif
