/* million - S7: a million groups that are hardly ever used: what they cost, and what a sweep does.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/scenarios.h"
#include "bench/sweeping.h"
#include "bench/talk.h"
#include "bench/world.h"
#include "common/clock.h"
#include "common/slot.h"

struct million_options {
    struct talk_options talk;
    int64_t groups, members, users, pairs, few, check;
    bool made, quiet, kept;
};

static const struct million_options defaults = {.talk = TALK_OPTIONS,
                                                .groups = 1000000,
                                                .members = 20,
                                                .users = 1000000,
                                                .pairs = 500,
                                                .few = 1000,
                                                .check = 20000};

static const struct arg rows[] = {
    TALK_ROWS,
    {"groups", "G", ARG_INT, offsetof(struct million_options, groups), 1000, 100000000, false,
     "groups (1000000)"},
    {"members", "M", ARG_INT, offsetof(struct million_options, members), 3, 500, false,
     "members of each (20)"},
    {"users", "U", ARG_INT, offsetof(struct million_options, users), 1000, 100000000, false,
     "users who never come, over all groups (1000000)"},
    {"pairs", "P", ARG_INT, offsetof(struct million_options, pairs), 1, 10000, false,
     "users who are online and talk, and as many who listen (500)"},
    {"few", "F", ARG_INT, offsetof(struct million_options, few), 1, 1000000, false,
     "the other rate is that of messages to so many of the groups (1000)"},
    {"check", "N", ARG_INT, offsetof(struct million_options, check), 1, 100000000, false,
     "groups whose members are compared one by one after each sweep (20000)"},
    {"made", NULL, ARG_FLAG, offsetof(struct million_options, made), 0, 0, false,
     "the groups are there from an earlier run"},
    {"quiet", NULL, ARG_FLAG, offsetof(struct million_options, quiet), 0, 0, false, "no messages"},
    {"kept", NULL, ARG_FLAG, offsetof(struct million_options, kept), 0, 0, false, "no sweeps"},
    {.name = NULL}};

/* The same in the workers, which are forked. */
static struct world world;
static uint32_t spread; /* groups that are talked in */

/* The coordinator's: what the sweeps, done while the first crowd is online, write to. */
static struct result *whole;
static int swept;

/* ---- making ---- */

static uint64_t disk_bytes(const struct target *target)
{
    char command[4200], text[64] = "";
    FILE *pipe = NULL;

    snprintf(command, sizeof command, "du -sk '%s/data' 2>/dev/null", target->dir);
    pipe = popen(command, "r");
    if (pipe == NULL)
        return 0;
    if (fgets(text, sizeof text, pipe) == NULL)
        text[0] = '\0';
    pclose(pipe);
    return strtoull(text, NULL, 10) * 1024;
}

static enum hy_err make(struct bench *bench)
{
    struct usage before, after, used;
    uint64_t rss = target_rss(bench->target, "store"), begun_us = 0;
    enum hy_err err = sweeping_warm(bench->target);

    if (err != HY_OK)
        return err;
    usage_now(bench->target, &before);
    begun_us = hy_steady_us();
    err = world_make(&world, bench->target);
    if (err != HY_OK)
        return err;
    result_figure(bench->result, "create_s", "all groups made in",
                  (double)(hy_steady_us() - begun_us) / 1e6, "s");
    usage_now(bench->target, &after);
    usage_since(&after, &before, &used);
    result_figure(bench->result, "create_cpu_s", "server CPU for that",
                  (double)usage_cpu_all_us(&used) / 1e6, "s");
    sweeping_rest(bench->target, &used);
    result_figure(bench->result, "create_later_cpu_s", "and for what was put off",
                  (double)usage_cpu_all_us(&used) / 1e6, "s");
    result_figure(bench->result, "disk_mb", "on disk then", (double)disk_bytes(bench->target) / 1e6,
                  "MB");
    result_figure(bench->result, "store_rss_mb", "resident memory of the stores",
                  (double)target_rss(bench->target, "store") / 1e6, "MB");
    result_figure(bench->result, "store_rss_bytes_per_group", "its growth a group",
                  ((double)target_rss(bench->target, "store") - (double)rss) / world.groups, "B");
    return HY_OK;
}

/* ---- talking ---- */

static uint32_t sender(uint32_t stream)
{
    return 2 * stream;
}

/* Another of the sender's groups each time, among the first of all or among all. */
static void to(const struct talk *talk, uint32_t stream, char out[static 64])
{
    uint32_t own = (spread - stream + world.pairs - 1) / world.pairs;

    (void)talk;
    snprintf(out, 64, "m%u",
             (uint32_t)(stream + world.pairs * (hy_random64() % (own > 0 ? own : 1))));
}

static void hears(const struct talk *talk, uint32_t person, uint32_t *from, uint32_t *count)
{
    (void)talk;
    *from = person / 2;
    *count = person % 2;
}

/* ---- sweeping ---- */

static const struct sweep_part {
    uint32_t from, to; /* of a hundred */
    const char *cpu, *wall, *later, *removed;
} parts[] = {
    {0, 1, "sweep_1_cpu_s", "sweep_1_s", "sweep_1_later_cpu_s", "sweep_1_removed"},
    {1, 11, "sweep_10_cpu_s", "sweep_10_s", "sweep_10_later_cpu_s", "sweep_10_removed"},
    {11, 12, "sweep_1_told_cpu_s", "sweep_1_told_s", "sweep_1_told_later_cpu_s",
     "sweep_1_told_removed"},
};
enum { QUIET_PARTS = 2 }; /* while nobody is online; the last while each group has two to be told */

static enum hy_err sweep(const struct bench *bench, const struct sweep_part *part)
{
    const struct million_options *options = bench->options;
    struct sweeping s = {.world = &world,
                         .target = bench->target,
                         .from = part->from,
                         .to = part->to,
                         .check = (uint32_t)options->check};
    struct usage later;
    enum hy_err err = sweeping_run(&s);

    if (err != HY_OK)
        return err;
    for (int i = 0; i < USAGE_KINDS; i++)
        fprintf(stderr, "sweep of %u %%: %s %.2f CPU s\n", part->to - part->from, usage_names[i],
                (double)usage_cpu_us(&s.used, (enum usage_kind)i) / 1e6);
    result_figure(bench->result, part->removed, "memberships that the sweep ended",
                  (double)s.removed, "");
    result_figure(bench->result, part->cpu, "server CPU for that",
                  (double)usage_cpu_all_us(&s.used) / 1e6, "s");
    result_figure(bench->result, part->wall, "in", s.seconds, "s");
    sweeping_rest(bench->target, &later);
    result_figure(bench->result, part->later, "server CPU for what was put off",
                  (double)usage_cpu_all_us(&later) / 1e6, "s");
    return sweeping_check(&s);
}

/* ---- talking, and all the rest ---- */

static enum hy_err prepare(const struct bench *bench, const struct talk *talk, void *shared)
{
    const struct million_options *options = bench->options;
    const struct bench with = {bench->scenario, bench->target, bench->common, bench->options,
                               whole};

    (void)talk;
    (void)shared;
    return options->kept || swept++ > 0 ? HY_OK : sweep(&with, &parts[QUIET_PARTS]);
}

static enum hy_err talk_in(struct bench *bench, uint32_t groups)
{
    const struct million_options *options = bench->options;
    const struct talk talk = {
        .crowd = {.prefix = WORLD_PREFIX,
                  .people = 2 * world.pairs,
                  .window = (uint32_t)options->talk.window},
        .streams = world.pairs,
        .receivers = 1,
        .priority = 1,
        .conv_type = HY__CONV_TYPE__CONV_GROUP,
        .wanders = true,
        .sender = sender,
        .to = to,
        .hears = hears,
        .prepare = prepare,
    };

    spread = groups;
    return talk_run(bench, &talk);
}

/* The same work in few groups, then in all. What the result says in the end is that of all. */
static enum hy_err talk_twice(struct bench *bench)
{
    const struct million_options *options = bench->options;
    struct result few = {.title = ""}, *result = bench->result;
    double rate;
    enum hy_err err;

    whole = result;
    bench->result = &few;
    err = talk_in(bench, (uint32_t)options->few);
    rate = result_rate(&few);
    bench->result = result;
    if (err == HY_OK)
        err = talk_in(bench, world.groups);
    if (err == HY_OK) {
        result_figure(result, "few_rate_per_s", "messages a second to few groups", rate, "");
        result_figure(result, "few_cpu_us", "their server CPU each",
                      result_per_operation(&few, usage_cpu_all_us(&few.server)), "us");
        result_figure(result, "few_to_all", "that rate to the rate over all groups",
                      rate / result_rate(result), "");
        result->lost += few.lost;
        result->doubled += few.doubled;
    }
    result_free(&few);
    return err;
}

static enum hy_err run(struct bench *bench)
{
    const struct million_options *options = bench->options;
    enum hy_err err = HY_OK;

    world = (struct world){(uint32_t)options->groups, (uint32_t)options->members,
                           (uint32_t)options->users, (uint32_t)options->pairs};
    result_title(bench->result, "many groups, hardly used");
    bench->result->unit = "messages";
    bench->result->durability = "fsync before acknowledgement";
    if (!options->made)
        err = make(bench);
    for (size_t i = 0; i < QUIET_PARTS && err == HY_OK && !options->kept; i++)
        err = sweep(bench, &parts[i]);
    if (err == HY_OK && !options->quiet)
        err = talk_twice(bench);
    result_figure(bench->result, "store_rss_end_mb", "resident memory of the stores at the end",
                  (double)target_rss(bench->target, "store") / 1e6, "MB");
    return err;
}

const struct scenario scenario_s7 = {
    .name = "s7",
    .summary = "a million groups, hardly used: memory, messages, and sweeps",
    .help =
        "Groups of M members, two of whom are online: made by the call for migrations, hundreds at "
        "a\n"
        "time. Then all that 1 %, and another 10 %, of the users who are away are members of is "
        "swept\n"
        "while nobody is online, and another 1 % while each group has two to be told: presence\n"
        "is hinted at them, as it is when somebody adds them, and does what it always does. CPU is "
        "that\n"
        "of all processes until the last removal is durable; what compaction has put off is told "
        "beside\n"
        "it. Afterwards members are compared one by one. Last, messages to few of the groups, and "
        "to "
        "all\n"
        "of them at random, with the same work each. The app needs settings: hongyanctl up\n"
        "--app-set max_groups=2000000 --app-set sweep_interval_s=1 --app-set sweep_grace_s=1\n"
        "--set presence.resume_grace_ms=3600000 --set gateway.resume_grace_ms=3600000",
    .rows = rows,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
