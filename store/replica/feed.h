/* feed - what a leader knows of one follower: what it was sent, has on disk, and confirmed. */

#ifndef STORE_REPLICA_FEED_H
#define STORE_REPLICA_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/replica/copies.h"
#include "store/replica/msg.h"

enum { FEED_FLIGHT = 128, FEED_FLIGHT_BYTES = 8 << 20 };

struct feed {
    bool joined;       /* its log is a beginning of ours, and what follows is sent */
    bool rebuilding;   /* it may not lead yet, so it is no use in the set either */
    uint64_t number;   /* of its try to join */
    struct copy_id id; /* who joined */
    uint64_t sent;     /* highest sequence sent */
    uint64_t acked;    /* on its disk */
    uint64_t stamp;    /* of the newest beat it confirmed */
    /* It was seen to have all that there had been at caught_ms; and what to look for next. */
    uint64_t caught_ms, target, target_ms;
    struct {
        uint64_t last;
        size_t bytes;
    } flight[FEED_FLIGHT]; /* ring of batches not acked */
    unsigned flight_first, flights;
    size_t flight_bytes;
};

/* A reign begins: it is given the time of a timeout to appear. */
void feed_begin(struct feed *feed, uint64_t now_ms);

/* A copy joins whose log ends at seq. It may have that only in memory. */
void feed_join(struct feed *feed, const struct copy_id *id, uint64_t number, uint64_t seq);
void feed_leave(struct feed *feed);

/* May more be sent before it acks? */
bool feed_room(const struct feed *feed);
void feed_sent(struct feed *feed, uint64_t last, size_t bytes);

/* It has everything up to seq and obeys beats up to stamp. latest: where the log ends here. */
void feed_ack(struct feed *feed, uint64_t seq, uint64_t stamp, uint64_t latest, uint64_t now_ms);

/* Has it not had all there was for so long? */
bool feed_silent(const struct feed *feed, uint64_t now_ms, uint32_t timeout_ms);

#endif
