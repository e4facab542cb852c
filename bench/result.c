/* result - see result.h. */

#include "bench/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void result_title(struct result *result, const char *title)
{
    snprintf(result->title, sizeof result->title, "%s", title);
}

void result_figure(struct result *result, const char *key, const char *label, double value,
                   const char *unit)
{
    if (result->figure_count < RESULT_FIGURES)
        result->figures[result->figure_count++] = (struct figure){key, label, unit, value};
}

void result_point(struct result *result, const struct point *point)
{
    if (result->point_count == result->point_cap) {
        uint32_t cap = result->point_cap > 0 ? result->point_cap * 2 : 64;
        struct point *points = realloc(result->points, cap * sizeof *points);

        if (points == NULL)
            return;
        result->points = points;
        result->point_cap = cap;
    }
    result->points[result->point_count++] = *point;
}

void result_free(struct result *result)
{
    free(result->points);
    json_decref(result->settings);
    json_decref(result->environment);
    memset(result, 0, sizeof *result);
}

double result_rate(const struct result *result)
{
    return result->seconds > 0 ? (double)result->operations / result->seconds : 0;
}

double result_per_operation(const struct result *result, uint64_t value)
{
    return result->operations == 0 ? 0 : (double)value / (double)result->operations;
}
