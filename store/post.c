#include "store/post.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

enum { LOOK_MS = 100, LOOK_SOON_MS = 20, HAND_OVER_MS = 3500, OUT_MS = 1500 };

enum step { STAYS, HANDS_OVER, GOES_OUT };

struct post {
    struct hy_fleet *fleet;
    struct store *store;
    struct hy_timer *look;
    struct hy_node self;
    char name[64], endpoint[256], key_wish[64], key_state[64];
    uint32_t shards;
    bool asking; /* for a map */
    enum step step;
    uint64_t until_ms; /* of the step */
    void (*left)(void *arg);
    void *left_arg;
};

static struct hy_coord *coord_of(const struct post *p)
{
    return hy_fleet_coord(p->fleet);
}

/* ---- the map of a new cluster ---- */

static void on_map_asked(void *arg, enum hy_err err, uint64_t revision)
{
    struct post *p = arg;

    (void)revision;
    p->asking = false;
    if (err == HY_OK)
        hy_log_info("store.map_made", "shards=%u", p->shards);
}

static void make_map(struct post *p)
{
    struct hy_coord_guard guard = {.key = "map", .test = HY_COORD_ABSENT};
    struct hy_coord_put put = {.key = "map"};
    struct hy_coord_change change = {&guard, 1, &put, 1};
    struct hy_shardmap *map = malloc(sizeof *map);
    char *text = NULL;

    if (map != NULL) {
        hy_shardmap_even(map, p->shards);
        text = hy_shardmap_print(map);
    }
    put.text = text;
    if (text != NULL) {
        p->asking = true;
        hy_coord_change(coord_of(p), &change, on_map_asked, p);
    }
    free(text);
    free(map);
}

/* ---- wishes ---- */

static void on_wish_gone(void *arg, enum hy_err err, uint64_t revision)
{
    (void)arg;
    (void)revision;
    if (err != HY_OK && err != HY_EEXIST)
        hy_log_info("store.wish_stays", "why=\"%s\"", hy_err_text(err));
}

static void take_wish_away(struct post *p, const struct hy_coord_value *wish)
{
    struct hy_coord_guard guard = {p->key_wish, HY_COORD_CHANGED, wish->changed};
    struct hy_coord_put put = {.key = p->key_wish};
    struct hy_coord_change change = {&guard, 1, &put, 1};

    hy_coord_change(coord_of(p), &change, on_wish_gone, p);
}

static void hear_wish(struct post *p, const struct hy_coord_value *wish)
{
    json_t *tree = json_loads(wish->text, 0, NULL);
    const char *to = json_string_value(json_object_get(tree, "leader"));
    enum hy_err err = to == NULL ? HY_EMALFORMED : HY_OK;

    if (err == HY_OK && strcmp(to, p->name) != 0)
        err = store_hand_over(p->store, to, false);
    hy_log_info("store.hand_over", "to=\"%s\" result=\"%s\"", to == NULL ? "?" : to,
                hy_err_text(err));
    json_decref(tree);
    take_wish_away(p, wish);
}

void post_value(struct post *post, const struct hy_coord_value *value)
{
    if (value->text != NULL && strcmp(value->key, post->key_wish) == 0 && store_leads(post->store))
        hear_wish(post, value);
}

/* ---- leaving ---- */

static void next_step(struct post *p, enum step step, uint64_t most_ms)
{
    p->step = step;
    p->until_ms = hy_steady_ms() + most_ms;
}

/* Its name is followed by a colon there (replica_coord.c). */
static bool in_set(const struct post *p)
{
    struct hy_coord_value state;
    char quoted[80];

    snprintf(quoted, sizeof quoted, "\"%s:", p->name);
    return hy_coord_get(coord_of(p), p->key_state, &state) && strstr(state.text, quoted) != NULL;
}

static void leave_on(struct post *p)
{
    bool late = hy_steady_ms() >= p->until_ms;

    if (p->step == HANDS_OVER && (late || !store_leads(p->store)))
        next_step(p, GOES_OUT, store_leads(p->store) ? 0 : OUT_MS);
    if (p->step == GOES_OUT && (hy_steady_ms() >= p->until_ms || !in_set(p))) {
        hy_timer_close(&p->look);
        p->left(p->left_arg);
    }
}

void post_leave(struct post *post, void (*left)(void *arg), void *arg)
{
    enum hy_err err;

    if (hy_fleet_static(post->fleet) || !hy_fleet_registered(post->fleet)) {
        left(arg);
        return;
    }
    post->left = left;
    post->left_arg = arg;
    post->self.state = HY_NODE_LEAVING;
    hy_fleet_register(post->fleet, &post->self);
    next_step(post, GOES_OUT, OUT_MS);
    if (store_leads(post->store)) {
        err = store_hand_over(post->store, "", true);
        hy_log_info("store.hand_over", "to=\"\" result=\"%s\"", hy_err_text(err));
        next_step(post, err == HY_OK ? HANDS_OVER : GOES_OUT, err == HY_OK ? HAND_OVER_MS : 0);
    }
    hy_timer_every(post->look, LOOK_SOON_MS);
}

/* ---- opening ---- */

static void on_look(void *arg)
{
    struct post *p = arg;

    if (p->step != STAYS)
        leave_on(p);
    else if (!p->asking && hy_fleet_registered(p->fleet) && hy_fleet_map(p->fleet)->epoch == 0)
        make_map(p);
}

enum hy_err post_open(const struct post_config *config, struct post **post)
{
    const struct store_settings *settings = config->settings;
    struct post *p = calloc(1, sizeof *p);
    enum hy_err err;

    if (p == NULL)
        return HY_ENOMEM;
    p->fleet = config->fleet;
    p->store = config->store;
    p->shards = (uint32_t)settings->common.shards;
    snprintf(p->name, sizeof p->name, "%s", settings->common.name);
    snprintf(p->endpoint, sizeof p->endpoint, "%s", hy_bus_endpoint(config->bus));
    snprintf(p->key_wish, sizeof p->key_wish, "shard/%u/wish", (unsigned)settings->shard);
    snprintf(p->key_state, sizeof p->key_state, "shard/%u/state", (unsigned)settings->shard);
    err = hy_timer_open(config->loop, on_look, p, &p->look);
    if (err != HY_OK) {
        post_close(&p);
        return err;
    }
    p->self = (struct hy_node){.component = "store",
                               .name = p->name,
                               .endpoint = p->endpoint,
                               .version = HY_VERSION,
                               .boot = hy_bus_boot(config->bus),
                               .shard = (uint32_t)settings->shard,
                               .state = HY_NODE_SERVING};
    if (!hy_fleet_static(p->fleet)) {
        hy_fleet_register(p->fleet, &p->self);
        hy_timer_every(p->look, LOOK_MS);
    }
    *post = p;
    return HY_OK;
}

void post_close(struct post **post)
{
    struct post *p = *post;

    if (p == NULL)
        return;
    *post = NULL;
    hy_timer_close(&p->look);
    free(p);
}
