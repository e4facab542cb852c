/* hist - a log-linear histogram of microseconds: 1 % wide buckets, from 1 us to 71 minutes.
 *
 * May lie in memory shared by processes: one adds, others may copy it at any time. */

#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

enum { HIST_SUB = 64, HIST_BUCKETS = 32 * HIST_SUB };

struct hist {
    uint64_t bucket[HIST_BUCKETS];
    uint64_t count;
    uint64_t max_us;
};

void hist_add(struct hist *hist, uint64_t us);

/* The value that a share q (0..1) of all is at or below, in us; 0 when there are none. */
uint64_t hist_quantile(const struct hist *hist, double q);

/* Add all of another. */
void hist_merge(struct hist *into, const struct hist *hist);

/* What came since an earlier copy of the same histogram: hist - earlier. max_us is the top of the
 * highest bucket that grew. */
void hist_since(const struct hist *hist, const struct hist *earlier, struct hist *since);

/* The largest value that a bucket holds, us. */
uint64_t hist_bucket_us(unsigned bucket);

#endif
