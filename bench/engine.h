/* engine - runs a scenario's plan in several worker processes and measures it.
 *
 * Why processes: a descriptor limit holds for one, and loops in threads would share locks of the
 * allocator. Each worker has its own loop and clients; what all must know lies in shared memory.
 *
 *     phase     workers                      coordinator
 *     OPEN      open()                       waits for all
 *     PREPARE   turn their loops             prepare()   what needs users that exist: groups by
 * REST ENTER     enter()                      waits for all RUN       begin(), then turn()s
 * warm-up, then the measured time; samples each second DRAIN     turn()s with w->stopping     until
 * all is accounted for, or nothing has moved for ENGINE_QUIET_MS STOP      stop() waits: after it
 * no counter of a sender moves ACCOUNT   account()                    waits, and adds up CLOSE
 * close(), exit
 *
 * Warm-up: the load runs for a tenth of the measured time, and at least a second, before the
 * measured time begins. Counters of messages count from the first to the last; operations and
 * latencies are those of the measured time.
 *
 * Callbacks may be NULL. Those that return an error print why. Everything that is not said to be
 * the coordinator's runs in a worker. */

#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/bench.h"
#include "bench/hist.h"
#include "common/err.h"
#include "common/loop.h"

enum { ENGINE_WORKERS = 64, ENGINE_QUIET_MS = 5000 };

/* What a worker has counted: written by it alone, read by all at any time. */
struct tally {
    uint64_t online; /* clients that are signed in; for the progress line */
    uint64_t sent, acked, failed, unanswered;
    uint64_t expected; /* deliveries that follow from what was acknowledged */
    uint64_t delivered, lost, doubled, reordered;
    uint64_t operations;      /* ended in the measured time */
    uint64_t all;             /* operations ended since the beginning; for the progress line */
    uint64_t custom[8];       /* the scenario's; engine_custom() adds them up */
    struct hist latency, ack; /* of what was due in the measured time */
    struct hist recent;       /* of everything; its growth is the latency of a second */
};

struct worker {
    uint32_t index, count; /* which of how many */
    const struct bench *bench;
    const struct plan *plan;
    struct hy_loop *loop;
    struct tally *tally;
    void *shared; /* plan->shared_size bytes, zeroed before the fork, the same for all */
    uint64_t begun_us, from_us, to_us; /* of RUN and its measured part, for all workers; known from
                                          begin() on */
    bool stopping;                     /* nothing new is to be begun */
    void *own;                         /* the scenario's, of this worker */
};

struct plan {
    uint64_t links;     /* descriptors needed in all */
    size_t shared_size; /* memory for all workers */
    uint32_t pace_us;   /* a worker turns so often, if there is something or not; 0: whenever there
                           is something */
    bool until_done;    /* the measured time ends when all have settled(), at the latest after
                           --seconds; without it exactly then. There is no warm-up */
    void *ctx;          /* the scenario's, the same copy in every process */

    enum hy_err (*open)(struct worker *worker);
    enum hy_err (*prepare)(const struct bench *bench, const struct plan *plan, void *shared);
    enum hy_err (*enter)(struct worker *worker);
    enum hy_err (*begin)(struct worker *worker);
    void (*turn)(struct worker *worker);
    bool (*settled)(struct worker *worker); /* nothing of ours is under way */
    void (*measured)(const struct bench *bench, const struct plan *plan, void *shared); /* the
                                coordinator's, right after the measured time */
    void (*stop)(struct worker *worker);
    void (*account)(struct worker *worker);
    void (*close)(struct worker *worker);
    /* The coordinator's: what comes out, after everything. custom: sums of tally.custom. */
    void (*report)(const struct bench *bench, const struct plan *plan, const uint64_t custom[8]);
};

/* Run the plan and fill bench->result. Prints what is wrong. HY_ECONFIG: the workers cannot have so
 * many links. */
enum hy_err engine_run(struct bench *bench, const struct plan *plan) HY_CHECKED;

/* An operation that was due at due_us has ended now. */
void worker_operation(struct worker *worker, uint64_t due_us);

/* The acknowledgement of what was due at due_us came now. */
void worker_ack(struct worker *worker, uint64_t due_us);

/* Has every worker been told to give up waiting? For loops of open() and enter(): turns the loop
 * for at most wait_ms. HY_ETIMEOUT: it takes too long. */
enum hy_err worker_turn(struct worker *worker, uint32_t wait_ms, uint64_t deadline_ms) HY_CHECKED;

/* How many workers are needed for so many links when one process may have limit descriptors, given
 * what was asked for (0: best). 0: it cannot be done with what was asked for. */
uint32_t engine_workers(uint64_t links, uint64_t limit, uint32_t asked, uint32_t cores);

#endif
