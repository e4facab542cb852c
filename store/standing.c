#include "store/standing.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fleet.h"
#include "common/log.h"

enum { LOOK_MS = 100 };

struct standing {
    struct hy_fleet *fleet;
    struct hy_timer *look;
    struct hy_node self;
    char name[64], endpoint[256];
    uint32_t shard, shards;
    uint64_t epoch; /* of the reign that this process began last */
    bool may_lead;  /* it is the first replica of its shard */
    bool asking;
};

static struct hy_coord *coord_of(const struct standing *s)
{
    return hy_fleet_coord(s->fleet);
}

static void on_changed(void *arg, enum hy_err err, uint64_t revision)
{
    struct standing *s = arg;

    (void)revision;
    s->asking = false;
    if (err != HY_OK && err != HY_EEXIST)
        hy_log_info("standing.not_told", "why=\"%s\"", hy_err_text(err));
}

/* The first store of shard 0 makes the map. */
static bool make_map(struct standing *s)
{
    struct hy_coord_guard guard = {.key = "map", .test = HY_COORD_ABSENT};
    struct hy_coord_put put = {.key = "map"};
    struct hy_coord_change change = {&guard, 1, &put, 1};
    struct hy_shardmap *map = malloc(sizeof *map);
    char *text = NULL;

    if (map != NULL) {
        hy_shardmap_even(map, s->shards);
        text = hy_shardmap_print(map);
    }
    put.text = text;
    if (text != NULL) {
        s->asking = true;
        hy_coord_change(coord_of(s), &change, on_changed, s);
    }
    free(text);
    free(map);
    return s->asking;
}

static uint64_t epoch_of(const char *text)
{
    json_t *tree = text != NULL ? json_loads(text, 0, NULL) : NULL;
    uint64_t epoch = (uint64_t)json_integer_value(json_object_get(tree, "epoch"));

    json_decref(tree);
    return epoch;
}

/* Leader and state change together, if neither has changed since they were read. */
static void take_lead(struct standing *s, const struct hy_coord_value *leader,
                      const struct hy_coord_value *state)
{
    char keys[2][64], texts[2][512];
    uint64_t epoch = epoch_of(state->text) + 1;
    struct hy_coord_guard guards[2] = {{keys[0], HY_COORD_ABSENT, 0},
                                       {keys[1], HY_COORD_ABSENT, 0}};
    struct hy_coord_put puts[2] = {{keys[0], texts[0], true}, {keys[1], texts[1], false}};
    struct hy_coord_change change = {guards, 2, puts, 2};

    snprintf(keys[0], sizeof keys[0], "shard/%u/leader", s->shard);
    snprintf(keys[1], sizeof keys[1], "shard/%u/state", s->shard);
    snprintf(texts[0], sizeof texts[0], "{\"node\":\"%s\",\"epoch\":%" PRIu64 "}", s->name, epoch);
    snprintf(texts[1], sizeof texts[1],
             "{\"epoch\":%" PRIu64 ",\"leader\":\"%s\",\"insync\":[\"%s\"]}", epoch, s->name,
             s->name);
    if (leader->text != NULL)
        guards[0] = (struct hy_coord_guard){keys[0], HY_COORD_CHANGED, leader->changed};
    if (state->text != NULL)
        guards[1] = (struct hy_coord_guard){keys[1], HY_COORD_CHANGED, state->changed};
    s->asking = true;
    s->epoch = epoch; /* if it does not come to that, the next try is another */
    hy_coord_change(coord_of(s), &change, on_changed, s);
}

static void look_at_lead(struct standing *s)
{
    struct hy_coord_value leader = {0}, state = {0};
    char key[64], mine[96];

    snprintf(key, sizeof key, "shard/%u/leader", s->shard);
    (void)hy_coord_get(coord_of(s), key, &leader);
    snprintf(key, sizeof key, "shard/%u/state", s->shard);
    (void)hy_coord_get(coord_of(s), key, &state);
    snprintf(mine, sizeof mine, "{\"node\":\"%s\",", s->name);
    if (leader.text == NULL ||
        (strncmp(leader.text, mine, strlen(mine)) == 0 && epoch_of(leader.text) != s->epoch))
        take_lead(s, &leader, &state);
}

static void on_look(void *arg)
{
    struct standing *s = arg;

    if (s->asking || !hy_fleet_registered(s->fleet))
        return;
    if (s->shard == 0 && s->may_lead && hy_fleet_map(s->fleet)->epoch == 0 && make_map(s))
        return;
    if (s->may_lead)
        look_at_lead(s);
}

static bool is_first(const struct store_settings *settings)
{
    char name[64], endpoint[256];
    size_t shard = (size_t)settings->shard;

    return shard < settings->common.stores.count &&
           hy_settings_peer(settings->common.stores.items[shard], name, endpoint) == HY_OK &&
           strcmp(name, settings->common.name) == 0;
}

enum hy_err standing_open(struct hy_loop *loop, const struct store_settings *settings,
                          const char *endpoint, struct standing **standing, char why[static 256])
{
    struct standing *s = calloc(1, sizeof *s);
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (s == NULL)
        return err;
    snprintf(s->name, sizeof s->name, "%s", settings->common.name);
    snprintf(s->endpoint, sizeof s->endpoint, "%s", endpoint);
    s->shard = (uint32_t)settings->shard;
    s->shards = (uint32_t)settings->common.shards;
    s->may_lead = is_first(settings);
    err = hy_fleet_open(loop, &settings->common, "store", NULL, NULL, &s->fleet, why);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_look, s, &s->look);
    if (err != HY_OK) {
        standing_close(&s);
        return err;
    }
    s->self = (struct hy_node){.component = "store",
                               .name = s->name,
                               .endpoint = s->endpoint,
                               .version = HY_VERSION,
                               .shard = s->shard,
                               .state = HY_NODE_SERVING};
    if (!hy_fleet_static(s->fleet)) {
        hy_fleet_register(s->fleet, &s->self);
        hy_timer_every(s->look, LOOK_MS);
    }
    *standing = s;
    return HY_OK;
}

void standing_close(struct standing **standing)
{
    struct standing *s = *standing;

    if (s == NULL)
        return;
    *standing = NULL;
    hy_timer_close(&s->look);
    hy_fleet_close(&s->fleet);
    free(s);
}
