/* bench - what a scenario of hongyan-bench is.
 *
 * A scenario is one file, with one row in main.c's table:
 *
 *     struct talk_options { struct bench_common common; int64_t pairs; };
 *     static const struct talk_options defaults = {.common = BENCH_COMMON, .pairs = 100};
 *     static const struct arg rows[] = {
 *         {"pairs", "P", ARG_INT, offsetof(struct talk_options, pairs), 1, 1000000, false,
 *          "senders, each with a receiver of its own (100)"},
 *         {.name = NULL}};
 *     const struct scenario scenario_s2 = {"s2", "one line", "paragraphs", rows, &defaults,
 *                                          sizeof defaults, run};
 *
 * Its run() describes the work as a plan of callbacks (engine.h) and calls engine_run(), which
 * forks the workers, leads them through the phases, and fills in the result: counters, latencies,
 * CPU time of the servers and of the driver, one point a second. run() adds what only it knows
 * (title, durability, extra figures: result.h). main.c prints, writes JSON and HTML, and looks at
 * the thresholds. */

#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/result.h"
#include "bench/target.h"
#include "common/err.h"
#include "ctl/args.h"

/* The options that all scenarios take; the first member of a scenario's own. */
struct bench_common {
    const char *cluster, *json, *html;
    struct arg_list fail_if, source;
    int64_t seconds; /* measured */
    int64_t workers; /* 0: as many as the machine has cores, at most two, and more when descriptors
                        call for it */
    bool tls, progress;
};

#define BENCH_COMMON                                                                               \
    {                                                                                              \
        .seconds = 10                                                                              \
    }

struct bench;

struct scenario {
    const char *name;
    const char *summary;    /* one line of --help */
    const char *help;       /* sentences: what is measured, what an operation is */
    const struct arg *rows; /* own options; the common ones are put behind */
    const void *defaults;
    size_t size; /* of the options */
    enum hy_err (*run)(struct bench *bench);
    bool (*alone)(const void *options); /* can it do without a cluster? NULL: no */
};

/* One run. */
struct bench {
    const struct scenario *scenario;
    const struct target *target;
    const struct bench_common *common;
    const void *options; /* the scenario's own struct; common is its beginning */
    struct result *result;
};

#endif
