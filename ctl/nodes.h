/* nodes - what the coordinator of a cluster knows: nodes, and who leads each shard. */

#ifndef CTL_NODES_H
#define CTL_NODES_H

#include <jansson.h>
#include <stdbool.h>

#include "common/fleet.h"

/* Look at the coordinator, once the map is known. False: the cluster has no etcd, or that does not
 * answer. */
typedef void nodes_visit_fn(void *arg, struct hy_loop *loop, struct hy_fleet *fleet);
bool nodes_visit(const json_t *cluster, nodes_visit_fn *fn, void *arg);

/* Read it, for a cluster whose cluster.json this is: {"nodes": {NAME: {...}}, "shards": [{...}],
 * "map_epoch": N}. NULL: it has no etcd, or that does not answer. */
json_t *nodes_read(const json_t *cluster);

/* As a table. */
void nodes_print(const json_t *nodes);

#endif
