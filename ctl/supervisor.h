/* supervisor - runs the processes of a cluster and starts again what dies. */

#ifndef CTL_SUPERVISOR_H
#define CTL_SUPERVISOR_H

#include "common/err.h"
#include "common/loop.h"
#include "ctl/layout.h"
#include "ctl/plan.h"

struct supervisor;

/* Write the settings and get ready; starts nothing. plan and layout are lent for its life; the
 * plan grows and shrinks with the cluster. Prints
 * what is wrong. */
enum hy_err supervisor_open(struct hy_loop *loop, struct plan *plan, struct layout *layout,
                            struct supervisor **supervisor) HY_CHECKED;

/* Stop what still runs (gateways first, stores last) and free everything. NULL is fine. */
void supervisor_close(struct supervisor **supervisor);

/* Start everything and wait until all of it is ready; makes the first app known to the cluster.
 * HY_ETIMEOUT: plan->wait_s passed, who is not ready and why was printed. HY_ECLOSED: told to stop.
 */
enum hy_err supervisor_start(struct supervisor *supervisor) HY_CHECKED;

/* Look after the processes until SIGTERM or SIGINT. */
void supervisor_run(struct supervisor *supervisor);

#endif
