/* worker - a thread that does one job after the other, so that the loop need not wait for a disk.
 */

#ifndef STORE_REPLICA_WORKER_H
#define STORE_REPLICA_WORKER_H

#include <stdbool.h>

#include "common/err.h"
#include "common/loop.h"

struct worker;

/* Part of what a job works on. run: in the thread; done: in the loop, afterwards; ran false: it was
 * dropped before it began. */
struct job {
    void (*run)(struct job *job);
    void (*done)(struct job *job, bool ran);
    struct job *next;
};

enum hy_err worker_open(struct hy_loop *loop, struct worker **worker) HY_CHECKED;

/* As worker_wait(), and the thread ends. */
void worker_close(struct worker **worker);

/* The job stays the caller's until done. */
void worker_do(struct worker *worker, struct job *job);

/* Wait for the job that runs, drop the others; all have been done() when this returns. */
void worker_wait(struct worker *worker);

#endif
