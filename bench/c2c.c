/* c2c - S2, S3 and a point of S9: pairs of users, one of each talks to the other. */

#include <stdio.h>

#include "bench/scenarios.h"
#include "bench/talk.h"

struct c2c_options {
    struct talk_options talk;
    int64_t pairs, links;
};

static const struct c2c_options defaults = {.talk = TALK_OPTIONS, .pairs = 100};

static const struct arg rows[] = {
    TALK_ROWS,
    {"pairs", "P", ARG_INT, offsetof(struct c2c_options, pairs), 1, 1000000, false,
     "senders, each with a receiver of its own (100)"},
    {"links", "N", ARG_INT, offsetof(struct c2c_options, links), 0, 10000000, false,
     "links in all: those beyond the pairs' are signed in and only beat"},
    {.name = NULL}};

/* Both of pair i at different gateways and workers: user 2i sends to user 2i + 1. */
static uint32_t place(uint32_t i, uint32_t n)
{
    return (i / 2 + i % 2) % n;
}

static uint32_t sender(uint32_t stream)
{
    return 2 * stream;
}

static void to(const struct talk *talk, uint32_t stream, char out[static 64])
{
    snprintf(out, 64, "%s%u", talk->crowd.prefix, 2 * stream + 1);
}

static void hears(const struct talk *talk, uint32_t person, uint32_t *from, uint32_t *count)
{
    (void)talk;
    *from = person / 2;
    *count = person % 2;
}

static enum hy_err run(struct bench *bench, uint32_t flags)
{
    const struct c2c_options *options = bench->options;
    uint32_t people = 2 * (uint32_t)options->pairs, links = (uint32_t)options->links;
    const struct talk talk = {
        .crowd = {.prefix = "pair",
                  .people = people,
                  .place = place,
                  .window = (uint32_t)options->talk.window},
        .idle = links > people ? links - people : 0,
        .streams = (uint32_t)options->pairs,
        .receivers = 1,
        .flags = flags,
        .conv_type = HY__CONV_TYPE__CONV_C2C,
        .sender = sender,
        .to = to,
        .hears = hears,
    };

    return talk_run(bench, &talk);
}

static enum hy_err run_durable(struct bench *bench)
{
    result_title(bench->result, "one-to-one, durable");
    bench->result->unit = "messages";
    bench->result->durability = "fsync before acknowledgement";
    return run(bench, 0);
}

static enum hy_err run_online_only(struct bench *bench)
{
    result_title(bench->result, "one-to-one, online only");
    bench->result->unit = "messages";
    bench->result->durability = "not stored";
    return run(bench, HY__MSG_FLAG__MSG_ONLINE_ONLY);
}

const struct scenario scenario_s2 = {
    .name = "s2",
    .summary = "one-to-one, durable: acknowledged and delivered",
    .help =
        "Pairs of users, one of each sends texts of 100 bytes to the other. A message is stored, "
        "with\n"
        "fsync, before it is acknowledged. An operation is a message acknowledged and delivered.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run_durable,
};

const struct scenario scenario_s3 = {
    .name = "s3",
    .summary = "one-to-one, online only: nothing is stored",
    .help = "As s2, with messages for whoever is online: they are not stored.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run_online_only,
};

static enum hy_err run_growth(struct bench *bench)
{
    result_title(bench->result, "growth: one point, one-to-one, durable");
    bench->result->unit = "messages";
    bench->result->durability = "fsync before acknowledgement";
    return run(bench, 0);
}

const struct scenario scenario_s9 = {
    .name = "s9",
    .summary = "growth: one point of bench/growth.sh, which starts clusters of every size",
    .help =
        "As s2. bench/growth.sh runs it at 1 to 8 shards, 1 to 100 million stored messages and "
        "1,000 to\n"
        "19,000 links, and tells how CPU per message grows. The pairs talk in conversations that\n"
        "hongyan-bench-fill has filled.",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run_growth,
};
