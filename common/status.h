/* status - /metrics, /livez and /readyz of a process, on a thread and port of its own.
 *
 * /livez: the loops turn (their beats are younger than 30 s). /readyz: 200, or 503 with the reason as
 * JSON; "?verbose" prints a line per check. */

#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

struct hy_status;

/* NULL: ready. Else why not, a literal like "no router is connected". Called in the status thread. */
typedef const char *hy_ready_fn(void *arg);

/* Listen on host:port (0 picks) and start the thread. HY_EIO. */
enum hy_err hy_status_open(const char *listen, struct hy_status **status) HY_CHECKED;
void hy_status_close(struct hy_status **status);
uint16_t hy_status_port(const struct hy_status *status);

/* A check of /readyz, in order; register before traffic. */
void hy_status_ready(struct hy_status *status, const char *check, hy_ready_fn *fn, void *arg);

/* A loop whose beat /livez watches. */
void hy_status_live(struct hy_status *status, const char *name, const struct hy_loop *loop);

#endif
