/* json - a result as one JSON object; the keys are explained in docs. */

#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <jansson.h>

#include "bench/result.h"

/* NULL: out of memory. */
json_t *json_of_result(const char *scenario, const struct result *result);

#endif
