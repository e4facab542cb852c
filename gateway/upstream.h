/* upstream - a gateway worker's way to routers and presence, and the apps they tell it about.
 *
 * One per worker, on the worker's loop. Picks a router by the slot of what is asked about and a
 * presence process by the user's slot (hy_slot_pick over those that are up); calls follow a
 * fail-over. */

#ifndef GATEWAY_UPSTREAM_H
#define GATEWAY_UPSTREAM_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app.h"
#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"
#include "common/loop.h"
#include "common/settings.h"

struct upstream;

/* What the rest of the worker is told. */
struct upstream_events {
    /* A Push, PushMark, KickSession or Register request from a router or presence. */
    void (*record)(void *ctx, struct hy_peer *peer, const struct hy_record *record);
    /* A router or presence process came, restarted or went. */
    void (*peer)(void *ctx, struct hy_peer *peer, enum hy_peer_event event);
    /* Slots have other routers, users have other presence processes, or a second one besides. */
    void (*routers_moved)(void *ctx);
    void (*presences_moved)(void *ctx);
    /* Has what the state of presence process i, or of a router, asks for been done? (tier.h) */
    bool (*presence_done)(void *ctx, int i, enum hy_node_state state);
    bool (*router_done)(void *ctx);
};

/* Be worker_name ("gateway-0/1") on the bus. */
enum hy_err upstream_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          const char *worker_name, const struct upstream_events *events, void *ctx,
                          struct upstream **upstream) HY_CHECKED;
void upstream_close(struct upstream **upstream);

/* What the fleet tells of a router or presence process: dial it, or use it no more. */
void upstream_node(struct upstream *upstream, const struct hy_node *node);

/* The bus, for hy_bus_cancel(). */
struct hy_bus *upstream_bus(struct upstream *upstream);

/* Ask the router of a slot (or presence of a user's slot). kind is a Hy__BusKind. done is called
 * once, later, with HY_ETIMEOUT when deadline_ms (0 = 5000) passed. Returns the call's id. */
uint64_t upstream_router(struct upstream *upstream, uint16_t slot, uint16_t kind,
                         uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                         void *arg);
uint64_t upstream_presence(struct upstream *upstream, uint16_t user_slot, uint16_t kind,
                           uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                           void *arg);

/* upstream_router() for a payload that is encoded already (copied), with the usual deadline. */
uint64_t upstream_router_bytes(struct upstream *upstream, uint16_t slot, uint16_t kind,
                               const void *payload, size_t len, hy_call_fn *done, void *arg);

/* What to tell a client whose call came to nothing: TIMEOUT when the outcome is not known, else
 * UNAVAILABLE. */
uint32_t upstream_code(enum hy_err err);

/* The router that serves a slot now, or NULL; and the one that did or will, while that changes. */
struct hy_peer *upstream_router_of(struct upstream *upstream, uint16_t slot);
struct hy_peer *upstream_router_other(struct upstream *upstream, uint16_t slot);
bool upstream_routers_moving(const struct upstream *upstream);

/* The same for presence, by number; -1: none. */
int upstream_presence_of(struct upstream *upstream, uint16_t user_slot);
int upstream_presence_other(struct upstream *upstream, uint16_t user_slot);
int upstream_presence_index(const struct upstream *upstream, const struct hy_peer *peer);
struct hy_peer *upstream_presence_at(const struct upstream *upstream, int i); /* NULL: none */

/* The apps known now; polled from a router every 500 ms. */
const struct hy_apps *upstream_apps(const struct upstream *upstream);

/* At least one router is up and the apps have been read once. Any thread. */
bool upstream_ready(const struct upstream *upstream);

#endif
