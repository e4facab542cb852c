/* report - the outcome of a scenario: one table for people, one JSON object for programs. */

#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "bench/hist.h"
#include "common/err.h"

struct report {
    const char *scenario;
    const char *durability; /* "fsync before acknowledgement", "not stored" ... */
    double seconds;
    uint64_t sent, acked, failed, delivered, lost, doubled, reordered;
    uint64_t operations;      /* what rate_per_s counts */
    struct hist *latency;     /* the one of p50_ms and p99_ms; NULL: none */
    const char *latency_from; /* "send to delivery" */
    struct hist *ack;         /* send to acknowledgement; NULL: none */
    uint64_t server_cpu_us, driver_cpu_us;
    uint64_t links, rss_bytes, kernel_bytes; /* gateway memory growth over the links */
};

/* Print the table to out, and with json_file not NULL write the JSON there. HY_EIO. */
enum hy_err report_write(const struct report *report, FILE *out, const char *json_file) HY_CHECKED;

#endif
