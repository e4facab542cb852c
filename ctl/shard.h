/* shard - the copies of the shards of a cluster, as their processes tell. */

#ifndef CTL_SHARD_H
#define CTL_SHARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Ask every store of a cluster whose cluster.json this is: {NAME: {"role": "leading", "epoch": N,
 * "insync": N, "latest": N, "commit": N, "lag": {FOLLOWER: {"sequences": N, "seconds": N}}}}.
 * Who does not answer is left out. */
json_t *shard_copies_read(const json_t *cluster);

/* As a table. */
void shard_copies_print(const json_t *copies);

/* How much a store keeps, about; 0: it does not tell. */
uint64_t shard_bytes(const json_t *cluster, const char *store);

/* Does its shard own nothing, so that the store may go? */
bool shard_spares(const json_t *cluster, const char *store, char why[static 256]);

#endif
