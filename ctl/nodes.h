/* nodes - what the coordinator of a cluster knows: nodes, and who leads each shard. */

#ifndef CTL_NODES_H
#define CTL_NODES_H

#include <jansson.h>
#include <stdbool.h>

#include "common/fleet.h"

/* Look at the coordinator, once the map is known. False: the cluster has no etcd, or that does not
 * answer. */
struct nodes_visit { /* lent */
    const json_t *cluster;
    struct hy_loop *loop;
    struct hy_fleet *fleet;
    struct hy_coord *coord; /* the fleet's */
};
typedef void nodes_visit_fn(void *arg, const struct nodes_visit *visit);
bool nodes_visit(const json_t *cluster, nodes_visit_fn *fn, void *arg);

/* The same for the cluster that is up in a folder; prints why not. */
bool nodes_visit_dir(const char *dir, nodes_visit_fn *fn, void *arg);

/* Read it, for a cluster whose cluster.json this is: {"nodes": {NAME: {...}}, "shards":
 * [{"shard": N, "slots": N, ...}], "map_epoch": N}. NULL: it has no etcd, or that does not answer.
 */
json_t *nodes_read(const json_t *cluster);

/* As a table. */
void nodes_print(const json_t *nodes);

#endif
