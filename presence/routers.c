#include "presence/routers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/log.h"
#include "common/slot.h"

enum { APPS_POLL_MS = 500, APPS_DEADLINE_MS = 2000, RETRY_MS = 1000 };

struct routers {
    struct hy_bus *bus;
    size_t count;
    struct hy_peer **peers;
    const char **up_names; /* for hy_slot_pick(): NULL where not up */
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
    int i = hy_slot_pick((uint16_t)*slot, routers->up_names, routers->count);

    return i >= 0 ? routers->peers[i] : NULL;
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

static enum hy_err dial(struct routers *routers, const struct hy_text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        char name[64], endpoint[256];
        enum hy_err err = hy_settings_peer(list->items[i], name, endpoint);

        if (err == HY_OK)
            err = hy_bus_dial(routers->bus, "router", name, endpoint, &routers->peers[i]);
        if (err != HY_OK)
            return err;
        routers->count++;
    }
    return HY_OK;
}

enum hy_err routers_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_text_list *list,
                         void (*changed)(void *ctx), void *ctx, struct routers **routers)
{
    enum hy_err err = HY_ENOMEM;
    struct routers *r = calloc(1, sizeof *r);

    if (r == NULL)
        return err;
    r->bus = bus;
    r->changed = changed;
    r->ctx = ctx;
    hy_arena_init(&r->arena);
    r->peers = calloc(list->count + 1, sizeof(struct hy_peer *));
    r->up_names = calloc(list->count + 1, sizeof(char *));
    if (r->peers == NULL || r->up_names == NULL)
        goto fail;
    err = hy_apps_open(&r->apps);
    if (err == HY_OK)
        err = dial(r, list);
    if (err == HY_OK)
        err = hy_timer_open(loop, poll_apps, r, &r->poll);
    if (err != HY_OK)
        goto fail;
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
    free(r->peers);
    free(r->up_names);
    free(r);
}

bool routers_peer(struct routers *routers, const struct hy_peer *peer, enum hy_peer_event event)
{
    for (size_t i = 0; i < routers->count; i++) {
        bool was_up = routers->up_names[i] != NULL, up = event != HY_PEER_DOWN;

        if (routers->peers[i] != peer)
            continue;
        routers->up_names[i] = up ? hy_peer_name(peer) : NULL;
        if (up && !was_up)
            atomic_fetch_add(&routers->up, 1);
        if (!up && was_up)
            atomic_fetch_sub(&routers->up, 1);
        if (up)
            poll_apps(routers);
        return true;
    }
    return false;
}

bool routers_any_up(const struct routers *routers)
{
    return atomic_load(&((struct routers *)routers)->up) > 0;
}

const struct hy_apps *routers_apps(const struct routers *routers)
{
    return routers->apps;
}
