#include "router/router.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/log.h"
#include "common/passage.h"
#include "router/admin.h"
#include "router/applist.h"
#include "router/calls.h"
#include "router/online.h"
#include "router/op.h"
#include "router/parts.h"
#include "router/roll.h"
#include "router/send.h"
#include "router/sign_in.h"
#include "router/sweep.h"

enum { SECOND_MS = 1000 };

struct router {
    struct parts parts;
    struct hy_timer *second;
    struct hy_arena arena; /* for records that are done with at once */
    struct hy_passage *passage;
    atomic_bool joined; /* read by the status thread */
    void (*left)(void *arg);
    void *left_arg;
};

/* ---- records ---- */

static void on_audience(struct router *router, struct hy_peer *peer, const struct hy_record *record)
{
    struct parts *parts = &router->parts;
    struct gate *gate = push_gate(parts->push, hy_peer_name(peer));
    Hy__Audience *audience = hy__audience__unpack(&router->arena.pb, record->len, record->payload);

    if (gate != NULL && audience != NULL)
        rooms_audience(parts->rooms, gate, audience);
}

static void on_delta(struct router *router, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__Delta *delta = hy__delta__unpack(&router->arena.pb, record->len, record->payload);

    if (delta != NULL)
        roll_delta(router->parts.roll, peer, delta);
    if (delta != NULL)
        users_delta(router->parts.users, peer, delta);
    hy_bus_answer(peer, record->kind, record->id, NULL, 0);
}

static void on_seen(struct router *router, struct hy_peer *peer, const struct hy_record *record)
{
    if (!hy_passage_seen(router->passage, peer, record))
        hy_log_warn("record.malformed", "peer=%s kind=%u", hy_peer_name(peer), record->kind);
}

/* Records that are answered later, each by a file of its own. */
typedef void begin_fn(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

static void apps_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    applist_answer(parts->applist, peer, record);
}

static const struct request {
    uint16_t kind;
    begin_fn *begin;
    void (*take)(struct router *router, struct hy_peer *peer, const struct hy_record *record);
} requests[] = {
    {HY__BUS_KIND__ROUTER_SEND, send_begin, NULL},
    {HY__BUS_KIND__ROUTER_CALL, call_begin, NULL},
    {HY__BUS_KIND__ROUTER_DELTA, NULL, on_delta},
    {HY__BUS_KIND__ROUTER_SIGN_IN, sign_in_begin, NULL},
    {HY__BUS_KIND__ROUTER_ADMIN, admin_begin, NULL},
    {HY__BUS_KIND__ROUTER_APPS, apps_begin, NULL},
    {HY__BUS_KIND__ROUTER_AUDIENCE, NULL, on_audience},
    {HY__BUS_KIND__ROUTER_SWEEP, sweep_begin, NULL},
    {HY__BUS_KIND__ROUTER_SWEEP_SCAN, sweep_scan_begin, NULL},
    {HY__BUS_KIND__ROUTER_ONLINE, online_begin, NULL},
    {HY__BUS_KIND__NODE_SEEN, NULL, on_seen},
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct router *router = ctx;

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const struct request *request = &requests[i];

        if (request->kind != record->kind)
            continue;
        if (request->begin != NULL) {
            request->begin(&router->parts, peer, record);
        } else {
            request->take(router, peer, record);
            hy_arena_reset(&router->arena);
        }
        return;
    }
    hy_log_warn("router.record_unknown", "kind=%u peer=%s", record->kind, hy_peer_name(peer));
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct router *router = ctx;
    struct parts *parts = &router->parts;
    const char *component = hy_peer_component(peer);

    if (strcmp(component, "store") == 0) {
        (void)hy_stores_peer(parts->stores, peer, event);
        applist_hurry(parts->applist);
    } else if (strcmp(component, "presence") == 0) {
        if (presences_index(parts->presences, peer) < 0)
            return; /* it dialled us, and we it */
        presences_peer(parts->presences, peer, event);
        roll_peer(parts->roll, peer, event);
        users_presence(parts->users, peer, event);
    } else if (strcmp(component, "gateway") == 0) {
        push_peer(parts->push, hy_peer_name(peer), peer, event);
        if (event == HY_PEER_RESTARTED)
            rooms_gate_restarted(parts->rooms, push_gate(parts->push, hy_peer_name(peer)));
    }
}

/* ---- the fleet ---- */

static void on_node(void *ctx, const struct hy_node *node)
{
    struct router *router = ctx;

    hy_stores_node(router->parts.stores, node);
    presences_node(router->parts.presences, node);
}

static void on_map(void *ctx)
{
    hy_stores_map(((struct router *)ctx)->parts.stores);
}

static void on_leader(void *ctx, uint32_t shard)
{
    hy_stores_leader(((struct router *)ctx)->parts.stores, shard);
}

static void on_presences_moved(void *ctx)
{
    struct router *router = ctx;

    if (router->parts.users != NULL) /* else we are opening */
        users_slots_moved(router->parts.users);
}

/* A presence process may go on when all who are affected are watched at the right places. */
static bool presence_done(void *ctx, int index, enum hy_node_state state)
{
    const struct parts *parts = &((struct router *)ctx)->parts;

    return users_settled(parts->users) &&
           (state != HY_NODE_JOINING || roll_tells(parts->roll, index));
}

/* It can answer what it is asked. */
static bool may_join(void *ctx)
{
    const struct parts *parts = &((struct router *)ctx)->parts;

    return hy_stores_any_up(parts->stores) && applist_ready(parts->applist);
}

static void on_step(void *ctx, enum hy_node_state state)
{
    atomic_store(&((struct router *)ctx)->joined, state != HY_NODE_JOINING);
}

static bool is_idle(void *ctx)
{
    const struct parts *parts = &((struct router *)ctx)->parts;

    return ops_idle(parts->ops) && sends_idle(parts->sends) && routes_idle(parts->routes);
}

/* ---- time ---- */

static void on_turn(void *arg)
{
    struct router *router = arg;

    if (router->parts.users == NULL || router->parts.push == NULL)
        return;
    users_flush(router->parts.users);
    push_flush(router->parts.push);
}

static void on_second(void *arg)
{
    struct router *router = arg;
    uint64_t now_ms = hy_loop_now_ms(router->parts.loop);

    push_mark(router->parts.push);
    roll_tick(router->parts.roll);
    routes_tick(router->parts.routes, now_ms);
    rooms_tick(router->parts.rooms, now_ms);
}

/* ---- opening ---- */

static enum hy_err open_bus(struct router *r, const struct router_settings *settings)
{
    const struct hy_common_settings *common = &settings->common;
    struct hy_bus_config config = {
        .name = common->name,
        .component = "router",
        .cluster_id = common->cluster_id,
        .bind = settings->bus_listen,
        .curve_dir = common->curve_dir[0] == '\0' ? NULL : common->curve_dir,
    };
    struct hy_bus_handler handler = {on_record, on_peer};
    struct parts *parts = &r->parts;
    enum hy_err err = hy_bus_open(parts->loop, &config, &handler, r, &parts->bus);

    if (err == HY_OK)
        err = hy_stores_open(
            parts->loop, parts->bus, parts->fleet,
            &(struct hy_stores_options){.available = "hongyan_router_shard_available"},
            &parts->stores);
    if (err == HY_OK)
        err = presences_open(
            parts->loop, parts->bus, parts->fleet,
            &(struct presences_events){
                .moved = on_presences_moved, .peer = on_peer, .done = presence_done, .ctx = r},
            &parts->presences);
    if (err == HY_OK)
        err = roll_open(parts->presences, &parts->roll);
    return err;
}

static enum hy_err open_fleet(struct router *r, const struct router_settings *settings)
{
    static const struct hy_fleet_handler handler = {
        .node = on_node, .map = on_map, .leader = on_leader};
    char why[256];
    enum hy_err err = hy_fleet_open(r->parts.loop, &settings->common, "router", &handler, r,
                                    &r->parts.fleet, why);

    if (err != HY_OK)
        hy_log_error("fleet.not_opened", "why=\"%s\"", why);
    return err;
}

static enum hy_err open_passage(struct router *r)
{
    static const char *const diallers[] = {"gateway", "presence", NULL};
    const struct hy_passage_config config = {.loop = r->parts.loop,
                                             .bus = r->parts.bus,
                                             .fleet = r->parts.fleet,
                                             .diallers = diallers,
                                             .ready = may_join,
                                             .idle = is_idle,
                                             .changed = on_step,
                                             .ctx = r};

    atomic_store(&r->joined, hy_fleet_static(r->parts.fleet));
    return hy_passage_open(&config, &r->passage);
}

static enum hy_err open_caches(struct parts *parts, const struct router_settings *settings)
{
    struct users_config users = {
        .stores = parts->stores,
        .presences = parts->presences,
        .roll = parts->roll,
        .push = parts->push,
        .cap = (size_t)settings->user_cache,
        .deadline_ms = parts->call_deadline_ms,
        .moved = routes_moved,
    };
    struct routes_config routes = {
        .stores = parts->stores,
        .push = parts->push,
        .deadline_ms = parts->call_deadline_ms,
        .idle_ms = (uint64_t)settings->route_idle_s * 1000,
        .seats_cap = (size_t)settings->user_cache,
    };
    enum hy_err err = users_open(&users, &parts->users);

    routes.users = parts->users;
    if (err == HY_OK)
        err = routes_open(&routes, &parts->routes);
    if (err == HY_OK)
        err = rooms_open(parts->push, &parts->rooms);
    if (err == HY_OK)
        err = ops_open(&parts->ops);
    if (err == HY_OK)
        err = sends_open(&parts->sends);
    if (err == HY_OK)
        err = applist_open(parts->loop, parts->stores, &parts->applist);
    return err;
}

enum hy_err router_open(struct hy_loop *loop, const struct router_settings *settings,
                        struct router **router)
{
    enum hy_err err = HY_ENOMEM;
    struct router *r = calloc(1, sizeof *r);

    if (r == NULL)
        return err;
    hy_arena_init(&r->arena);
    r->parts.loop = loop;
    r->parts.call_deadline_ms = (uint32_t)settings->call_deadline_ms;
    /* Before the bus, whose hook sends what ours has gathered. */
    err = hy_loop_on_turn(loop, on_turn, r);
    if (err == HY_OK)
        err = push_open(hy_bus_send, (uint64_t)settings->drop_push_every, &r->parts.push);
    if (err == HY_OK)
        err = open_fleet(r, settings);
    if (err == HY_OK)
        err = open_bus(r, settings);
    if (err == HY_OK)
        err = open_caches(&r->parts, settings);
    if (err == HY_OK)
        err = open_passage(r);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_second, r, &r->second);
    if (err != HY_OK) {
        router_close(&r);
        return err;
    }
    hy_timer_every(r->second, SECOND_MS);
    *router = r;
    return HY_OK;
}

void router_close(struct router **router)
{
    struct router *r = *router;

    if (r == NULL)
        return;
    *router = NULL;
    hy_loop_off_turn(r->parts.loop, on_turn, r);
    hy_timer_close(&r->second);
    hy_passage_close(&r->passage);
    hy_fleet_close(&r->parts.fleet);
    hy_bus_close(&r->parts.bus); /* from here on nobody is called back */
    sends_close(&r->parts.sends);
    ops_close(&r->parts.ops);
    routes_close(&r->parts.routes);
    rooms_close(&r->parts.rooms);
    users_close(&r->parts.users);
    applist_close(&r->parts.applist);
    hy_stores_close(&r->parts.stores);
    roll_close(&r->parts.roll);
    presences_close(&r->parts.presences);
    push_close(&r->parts.push);
    hy_arena_free(&r->arena);
    free(r);
}

/* ---- leaving ---- */

static void on_left(void *arg)
{
    struct router *router = arg;

    push_end(router->parts.push);
    router->left(router->left_arg);
}

void router_leave(struct router *router, void (*left)(void *arg), void *arg)
{
    router->left = left;
    router->left_arg = arg;
    hy_passage_leave(router->passage, on_left, router);
}

const char *router_endpoint(const struct router *router)
{
    return hy_bus_endpoint(router->parts.bus);
}

/* ---- readiness ---- */

static const char *store_ready(void *arg)
{
    struct router *router = arg;

    return hy_stores_any_up(router->parts.stores) ? NULL : "no store is connected";
}

static const char *apps_ready(void *arg)
{
    struct router *router = arg;

    return applist_ready(router->parts.applist) ? NULL : "the apps have not been read yet";
}

static const char *joined(void *arg)
{
    return atomic_load(&((struct router *)arg)->joined) ? NULL : "it has not joined the fleet yet";
}

void router_ready_checks(struct router *router, struct hy_status *status)
{
    hy_status_ready(status, "fleet", joined, router);
    hy_status_ready(status, "stores", store_ready, router);
    hy_status_ready(status, "apps", apps_ready, router);
}
