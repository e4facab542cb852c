/* sign_in - S5: how fast links sign in. */

#include <stdio.h>

#include "bench/crowd.h"
#include "bench/scenarios.h"
#include "common/clock.h"

struct sign_in_options {
    struct bench_common common;
    int64_t links;
};

static const struct sign_in_options defaults = {.common = {.seconds = 60}, .links = 1000};

static const struct arg rows[] = {{"links", "N", ARG_INT, offsetof(struct sign_in_options, links),
                                   1, 10000000, false,
                                   "links to sign in, 128 under way in each worker (1000)"},
                                  {.name = NULL}};

/* The measured time ends when all are online. */
static enum hy_err sign_in_all(struct worker *worker)
{
    static struct crowd crowd;
    const struct sign_in_options *options = worker->bench->options;
    const struct crowd_config config = {.prefix = "signin", .people = (uint32_t)options->links};
    enum hy_err err = HY_OK;

    worker->own = &crowd;
    err = crowd_open(&crowd, worker, &config);
    worker->tally->operations = crowd.online;
    return err;
}

static void stop(struct worker *worker)
{
    crowd_stop(worker->own);
}

static void close_crowd(struct worker *worker)
{
    if (worker->own != NULL)
        crowd_close(worker->own);
}

static enum hy_err run(struct bench *bench)
{
    const struct sign_in_options *options = bench->options;
    const struct plan plan = {
        .links = (uint64_t)options->links,
        .until_done = true,
        .begin = sign_in_all,
        .stop = stop,
        .close = close_crowd,
    };

    result_title(bench->result, bench->common->tls ? "sign-ins, TLS" : "sign-ins, plain");
    bench->result->unit = "sign-ins";
    bench->result->durability = "account made with fsync at the first sign-in";
    return engine_run(bench, &plan);
}

const struct scenario scenario_s5 = {
    .name = "s5",
    .summary = "sign-ins a second",
    .help = "N links sign in, at most 128 under way in each worker. An operation is a sign-in.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
