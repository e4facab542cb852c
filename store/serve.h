/* serve - the shard on the bus: requests from routers, effects to and from other shards, the list
 * of apps from the shard that keeps it. */

#ifndef STORE_SERVE_H
#define STORE_SERVE_H

#include "common/err.h"
#include "common/loop.h"
#include "store/settings.h"

struct serve;

/* Open the database, then the bus. why gets a sentence when it fails. */
enum hy_err serve_open(struct hy_loop *loop, const struct store_settings *settings,
                       struct serve **serve, char why[static 256]) HY_CHECKED;
void serve_close(struct serve **serve);

/* The endpoint that was bound. */
const char *serve_endpoint(const struct serve *serve);

/* hy_ready_fn. */
const char *serve_ready(void *serve);

/* Let others go on without this process, then call left(arg). */
void serve_leave(struct serve *serve, void (*left)(void *arg), void *arg);

#endif
