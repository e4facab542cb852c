/* table - a result for people. */

#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdio.h>

#include "bench/result.h"

void table_print(const char *scenario, const struct result *result, FILE *out);

#endif
