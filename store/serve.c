#include "store/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/bus.h"
#include "common/codes.h"
#include "common/log.h"
#include "store/apps.h"
#include "store/metric.h"
#include "store/store.h"

enum { TICK_MS = 1000, TURN_MS = 20, APPS_MS = 500, EFFECTS_DEADLINE_MS = 10000 };

struct other { /* another shard */
    struct serve *serve;
    struct hy_peer *peer; /* who leads it; NULL: this shard */
    uint32_t shard;
    uint64_t token, call; /* of the effects under way; call 0: none */
};

struct serve {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct store *store;
    struct hy_timer *tick, *turn, *apps;
    struct other *others; /* by shard */
    struct hy_shardmap map;
    uint32_t shard, shards;
    bool asking; /* for apps */
};

/* ---- in and out ---- */

/* Only tools may ask for one: it writes where they say. */
static void backup(struct serve *s, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__BackupRes res = HY__BACKUP_RES__INIT;
    Hy__BackupReq *req = NULL;

    if (strcmp(hy_peer_component(peer), "ctl") == 0)
        req = hy__backup_req__unpack(NULL, record->len, record->payload);
    if (req != NULL)
        store_backup(s->store, req, &res);
    else
        res.code = HY_CODE_PARAM;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    if (req != NULL)
        hy__backup_req__free_unpacked(req, NULL);
}

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct serve *s = ctx;
    struct request req = {.reply = hy_bus_reply_to(peer, record),
                          .kind = record->kind,
                          .payload = record->payload,
                          .len = record->len};

    if (record->kind == HY__BUS_KIND__STORE_BACKUP) {
        backup(s, peer, record);
        return;
    }
    store_handle(s->store, &req);
}

static void on_answer(void *ctx, const struct hy_reply *reply, const uint8_t *payload, size_t len)
{
    (void)ctx;
    hy_bus_reply(reply, payload, len);
}

static void on_turn(void *arg)
{
    struct serve *s = arg;

    store_turn(s->store);
}

static void on_tick(void *arg)
{
    struct serve *s = arg;

    store_tick(s->store);
}

static void on_quiet(void *arg)
{
    (void)arg; /* a turn, so that what waits for time goes on */
}

/* ---- other shards ---- */

/* hy_pick_fn; key: the shard. */
static struct hy_peer *leader_of(void *arg, const void *key)
{
    const struct serve *s = arg;

    return s->others[*(const uint64_t *)key].peer;
}

/* ---- effects on other shards ---- */

static void effects_done(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct other *o = arg;
    Hy__EffectsRes *res = NULL;
    bool done = false;

    o->call = 0;
    if (err == HY_OK)
        res = hy__effects_res__unpack(NULL, answer->len, answer->payload);
    if (res != NULL) {
        done = res->code == 0;
        hy__effects_res__free_unpacked(res, NULL);
    }
    if (o->serve->store != NULL) /* else we are closing */
        store_effects_answered(o->serve->store, o->shard, o->token, done);
}

static void on_effects(void *ctx, uint32_t shard, uint64_t token, const void *payload, size_t len)
{
    struct serve *s = ctx;
    struct other *o = &s->others[shard];
    struct hy_call call = {.kind = HY__BUS_KIND__STORE_EFFECTS,
                           .deadline_ms = EFFECTS_DEADLINE_MS,
                           .pick = leader_of,
                           .pick_arg = s,
                           .pick_key = shard,
                           .done = effects_done,
                           .arg = o};

    if (o->call != 0) /* of an earlier reign */
        hy_bus_cancel(s->bus, o->call);
    o->token = token;
    o->call = hy_bus_call(s->bus, &call, payload, len);
}

/* ---- the list of apps ---- */

static void apps_done(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct serve *s = arg;

    s->asking = false;
    if (err == HY_OK && s->store != NULL)
        store_apps_learned(s->store, answer->payload, answer->len);
}

static void ask_apps(void *arg)
{
    struct serve *s = arg;
    Hy__AppsReq req = HY__APPS_REQ__INIT;
    struct hy_call call = {.kind = HY__BUS_KIND__STORE_APPS,
                           .pick = leader_of,
                           .pick_arg = s,
                           .pick_key = apps_owner(&s->map),
                           .done = apps_done,
                           .arg = s};

    if (s->asking || !store_leads(s->store))
        return;
    s->asking = true;
    req.since_version = store_apps_version(s->store);
    hy_bus_call_pb(s->bus, &call, &req.base);
}

/* ---- opening ---- */

static enum hy_err open_store(struct serve *s, const struct store_settings *settings,
                              char why[static 256])
{
    struct store_config config = {
        .cluster_id = settings->common.cluster_id,
        .data_dir = settings->data_dir,
        .log_dir = settings->log_dir,
        .shard = s->shard,
        .map = &s->map,
        .block_cache_bytes = (size_t)settings->block_cache_mb << 20,
        .write_buffer_bytes = (size_t)settings->write_buffer_mb << 20,
        .cache_rows = (size_t)settings->cache_rows,
        .history_cache_bytes = (size_t)settings->history_cache_mb << 20,
        .reserve_bytes = (uint64_t)settings->reserve_mb << 20,
        .readers = (size_t)settings->readers,
        .loop = s->loop,
        .answer = on_answer,
        .send = on_effects,
        .ctx = s,
    };
    enum hy_err err = store_open(&config, &s->store, why);

    if (err == HY_OK && settings->compact_on_start)
        store_compact(s->store);
    return err;
}

static enum hy_err dial_others(struct serve *s, const struct hy_text_list *stores)
{
    char name[64], endpoint[256];
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; i < s->shards && err == HY_OK; i++) {
        s->others[i] = (struct other){.serve = s, .shard = i};
        if (i == s->shard)
            continue;
        err = hy_settings_peer(stores->items[i], name, endpoint);
        if (err == HY_OK)
            err = hy_bus_dial(s->bus, "store", name, endpoint, &s->others[i].peer);
    }
    return err;
}

static enum hy_err open_bus(struct serve *s, const struct store_settings *settings)
{
    struct hy_bus_config config = {
        .name = settings->common.name,
        .component = "store",
        .cluster_id = settings->common.cluster_id,
        .bind = settings->bus_listen,
        .curve_dir = *settings->common.curve_dir == '\0' ? NULL : settings->common.curve_dir,
    };
    struct hy_bus_handler handler = {.record = on_record};
    enum hy_err err = hy_bus_open(s->loop, &config, &handler, s, &s->bus);

    return err == HY_OK ? dial_others(s, &settings->common.stores) : err;
}

static enum hy_err open_timers(struct serve *s)
{
    enum hy_err err = hy_timer_open(s->loop, on_tick, s, &s->tick);

    if (err == HY_OK)
        hy_timer_every(s->tick, TICK_MS);
    if (err == HY_OK)
        err = hy_timer_open(s->loop, on_quiet, s, &s->turn);
    if (err == HY_OK)
        hy_timer_every(s->turn, TURN_MS);
    if (err != HY_OK || s->shards < 2 || apps_owner(&s->map) == s->shard)
        return err;
    err = hy_timer_open(s->loop, ask_apps, s, &s->apps);
    if (err == HY_OK) {
        hy_timer_every(s->apps, APPS_MS);
        ask_apps(s);
    }
    return err;
}

enum hy_err serve_open(struct hy_loop *loop, const struct store_settings *settings,
                       struct serve **serve, char why[static 256])
{
    struct serve *s = calloc(1, sizeof *s);
    size_t shards = settings->common.stores.count;
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (s == NULL)
        return err;
    s->loop = loop;
    s->shard = (uint32_t)settings->shard;
    s->shards = shards == 0 ? 1 : (uint32_t)shards;
    if (s->shard >= s->shards) {
        snprintf(why, 256, "shard is %u but stores lists %u; shard counts from 0", s->shard,
                 s->shards);
        err = HY_ECONFIG;
        goto fail;
    }
    hy_shardmap_even(&s->map, s->shards);
    s->others = calloc(s->shards, sizeof *s->others);
    if (s->others == NULL)
        goto fail;
    metric_open();
    err = open_store(s, settings, why);
    if (err != HY_OK)
        goto fail;
    /* Before the bus: what a turn commits is to leave with the same turn's flush. */
    err = hy_loop_on_turn(loop, on_turn, s);
    if (err == HY_OK)
        err = open_bus(s, settings);
    if (err == HY_OK)
        err = open_timers(s);
    snprintf(why, 256, "bus at %.200s: %s", settings->bus_listen, hy_err_text(err));
    if (err != HY_OK)
        goto fail;
    *serve = s;
    return HY_OK;

fail:
    serve_close(&s);
    return err;
}

void serve_close(struct serve **serve)
{
    struct serve *s = *serve;

    if (s == NULL)
        return;
    *serve = NULL;
    hy_timer_close(&s->tick);
    hy_timer_close(&s->turn);
    hy_timer_close(&s->apps);
    hy_loop_off_turn(s->loop, on_turn, s);
    store_close(&s->store);
    hy_bus_close(&s->bus);
    free(s->others);
    free(s);
}

const char *serve_endpoint(const struct serve *serve)
{
    return hy_bus_endpoint(serve->bus);
}

const char *serve_ready(void *serve)
{
    return store_ready(((struct serve *)serve)->store);
}
