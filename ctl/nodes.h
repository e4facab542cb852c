/* nodes - what the coordinator of a cluster knows: nodes, and who leads each shard. */

#ifndef CTL_NODES_H
#define CTL_NODES_H

#include <jansson.h>

/* Read it, for a cluster whose cluster.json this is: {"nodes": {NAME: {...}}, "shards": [{...}],
 * "map_epoch": N}. NULL: it has no etcd, or that does not answer. */
json_t *nodes_read(const json_t *cluster);

/* As a table. */
void nodes_print(const json_t *nodes);

#endif
