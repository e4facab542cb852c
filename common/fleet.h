/* fleet - the cluster as a process sees it: its nodes, which shard owns each slot, who leads a
 * shard.
 *
 * A copy of what the coordinator (coord.h) holds, decoded, and kept up to date; reading costs
 * nothing. With the static coordinator it is what the settings list, from the start and for ever.
 * Who is there according to the coordinator and who is alive are two questions: the second is the
 * bus's. A process has one fleet, in its main loop. */

#ifndef COMMON_FLEET_H
#define COMMON_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/coord.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/settings.h"
#include "common/shardmap.h"

struct hy_fleet;

/* A node's life; see passage.h for how it goes through it, and tier.h for what others do. */
enum hy_node_state {
    HY_NODE_JOINING, /* not in use yet: others get ready for it */
    HY_NODE_SERVING,
    HY_NODE_LEAVING, /* still in use: others get ready to do without */
    HY_NODE_LEFT,    /* it took its value away */
    HY_NODE_LOST,    /* its value is gone and it did not say so: dead, or its lease is */
};

/* A node; texts are lent for the call. */
struct hy_node {
    const char *component; /* "router" */
    const char *name;
    const char *endpoint; /* "": it is not dialled */
    const char *version;
    uint64_t boot;    /* hy_bus_boot() of the process that told; 0: not told */
    uint32_t shard;   /* stores */
    uint32_t workers; /* gateways: they dial as NAME/0, NAME/1, ... */
    enum hy_node_state state;
};

/* Called from the loop only; all may be NULL. */
struct hy_fleet_handler {
    void (*node)(void *ctx, const struct hy_node *node); /* came, changed, left or was lost */
    void (*map)(void *ctx);                              /* slots have other owners */
    void (*leader)(void *ctx, uint32_t shard);           /* another one, or none */
    void (*value)(void *ctx, const struct hy_coord_value *value); /* any, as it is */
    void (*lease_lost)(void *ctx);                                /* and what was put with it */
};

/* component: of this process. HY_ECONFIG: why says which setting. */
enum hy_err hy_fleet_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          const char *component, const struct hy_fleet_handler *handler, void *ctx,
                          struct hy_fleet **fleet, char why[static 256]) HY_CHECKED;

/* The same with a lease of the caller's choice; see hy_coord_open(). */
struct hy_fleet_lease {
    uint32_t seconds;
    const char *file;
};
enum hy_err hy_fleet_open_leased(struct hy_loop *loop, const struct hy_common_settings *settings,
                                 const char *component, const struct hy_fleet_lease *lease,
                                 const struct hy_fleet_handler *handler, void *ctx,
                                 struct hy_fleet **fleet, char why[static 256]) HY_CHECKED;
void hy_fleet_close(struct hy_fleet **fleet);

struct hy_coord *hy_fleet_coord(const struct hy_fleet *fleet);

/* Is the settings file the coordinator? */
bool hy_fleet_static(const struct hy_fleet *fleet);

/* Nodes of a component (NULL: of all), lost ones too. */
void hy_fleet_each(const struct hy_fleet *fleet, const char *component,
                   void (*fn)(void *arg, const struct hy_node *node), void *arg);

/* One of them; false: it is not known. */
bool hy_fleet_node(const struct hy_fleet *fleet, const char *component, const char *name,
                   struct hy_node *node);

/* Never NULL; epoch 0, with no shards, before it is known. */
const struct hy_shardmap *hy_fleet_map(const struct hy_fleet *fleet);

/* The shard's leader, "" when there is none, and its epoch (0 if not known). */
const char *hy_fleet_leader(const struct hy_fleet *fleet, uint32_t shard, uint64_t *epoch);

/* ---- this process as a node ---- */

/* Tell the coordinator about this node (component as opened, name of the settings), and go on
 * telling it: after a new lease, and when the value went. Call again to change it. No call, or one
 * with HY_NODE_LEFT, takes the value away. The endpoint is bus.advertise where the settings have
 * that. */
void hy_fleet_register(struct hy_fleet *fleet, const struct hy_node *self);

/* Does the coordinator have what was told last? */
bool hy_fleet_registered(const struct hy_fleet *fleet);

/* A node's value as text and back. The key is node/COMPONENT/NAME. */
struct hy_node_text {
    char component[16], name[64], endpoint[256], version[32];
};
enum hy_err hy_node_parse(const char *key, const char *text, struct hy_node_text *texts,
                          struct hy_node *node) HY_CHECKED; /* node points into texts */
char *hy_node_print(const struct hy_node *node);            /* free() it; NULL: no memory */

#endif
