/* stores - the router's way to the shards of the store.
 *
 * Belongs to the router's loop. */

#ifndef ROUTER_STORES_H
#define ROUTER_STORES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/settings.h"

struct stores;

/* One question. */
struct stores_call {
    uint16_t kind;  /* a Hy__BusKind */
    uint32_t shard; /* stores_shard() of the slot in question */
    uint32_t deadline_ms;
    hy_call_fn *done; /* as in hy_call */
    void *arg;
};

/* Dial every store of the list ("name=endpoint"; the place in the list is the shard). HY_ECONFIG:
 * none, more than 1024, or one without an endpoint. */
enum hy_err stores_open(struct hy_bus *bus, const struct hy_text_list *list,
                        struct stores **stores) HY_CHECKED;

/* Forget the peers; the bus hangs up when it closes. NULL is fine. */
void stores_close(struct stores **stores);

uint32_t stores_count(const struct stores *stores);

/* Which shard has a slot. */
uint32_t stores_shard(const struct stores *stores, uint16_t slot);

/* The first slot of a shard. */
uint16_t stores_first_slot(const struct stores *stores, uint32_t shard);

/* Is the shard's process connected? */
bool stores_up(const struct stores *stores, uint32_t shard);

/* Is any? Any thread may ask. */
bool stores_any_up(const struct stores *stores);

/* Ask. Returns the call's id, for hy_bus_cancel(). */
uint64_t stores_ask(struct stores *stores, const struct stores_call *call, const void *payload,
                    size_t len);
uint64_t stores_ask_pb(struct stores *stores, const struct stores_call *call,
                       const ProtobufCMessage *msg);

/* A store came or went. */
void stores_peer(struct stores *stores, const struct hy_peer *peer, enum hy_peer_event event);

#endif
