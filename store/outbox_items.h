/* outbox_items - the rows of the outbox in memory: what each has yet to tell, and to which shard.
 *
 * A part of outbox.c. An item is one row; a leg is a user whose index is to learn: a pair has two,
 * a membership one. */

#ifndef STORE_OUTBOX_ITEMS_H
#define STORE_OUTBOX_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/key.h"

struct item;
struct telling;

enum leg_state { LEG_NONE, LEG_IDLE, LEG_WAITS, LEG_SENT };

struct leg {
    struct item *item;
    enum leg_state state;
    uint32_t shard;
    uint64_t due_ms;
    uint64_t sent;           /* the item's generation when it was sent */
    struct leg *prev, *next; /* in its shard's list while it waits or is sent */
};

struct item {
    struct item *chain;
    uint64_t hash;
    struct item *next_cool; /* done, and kept for a while: the next change is likely near */
    uint64_t generation;    /* +1 with each change */
    uint64_t cool_ms;       /* until when */
    bool cooling;
    struct telling *telling; /* ends when the untold legs (bits) have told what came */
    uint64_t told_after;     /* after this generation */
    unsigned untold;
    struct leg legs[2];
    struct key key;
};

struct leg_list {
    struct leg *first, *last;
};

struct lane { /* to one shard */
    struct leg_list waiting, sent;
    uint64_t calling; /* token of the call, 0: none */
};

struct items {
    uint32_t shards;
    struct lane *lanes; /* by shard; one more for those of nobody, which wait for another map */
    struct item **table;
    size_t mask, count;
    struct item *cool, **cool_end; /* by cool_ms */
};

/* Start with none, for no shard. HY_ENOMEM: items_free() it. */
enum hy_err items_init(struct items *items) HY_CHECKED;
void items_free(struct items *items);

/* The item of a key; NULL: there is none. */
struct item *items_find(const struct items *items, const struct key *key);

/* The same, made if need be; NULL: no memory. */
struct item *items_make(struct items *items, const struct key *key);

/* Forget all, and have lanes to so many shards. HY_ENOMEM: to as many as before. */
enum hy_err items_reset(struct items *items, uint32_t shards) HY_CHECKED;

/* Forget one; all, and the calls under way. */
void items_drop(struct items *items, struct item *item);
void items_drop_all(struct items *items);

/* Nothing of it waits or is sent. */
bool item_done(const struct item *item);

/* Keep an item that is done until then; it is in the list once. */
void items_cool(struct items *items, struct item *item, uint64_t until_ms);

/* Take one that has been kept long enough, done or busy again, off the list; NULL: none. */
struct item *items_cooled(struct items *items, uint64_t now_ms);

/* The lane of an owner. */
uint32_t lane_of(const struct items *items, uint32_t owner);

/* The leg waits in its shard's lane; first: before those that wait already. */
void leg_wait(struct items *items, struct leg *leg, bool first);

/* The leg has been told here: it waits no more. */
void leg_idle(struct items *items, struct leg *leg);

/* The leg that waits goes into what its lane's call sends. */
void leg_send(struct items *items, struct leg *leg);

/* The leg's bit in untold. */
unsigned leg_bit(const struct leg *leg);

#endif
