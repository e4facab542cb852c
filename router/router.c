#include "router/router.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/log.h"
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
        stores_peer(parts->stores, peer, event);
        applist_hurry(parts->applist);
    } else if (strcmp(component, "presence") == 0) {
        presences_peer(parts->presences, peer, event);
        roll_peer(parts->roll, peer, event);
        users_presence(parts->users, peer, event);
    } else if (strcmp(component, "gateway") == 0) {
        push_peer(parts->push, hy_peer_name(peer), peer, event);
        if (event == HY_PEER_RESTARTED)
            rooms_gate_restarted(parts->rooms, push_gate(parts->push, hy_peer_name(peer)));
    }
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
        err = stores_open(parts->bus, &common->stores, &parts->stores);
    if (err == HY_OK)
        err = presences_open(parts->bus, &common->presences, &parts->presences);
    if (err == HY_OK)
        err = roll_open(parts->presences, &parts->roll);
    return err;
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
        err = open_bus(r, settings);
    if (err == HY_OK)
        err = open_caches(&r->parts, settings);
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
    hy_bus_close(&r->parts.bus); /* from here on nobody is called back */
    sends_close(&r->parts.sends);
    ops_close(&r->parts.ops);
    routes_close(&r->parts.routes);
    rooms_close(&r->parts.rooms);
    users_close(&r->parts.users);
    applist_close(&r->parts.applist);
    stores_close(&r->parts.stores);
    roll_close(&r->parts.roll);
    presences_close(&r->parts.presences);
    push_close(&r->parts.push);
    hy_arena_free(&r->arena);
    free(r);
}

const char *router_endpoint(const struct router *router)
{
    return hy_bus_endpoint(router->parts.bus);
}

/* ---- readiness ---- */

static const char *store_ready(void *arg)
{
    struct router *router = arg;

    return stores_any_up(router->parts.stores) ? NULL : "no store is connected";
}

static const char *apps_ready(void *arg)
{
    struct router *router = arg;

    return applist_ready(router->parts.applist) ? NULL : "the apps have not been read yet";
}

void router_ready_checks(struct router *router, struct hy_status *status)
{
    hy_status_ready(status, "stores", store_ready, router);
    hy_status_ready(status, "apps", apps_ready, router);
}
