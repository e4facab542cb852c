/* hongyanctl shard: who leads. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/coordinate.h"
#include "ctl/nodes.h"

enum { HAND_OVER_MS = 10000, TURN_MS = 50 };

struct hand_over {
    const char *dir, *to;
    int64_t shard;
    bool done;
    char leader[64]; /* after all */
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct hand_over, dir), 0, 0, true, "folder of the cluster"},
    {"to", "NODE", ARG_TEXT, offsetof(struct hand_over, to), 0, 0, false, "who is to lead; whoever has most without it"},
    {0},
};
/* clang-format on */

/* Put the wish (store/post.h), which its leader takes away. */
static enum hy_err wish(const struct hand_over *h, const struct nodes_visit *visit, const char *key)
{
    json_t *tree = json_pack("{s:s}", "leader", h->to);
    char *text = tree == NULL ? NULL : json_dumps(tree, JSON_COMPACT);
    struct hy_coord_put put = {.key = key, .text = text};
    struct hy_coord_change change = {.puts = &put, .put_count = 1};
    enum hy_err err = text == NULL ? HY_ENOMEM : coordinate(visit, &change);

    free(text);
    json_decref(tree);
    return err;
}

/* Somebody leads who is wished, in a younger reign. */
static bool leads(const struct hand_over *h, const struct hy_fleet *fleet, const char *was,
                  uint64_t since)
{
    uint64_t epoch;
    const char *leader = hy_fleet_leader(fleet, (uint32_t)h->shard, &epoch);

    return *leader != '\0' && epoch > since &&
           (*h->to == '\0' ? strcmp(leader, was) != 0 : strcmp(leader, h->to) == 0);
}

static void take_back(const struct nodes_visit *visit, const char *key)
{
    struct hy_coord_put put = {.key = key};
    struct hy_coord_change change = {.puts = &put, .put_count = 1};

    if (coordinate(visit, &change) != HY_OK)
        fputs("hongyanctl: the coordinator does not answer; the wish may be granted later\n",
              stderr);
}

static void hand_over(void *arg, const struct nodes_visit *visit)
{
    struct hand_over *h = arg;
    struct hy_coord_value value;
    uint64_t end_ms = hy_loop_now_ms(visit->loop) + HAND_OVER_MS, epoch;
    char key[48], was[64];
    enum hy_err err = HY_OK;

    snprintf(key, sizeof key, "shard/%u/wish", (unsigned)h->shard);
    snprintf(was, sizeof was, "%s", hy_fleet_leader(visit->fleet, (uint32_t)h->shard, &epoch));
    h->done = *was != '\0' && strcmp(was, h->to) == 0;
    if (!h->done)
        err = wish(h, visit, key);
    while (!h->done && err == HY_OK && hy_loop_now_ms(visit->loop) < end_ms) {
        hy_loop_turn(visit->loop, TURN_MS);
        h->done = leads(h, visit->fleet, was, epoch);
    }
    if (!h->done && hy_coord_get(visit->coord, key, &value))
        take_back(visit, key); /* nobody heard it: nobody shall later */
    snprintf(h->leader, sizeof h->leader, "%s",
             hy_fleet_leader(visit->fleet, (uint32_t)h->shard, NULL));
}

static int run(struct hand_over *h)
{
    if (!nodes_visit_dir(h->dir, hand_over, h))
        return EXIT_FAILURE;
    if (h->done) {
        printf("%s\n", h->leader);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "hongyanctl: shard %d was not handed over; %s leads\n", (int)h->shard,
            h->leader[0] == '\0' ? "nobody" : h->leader);
    return EXIT_FAILURE;
}

int command_shard_hand_over(const struct command *command, int argc, char **argv)
{
    struct hand_over h = {.to = ""};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &h, &rest);

    if (code < 0 &&
        (rest.count != 1 || !args_number(rest.items[0], 0, HY_SHARDS_MAX - 1, &h.shard)))
        code = args_wrong(command, "which shard? Give its number");
    args_free(&rest);
    return code >= 0 ? code : run(&h);
}
