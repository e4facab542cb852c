/* bus_context - the process's one ZeroMQ context, shared by its buses. Any thread. */

#ifndef COMMON_BUS_CONTEXT_H
#define COMMON_BUS_CONTEXT_H

#include <stdbool.h>

#include "common/err.h"

/* Take a share, to be given back also after an error; with_zap before a CURVE bind. */
enum hy_err bus_context_take(bool with_zap, void **context) HY_CHECKED;

/* The last one waits until goodbyes are sent, 200 ms at most. */
void bus_context_give(void);

#endif
