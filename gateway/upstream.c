#include "gateway/upstream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/slot.h"

enum { POLL_MS = 500 };

/* The processes of one component, in the order of the settings. */
struct tier {
    size_t count;
    struct hy_peer **peers;
    const char **up; /* scratch for hy_slot_pick(): names of those that are up, else NULL */
};

struct upstream {
    struct hy_bus *bus;
    struct hy_apps *apps;
    struct hy_timer *poll;
    struct upstream_events events;
    void *ctx;
    struct tier routers, presences;
    struct hy_arena arena;
    uint64_t poll_call; /* 0: none under way */
    bool apps_read;
    _Atomic bool ready; /* read by the status thread */
};

static void tier_close(struct tier *tier)
{
    free(tier->peers);
    free(tier->up);
    *tier = (struct tier){0};
}

static enum hy_err tier_open(struct tier *tier, struct hy_bus *bus, const char *component,
                             const struct hy_text_list *list)
{
    char name[64], endpoint[256];

    tier->peers = calloc(list->count + 1, sizeof(struct hy_peer *));
    tier->up = calloc(list->count + 1, sizeof(const char *));
    if (tier->peers == NULL || tier->up == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < list->count; i++) {
        enum hy_err err = hy_settings_peer(list->items[i], name, endpoint);

        if (err == HY_OK)
            err = hy_bus_dial(bus, component, name, endpoint, &tier->peers[i]);
        if (err != HY_OK)
            return err;
        tier->count++;
    }
    return HY_OK;
}

static struct hy_peer *tier_pick(const struct tier *tier, uint16_t slot)
{
    int i;

    for (size_t n = 0; n < tier->count; n++)
        tier->up[n] = hy_peer_up(tier->peers[n]) ? hy_peer_name(tier->peers[n]) : NULL;
    i = hy_slot_pick(slot, tier->up, tier->count);
    return i < 0 ? NULL : tier->peers[i];
}

static bool tier_any_up(const struct tier *tier)
{
    for (size_t n = 0; n < tier->count; n++)
        if (hy_peer_up(tier->peers[n]))
            return true;
    return false;
}

static struct hy_peer *pick_router(void *arg, const void *key)
{
    const struct upstream *u = arg;

    return tier_pick(&u->routers, (uint16_t) * (const uint64_t *)key);
}

static struct hy_peer *pick_presence(void *arg, const void *key)
{
    const struct upstream *u = arg;

    return tier_pick(&u->presences, (uint16_t) * (const uint64_t *)key);
}

static void note_ready(struct upstream *u)
{
    atomic_store_explicit(&u->ready, u->apps_read && tier_any_up(&u->routers),
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

    if (u->poll_call != 0 || !tier_any_up(&u->routers))
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

    note_ready(u);
    if (!u->apps_read)
        poll_apps(u);
    if (u->events.peer != NULL)
        u->events.peer(u->ctx, peer, event);
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
        err = tier_open(&u->routers, u->bus, "router", &settings->routers);
    if (err == HY_OK)
        err = tier_open(&u->presences, u->bus, "presence", &settings->presences);
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
    tier_close(&u->routers);
    tier_close(&u->presences);
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
    return tier_pick(&upstream->routers, slot);
}

struct hy_peer *upstream_presence_of(struct upstream *upstream, uint16_t user_slot)
{
    return tier_pick(&upstream->presences, user_slot);
}

size_t upstream_presence_count(const struct upstream *upstream)
{
    return upstream->presences.count;
}

struct hy_peer *upstream_presence_at(const struct upstream *upstream, size_t i)
{
    return upstream->presences.peers[i];
}

const struct hy_apps *upstream_apps(const struct upstream *upstream)
{
    return upstream->apps;
}

bool upstream_ready(const struct upstream *upstream)
{
    return atomic_load_explicit(&upstream->ready, memory_order_relaxed);
}
