/* place - a place in a shard's log: a sequence number, and the reign that wrote it. Two logs that
 * have the same place are the same up to there, for a reign writes each number once. */

#ifndef STORE_REPLICA_PLACE_H
#define STORE_REPLICA_PLACE_H

#include <stdint.h>

struct place {
    uint64_t epoch, seq; /* 0, 0: the empty log */
};

/* Which log is further: above 0 a, below 0 b. The younger reign counts first. */
static inline int place_compare(struct place a, struct place b)
{
    if (a.epoch != b.epoch)
        return a.epoch > b.epoch ? 1 : -1;
    return a.seq == b.seq ? 0 : a.seq > b.seq ? 1 : -1;
}

#endif
