/* sweeping - S7's sweeps: users are gone, and all that follows is measured and then looked at. */

#ifndef BENCH_SWEEPING_H
#define BENCH_SWEEPING_H

#include <stdint.h>

#include "bench/target.h"
#include "bench/usage.h"
#include "bench/world.h"
#include "common/err.h"

struct sweeping {
    const struct world *world;
    const struct target *target;
    uint32_t from, to; /* those who never come and are of these percent are gone */
    uint32_t check;    /* so many groups are compared member by member */

    /* what came out */
    struct usage used;
    double seconds;
    uint64_t removed;
};

/* Wait until presence knows who is online, and has looked for those who are not: what is made
 * before would be swept. HY_ETIMEOUT, printed. */
enum hy_err sweeping_warm(const struct target *target) HY_CHECKED;

/* Hint presence at the gone, wait until they are out of all their groups. Prints what is wrong.
 * HY_ETIMEOUT: it does not end. HY_ECORRUPT: too many were removed. */
enum hy_err sweeping_run(struct sweeping *sweeping) HY_CHECKED;

/* Are exactly the others, of percents from 'to' on, still members? HY_ECORRUPT: no, printed. */
enum hy_err sweeping_check(const struct sweeping *sweeping) HY_CHECKED;

/* Wait until the servers are at rest (compaction), a quarter of an hour at most, and say what they
 * used. */
void sweeping_rest(const struct target *target, struct usage *used);

#endif
