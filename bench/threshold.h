/* threshold - "p99_ms>20": when a run is to fail. */

#ifndef BENCH_THRESHOLD_H
#define BENCH_THRESHOLD_H

#include <jansson.h>
#include <stdbool.h>

struct threshold {
    char key[64]; /* a number of the result's JSON */
    enum { THRESHOLD_OVER, THRESHOLD_UNDER } side;
    bool or_equal;
    double value;
};

/* Read "KEY>NUMBER", ">=", "<" or "<=". false: ill-formed. */
bool threshold_read(const char *text, struct threshold *threshold);

/* Does the run fail by it? *known says whether the result has such a number. */
bool threshold_hit(const struct threshold *threshold, const json_t *result, bool *known);

#endif
