/* hongyanctl shard add: the stores of one more shard; and when those of one may go. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/change.h"
#include "ctl/commands.h"
#include "ctl/rebalance.h"
#include "ctl/shard.h"

enum { LEAD_MS = 20000, TURN_MS = 50 };

struct options {
    const char *dir;
    int64_t count;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder of the cluster"},
    {"count", "N", ARG_INT, offsetof(struct options, count), 1, 64, false, "how many shards (1)"},
    {0},
};
/* clang-format on */

/* The shard of a store, which hongyanctl named (plan.h). */
static bool shard_of(const char *store, unsigned *shard)
{
    return sscanf(store, "store-%u", shard) == 1 && *shard < HY_SHARDS_MAX;
}

/* ---- adding ---- */

struct newcomer {
    unsigned shard;
    bool led;
};

static void wait_for_leader(void *arg, const struct nodes_visit *visit)
{
    struct newcomer *n = arg;
    uint64_t end_ms = hy_loop_now_ms(visit->loop) + LEAD_MS;

    while (!n->led && hy_loop_now_ms(visit->loop) < end_ms) {
        n->led = *hy_fleet_leader(visit->fleet, n->shard, NULL) != '\0';
        if (!n->led)
            hy_loop_turn(visit->loop, TURN_MS);
    }
}

static void print_store(void *arg, const char *name)
{
    (void)shard_of(name, arg);
    puts(name);
}

static bool add_one(const struct options *options)
{
    struct newcomer newcomer = {0};
    struct change change;
    bool good = change_open(options->dir, &change);

    if (!good)
        return false;
    good = change_make(&change, "add", "shard", change_came);
    change_each(&change, print_store, &newcomer.shard);
    if (!good)
        fprintf(stderr, "hongyanctl: the stores of the new shard are not ready; hongyanctl status"
                        " says why\n");
    else if (!nodes_visit(change.after, wait_for_leader, &newcomer) || !newcomer.led)
        fprintf(stderr,
                "hongyanctl: nobody leads shard %u yet; hongyanctl status shows its stores\n",
                newcomer.shard);
    change_close(&change);
    return good && newcomer.led;
}

int command_shard_add(const struct command *command, int argc, char **argv)
{
    struct options options = {.count = 1};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);

    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    args_free(&rest);
    for (int64_t i = 0; code < 0 && i < options.count; i++)
        if (!add_one(&options))
            code = EXIT_FAILURE;
    if (code >= 0)
        return code;
    fprintf(stderr, "No slots are there yet: hongyanctl rebalance start --dir %s moves some.\n",
            options.dir);
    return EXIT_SUCCESS;
}

/* ---- leaving ---- */

struct leaving {
    unsigned shard;
    bool spared;
    char *why;
};

static void look_whether_spared(void *arg, const struct nodes_visit *visit)
{
    struct leaving *l = arg;

    l->spared = rebalance_spares(visit, l->shard, l->why);
}

bool shard_spares(const json_t *cluster, const char *store, char why[static 256])
{
    struct leaving leaving = {.why = why};

    snprintf(why, 256, "etcd does not answer");
    if (!shard_of(store, &leaving.shard))
        return false;
    return nodes_visit(cluster, look_whether_spared, &leaving) && leaving.spared;
}
