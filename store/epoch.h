/* epoch - each start of a shard is a reign with a number of its own, never used again. */

#ifndef STORE_EPOCH_H
#define STORE_EPOCH_H

#include "store/core.h"

/* Write the row of this start: the next number, and the sequence it begins at. */
enum hy_err epoch_begin(struct core *core) HY_CHECKED;

#endif
