/* pace - how soon a loop may turn again: what is ready in one turn is handled together, so fewer
 * turns under load are fewer wake-ups, system calls and fsyncs per message.
 *
 * A loop that does at most PACE_FEW things (records, frames) a gap turns at once, whenever there is
 * something: waiting would gather nothing. One that does more begins its turns gap_us apart. So
 * messages that come one at a time never wait, and a busy loop adds at most gap_us to each hop.
 * Pure: the clock comes in. */

#ifndef COMMON_PACE_H
#define COMMON_PACE_H

#include <stdint.h>

enum {
    PACE_FEW = 3,   /* things a gap */
    PACE_BURST = 8, /* so many gaps quiet time is credit for, and busy time debt */
};

struct pace {
    uint64_t gap_us;   /* 0: no pace */
    uint64_t paid_us;  /* when what was done would be done, at PACE_FEW things a gap */
    uint64_t begun_us; /* the last turn */
    uint64_t done;     /* things since then */
};

/* So many things were done in this turn. */
static inline void pace_did(struct pace *pace, uint64_t things)
{
    pace->done += things;
}

/* The next turn is to begin at now_us (steady): how many us should it wait first? */
uint64_t pace_turn(struct pace *pace, uint64_t now_us);

#endif
