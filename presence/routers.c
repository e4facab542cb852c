#include "presence/routers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/log.h"
#include "common/slot.h"
#include "common/tier.h"

enum { APPS_POLL_MS = 500, APPS_DEADLINE_MS = 2000, RETRY_MS = 1000 };

struct routers {
    struct hy_bus *bus;
    struct hy_tier *tier;
    atomic_uint up;
    struct hy_apps *apps;
    struct hy_arena arena;
    struct hy_timer *poll;
    bool asking;
    void (*changed)(void *ctx);
    void *ctx;
};

static struct hy_peer *pick(void *arg, const void *key)
{
    const struct routers *routers = arg;
    const uint64_t *slot = key;

    return hy_tier_at(routers->tier, hy_tier_owner(routers->tier, (uint16_t)*slot));
}

static void ask(struct routers *routers, uint16_t slot, struct hy_call call,
                const ProtobufCMessage *msg)
{
    call.pick = pick;
    call.pick_arg = routers;
    call.pick_key = slot;
    hy_bus_call_pb(routers->bus, &call, msg);
}

void routers_ask(struct routers *routers, uint16_t slot, uint16_t kind, uint32_t deadline_ms,
                 const ProtobufCMessage *msg, hy_call_fn *done, void *arg)
{
    ask(routers, slot,
        (struct hy_call){.kind = kind,
                         .deadline_ms = deadline_ms,
                         .retry_ms = RETRY_MS,
                         .done = done,
                         .arg = arg},
        msg);
}

void routers_ask_once(struct routers *routers, uint16_t slot, uint16_t kind, uint32_t deadline_ms,
                      const ProtobufCMessage *msg, hy_call_fn *done, void *arg)
{
    ask(routers, slot,
        (struct hy_call){.kind = kind,
                         .deadline_ms = deadline_ms,
                         .retry_ms = deadline_ms,
                         .done = done,
                         .arg = arg},
        msg);
}

static void on_apps(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct routers *routers = arg;

    routers->asking = false;
    if (err != HY_OK)
        return;
    Hy__AppsRes *res = hy__apps_res__unpack(&routers->arena.pb, answer->len, answer->payload);

    if (res != NULL && res->code == 0 && res->version > hy_apps_version(routers->apps)) {
        err = hy_apps_merge(routers->apps, res->n_apps, res->apps, res->version);
        if (err == HY_OK)
            routers->changed(routers->ctx);
        else
            hy_log_warn("apps.not_taken", "why=\"%s\"", hy_err_text(err));
    }
    hy_arena_reset(&routers->arena);
}

static void poll_apps(void *arg)
{
    struct routers *routers = arg;
    Hy__AppsReq req = HY__APPS_REQ__INIT;

    if (routers->asking || !routers_any_up(routers))
        return;
    routers->asking = true;
    req.since_version = hy_apps_version(routers->apps);
    routers_ask(routers, hy_slot(0, HY_KIND_APP, "", 0), HY__BUS_KIND__ROUTER_APPS,
                APPS_DEADLINE_MS, &req.base, on_apps, routers);
}

static void add_node(void *arg, const struct hy_node *node)
{
    hy_tier_node(arg, node);
}

enum hy_err routers_open(const struct routers_config *config, struct routers **routers)
{
    struct routers *r = calloc(1, sizeof *r);
    struct hy_tier_config tier = {.loop = config->loop,
                                  .bus = config->bus,
                                  .component = "router",
                                  .peer = config->peer,
                                  .ctx = config->ctx};
    enum hy_err err = HY_ENOMEM;

    if (r == NULL)
        return err;
    r->bus = config->bus;
    r->changed = config->changed;
    r->ctx = config->ctx;
    hy_arena_init(&r->arena);
    err = hy_apps_open(&r->apps);
    if (err == HY_OK)
        err = hy_tier_open(&tier, &r->tier);
    if (err == HY_OK)
        err = hy_timer_open(config->loop, poll_apps, r, &r->poll);
    if (err != HY_OK)
        goto fail;
    hy_fleet_each(config->fleet, "router", add_node, r->tier);
    hy_timer_every(r->poll, APPS_POLL_MS);
    *routers = r;
    return HY_OK;

fail:
    routers_close(&r);
    return err;
}

void routers_close(struct routers **routers)
{
    struct routers *r = *routers;

    if (r == NULL)
        return;
    *routers = NULL;
    hy_timer_close(&r->poll);
    hy_apps_close(&r->apps);
    hy_arena_free(&r->arena);
    hy_tier_close(&r->tier);
    free(r);
}

static void count_up(struct routers *routers)
{
    unsigned up = 0;

    for (size_t i = 0; i < hy_tier_places(routers->tier); i++)
        up += hy_tier_up(routers->tier, (int)i);
    atomic_store(&routers->up, up);
}

bool routers_peer(struct routers *routers, const struct hy_peer *peer, enum hy_peer_event event)
{
    if (!hy_tier_peer(routers->tier, peer, event))
        return false;
    count_up(routers);
    if (event != HY_PEER_DOWN)
        poll_apps(routers);
    return true;
}

void routers_node(struct routers *routers, const struct hy_node *node)
{
    hy_tier_node(routers->tier, node);
    count_up(routers);
}

bool routers_any_up(const struct routers *routers)
{
    return atomic_load(&((struct routers *)routers)->up) > 0;
}

const struct hy_apps *routers_apps(const struct routers *routers)
{
    return routers->apps;
}
