/* outcome - the table and the JSON of a run that did not measure Hongyan. */

#ifndef BENCH_PEERS_OUTCOME_H
#define BENCH_PEERS_OUTCOME_H

#include "bench/result.h"
#include "common/err.h"

/* Print the table to stdout and, with file not NULL, write the JSON there; system says what was
 * measured. HY_EIO, printed. */
enum hy_err outcome_write(const char *scenario, const char *system, const struct result *result,
                          const char *file) HY_CHECKED;

#endif
