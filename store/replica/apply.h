/* apply - what a follower accepts of what a leader sends. */

#ifndef STORE_REPLICA_APPLY_H
#define STORE_REPLICA_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/replica/copies.h"
#include "store/replica/msg.h"

struct apply {
    uint64_t seen;          /* the youngest reign known of */
    char leader[COPY_NODE]; /* whom this copy follows, "" nobody ... */
    uint64_t epoch;         /* ... in this reign */
    uint64_t number;        /* of the try to join it */
    bool streaming;         /* it said to go on from where the log ends here */
    uint64_t stamp;         /* of the newest beat */
    uint64_t reign, commit; /* of the leader: what may have been told lies below them */
};

enum verdict {
    APPLY_REFUSE, /* from a reign that is over */
    APPLY_TURN,   /* from a younger reign, or the leader nobody knew of: follow it */
    APPLY_IGNORE, /* not joined yet */
    APPLY_WRITE,  /* a batch that goes on where the log ends, or a beat */
    APPLY_HAVE,   /* a batch that is here already */
    APPLY_GAP,    /* something was lost on the way: join again */
};

/* latest: where the log ends here. For START, BATCH and BEAT. */
enum verdict apply_judge(const struct apply *apply, const char *from, const struct msg *msg,
                         uint64_t latest);

/* Follow a leader from here on. The next try to join gets a number of its own. */
void apply_follow(struct apply *apply, const char *leader, uint64_t epoch);
/* Join once more. */
void apply_again(struct apply *apply);

/* Is everything on disk here that may have been told, so that this copy may lead again? */
bool apply_whole(const struct apply *apply, uint64_t durable);

#endif
