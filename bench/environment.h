/* environment - where a run was made: machine, kernel, disk, version. */

#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include <jansson.h>

#include "bench/target.h"

/* A JSON object of texts and numbers. Measures the disk's fsync beside the cluster, some ms. */
json_t *environment_of(const struct target *target);

#endif
