/* world - S7's groups: who is in which, and how they come to be.
 *
 * Group number g is called "m<g>". Its first two members are online users, a sender who owns it and
 * a receiver ("million<n>"); the others never come ("away<n>"), and are spread evenly over all
 * groups. All follows from the numbers, so nothing is kept of it. */

#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/target.h"
#include "common/err.h"

#define WORLD_PREFIX "million"

struct world {
    uint32_t groups, members, users, pairs; /* users: those who never come */
};

/* Number of member k of group g; k 0 and 1 are online users, the others are away. */
uint32_t world_member(const struct world *world, uint32_t g, uint32_t k);

void world_name(const struct world *world, uint32_t g, uint32_t k, char out[static 32]);

/* Does user n, who never comes, belong to percent from..to-1 of a hundred? */
bool world_among(uint32_t n, uint32_t from, uint32_t to);

/* Make all groups, hundreds at a time, by the call that is there for migrations. Prints what is
 * wrong. */
enum hy_err world_make(const struct world *world, const struct target *target) HY_CHECKED;

#endif
