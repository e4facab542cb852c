/* bench - the scenarios of hongyan-bench. Each fills a report; main.c prints it. */

#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/report.h"
#include "bench/target.h"
#include "common/err.h"

struct bench_options {
    uint32_t seconds; /* measured; a tenth more is run before */
    uint32_t rate;    /* open loop: messages/s; 0 = closed loop */
    uint32_t pairs;
    uint32_t window; /* closed loop: under way per sender */
    uint32_t links;
    uint32_t members;
    bool tls;
};

/* S1: idle signed-in links. */
enum hy_err bench_idle(const struct target *target, const struct bench_options *options,
                       struct report *report) HY_CHECKED;

/* S2 (durable) and S3 (online-only): one-to-one. */
enum hy_err bench_c2c(const struct target *target, const struct bench_options *options,
                      bool online_only, struct report *report) HY_CHECKED;

/* S4: one group. */
enum hy_err bench_group(const struct target *target, const struct bench_options *options,
                        struct report *report) HY_CHECKED;

/* S5: sign-ins. */
enum hy_err bench_sign_in(const struct target *target, const struct bench_options *options,
                          struct report *report) HY_CHECKED;

#endif
