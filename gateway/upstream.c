#include "gateway/upstream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/slot.h"
#include "common/tier.h"

enum { POLL_MS = 500 };

struct upstream {
    struct hy_bus *bus;
    struct hy_apps *apps;
    struct hy_timer *poll;
    struct upstream_events events;
    void *ctx;
    struct hy_tier *routers, *presences;
    struct hy_arena arena;
    uint64_t poll_call; /* 0: none under way */
    bool apps_read;
    _Atomic bool ready; /* read by the status thread */
};

static struct hy_peer *owner_of(const struct hy_tier *tier, uint16_t slot)
{
    return hy_tier_at(tier, hy_tier_owner(tier, slot));
}

static struct hy_peer *pick_router(void *arg, const void *key)
{
    const struct upstream *u = arg;

    return owner_of(u->routers, (uint16_t) * (const uint64_t *)key);
}

static struct hy_peer *pick_presence(void *arg, const void *key)
{
    const struct upstream *u = arg;

    return owner_of(u->presences, (uint16_t) * (const uint64_t *)key);
}

static void note_ready(struct upstream *u)
{
    atomic_store_explicit(&u->ready, u->apps_read && hy_tier_any(u->routers) >= 0,
                          memory_order_relaxed);
}

/* ---- apps ---- */

static void take_apps(struct upstream *u, const struct hy_record *answer)
{
    const Hy__AppsRes *res = hy__apps_res__unpack(&u->arena.pb, answer->len, answer->payload);

    if (res == NULL || res->code != 0)
        return; /* asked again in POLL_MS */
    if (hy_apps_merge(u->apps, res->n_apps, res->apps, res->version) != HY_OK) {
        hy_log_error("apps.dropped", "why=\"out of memory\"");
        return;
    }
    u->apps_read = true;
    note_ready(u);
}

static void on_apps(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct upstream *u = arg;

    u->poll_call = 0;
    if (err == HY_OK) {
        take_apps(u, answer);
        hy_arena_reset(&u->arena);
    }
}

static void poll_apps(void *arg)
{
    struct upstream *u = arg;
    Hy__AppsReq req = HY__APPS_REQ__INIT;

    if (u->poll_call != 0 || hy_tier_any(u->routers) < 0)
        return;
    req.since_version = hy_apps_version(u->apps);
    u->poll_call = upstream_router(u, hy_slot(0, HY_KIND_APP, "", 0), HY__BUS_KIND__ROUTER_APPS, 0,
                                   &req.base, on_apps, u);
}

/* ---- the bus ---- */

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct upstream *u = ctx;

    if (u->events.record != NULL)
        u->events.record(u->ctx, peer, record);
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct upstream *u = ctx;

    if (!hy_tier_peer(u->routers, peer, event))
        (void)hy_tier_peer(u->presences, peer, event);
    note_ready(u);
    if (!u->apps_read)
        poll_apps(u);
    if (u->events.peer != NULL)
        u->events.peer(u->ctx, peer, event);
}

/* ---- the fleet ---- */

static void on_routers_moved(void *ctx)
{
    struct upstream *u = ctx;

    note_ready(u);
    if (u->events.routers_moved != NULL)
        u->events.routers_moved(u->ctx);
}

static void on_presences_moved(void *ctx)
{
    struct upstream *u = ctx;

    if (u->events.presences_moved != NULL)
        u->events.presences_moved(u->ctx);
}

static bool is_router_done(void *ctx, int i, enum hy_node_state state)
{
    struct upstream *u = ctx;

    (void)i;
    (void)state;
    return u->events.router_done == NULL || u->events.router_done(u->ctx);
}

static bool is_presence_done(void *ctx, int i, enum hy_node_state state)
{
    struct upstream *u = ctx;

    return u->events.presence_done == NULL || u->events.presence_done(u->ctx, i, state);
}

void upstream_node(struct upstream *upstream, const struct hy_node *node)
{
    hy_tier_node(upstream->routers, node);
    hy_tier_node(upstream->presences, node);
}

static enum hy_err open_tiers(struct hy_loop *loop, struct upstream *u)
{
    struct hy_tier_config config = {
        .loop = loop, .bus = u->bus, .component = "router", .peer = on_peer, .ctx = u};
    enum hy_err err;

    config.moved = on_routers_moved;
    config.done = is_router_done;
    err = hy_tier_open(&config, &u->routers);
    config.component = "presence";
    config.moved = on_presences_moved;
    config.done = is_presence_done;
    return err == HY_OK ? hy_tier_open(&config, &u->presences) : err;
}

enum hy_err upstream_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          const char *worker_name, const struct upstream_events *events, void *ctx,
                          struct upstream **upstream)
{
    static const struct hy_bus_handler handler = {on_record, on_peer};
    struct hy_bus_config config = {.name = worker_name, .component = "gateway"};
    enum hy_err err = HY_ENOMEM;
    struct upstream *u = calloc(1, sizeof *u);

    if (u == NULL)
        goto fail;
    hy_arena_init(&u->arena);
    u->events = *events;
    u->ctx = ctx;
    config.cluster_id = settings->cluster_id;
    config.curve_dir = settings->curve_dir[0] != '\0' ? settings->curve_dir : NULL;
    err = hy_apps_open(&u->apps);
    if (err == HY_OK)
        err = hy_bus_open(loop, &config, &handler, u, &u->bus);
    if (err == HY_OK)
        err = open_tiers(loop, u);
    if (err == HY_OK)
        err = hy_timer_open(loop, poll_apps, u, &u->poll);
    if (err != HY_OK)
        goto fail;
    hy_timer_every(u->poll, POLL_MS);
    *upstream = u;
    return HY_OK;

fail:
    upstream_close(&u);
    return err;
}

void upstream_close(struct upstream **upstream)
{
    struct upstream *u = *upstream;

    if (u == NULL)
        return;
    *upstream = NULL;
    hy_timer_close(&u->poll);
    hy_bus_close(&u->bus);
    hy_tier_close(&u->routers);
    hy_tier_close(&u->presences);
    hy_apps_close(&u->apps);
    hy_arena_free(&u->arena);
    free(u);
}

/* ---- for the worker ---- */

struct hy_bus *upstream_bus(struct upstream *upstream)
{
    return upstream->bus;
}

static struct hy_call call_of(struct upstream *u, hy_pick_fn *pick, uint16_t slot, uint16_t kind,
                              uint32_t deadline_ms)
{
    return (struct hy_call){
        .kind = kind, .deadline_ms = deadline_ms, .pick = pick, .pick_arg = u, .pick_key = slot};
}

uint64_t upstream_router(struct upstream *upstream, uint16_t slot, uint16_t kind,
                         uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                         void *arg)
{
    struct hy_call call = call_of(upstream, pick_router, slot, kind, deadline_ms);

    call.done = done;
    call.arg = arg;
    return hy_bus_call_pb(upstream->bus, &call, msg);
}

uint64_t upstream_router_bytes(struct upstream *upstream, uint16_t slot, uint16_t kind,
                               const void *payload, size_t len, hy_call_fn *done, void *arg)
{
    struct hy_call call = call_of(upstream, pick_router, slot, kind, 0);

    call.done = done;
    call.arg = arg;
    return hy_bus_call(upstream->bus, &call, payload, len);
}

uint64_t upstream_presence(struct upstream *upstream, uint16_t user_slot, uint16_t kind,
                           uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                           void *arg)
{
    struct hy_call call = call_of(upstream, pick_presence, user_slot, kind, deadline_ms);

    call.done = done;
    call.arg = arg;
    return hy_bus_call_pb(upstream->bus, &call, msg);
}

uint32_t upstream_code(enum hy_err err)
{
    return err == HY_ETIMEOUT ? HY_CODE_TIMEOUT : HY_CODE_UNAVAILABLE;
}

struct hy_peer *upstream_router_of(struct upstream *upstream, uint16_t slot)
{
    return owner_of(upstream->routers, slot);
}

struct hy_peer *upstream_router_other(struct upstream *upstream, uint16_t slot)
{
    return hy_tier_at(upstream->routers, hy_tier_other(upstream->routers, slot));
}

bool upstream_routers_moving(const struct upstream *upstream)
{
    return hy_tier_moving(upstream->routers);
}

int upstream_presence_of(struct upstream *upstream, uint16_t user_slot)
{
    return hy_tier_owner(upstream->presences, user_slot);
}

int upstream_presence_other(struct upstream *upstream, uint16_t user_slot)
{
    return hy_tier_other(upstream->presences, user_slot);
}

int upstream_presence_index(const struct upstream *upstream, const struct hy_peer *peer)
{
    return hy_tier_index(upstream->presences, peer);
}

struct hy_peer *upstream_presence_at(const struct upstream *upstream, int i)
{
    return hy_tier_at(upstream->presences, i);
}

const struct hy_apps *upstream_apps(const struct upstream *upstream)
{
    return upstream->apps;
}

bool upstream_ready(const struct upstream *upstream)
{
    return atomic_load_explicit(&upstream->ready, memory_order_relaxed);
}
