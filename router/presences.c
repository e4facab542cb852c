#include "router/presences.h"

#include <stdlib.h>

#include "common/slot.h"
#include "common/tier.h"

enum { PRESENCE_RETRY_MS = 500 };

struct presences {
    struct hy_bus *bus;
    struct hy_tier *tier;
};

static void add_node(void *arg, const struct hy_node *node)
{
    hy_tier_node(arg, node);
}

enum hy_err presences_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_fleet *fleet,
                           const struct presences_events *events, struct presences **presences)
{
    struct presences *p = calloc(1, sizeof *p);
    struct hy_tier_config config = {.loop = loop,
                                    .bus = bus,
                                    .component = "presence",
                                    .peer = events->peer,
                                    .ctx = events->ctx};
    enum hy_err err = HY_ENOMEM;

    if (p == NULL)
        return err;
    p->bus = bus;
    config.moved = events->moved;
    config.done = events->done;
    err = hy_tier_open(&config, &p->tier);
    if (err != HY_OK) {
        free(p);
        return err;
    }
    *presences = p;
    hy_fleet_each(fleet, "presence", add_node, p->tier);
    return HY_OK;
}

void presences_close(struct presences **presences)
{
    struct presences *p = *presences;

    if (p == NULL)
        return;
    *presences = NULL;
    hy_tier_close(&p->tier);
    free(p);
}

size_t presences_count(const struct presences *presences)
{
    return hy_tier_places(presences->tier);
}

bool presences_serves(const struct presences *presences, int index)
{
    return hy_tier_serves(presences->tier, index);
}

int presences_of(const struct presences *presences, uint32_t app, const char *user)
{
    return hy_tier_owner(presences->tier, hy_slot_user(app, user));
}

int presences_other(const struct presences *presences, uint32_t app, const char *user)
{
    return hy_tier_moving(presences->tier) ? hy_tier_other(presences->tier, hy_slot_user(app, user))
                                           : -1;
}

int presences_index(const struct presences *presences, const struct hy_peer *peer)
{
    return hy_tier_index(presences->tier, peer);
}

/* Whoever is up, for questions that any presence process can answer. */
static struct hy_peer *pick_any(void *arg, const void *key)
{
    const struct presences *presences = arg;

    (void)key;
    return hy_tier_at(presences->tier, hy_tier_any(presences->tier));
}

/* One process, as long as it has its place. */
static struct hy_peer *pick_one(void *arg, const void *key)
{
    const struct presences *presences = arg;

    return hy_tier_at(presences->tier, (int)*(const uint64_t *)key);
}

uint64_t presences_ask(struct presences *presences, const struct presences_call *call,
                       const ProtobufCMessage *msg)
{
    struct hy_call bus = {
        .kind = call->kind,
        .deadline_ms = call->deadline_ms,
        .retry_ms = PRESENCE_RETRY_MS,
        .pick = call->index >= 0 ? pick_one : pick_any,
        .pick_arg = presences,
        .pick_key = call->index >= 0 ? (uint64_t)call->index : 0,
        .done = call->done,
        .arg = call->arg,
    };

    return hy_bus_call_pb(presences->bus, &bus, msg);
}

void presences_cancel(struct presences *presences, uint64_t call)
{
    if (call != 0)
        hy_bus_cancel(presences->bus, call);
}

void presences_tell(struct presences *presences, int index, uint16_t kind,
                    const ProtobufCMessage *msg)
{
    struct hy_peer *peer = hy_tier_at(presences->tier, index);

    if (peer != NULL && hy_peer_up(peer))
        (void)!hy_bus_send_pb(peer, kind, 0, msg);
}

void presences_peer(struct presences *presences, const struct hy_peer *peer,
                    enum hy_peer_event event)
{
    (void)hy_tier_peer(presences->tier, peer, event);
}

void presences_node(struct presences *presences, const struct hy_node *node)
{
    hy_tier_node(presences->tier, node);
}
