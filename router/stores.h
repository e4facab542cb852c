/* stores - the router's way to the shards of the store.
 *
 * Dials every store process of the fleet. A question goes to the leader of the shard that owns the
 * slot, looked up at each try: when either changes, or a store answers STORE_ELSEWHERE, it is asked
 * again within its deadline, and who asked does not notice. Belongs to the router's loop. */

#ifndef ROUTER_STORES_H
#define ROUTER_STORES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"

struct stores;

/* Where a question goes. */
static inline uint32_t stores_at_slot(uint16_t slot)
{
    return slot;
}

static inline uint32_t stores_at_shard(uint32_t shard)
{
    return 1U << 31 | shard;
}

/* One question. */
struct stores_call {
    uint16_t kind;  /* a Hy__BusKind */
    uint32_t where; /* stores_at_slot(), stores_at_shard() */
    uint32_t deadline_ms;
    hy_call_fn *done; /* as in hy_call */
    void *arg;
};

/* The fleet is lent. */
enum hy_err stores_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_fleet *fleet,
                        struct stores **stores) HY_CHECKED;

/* Forget the peers; the bus hangs up when it closes. NULL is fine. */
void stores_close(struct stores **stores);

/* How many shards there are, at least 1; all numbers are below. Changes with the map: who keeps
 * something by shard over a turn keeps the number too. */
uint32_t stores_count(const struct stores *stores);

/* Which shard owns a slot now. */
uint32_t stores_shard(const struct stores *stores, uint16_t slot);

/* The first slot behind this one that another shard owns; HY_SLOTS: none. */
uint32_t stores_run_end(const struct stores *stores, uint16_t slot);

/* Is the leader's process connected? */
bool stores_up(const struct stores *stores, uint32_t shard);

/* Is any? Any thread may ask. */
bool stores_any_up(const struct stores *stores);

/* Ask. Returns the call's id, for hy_bus_cancel(). */
uint64_t stores_ask(struct stores *stores, const struct stores_call *call, const void *payload,
                    size_t len);
uint64_t stores_ask_pb(struct stores *stores, const struct stores_call *call,
                       const ProtobufCMessage *msg);

/* ---- what happens ---- */

/* A store process came or went on the bus. False: it is none. */
bool stores_peer(struct stores *stores, const struct hy_peer *peer, enum hy_peer_event event);

/* What the fleet tells. */
void stores_node(struct stores *stores, const struct hy_node *node);
void stores_map(struct stores *stores);
void stores_leader(struct stores *stores, uint32_t shard);

#endif
