/* board - the memory that coordinator and workers share: engine.c's and worker.c's. */

#ifndef BENCH_BOARD_H
#define BENCH_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>

#include "bench/engine.h"

enum phase {
    PHASE_NONE, /* a desk before its worker has opened */
    PHASE_OPEN,
    PHASE_PREPARE,
    PHASE_ENTER,
    PHASE_RUN,
    PHASE_DRAIN,
    PHASE_STOP,
    PHASE_ACCOUNT,
    PHASE_CLOSE,
};

/* One worker's part; a worker that has done what a phase asks for says so in at. */
struct desk {
    alignas(64) _Atomic uint32_t at; /* the phase it has reached */
    _Atomic bool settled;
    _Atomic bool drains; /* turned with PHASE_DRAIN, and told settled since */
    struct tally tally;
};

struct board {
    _Atomic uint32_t phase; /* PHASE_NONE: OPEN */
    _Atomic uint64_t begun_us, from_us, to_us;
    struct desk desks[ENGINE_WORKERS];
    alignas(64) uint8_t shared[];
};

/* What a worker process does; returns its exit code. */
int worker_run(struct worker *worker, struct board *board);

#endif
