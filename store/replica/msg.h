/* msg - what the copies of a shard say to each other. Lent for the call that gives it.
 *
 * The epoch of what a leader sends, and of the answers to it, is that of its reign; a follower that
 * knows a younger one answers REFUSED. Rows that a reign did not write itself travel under the
 * epoch of the one that sends them. */

#ifndef STORE_REPLICA_MSG_H
#define STORE_REPLICA_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/replica/copies.h"
#include "store/replica/place.h"

enum msg_kind {
    MSG_ASK,   /* candidate to all: how far is your log? number */
    MSG_PLACE, /* the answer: number, id, places[0], rebuilding; epoch: the youngest known */
    MSG_JOIN,  /* follower to leader: number (of the try), id, places: where its log ends, then
                  where its local checkpoints end, newest first */
    MSG_START, /* leader to follower: number, choice, reign, commit */
    MSG_BATCH, /* leader to follower: stamp, commit, batch */
    MSG_BEAT, /* leader to follower: stamp, commit, number and seq: to where it was sent in this try
               */
    MSG_ACK,  /* follower to leader: number, stamp, seq: to where it is on disk */
    MSG_REFUSED, /* follower to who leads no more: epoch: the youngest known */
    MSG_KINDS
};

enum { PLACES_MAX = 4 };

/* What to do about a JOIN: the index of the place to go on from (0: no need to go back), or: */
enum { CHOICE_COPY = -1 /* nothing of yours fits, copy all from me */ };

struct batch_ref {
    uint64_t first; /* sequence of its first row */
    uint32_t count; /* of rows, at least 1 */
    uint64_t reign; /* it is the row of this reign; 0: another batch */
    const uint8_t *bytes;
    size_t len;
};

static inline uint64_t batch_last(const struct batch_ref *batch)
{
    return batch->first + batch->count - 1;
}

struct msg {
    enum msg_kind kind;
    uint64_t epoch;
    uint64_t number;
    struct copy_id id;
    size_t place_count;
    struct place places[PLACES_MAX];
    bool rebuilding;
    int choice;
    uint64_t reign; /* the sequence it begins at */
    uint64_t commit, stamp, seq;
    struct batch_ref batch;
};

#endif
