/* pace - how soon a loop may turn again: what is ready in one turn is handled together, so fewer
 * turns under load are fewer wake-ups, system calls and fsyncs per message.
 *
 * A loop that has been quiet turns at once: up to PACE_BURST turns are free. Beyond them turns
 * begin gap_us apart. So a lone message never waits, and a busy loop adds at most gap_us to each
 * hop. Pure: the clock comes in. */

#ifndef COMMON_PACE_H
#define COMMON_PACE_H

#include <stdint.h>

enum { PACE_BURST = 8 };

struct pace {
    uint64_t gap_us;  /* 0: no pace */
    uint64_t next_us; /* when a turn is due, were they spread evenly */
};

/* A turn is to begin at now_us (steady): count it, and say how many us it should wait first. */
uint64_t pace_turn(struct pace *pace, uint64_t now_us);

#endif
