/* history - S6: random pages of 20, lists of conversations, backlogs of clients that come back.
 *
 * --cold: the stores are started again with nothing in memory, and no page is asked for twice. */

#include "bench/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cold.h"
#include "bench/scenarios.h"
#include "common/clock.h"

static const struct history_options defaults = {
    .common = BENCH_COMMON, .pairs = 100, .window = 8, .pace_us = 1000, .depth = 1000, .convs = 1};

static const struct arg rows[] = {
    {"pairs", "P", ARG_INT, offsetof(struct history_options, pairs), 1, 100000, false,
     "readers, and as many who write to them (100)"},
    {"window", "W", ARG_INT, offsetof(struct history_options, window), 1, 10000, false,
     "closed loop: pages that each reader has under way; and backlogs of each worker (8)"},
    {"rate", "R", ARG_INT, offsetof(struct history_options, rate), 1, 100000000, false,
     "open loop: R pages a second, evenly spread; without it the loop is closed"},
    {"pace-us", "US", ARG_INT, offsetof(struct history_options, pace_us), 0, 1000000, false,
     "open loop: a worker turns so often; 0: whenever it has something to do (1000)"},
    {"depth", "N", ARG_INT, offsetof(struct history_options, depth), 1, 10000000, false,
     "messages of a conversation (1000)"},
    {"convs", "C", ARG_INT, offsetof(struct history_options, convs), 1, 100000, false,
     "conversations of a reader; no more than there are readers (1)"},
    {"cold", NULL, ARG_FLAG, offsetof(struct history_options, cold), 0, 0, false,
     "start the stores again with nothing in memory, and ask for each page once"},
    {.name = NULL}};

/* The same options for a part of it that takes another time. */
static enum hy_err run_part(const struct bench *bench, struct history *h, int64_t seconds,
                            enum hy_err (*part)(struct bench *bench, struct history *h),
                            struct result *out)
{
    struct history_options options = *h->options;
    struct bench mine = *bench;
    enum hy_err err;

    options.common.seconds = seconds > 0 ? seconds : 1;
    out->unit = bench->result->unit;
    mine.options = mine.common = &options.common;
    mine.result = out;
    err = part(&mine, h);
    bench->result->failed += out->failed;
    bench->result->lost += out->lost;
    return err;
}

static enum hy_err measure_lists(const struct bench *bench, struct history *h)
{
    static struct result lists;
    struct result *result = bench->result;
    enum hy_err err = run_part(bench, h, h->options->common.seconds / 3, history_lists, &lists);

    result_figure(result, "lists_per_s", "lists of conversations", result_rate(&lists), "/s");
    result_figure(result, "list_p50_ms", "list, p50",
                  (double)hist_quantile(&lists.latency, .5) / 1000, "ms");
    result_figure(result, "list_p99_ms", "list, p99",
                  (double)hist_quantile(&lists.latency, .99) / 1000, "ms");
    result_figure(result, "list_cpu_us", "list, server's CPU",
                  result_per_operation(&lists, usage_cpu_all_us(&lists.server)), "us");
    result_free(&lists);
    return err;
}

static enum hy_err measure_backlogs(const struct bench *bench, struct history *h)
{
    static struct result back;
    struct result *result = bench->result;
    enum hy_err err = run_part(bench, h, h->options->common.seconds, history_backlogs, &back);
    double messages = h->messages > 0 ? (double)h->messages : 1;

    result_figure(result, "backlog_messages_per_s", "backlogs of clients that come back",
                  back.seconds > 0 ? (double)h->messages / back.seconds : 0, "messages/s");
    result_figure(result, "backlog_p50_ms", "backlog, p50",
                  (double)hist_quantile(&back.latency, .5) / 1000, "ms");
    result_figure(result, "backlog_p99_ms", "backlog, p99",
                  (double)hist_quantile(&back.latency, .99) / 1000, "ms");
    result_figure(result, "backlog_cpu_us_per_message", "backlog, server's CPU a message",
                  (double)usage_cpu_all_us(&back.server) / messages, "us");
    result_figure(result, "backlogs", "backlogs pulled whole", (double)h->backlogs, "");
    result_free(&back);
    return err;
}

static enum hy_err measure(struct bench *bench, struct history *h)
{
    enum hy_err err = history_pages(bench, h);

    if (err == HY_OK)
        err = measure_lists(bench, h);
    return err == HY_OK ? measure_backlogs(bench, h) : err;
}

static enum hy_err run(struct bench *bench)
{
    static char how[160] = "warm: read before, caches as they are";
    const struct history_options *options = bench->options;
    struct history h = {.options = options,
                        .people = (uint32_t)options->pairs,
                        .convs = (uint32_t)options->convs,
                        .depth = (uint64_t)options->depth};
    struct bench mine = *bench;
    struct target target; /* a copy: its stores may be other processes soon */
    uint32_t tag = (uint32_t)hy_random64();
    enum hy_err err;

    if (h.convs > h.people)
        h.convs = h.people;
    snprintf(h.writers, sizeof h.writers, "w%08" PRIx32 "-", tag);
    snprintf(h.readers, sizeof h.readers, "r%08" PRIx32 "-", tag);
    bench->result->unit = "pages";
    err = target_load(options->common.cluster, &target);
    if (err != HY_OK)
        return err;
    mine.target = &target;
    err = history_fill(&mine, &h);
    if (err == HY_OK && options->cold)
        err = cold_restart(options->common.cluster, &target, how);
    bench->result->durability = how;
    if (err == HY_OK)
        err = measure(&mine, &h);
    result_title(bench->result, "history: pages of 20 messages");
    target_free(&target);
    return err;
}

const struct scenario scenario_s6 = {
    .name = "s6",
    .summary = "pages of history, lists of conversations, backlogs",
    .help =
        "P users write --depth messages to --convs others each, who are not there. Then these ask "
        "for\n"
        "pages of 20: a third the newest, a third the oldest, a third from anywhere. An operation "
        "is a\n"
        "page; each message of each is looked at, and what is wrong is counted as lost. Afterwards "
        "for a\n"
        "third of the time they ask for their lists of conversations, and then come back as new\n"
        "clients that pull everything: backlog_messages_per_s, backlog_p99_ms.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
