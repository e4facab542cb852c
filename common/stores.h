/* stores - the way of a router, and of other shards, to the shards of the store.
 *
 * Dials every store process of the fleet. A question goes to the leader of the shard that owns the
 * slot, looked up at each try: when either changes, or a store answers STORE_ELSEWHERE, it is asked
 * again within its deadline, and who asked does not notice. Belongs to one loop. */

#ifndef COMMON_STORES_H
#define COMMON_STORES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"

struct hy_stores;

/* Where a question goes. */
static inline uint32_t hy_stores_at_slot(uint16_t slot)
{
    return slot;
}

static inline uint32_t hy_stores_at_shard(uint32_t shard)
{
    return 1U << 31 | shard;
}

/* One question. */
struct hy_stores_call {
    uint16_t kind;  /* a Hy__BusKind */
    uint32_t where; /* hy_stores_at_slot(), hy_stores_at_shard() */
    uint32_t deadline_ms;
    hy_call_fn *done; /* as in hy_call */
    void *arg;
};

struct hy_stores_options {
    const char *available; /* a gauge by shard: is its leader connected? NULL: none */
    bool not_own;          /* stores of shard own are not dialled: who asks is one of them */
    uint32_t own;
};

/* The fleet is lent, and so is the gauge's name. */
enum hy_err hy_stores_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_fleet *fleet,
                           const struct hy_stores_options *options,
                           struct hy_stores **stores) HY_CHECKED;

/* Forget the peers; the bus hangs up when it closes. NULL is fine. */
void hy_stores_close(struct hy_stores **stores);

/* How many shards there are, at least 1; all numbers are below. Changes with the map: who keeps
 * something by shard over a turn keeps the number too. */
uint32_t hy_stores_count(const struct hy_stores *stores);

/* Does the shard own any slot now? One that does not may have no stores any more. */
bool hy_stores_owns(const struct hy_stores *stores, uint32_t shard);

/* Which shard owns a slot now. */
uint32_t hy_stores_shard(const struct hy_stores *stores, uint16_t slot);

/* The first slot behind this one that another shard owns; HY_SLOTS: none. */
uint32_t hy_stores_run_end(const struct hy_stores *stores, uint16_t slot);

/* Is the leader's process connected? */
bool hy_stores_up(const struct hy_stores *stores, uint32_t shard);

/* Is any? Any thread may ask. */
bool hy_stores_any_up(const struct hy_stores *stores);

/* Ask. Returns the call's id, for hy_bus_cancel(). */
uint64_t hy_stores_ask(struct hy_stores *stores, const struct hy_stores_call *call,
                       const void *payload, size_t len);
uint64_t hy_stores_ask_pb(struct hy_stores *stores, const struct hy_stores_call *call,
                          const ProtobufCMessage *msg);

/* ---- what happens ---- */

/* A store process came or went on the bus. False: it is none. */
bool hy_stores_peer(struct hy_stores *stores, const struct hy_peer *peer, enum hy_peer_event event);

/* What the fleet tells. */
void hy_stores_node(struct hy_stores *stores, const struct hy_node *node);
void hy_stores_map(struct hy_stores *stores);
void hy_stores_leader(struct hy_stores *stores, uint32_t shard);

#endif
