/* slot - which of the 16,384 slots a thing lives in, and which shard owns a slot.
 *
 * slot = mix64(fnv1a64(app as u32 LE, kind u8, id)) >> 50; vectors in tests/unit/slot_test.c. */

#ifndef COMMON_SLOT_H
#define COMMON_SLOT_H

#include <stddef.h>
#include <stdint.h>

enum { HY_SLOTS = 16384 };

enum hy_kind {
    HY_KIND_APP = 0,   /* id "", app 0: the list of apps; app n: that app's own rows */
    HY_KIND_USER = 1,
    HY_KIND_GROUP = 2,
    HY_KIND_PAIR = 3,  /* id = both users sorted by bytes, a NUL between */
};

/* splitmix64's finaliser. */
uint64_t hy_mix64(uint64_t x);

uint16_t hy_slot(uint32_t app, enum hy_kind kind, const void *id, size_t len);
uint16_t hy_slot_user(uint32_t app, const char *user);

/* A user as a number that all processes agree on; the upper 14 bits are the slot. Never 0. */
uint64_t hy_user_hash(uint32_t app, const char *user);
uint16_t hy_slot_group(uint32_t app, const char *group);
uint16_t hy_slot_pair(uint32_t app, const char *a, const char *b);

/* Of a conversation as its member user sees it: the pair (user, peer) or the group peer.
 * conv_type is a Hy__ConvType. */
uint16_t hy_slot_conv(uint32_t app, int conv_type, const char *user, const char *peer);

/* The shard that owns a slot when shards of equal size share them in order. */
uint32_t hy_slot_shard(uint16_t slot, uint32_t shards);

/* The candidate with the highest weight for this slot among n that are up (rendezvous hashing); so
 * when one goes, only its slots move. names[i] NULL: not up. -1: none is up. */
int hy_slot_pick(uint16_t slot, const char *const *names, size_t n);

#endif
