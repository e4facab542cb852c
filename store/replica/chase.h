/* chase - batches for a follower that the ring has forgotten, read from the log by the worker. */

#ifndef STORE_REPLICA_CHASE_H
#define STORE_REPLICA_CHASE_H

#include "common/err.h"
#include "store/db.h"
#include "store/replica/msg.h"
#include "store/replica/worker.h"

struct chase;

/* done(arg) is called when chase_read() is worth another try. */
enum hy_err chase_open(struct worker *worker, void (*done)(void *arg), void *arg,
                       struct chase **chase) HY_CHECKED;
/* Waits for the worker. */
void chase_close(struct chase **chase);

/* The batch that begins at first, lent until the next call. HY_EBUSY: it is read now; HY_ENOTFOUND:
 * it is not kept. */
enum hy_err chase_read(struct chase *chase, struct db *db, uint64_t first,
                       struct batch_ref *batch) HY_CHECKED;

/* Before the database closes, and when nobody is behind: give back what is held. After
 * worker_wait(). */
void chase_rest(struct chase *chase);

#endif
