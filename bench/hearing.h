/* hearing - what one receiver has got of one stream of numbered messages, exactly.
 *
 * A stream is numbered from 1. The numbers that are missing below the highest are kept as runs, so
 * each message that comes is new, late or doubled, without a window beyond which that is a guess.
 * Usually nothing is missing and a hearing is two words. */

#ifndef BENCH_HEARING_H
#define BENCH_HEARING_H

#include <stdbool.h>
#include <stdint.h>

struct hole;

struct hearing {
    uint64_t last;      /* the highest number that came */
    struct hole *holes; /* runs below it that have not come, ascending */
};

enum heard {
    HEARD_NEW,   /* higher than all before */
    HEARD_LATE,  /* for the first time, after a higher one: reordered */
    HEARD_TWICE, /* it had come before */
};

enum heard hearing_note(struct hearing *hearing, uint64_t number);

/* Has this number come? */
bool hearing_has(const struct hearing *hearing, uint64_t number);

/* How many of 1..sent have not come. */
uint64_t hearing_missing(const struct hearing *hearing, uint64_t sent);

void hearing_free(struct hearing *hearing);

#endif
