/* idle - S1: what a signed-in link that does nothing but beat costs. */

#include <stdio.h>
#include <string.h>

#include "bench/crowd.h"
#include "bench/memory.h"
#include "bench/scenarios.h"
#include "common/clock.h"

struct idle_options {
    struct bench_common common;
    int64_t links, heartbeat_ms;
};

static const struct idle_options defaults = {.common = BENCH_COMMON, .links = 1000};

static const struct arg rows[] = {{"links", "N", ARG_INT, offsetof(struct idle_options, links), 1,
                                   10000000, false, "idle links (1000)"},
                                  {"heartbeat-ms", "MS", ARG_INT,
                                   offsetof(struct idle_options, heartbeat_ms), 0, 3600000, false,
                                   "beat so often; 0: as the server says (0)"},
                                  {.name = NULL}};

/* The first links pay for what all share: growth is measured from there. */
enum { WARM_LINKS = 200 };

/* Both memories as they were with the warm links alone; in the coordinator. */
static struct memory before;

struct idle {
    struct crowd warm, crowd;
};

static uint32_t links_of(const struct worker *worker)
{
    return (uint32_t)((const struct idle_options *)worker->bench->options)->links;
}

static struct crowd_config config_of(const struct worker *worker, const char *prefix, uint32_t n)
{
    const struct idle_options *options = worker->bench->options;

    return (struct crowd_config){
        .prefix = prefix, .people = n, .heartbeat_ms = (uint32_t)options->heartbeat_ms};
}

static enum hy_err open_warm(struct worker *worker)
{
    static struct idle idle;
    struct crowd_config config = config_of(worker, "idlewarm", WARM_LINKS);

    worker->own = &idle;
    return crowd_open(&idle.warm, worker, &config);
}

static enum hy_err remember(const struct bench *bench, const struct plan *plan, void *shared)
{
    (void)plan;
    (void)shared;
    memory_now(bench->target, &before);
    return HY_OK;
}

static enum hy_err open_rest(struct worker *worker)
{
    struct idle *idle = worker->own;
    struct crowd_config config = config_of(worker, "idle", links_of(worker));

    return crowd_open(&idle->crowd, worker, &config);
}

static void measure(const struct bench *bench, const struct plan *plan, void *shared)
{
    const struct idle_options *options = bench->options;
    struct result *result = bench->result;
    struct memory after;

    (void)plan;
    (void)shared;
    memory_now(bench->target, &after);
    result->links = (uint64_t)options->links;
    result->rss_bytes =
        after.gateway_rss > before.gateway_rss ? after.gateway_rss - before.gateway_rss : 0;
    memory_figures(result, &before, &after, result->links);
}

static void stop(struct worker *worker)
{
    struct idle *idle = worker->own;

    crowd_stop(&idle->crowd);
    crowd_stop(&idle->warm);
}

static void close_both(struct worker *worker)
{
    struct idle *idle = worker->own;

    if (idle == NULL)
        return;
    crowd_close(&idle->crowd);
    crowd_close(&idle->warm);
}

static enum hy_err run(struct bench *bench)
{
    const struct idle_options *options = bench->options;
    const struct plan plan = {
        .links = (uint64_t)options->links + WARM_LINKS,
        .open = open_warm,
        .prepare = remember,
        .enter = open_rest,
        .measured = measure,
        .stop = stop,
        .close = close_both,
    };

    result_title(bench->result, bench->common->tls ? "idle links, TLS" : "idle links, plain");
    bench->result->unit = "links";
    bench->result->durability = "none";
    return engine_run(bench, &plan);
}

const struct scenario scenario_s1 = {
    .name = "s1",
    .summary = "idle signed-in links: memory a link",
    .help = "Links that are signed in and only beat. Memory is the growth over N links after the "
            "first\n"
            "200: resident memory of the gateways, and beside it what the kernel holds for a "
            "socket (both\n"
            "ends of each link are on this machine when the cluster is).",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
