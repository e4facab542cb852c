/* presences - the router's way to the presence processes.
 *
 * The process for a user is picked by the user's slot among those that are up and serve; while his
 * slot moves from one to another as planned there is a second one that knows about him (tier.h).
 * Processes have numbers below presences_count(). Belongs to the router's loop. */

#ifndef ROUTER_PRESENCES_H
#define ROUTER_PRESENCES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"

struct presences;

/* One question. */
struct presences_call {
    uint16_t kind; /* a Hy__BusKind */
    int index;     /* presences_of() the user; -1: any, the first that is up */
    uint32_t deadline_ms;
    hy_call_fn *done; /* as in hy_call */
    void *arg;
};

struct presences_events {
    /* Users have other processes, or others beside them. */
    void (*moved)(void *ctx);
    /* As hy_bus_handler's: a process that is up is hung up. */
    void (*peer)(void *ctx, struct hy_peer *peer, enum hy_peer_event event);
    /* Has what this state of process number index asks for been done? */
    bool (*done)(void *ctx, int index, enum hy_node_state state);
    void *ctx;
};

/* Dial every presence process of the fleet. */
enum hy_err presences_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_fleet *fleet,
                           const struct presences_events *events,
                           struct presences **presences) HY_CHECKED;

/* Forget the peers; the bus hangs up when it closes. NULL is fine. */
void presences_close(struct presences **presences);

/* Numbers are below this; not all are in use. */
size_t presences_count(const struct presences *presences);

/* Does this number belong to a process that serves users, up or not? */
bool presences_serves(const struct presences *presences, int index);

/* The process for a user, and the second one; -1: none. */
int presences_of(const struct presences *presences, uint32_t app, const char *user);
int presences_other(const struct presences *presences, uint32_t app, const char *user);

/* The number of a peer; -1: it is no presence process. */
int presences_index(const struct presences *presences, const struct hy_peer *peer);

/* Ask. Returns the call's id. */
uint64_t presences_ask(struct presences *presences, const struct presences_call *call,
                       const ProtobufCMessage *msg);

/* Forget a question; 0: none. */
void presences_cancel(struct presences *presences, uint64_t call);

/* Tell process number index something that has no answer; lost when it is down. */
void presences_tell(struct presences *presences, int index, uint16_t kind,
                    const ProtobufCMessage *msg);

/* A presence process came or went on the bus. */
void presences_peer(struct presences *presences, const struct hy_peer *peer,
                    enum hy_peer_event event);

/* What the fleet tells. */
void presences_node(struct presences *presences, const struct hy_node *node);

#endif
