/* plan - what `up` was asked to run: how many of each, with which settings. */

#ifndef CTL_PLAN_H
#define CTL_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "ctl/args.h"
#include "ctl/layout.h"

enum { PLAN_MOST = 64, PLAN_SHARDS = 1024, PLAN_COPIES = 5 };

struct plan {
    const char *dir;
    const char *bin;     /* NULL: where hongyanctl is */
    const char *console; /* pages of the demo; NULL: looked for, "" : no demo */
    const char *host;    /* where gateways listen */
    const char *bus;     /* "ipc" or "tcp" */
    int64_t gateways, routers, presences, shards;
    bool gone[PLAN_SHARDS]; /* shards that were taken away; their numbers are not used again */
    int64_t replicas;       /* of each shard; 0: one, and no etcd unless it is asked for */
    int64_t etcd;           /* members of the etcd that coordinates; 0: the settings files do */
    int64_t wait_s;
    struct arg_list sets, app_sets;
    bool detach;
};

/* The kinds of processes, in the order in which they start; they stop the other way round. */
enum part { PART_ETCD, PART_STORE, PART_PRESENCE, PART_ROUTER, PART_GATEWAY, PARTS };
extern const char *const part_names[PARTS];

/* The name of process i of a part: "router-1"; stores with replicas "store-1b". Of 32 bytes. */
void plan_name(const struct plan *plan, enum part part, size_t i, char out[static 32]);

/* How many of a part; stores that are gone count. */
size_t plan_count(const struct plan *plan, enum part part);

/* The shard of store i, and how many stores each has. */
size_t plan_shard(const struct plan *plan, size_t i);
size_t plan_copies(const struct plan *plan);

/* Is process i of a part not to be started any more? */
bool plan_gone(const struct plan *plan, enum part part, size_t i);

/* DIR/data/shards: how many shards there are, and which of them are gone ("8 3 5"). Settle how many
 * of them the cluster has by that and --shards / write it. The first prints what is wrong. */
enum hy_err plan_settle_shards(struct plan *plan, const struct layout *layout) HY_CHECKED;
enum hy_err plan_write_shards(const struct plan *plan, const struct layout *layout) HY_CHECKED;

/* Check --set: each names a component (or one process) and a key. Prints what is wrong. */
enum hy_err plan_check(const struct command *command, const struct plan *plan) HY_CHECKED;

/* DIR/data/restored: how many copies of each shard a restore made, 0: those of a cluster without
 * etcd. The first start is with as many: an empty one could come first and lead. Prints what is
 * wrong. / All have started: from now on more may come. */
enum hy_err plan_settle_copies(struct plan *plan) HY_CHECKED;
void plan_copies_settled(const struct layout *layout);

/* "name=endpoint" of all processes of a part, as a JSON array; null for one that is gone. Endpoints
 * of tcp are picked here. */
json_t *plan_endpoints(const struct plan *plan, const struct layout *layout, enum part part);

/* One more of a part, number i. */
json_t *plan_endpoint(const struct plan *plan, const struct layout *layout, enum part part,
                      size_t i);

/* Write conf/cluster.conf. */
enum hy_err plan_write_cluster(const struct plan *plan, const struct layout *layout,
                               const json_t *const endpoints[PARTS], bool curve) HY_CHECKED;

/* Write conf/NAME.conf of process i of a part. endpoints: of its part. ports: object of the ports
 * to take again, as kind and "host:port"; NULL or without a kind: any port. */
enum hy_err plan_write_process(const struct plan *plan, const struct layout *layout, enum part part,
                               size_t i, const json_t *endpoints, const json_t *ports) HY_CHECKED;

#endif
