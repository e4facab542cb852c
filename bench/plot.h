/* plot - a drawing of numbers as inline SVG: lines over time, or bars over a logarithmic scale.
 *
 * Colours are CSS classes of the page: s0..s4 for series, axis, grid. */

#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PLOT_SERIES = 5 };

struct plot_series {
    const char *name;
    const double *y;
};

struct plot {
    const char *title;  /* for readers that do not see it */
    const char *y_unit; /* "ms"; stands above the axis */
    const double *x;    /* seconds, ascending */
    size_t count;
    struct plot_series series[PLOT_SERIES];
    size_t series_count;
    bool log_y; /* values at or below 0 are left out */
};

/* Lines. Nothing for fewer than two points. */
void plot_lines(const struct plot *plot, FILE *out);

/* How many (weight) of all lie at x, as bars over log x. x ascending, > 0. */
void plot_bars(const char *title, const double *x, const double *weight, size_t count, FILE *out);

/* A step of 1, 2 or 5 times a power of ten, so that at most `most` of them lie in span. */
double plot_step(double span, int most);

/* Write a number short: 1.5k, 20M, 0.02. */
void plot_number(double value, char out[static 24]);

/* Write text with what HTML and SVG would take as markup made harmless. */
void html_text(const char *text, FILE *out);

#endif
