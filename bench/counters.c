/* counters - see counters.h. */

#include "bench/counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/http.h"

enum { PAGE_SIZE = 1 << 20, WAIT_MS = 2000 };

static const char *const names[COUNTERS] = {
    [COUNTER_FRAMES] = "hongyan_gateway_frames_sent_total",
    [COUNTER_WRITES] = "hongyan_gateway_writes_total",
    [COUNTER_BATCHES] = "hongyan_store_writes_total",
    [COUNTER_RECORDS] = "hongyan_bus_sent_messages_total",
    [COUNTER_LIMITED] = "hongyan_gateway_rate_limited_total",
};

double counters_sum(const char *page, const char *name)
{
    size_t len = strlen(name);
    double sum = 0;

    for (const char *line = page; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n'), *value = NULL;

        if (strncmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '{')) {
            value = line[len] == '{' ? strchr(line, '}') : line + len - 1;
            sum += value != NULL ? strtod(value + 1, NULL) : 0;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return sum;
}

void counters_now(const struct target *target, struct counters *counters)
{
    char *page = malloc(PAGE_SIZE);

    *counters = (struct counters){.known = page != NULL};
    for (size_t i = 0; page != NULL && i < target->processes; i++) {
        const char *colon = target->metrics[i] != NULL ? strrchr(target->metrics[i], ':') : NULL;

        if (colon == NULL ||
            http_get((uint16_t)atoi(colon + 1), "/metrics", WAIT_MS, page, PAGE_SIZE) != 200) {
            counters->known = false;
            continue;
        }
        for (int k = 0; k < COUNTERS; k++)
            counters->of[k] += counters_sum(page, names[k]);
    }
    free(page);
}

void counters_figures(struct result *result, const struct counters *before,
                      const struct counters *after)
{
    double grown[COUNTERS], n = (double)result->operations;

    if (!before->known || !after->known || result->operations == 0)
        return;
    for (int k = 0; k < COUNTERS; k++)
        grown[k] = after->of[k] - before->of[k];
    result_figure(result, "frames_per_write", "frames to clients per write",
                  grown[COUNTER_WRITES] > 0 ? grown[COUNTER_FRAMES] / grown[COUNTER_WRITES] : 0,
                  "");
    result_figure(result, "fsyncs_per_op", "fsyncs per operation", grown[COUNTER_BATCHES] / n, "");
    result_figure(result, "bus_records_per_op", "bus records per operation",
                  grown[COUNTER_RECORDS] / n, "");
    result_figure(result, "rate_limited", "refused by a limit of rate", grown[COUNTER_LIMITED], "");
    if (grown[COUNTER_LIMITED] > 0)
        fprintf(stderr,
                "a limit of rate of the gateways held senders back, and what was sent again "
                "may come out of order: take more senders, or a higher request_rate\n");
}
