/* tier - the processes of one component that this process dials, and which of them serves a slot.
 *
 * Slots are shared by rendezvous hashing, so when a node comes or goes only its slots move. In a
 * planned move two nodes know about a slot for a while, its owner and another one:
 *
 *     node is           owner of its slots        the other one
 *     joining           who had them              the node
 *     serving, lately   the node                  who had them
 *     serving           the node                  nobody
 *     leaving           the node                  who will have them
 *     left, lately      who has them now          the node
 *
 * Whatever must not be missed goes to both; then it does not matter that processes learn of a step
 * at different moments. Nodes that are down are not picked at all, and one that started again is
 * not before it said so by the coordinator (unless there is no other). Every node of the settings
 * file is serving for ever.
 *
 * A node is told (NODE_SEEN) that this process has done what its state asks for; passage.h waits
 * for that. Belongs to one loop. */

#ifndef COMMON_TIER_H
#define COMMON_TIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"
#include "common/loop.h"

struct hy_tier;

enum { HY_TIER_HANDOVER_MS = 10000 };

struct hy_tier_config {
    struct hy_loop *loop;
    struct hy_bus *bus;
    const char *component; /* of those dialled */
    const char *self; /* a node of this name is not dialled but picked as if it were; or NULL */
    /* Slots have other owners, or others beside them, without a peer's coming or going. May be
     * NULL. */
    void (*moved)(void *ctx);
    /* A peer that is up is about to be hung up: what the bus's own event would have told. */
    void (*peer)(void *ctx, struct hy_peer *peer, enum hy_peer_event event);
    /* Has what node i's state asks for been done? NULL: there is nothing to do. */
    bool (*done)(void *ctx, int i, enum hy_node_state state);
    void *ctx;
};

enum hy_err hy_tier_open(const struct hy_tier_config *config, struct hy_tier **tier) HY_CHECKED;

/* After the bus. NULL is fine. */
void hy_tier_close(struct hy_tier **tier);

/* What the fleet tells of a node of this component; others are ignored. */
void hy_tier_node(struct hy_tier *tier, const struct hy_node *node);

/* What the bus tells. False: it is no peer of this tier. */
bool hy_tier_peer(struct hy_tier *tier, const struct hy_peer *peer, enum hy_peer_event event);

/* Places: a node has one as long as it is known; a place is used again when its node is long gone.
 */
size_t hy_tier_places(const struct hy_tier *tier);
struct hy_peer *hy_tier_at(const struct hy_tier *tier, int i); /* NULL: free, or this process */
const char *hy_tier_name(const struct hy_tier *tier, int i);   /* NULL: free */
bool hy_tier_up(const struct hy_tier *tier, int i);
int hy_tier_index(const struct hy_tier *tier, const struct hy_peer *peer); /* -1: none */
int hy_tier_find(const struct hy_tier *tier, const char *name);            /* -1: none */

/* The place of the slot's owner, and of the other one who knows about it; -1: nobody. */
int hy_tier_owner(const struct hy_tier *tier, uint16_t slot);
int hy_tier_other(const struct hy_tier *tier, uint16_t slot);

/* The owner whether it is up or not: whose the slot is when all are there. -1: no node is known. */
int hy_tier_home(const struct hy_tier *tier, uint16_t slot);

/* Whoever is up; -1. */
int hy_tier_any(const struct hy_tier *tier);

/* Does place i own slots? A joining one does not yet. */
bool hy_tier_serves(const struct hy_tier *tier, int i);

/* Is any slot in a planned move? */
bool hy_tier_moving(const struct hy_tier *tier);

#endif
