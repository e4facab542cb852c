/* result - the outcome of a run, before it becomes a table, JSON or a page. */

#ifndef BENCH_RESULT_H
#define BENCH_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/usage.h"
#include "common/err.h"

enum { RESULT_FIGURES = 32 };

/* What only some scenarios have: a key of the JSON, and how it is shown. */
struct figure {
    const char *key, *label, *unit;
    double value;
};

/* One second. */
struct point {
    double at_s; /* since the measured time began; negative: warm-up */
    double rate;
    double p50_ms, p99_ms, max_ms;
    double cpu[USAGE_KINDS]; /* cores used */
    double driver_cpu;
};

struct result {
    char title[128];          /* for people: "one-to-one, durable" */
    const char *durability;   /* "fsync before acknowledgement", "not stored" ... */
    const char *unit;         /* what an operation is: "messages", "deliveries" */
    const char *latency_from; /* "due to delivery"; NULL: latency has no meaning here */

    double warm_up_s, seconds;
    uint64_t operations; /* ended in the measured time */
    uint64_t sent, acked, failed, unanswered, delivered, lost, doubled, reordered; /* from start to
                                                                       end, warm-up included */
    struct hist latency, ack; /* of what was due in the measured time */
    struct usage server;      /* in the measured time */
    uint64_t driver_user_us, driver_system_us;
    uint32_t workers;

    uint64_t links, rss_bytes, kernel_bytes; /* growth over so many links; 0 links: not measured */

    struct figure figures[RESULT_FIGURES];
    uint32_t figure_count;
    struct point *points;
    uint32_t point_count, point_cap;
    json_t *settings; /* of the run, by option */
    json_t *environment;
};

/* Add a figure of this scenario. The texts are not copied. */
void result_figure(struct result *result, const char *key, const char *label, double value,
                   const char *unit);

/* Add a second. Out of memory: it is left out. */
void result_point(struct result *result, const struct point *point);

/* Name it, for people. */
void result_title(struct result *result, const char *title);

void result_free(struct result *result);

double result_rate(const struct result *result);
double result_per_operation(const struct result *result, uint64_t value);

#endif
