#include "ctl/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fleet.h"
#include "common/settings_table.h"
#include "ctl/commands.h"
#include "ctl/files.h"

enum { WAIT_MS = 3000 };

static const char *const states[] = {"joining", "serving", "leaving", "left", "lost"};

static void add_node(void *arg, const struct hy_node *node)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s}", "component", node->component, "state",
                  states[node->state], "endpoint", node->endpoint, "version", node->version);

    if (strcmp(node->component, "store") == 0)
        json_object_set_new(entry, "shard", json_integer(node->shard));
    json_object_set_new(arg, node->name, entry);
}

/* How many slots each shard owns, and which have stores. */
struct shards {
    uint32_t slots[HY_SHARDS_MAX];
    bool there[HY_SHARDS_MAX];
};

static void note_shard(void *arg, const struct hy_node *node)
{
    struct shards *shards = arg;

    if (node->shard < HY_SHARDS_MAX)
        shards->there[node->shard] = true;
}

static void add_shard(const struct hy_fleet *fleet, uint32_t shard, uint32_t slots, json_t *out)
{
    uint64_t epoch;
    const char *leader = hy_fleet_leader(fleet, shard, &epoch);
    json_t *node = json_object_get(json_object_get(out, "nodes"), leader);

    json_array_append_new(json_object_get(out, "shards"),
                          json_pack("{s:I, s:s, s:I, s:I}", "shard", (json_int_t)shard, "leader",
                                    leader, "epoch", (json_int_t)epoch, "slots",
                                    (json_int_t)slots));
    if (node != NULL)
        json_object_set_new(node, "leads", json_true());
}

static void add_shards(const struct hy_fleet *fleet, json_t *out)
{
    const struct hy_shardmap *map = hy_fleet_map(fleet);
    struct shards shards = {0};

    hy_fleet_each(fleet, "store", note_shard, &shards);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        shards.slots[map->owner[slot]]++;
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++)
        if (shards.slots[i] > 0 || shards.there[i])
            add_shard(fleet, i, shards.slots[i], out);
}

static json_t *gather(const struct hy_fleet *fleet)
{
    json_t *out = json_object(), *nodes = json_object();

    hy_fleet_each(fleet, NULL, add_node, nodes);
    json_object_set_new(out, "nodes", nodes);
    json_object_set_new(out, "shards", json_array());
    json_object_set_new(out, "map_epoch", json_integer((json_int_t)hy_fleet_map(fleet)->epoch));
    add_shards(fleet, out);
    return out;
}

/* Settings as a process of the cluster has them, without being one. */
static enum hy_err open_settings(const json_t *cluster, void **settings)
{
    static const struct hy_setting none[] = {{0}};
    static const struct hy_settings_spec spec = {"ctl", none, sizeof(struct hy_common_settings)};
    enum hy_err err = hy_settings_load(&spec, NULL, stderr, settings);
    const json_t *bus = json_object_get(cluster, "bus");
    struct hy_common_settings *common = *settings;
    const json_t *urls = json_object_get(cluster, "etcd");
    char why[128];

    if (err != HY_OK)
        return err;
    err = hy_setting_parse(hy_setting_find(&spec, "cluster.id"), common,
                           json_string_value(json_object_get(bus, "cluster_id")), why);
    for (size_t i = 0; i < json_array_size(urls) && err == HY_OK; i++)
        err = hy_setting_add(hy_setting_find(&spec, "etcd.endpoints"), common,
                             json_string_value(json_array_get(urls, i)), why);
    if (err != HY_OK)
        hy_settings_free(&spec, settings);
    return err;
}

static void close_settings(void **settings)
{
    static const struct hy_setting none[] = {{0}};
    static const struct hy_settings_spec spec = {"ctl", none, sizeof(struct hy_common_settings)};

    hy_settings_free(&spec, settings);
}

bool nodes_visit(const json_t *cluster, nodes_visit_fn *fn, void *arg)
{
    struct hy_loop *loop = NULL;
    struct hy_fleet *fleet = NULL;
    void *settings = NULL;
    bool there = false;
    char why[256];

    if (json_array_size(json_object_get(cluster, "etcd")) == 0 ||
        open_settings(cluster, &settings) != HY_OK)
        return false;
    if (hy_loop_open(&loop) == HY_OK &&
        hy_fleet_open(loop, settings, "ctl", NULL, NULL, &fleet, why) == HY_OK) {
        uint64_t end_ms = hy_loop_now_ms(loop) + WAIT_MS;

        while (hy_fleet_map(fleet)->epoch == 0 && hy_loop_now_ms(loop) < end_ms)
            hy_loop_turn(loop, 50);
        there = hy_fleet_map(fleet)->epoch > 0;
        if (there)
            fn(arg, &(struct nodes_visit){cluster, loop, fleet, hy_fleet_coord(fleet)});
    }
    hy_fleet_close(&fleet);
    hy_loop_close(&loop);
    close_settings(&settings);
    return there;
}

bool nodes_visit_dir(const char *dir, nodes_visit_fn *fn, void *arg)
{
    char path[4096];
    json_t *cluster;
    bool there = false;

    files_path(path, "%s/cluster.json", dir);
    cluster = json_load_file(path, 0, NULL);
    if (cluster == NULL)
        fprintf(stderr, "hongyanctl: no cluster is up in %s\n", dir);
    else if (json_array_size(json_object_get(cluster, "etcd")) == 0)
        fputs("hongyanctl: this cluster is what its settings say: each shard has one copy, and the "
              "map of slots"
              " is fixed. For another number of shards: hongyanctl backup, then restore --shards"
              " N\n",
              stderr);
    else if (!(there = nodes_visit(cluster, fn, arg)))
        fprintf(stderr, "hongyanctl: the etcd of %s does not answer\n", dir);
    json_decref(cluster);
    return there;
}

static void read_all(void *arg, const struct nodes_visit *visit)
{
    *(json_t **)arg = gather(visit->fleet);
}

json_t *nodes_read(const json_t *cluster)
{
    json_t *out = NULL;

    return nodes_visit(cluster, read_all, &out) ? out : NULL;
}

void nodes_print(const json_t *nodes)
{
    const char *name;
    json_t *entry;
    size_t i;

    printf("%-14s %-9s %-8s %s\n", "node", "component", "state", "endpoint");
    json_object_foreach(json_object_get(nodes, "nodes"), name, entry)
    {
        const char *const keys[] = {"component", "state", "endpoint"};
        const char *texts[3];

        for (int k = 0; k < 3; k++)
            texts[k] = json_string_value(json_object_get(entry, keys[k]));
        printf("%-14s %-9s %-8s %s\n", name, texts[0], texts[1], texts[2]);
    }
    printf("\n%-6s %-14s %6s %6s\n", "shard", "leader", "epoch", "slots");
    json_array_foreach(json_object_get(nodes, "shards"), i, entry)
    {
        static const char *const keys[] = {"shard", "epoch", "slots"};
        const char *leader = json_string_value(json_object_get(entry, "leader"));
        long long numbers[3];

        for (int k = 0; k < 3; k++)
            numbers[k] = json_integer_value(json_object_get(entry, keys[k]));
        printf("%-6lld %-14s %6lld %6lld\n", numbers[0], leader[0] != '\0' ? leader : "(none)",
               numbers[1], numbers[2]);
    }
}

/* ---- hongyanctl node list ---- */

struct list {
    const char *dir, *output;
};

/* clang-format off */
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct list, dir), 0, 0, true, "folder of the cluster"},
    {"output", "text|json", ARG_TEXT, offsetof(struct list, output), 0, 0, false, "form of the answer"},
    {0},
};
/* clang-format on */

int command_node_list(const struct command *command, int argc, char **argv)
{
    struct list options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, args, argc, argv, &options, &rest);
    json_t *nodes = NULL;

    args_free(&rest);
    if (code >= 0)
        return code;
    if (!nodes_visit_dir(options.dir, read_all, &nodes))
        return EXIT_FAILURE;
    if (options.output != NULL && strcmp(options.output, "json") == 0)
        json_dumpf(nodes, stdout, JSON_INDENT(2));
    else
        nodes_print(nodes);
    json_decref(nodes);
    return EXIT_SUCCESS;
}
