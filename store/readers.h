/* readers - reads, answered while the writer goes on.
 *
 * Reads are gathered during a turn and answered at its end, after the commit, so each sees all that
 * was answered before it. Those that find what they need in memory are answered by the loop, so
 * many a turn; threads do the rest, which may wait for the disk, and their answers come back
 * through hy_loop_post(). With no threads the loop does all. Called by the writer's thread. */

#ifndef STORE_READERS_H
#define STORE_READERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "store/answers.h"
#include "store/appset.h"
#include "store/db.h"
#include "store/view.h"

struct gate;
struct readers;

struct readers_config {
    size_t threads;
    uint32_t shard;
    struct appset *apps;
    uint64_t (*now_ms)(void *arg); /* any thread */
    void *now_arg;
    struct hy_loop *loop; /* may be NULL without threads */
    struct gate *gate;    /* by which answers leave */
};

enum hy_err readers_open(const struct readers_config *config, struct readers **readers) HY_CHECKED;

/* Answers what is under way, then ends the threads. */
void readers_close(struct readers **readers);

/* What to read from. */
struct readers_source {
    struct db *db; /* NULL: there is none now, and reads are not to be added */
    const struct hy_shardmap *map;
    struct rows *rows; /* what is in memory, for reads in the loop's thread */
    struct runs *runs; /* may be NULL */
};

/* Read from here. Waits until no thread uses the old one. */
void readers_use(struct readers *readers, const struct readers_source *source);

/* The reign is over: nothing is read until readers_use(), no thread uses the database, and who
 * waits for an answer is sent away. */
void readers_drop(struct readers *readers);

/* Gather a read (the payload is copied). HY_EBUSY: too many wait. */
enum hy_err readers_add(struct readers *readers, const struct request *req, view_fn *fn) HY_CHECKED;

/* Hand over what was gathered. */
void readers_go(struct readers *readers);

#endif
