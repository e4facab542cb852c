/* html - one page from the JSON of one or more runs, with plots, that needs nothing else. */

#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <jansson.h>

#include "common/err.h"

/* runs: an array of what json_of_result() made. HY_EIO, printed. */
enum hy_err html_write(const char *file, const json_t *runs) HY_CHECKED;

#endif
