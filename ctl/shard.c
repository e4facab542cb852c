/* hongyanctl shard: who leads. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/nodes.h"

enum { HAND_OVER_MS = 10000, TAKE_BACK_MS = 2000, TURN_MS = 50 };

struct hand_over {
    const char *dir, *to;
    int64_t shard;
    bool asked, refused; /* the wish was put, or was not */
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

static void on_asked(void *arg, enum hy_err err, uint64_t revision)
{
    struct hand_over *h = arg;

    (void)revision;
    h->asked = err == HY_OK;
    h->refused = err != HY_OK;
}

/* Put the wish (store/post.h), which its leader takes away. */
static void wish(struct hand_over *h, struct hy_coord *coord, const char *key)
{
    json_t *tree = json_pack("{s:s}", "leader", h->to);
    char *text = tree == NULL ? NULL : json_dumps(tree, JSON_COMPACT);
    struct hy_coord_put put = {.key = key, .text = text};
    struct hy_coord_change change = {.puts = &put, .put_count = 1};

    if (text != NULL)
        hy_coord_change(coord, &change, on_asked, h);
    h->refused = h->refused || text == NULL;
    free(text);
    json_decref(tree);
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

static void take_back(struct hy_loop *loop, struct hy_coord *coord, const char *key)
{
    struct hy_coord_put put = {.key = key};
    struct hy_coord_change change = {.puts = &put, .put_count = 1};
    struct hand_over answered = {0};
    uint64_t end_ms = hy_loop_now_ms(loop) + TAKE_BACK_MS;

    hy_coord_change(coord, &change, on_asked, &answered);
    while (!answered.asked && !answered.refused && hy_loop_now_ms(loop) < end_ms)
        hy_loop_turn(loop, TURN_MS);
}

static void hand_over(void *arg, struct hy_loop *loop, struct hy_fleet *fleet)
{
    struct hand_over *h = arg;
    struct hy_coord *coord = hy_fleet_coord(fleet);
    struct hy_coord_value value;
    uint64_t end_ms = hy_loop_now_ms(loop) + HAND_OVER_MS, epoch;
    char key[48], was[64];

    snprintf(key, sizeof key, "shard/%u/wish", (unsigned)h->shard);
    snprintf(was, sizeof was, "%s", hy_fleet_leader(fleet, (uint32_t)h->shard, &epoch));
    h->done = *was != '\0' && strcmp(was, h->to) == 0;
    if (!h->done)
        wish(h, coord, key);
    while (!h->done && !h->refused && hy_loop_now_ms(loop) < end_ms) {
        hy_loop_turn(loop, TURN_MS);
        h->done = leads(h, fleet, was, epoch);
    }
    if (!h->done && hy_coord_get(coord, key, &value))
        take_back(loop, coord, key); /* nobody heard it: nobody shall later */
    snprintf(h->leader, sizeof h->leader, "%s", hy_fleet_leader(fleet, (uint32_t)h->shard, NULL));
}

static int run(struct hand_over *h)
{
    char path[4096];
    json_t *cluster;
    bool there;

    files_path(path, "%s/cluster.json", h->dir);
    cluster = json_load_file(path, 0, NULL);
    there = cluster != NULL && nodes_visit(cluster, hand_over, h);
    json_decref(cluster);
    if (there && h->done) {
        printf("%s\n", h->leader);
        return EXIT_SUCCESS;
    }
    if (!there)
        fprintf(stderr, "hongyanctl: %s: no cluster with an etcd that answers\n", h->dir);
    else
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
