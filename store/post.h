/* post - a store's post in a cluster on etcd: it is known as a node, makes the map of a new
 * cluster, hands the lead of its shard over when that is wished, and leaves in good order.
 *
 * A wish is the value shard/N/wish, {"leader":NAME} ("": whoever has most); the leader takes it
 * away, whether it comes to that or not. With the static coordinator there is nothing to do. */

#ifndef STORE_POST_H
#define STORE_POST_H

#include "common/fleet.h"
#include "store/settings.h"
#include "store/store.h"

struct post;

struct post_config {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_fleet *fleet;
    struct store *store;
    const struct store_settings *settings; /* for the call */
};

enum hy_err post_open(const struct post_config *config, struct post **post) HY_CHECKED;
void post_close(struct post **post);

/* A value of the coordinator changed. */
void post_value(struct post *post, const struct hy_coord_value *value);

/* Let another copy lead, and the set be without this one, then call left(arg): in 5 s at most, and
 * at once with the static coordinator. */
void post_leave(struct post *post, void (*left)(void *arg), void *arg);

#endif
