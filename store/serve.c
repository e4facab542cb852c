#include "store/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/bus.h"
#include "common/codes.h"
#include "common/file.h"
#include "common/fleet.h"
#include "common/log.h"
#include "common/stores.h"
#include "store/apps.h"
#include "store/disk.h"
#include "store/metric.h"
#include "store/post.h"
#include "store/store.h"

enum { TICK_MS = 1000, TURN_MS = 20, APPS_MS = 500, EFFECTS_DEADLINE_MS = 10000 };

struct other { /* another shard */
    struct serve *serve;
    uint32_t shard;
    uint64_t token, call; /* of the effects under way; call 0: none */
};

struct move_call { /* what another shard is asked about a run that moves */
    struct serve *serve;
    uint64_t token, call;
};

struct serve {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_fleet *fleet;
    struct hy_stores *stores; /* those of other shards */
    struct post *post;
    struct store *store;
    int lock; /* of the directory, -1: none */
    struct hy_timer *tick, *turn, *apps;
    struct other **others; /* by shard */
    uint32_t other_count;
    struct move_call move;
    struct hy_shardmap map;
    uint32_t shard;
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

static bool is_move(uint16_t kind)
{
    return kind == HY__BUS_KIND__STORE_MOVE || kind == HY__BUS_KIND__STORE_MOVE_END;
}

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct serve *s = ctx;
    struct request req = {.reply = hy_bus_reply_to(peer, record),
                          .kind = record->kind,
                          .payload = record->payload,
                          .len = record->len};

    if (record->kind == HY__BUS_KIND__STORE_BACKUP && s->store != NULL) {
        backup(s, peer, record);
        return;
    }
    if (is_move(record->kind) && strcmp(hy_peer_component(peer), "store") != 0)
        return; /* rows come from stores alone */
    if (s->store != NULL && record->kind != HY__BUS_KIND__NODE_SEEN &&
        !store_record(s->store, peer, record))
        store_handle(s->store, &req);
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct serve *s = ctx;

    if (s->stores != NULL)
        (void)hy_stores_peer(s->stores, peer, event);
}

static void on_answer(void *ctx, const struct hy_reply *reply, const uint8_t *payload, size_t len)
{
    (void)ctx;
    hy_bus_reply(reply, payload, len);
}

static void on_turn(void *arg)
{
    struct serve *s = arg;

    if (s->store != NULL)
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

/* ---- the fleet ---- */

static void on_node(void *ctx, const struct hy_node *node)
{
    struct serve *s = ctx;

    if (s->stores != NULL)
        hy_stores_node(s->stores, node);
}

static void on_leader(void *ctx, uint32_t shard)
{
    struct serve *s = ctx;

    if (s->stores != NULL)
        hy_stores_leader(s->stores, shard);
}

/* With the static coordinator the map is what the store was opened with. */
static void on_map(void *ctx)
{
    struct serve *s = ctx;

    if (s->stores != NULL)
        hy_stores_map(s->stores);
    if (hy_fleet_static(s->fleet) || s->store == NULL)
        return;
    if (store_map(s->store, hy_fleet_map(s->fleet)) != HY_OK)
        abort(); /* without it, it would answer for slots of others */
    s->map = *hy_fleet_map(s->fleet);
}

static void on_value(void *ctx, const struct hy_coord_value *value)
{
    struct serve *s = ctx;

    if (s->store != NULL)
        store_coordinated(s->store, value);
    if (s->post != NULL)
        post_value(s->post, value);
}

static void on_lease_lost(void *ctx)
{
    struct serve *s = ctx;

    if (s->store != NULL)
        store_lease_lost(s->store);
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

/* Each has a place of its own, as calls point at it. */
static struct other *other_of(struct serve *s, uint32_t shard)
{
    while (shard >= s->other_count) {
        struct other **more = realloc(s->others, (s->other_count + 1) * sizeof *more);

        if (more == NULL)
            abort();
        s->others = more;
        s->others[s->other_count] = calloc(1, sizeof **more);
        if (s->others[s->other_count] == NULL)
            abort();
        *s->others[s->other_count] = (struct other){.serve = s, .shard = s->other_count};
        s->other_count++;
    }
    return s->others[shard];
}

static void on_effects(void *ctx, uint32_t shard, uint64_t token, const void *payload, size_t len)
{
    struct serve *s = ctx;
    struct other *o = other_of(s, shard);
    struct hy_stores_call call = {.kind = HY__BUS_KIND__STORE_EFFECTS,
                                  .where = hy_stores_at_shard(shard),
                                  .deadline_ms = EFFECTS_DEADLINE_MS,
                                  .done = effects_done,
                                  .arg = o};

    if (o->call != 0) /* of an earlier reign */
        hy_bus_cancel(s->bus, o->call);
    o->token = token;
    o->call = hy_stores_ask(s->stores, &call, payload, len);
}

/* ---- slots that move ---- */

static void move_done(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct move_call *move = arg;

    move->call = 0;
    if (move->serve->store == NULL)
        return;
    store_move_answered(move->serve->store, move->token, err, err == HY_OK ? answer->payload : NULL,
                        err == HY_OK ? answer->len : 0);
}

static void on_move(void *ctx, uint32_t shard, uint64_t token, uint16_t kind, uint32_t deadline_ms,
                    const void *payload, size_t len)
{
    struct serve *s = ctx;
    struct hy_stores_call call = {.kind = kind,
                                  .where = hy_stores_at_shard(shard),
                                  .deadline_ms = deadline_ms,
                                  .done = move_done,
                                  .arg = &s->move};

    if (s->move.call != 0) /* of an earlier reign */
        hy_bus_cancel(s->bus, s->move.call);
    s->move.serve = s;
    s->move.token = token;
    s->move.call = hy_stores_ask(s->stores, &call, payload, len);
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
    struct hy_stores_call call = {.kind = HY__BUS_KIND__STORE_APPS,
                                  .where = hy_stores_at_shard(apps_owner(&s->map)),
                                  .done = apps_done,
                                  .arg = s};

    if (s->asking || !store_leads(s->store) || apps_owner(&s->map) == s->shard)
        return;
    s->asking = true;
    req.since_version = store_apps_version(s->store);
    hy_stores_ask_pb(s->stores, &call, &req.base);
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
        .map_changes = !hy_fleet_static(s->fleet),
        .block_cache_bytes = (size_t)settings->block_cache_mb << 20,
        .write_buffer_bytes = (size_t)settings->write_buffer_mb << 20,
        .cache_rows = (size_t)settings->cache_rows,
        .history_cache_bytes = (size_t)settings->history_cache_mb << 20,
        .reserve_bytes = (uint64_t)settings->reserve_mb << 20,
        .levels = settings->levels,
        .readers = (size_t)settings->readers,
        .loop = s->loop,
        .bus = s->bus,
        .coord = hy_fleet_coord(s->fleet),
        .name = settings->common.name,
        .min_insync = (uint32_t)settings->min_insync,
        .follower_timeout_ms = (uint32_t)settings->follower_timeout_ms,
        .answer = on_answer,
        .send = on_effects,
        .move = on_move,
        .moved_keep_s = (uint32_t)settings->moved_keep_s,
        .ctx = s,
    };
    enum hy_err err = store_open(&config, &s->store, why);

    if (err == HY_OK && settings->compact_on_start)
        store_compact(s->store);
    return err;
}

static enum hy_err open_bus(struct serve *s, const struct store_settings *settings,
                            char why[static 256])
{
    struct hy_bus_config config = {
        .name = settings->common.name,
        .component = "store",
        .cluster_id = settings->common.cluster_id,
        .bind = settings->bus_listen,
        .curve_dir = *settings->common.curve_dir == '\0' ? NULL : settings->common.curve_dir,
    };
    struct hy_bus_handler handler = {.record = on_record, .peer = on_peer};
    enum hy_err err = hy_bus_open(s->loop, &config, &handler, s, &s->bus);

    if (err != HY_OK)
        snprintf(why, 256, "bus at %.200s: %s", settings->bus_listen, hy_err_text(err));
    return err;
}

/* Opening the coordinator ends the lease of the process that had this directory before: only who
 * has the directory may do that. */
static enum hy_err open_fleet(struct serve *s, const struct store_settings *settings,
                              char why[static 256])
{
    static const struct hy_fleet_handler handler = {on_node, on_map, on_leader, on_value,
                                                    on_lease_lost};
    char file[1024];
    struct hy_fleet_lease lease = {(uint32_t)settings->lease_s, file};
    enum hy_err err = HY_OK;

    snprintf(file, sizeof file, "%s/lease", settings->data_dir);
    if (settings->common.etcd_endpoints.count > 0) {
        err = hy_dir_make(settings->data_dir, why);
        if (err == HY_OK)
            err = disk_lock(settings->data_dir, &s->lock, why);
    }
    return err == HY_OK ? hy_fleet_open_leased(s->loop, &settings->common, "store", &lease,
                                               &handler, s, &s->fleet, why)
                        : err;
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
    if (err != HY_OK || (hy_fleet_static(s->fleet) && s->map.shards < 2))
        return err;
    err = hy_timer_open(s->loop, ask_apps, s, &s->apps);
    if (err == HY_OK) {
        hy_timer_every(s->apps, APPS_MS);
        ask_apps(s);
    }
    return err;
}

/* What has to do with others. */
static enum hy_err open_others(struct serve *s, const struct store_settings *settings)
{
    struct post_config post = {s->loop, s->bus, s->fleet, s->store, settings};
    enum hy_err err =
        hy_stores_open(s->loop, s->bus, s->fleet,
                       &(struct hy_stores_options){.not_own = true, .own = s->shard}, &s->stores);

    if (err == HY_OK)
        err = open_timers(s);
    return err == HY_OK ? post_open(&post, &s->post) : err;
}

/* The map of the beginning. Before etcd's comes no slot is anybody's. */
static enum hy_err begin_map(struct serve *s, const struct store_settings *settings,
                             char why[static 256])
{
    bool fixed = settings->common.etcd_endpoints.count == 0;
    size_t listed = settings->common.stores.count;
    uint32_t shards = listed == 0 ? 1 : (uint32_t)listed;

    s->shard = (uint32_t)settings->shard;
    if (fixed)
        hy_shardmap_even(&s->map, shards);
    else
        memset(s->map.owner, 0xFF, sizeof s->map.owner);
    if (s->shard < shards || !fixed)
        return HY_OK;
    snprintf(why, 256, "shard is %u but stores lists %u; shard counts from 0", s->shard, shards);
    return HY_ECONFIG;
}

enum hy_err serve_open(struct hy_loop *loop, const struct store_settings *settings,
                       struct serve **serve, char why[static 256])
{
    struct serve *s = calloc(1, sizeof *s);
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (s == NULL)
        return err;
    s->loop = loop;
    s->lock = -1;
    metric_open();
    err = begin_map(s, settings, why);
    if (err == HY_OK)
        err = open_fleet(s, settings, why);
    /* Before the bus: what a turn commits is to leave with the same turn's flush. */
    if (err == HY_OK)
        err = hy_loop_on_turn(loop, on_turn, s);
    if (err == HY_OK)
        err = open_bus(s, settings, why);
    if (err == HY_OK)
        err = open_store(s, settings, why);
    if (err == HY_OK) {
        err = open_others(s, settings);
        if (err != HY_OK)
            snprintf(why, 256, "%s", hy_err_text(err));
    }
    if (err != HY_OK)
        serve_close(&s);
    *serve = s;
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
    post_close(&s->post);
    store_close(&s->store);
    hy_bus_close(&s->bus);
    hy_stores_close(&s->stores);
    hy_fleet_close(&s->fleet);
    disk_unlock(&s->lock);
    for (uint32_t i = 0; i < s->other_count; i++)
        free(s->others[i]);
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

void serve_leave(struct serve *serve, void (*left)(void *arg), void *arg)
{
    post_leave(serve->post, left, arg);
}
