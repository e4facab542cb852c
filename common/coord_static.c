/* The settings file as coordinator: values live here, and nobody else changes them. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/coord_copy.h"
#include "common/coord_int.h"
#include "common/shardmap.h"

enum { AGAIN_MS = 100 };

struct coord_static {
    struct hy_coord *coord;
    struct coord_copy first; /* what the settings say, until it is told */
    struct hy_timer *soon;   /* what was asked is done in a turn of its own */
    struct coord_ops ops;
    bool leases;
    bool begun;
};

/* ---- what the settings say ---- */

static enum hy_err add(struct coord_static *s, const char *key, const char *text)
{
    struct hy_coord_value value = {
        .key = key, .text = text, .len = strlen(text), .created = 1, .changed = 1};

    return coord_copy_put(&s->first, &value);
}

static enum hy_err add_map(struct coord_static *s, size_t shards)
{
    struct hy_shardmap *map = malloc(sizeof *map);
    enum hy_err err = HY_ENOMEM;
    char *text = NULL;

    if (map != NULL) {
        hy_shardmap_even(map, (uint32_t)shards);
        text = hy_shardmap_print(map);
    }
    if (text != NULL)
        err = add(s, "map", text);
    free(text);
    free(map);
    return err;
}

/* Shard -1: the component has none. */
static enum hy_err add_node(struct coord_static *s, const char *component, const char *item,
                            int shard)
{
    char name[64], endpoint[256], key[HY_COORD_KEY_MAX];
    enum hy_err err = hy_settings_peer(item, name, endpoint);

    if (err != HY_OK)
        return err;
    json_t *node = shard < 0 ? json_pack("{s:s}", "endpoint", endpoint)
                             : json_pack("{s:s, s:i}", "endpoint", endpoint, "shard", shard);
    char *text = node != NULL ? json_dumps(node, JSON_COMPACT) : NULL;

    snprintf(key, sizeof key, "node/%s/%s", component, name);
    err = text != NULL ? add(s, key, text) : HY_ENOMEM;
    free(text);
    json_decref(node);
    return err;
}

static enum hy_err add_nodes(struct coord_static *s, const char *component,
                             const struct hy_text_list *list, bool sharded)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < list->count && err == HY_OK; i++)
        err = add_node(s, component, list->items[i], sharded ? (int)i : -1);
    return err;
}

static enum hy_err add_all(struct coord_static *s, const struct hy_common_settings *settings,
                           char why[static 256])
{
    enum hy_err err = HY_OK;

    if (settings->stores.count > HY_SHARDS_MAX) {
        snprintf(why, 256, "cluster.stores names more than %d", HY_SHARDS_MAX);
        return HY_ECONFIG;
    }
    if (settings->stores.count > 0)
        err = add_map(s, settings->stores.count);
    if (err == HY_OK)
        err = add_nodes(s, "router", &settings->routers, false);
    if (err == HY_OK)
        err = add_nodes(s, "presence", &settings->presences, false);
    if (err == HY_OK)
        err = add_nodes(s, "store", &settings->stores, true);
    return err;
}

/* ---- turns ---- */

/* Tell what the settings say. What was told already is not told again. */
static enum hy_err begin(struct coord_static *s)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < s->first.count && err == HY_OK; i++)
        err = coord_apply(s->coord, &s->first.entries[i]->value);
    if (err != HY_OK)
        return err;
    coord_copy_free(&s->first);
    s->begun = true;
    coord_reached(s->coord, 1);
    coord_whole(s->coord);
    if (s->leases)
        coord_leased(s->coord);
    return HY_OK;
}

static enum hy_err put(struct coord_static *s, const struct hy_coord_put *p, uint64_t revision)
{
    struct hy_coord_value old = {.created = revision};
    struct hy_coord_value value = {.key = p->key,
                                   .text = p->text,
                                   .len = p->text != NULL ? strlen(p->text) : 0,
                                   .changed = revision,
                                   .leased = p->leased};

    (void)hy_coord_get(s->coord, p->key, &old);
    value.created = old.created;
    return coord_apply(s->coord, &value);
}

static void run(struct coord_static *s, struct coord_op *op)
{
    uint64_t revision = coord_revision(s->coord) + 1;
    enum hy_err err = HY_OK;

    if (coord_wants_lease(&op->change) && !s->leases)
        err = HY_ECLOSED;
    else if (!coord_guards_hold(s->coord, &op->change))
        err = HY_EEXIST;
    for (size_t i = 0; i < op->change.put_count && err == HY_OK; i++)
        err = put(s, &op->change.puts[i], revision);
    coord_finish(op, err, err == HY_OK ? revision : 0);
}

/* What is asked for on the way has its turn too: it changes nothing that was promised. */
static void on_soon(void *arg)
{
    struct coord_static *s = arg;
    struct coord_op *op;

    if (!s->begun && begin(s) != HY_OK) {
        hy_timer_set(s->soon, AGAIN_MS);
        return;
    }
    op = coord_ops_take(&s->ops);
    if (op == NULL)
        return;
    hy_timer_set(s->soon, 0); /* the next one */
    run(s, op);
}

/* ---- the driver ---- */

static void static_close(void *state)
{
    struct coord_static *s = state;

    if (s == NULL)
        return;
    hy_timer_close(&s->soon);
    coord_ops_free(&s->ops);
    coord_copy_free(&s->first);
    free(s);
}

static enum hy_err static_open(struct hy_coord *coord, const struct coord_opening *opening,
                               void **state, char why[static 256])
{
    struct coord_static *s = calloc(1, sizeof *s);
    enum hy_err err;

    if (s == NULL)
        return HY_ENOMEM;
    s->coord = coord;
    s->leases = opening->lease_s > 0;
    coord_ops_init(&s->ops);
    err = hy_timer_open(coord_loop(coord), on_soon, s, &s->soon);
    if (err == HY_OK)
        err = add_all(s, opening->settings, why);
    if (err != HY_OK) {
        static_close(s);
        return err;
    }
    hy_timer_set(s->soon, 0);
    *state = s;
    return HY_OK;
}

static void static_change(void *state, struct coord_op *op)
{
    struct coord_static *s = state;

    coord_ops_add(&s->ops, op);
    if (s->begun)
        hy_timer_set(s->soon, 0);
}

static void static_forget(void *state, const void *arg)
{
    struct coord_static *s = state;

    coord_ops_forget(&s->ops, arg);
}

static uint64_t static_trusted(const void *state)
{
    const struct coord_static *s = state;

    return s->leases ? UINT64_MAX : 0;
}

const struct coord_driver coord_static_driver = {
    .open = static_open,
    .close = static_close,
    .change = static_change,
    .forget = static_forget,
    .trusted_until_ms = static_trusted,
};
