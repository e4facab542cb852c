/* metrics - counters, gauges and histograms in Prometheus' text format (0.0.4).
 *
 * Declared in tables with their help text; made once, then bumped by pointer. Values are C11 atomics
 * with relaxed order, so any thread may bump and the status thread may read. Names follow
 * docs/metrics.md: prefix hongyan_, base units, counters end in _total. */

#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct hy_metric { /* one series of a counter or gauge */
    _Atomic int64_t value;
};

/* Latency buckets, the same everywhere: 0.5 ms ... 10 s, and +Inf. */
enum { HY_HIST_BUCKETS = 15 };
struct hy_histogram {
    _Atomic uint64_t bucket[HY_HIST_BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum;                     /* of the unit observed */
};

/* Make, or find, a series. labels is "" or `reason="slow",transport="ws"` (kept, not copied: use
 * literals, or memory that stays). help is that of the first call of the name. The value starts at
 * 0. Aborts when out of memory: happens at start only. */
struct hy_metric *hy_counter(const char *name, const char *labels, const char *help);
struct hy_metric *hy_gauge(const char *name, const char *labels, const char *help);
/* name ends in _seconds; observe microseconds. */
struct hy_histogram *hy_histogram_us(const char *name, const char *labels, const char *help);
/* Plain numbers (batch sizes): bounds 1, 2, 4 ... 8192, +Inf. */
struct hy_histogram *hy_histogram_count(const char *name, const char *labels, const char *help);

static inline void hy_add(struct hy_metric *metric, int64_t n)
{
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}
static inline void hy_set(struct hy_metric *metric, int64_t n)
{
    atomic_store_explicit(&metric->value, n, memory_order_relaxed);
}
void hy_observe_us(struct hy_histogram *histogram, uint64_t us);
void hy_observe_count(struct hy_histogram *histogram, uint64_t n);

/* Called before each scrape, in the status thread; to fill gauges that are costly to keep. */
void hy_metrics_on_scrape(void (*fn)(void *arg), void *arg);

/* Append the whole exposition, with process_* from /proc. */
enum hy_err hy_metrics_write(struct hy_buf *out) HY_CHECKED;

#endif
