/* html - one page from the JSON of one or more runs, with plots, that needs nothing else. */

#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <jansson.h>
#include <stdio.h>

#include "common/err.h"

/* The page. runs: an array of what json_of_result() made, or what was read from a file: nothing in
 * it is trusted. */
void html_print(const json_t *runs, FILE *out);

/* runs: an array of what json_of_result() made. HY_EIO, printed. */
enum hy_err html_write(const char *file, const json_t *runs) HY_CHECKED;

#endif
