/* presences - the router's way to the presence processes.
 *
 * The process for a user is picked by the user's slot among those that are up. Belongs to the
 * router's loop. */

#ifndef ROUTER_PRESENCES_H
#define ROUTER_PRESENCES_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/settings.h"

struct presences;

/* One question. */
struct presences_call {
    uint16_t kind; /* a Hy__BusKind */
    int index;     /* presences_of() the user; -1: any, the first that is up */
    uint32_t deadline_ms;
    hy_call_fn *done; /* as in hy_call */
    void *arg;
};

/* Dial every presence process of the list ("name=endpoint"). */
enum hy_err presences_open(struct hy_bus *bus, const struct hy_text_list *list,
                           struct presences **presences) HY_CHECKED;

/* Forget the peers; the bus hangs up when it closes. NULL is fine. */
void presences_close(struct presences **presences);

size_t presences_count(const struct presences *presences);

/* The index of the process for a user; -1: none is up. */
int presences_of(const struct presences *presences, uint32_t app, const char *user);

/* The index of a peer; -1: it is no presence process. */
int presences_index(const struct presences *presences, const struct hy_peer *peer);

/* Ask. Returns the call's id. */
uint64_t presences_ask(struct presences *presences, const struct presences_call *call,
                       const ProtobufCMessage *msg);

/* Forget a question; 0: none. */
void presences_cancel(struct presences *presences, uint64_t call);

/* Tell process number index something that has no answer; lost when it is down. */
void presences_tell(struct presences *presences, int index, uint16_t kind,
                    const ProtobufCMessage *msg);

/* A presence process came or went. */
void presences_peer(struct presences *presences, const struct hy_peer *peer,
                    enum hy_peer_event event);

#endif
