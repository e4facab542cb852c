/* cold - the stores of a local cluster, started again with nothing of their data in memory. */

#ifndef BENCH_COLD_H
#define BENCH_COLD_H

#include "bench/target.h"
#include "common/err.h"

/* Stop the stores of the cluster whose cluster.json is file, drop what the kernel keeps of the
 * files beside it, wait until the supervisor has started them again, and drop once more what
 * opening read. target learns the new processes. how tells in a sentence what was dropped.
 * HY_ETIMEOUT: a store did not go or come. */
enum hy_err cold_restart(const char *file, struct target *target, char how[static 160]) HY_CHECKED;

#endif
