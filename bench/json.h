/* json - a result as one JSON object.
 *
 *   scenario, title, durability, unit (what an operation is), latency_from, settings, environment
 *   warm_up_s, seconds, workers
 *   rate_per_s, operations         of the measured time
 *   p50_ms p90_ms p99_ms p999_ms max_ms, ack_...   of what was due in the measured time
 *   sent acked failed unanswered delivered lost doubled reordered   from the first to the last
 *   server_cpu_us_per_op, driver_cpu_us_per_op, <process>_user_us_per_op,
 * <process>_system_us_per_op, server_cores, driver_cores, server_switches_per_op, disk_bytes_per_op
 * of the measured time links, rss_bytes_per_link, kernel_bytes_per_link figures of the scenario,
 * and of counters.h series: arrays of the same length, a point a second: at_s (0: the measured time
 * begins), ... latency_distribution: [at most ms, how many] for each bucket that is not empty
 *
 * --fail-if takes any number of the first level. */

#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <jansson.h>

#include "bench/result.h"

/* NULL: out of memory. */
json_t *json_of_result(const char *scenario, const struct result *result);

#endif
