/* counters - what the servers' own metrics count: writes to clients, fsyncs, records between
 * processes. They tell how much is done at a time. */

#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

#include "bench/result.h"
#include "bench/target.h"

enum counter {
    COUNTER_FRAMES,  /* queued for clients */
    COUNTER_WRITES,  /* to clients' sockets */
    COUNTER_BATCHES, /* of stores: one fsync each */
    COUNTER_RECORDS, /* between processes */
    COUNTER_LIMITED, /* requests that a limit of rate refused; clients send them again, later */
    COUNTERS,
};

struct counters {
    double of[COUNTERS];
    bool known; /* every process told */
};

void counters_now(const struct target *target, struct counters *counters);

/* Add the figures of what happened between the two, by operation. */
void counters_figures(struct result *result, const struct counters *before,
                      const struct counters *after);

/* The sum of a metric's series in a page of metrics. */
double counters_sum(const char *page, const char *name);

#endif
