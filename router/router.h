/* router - joins the parts of a router and hands records to those who answer them.
 *
 * Serves gateways, presence and ctl on its bus, dials all stores and all presence processes.
 * Belongs to one loop. */

#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "common/err.h"
#include "common/loop.h"
#include "common/status.h"
#include "router/settings.h"

struct router;

/* Start to serve. settings are read here and now. */
enum hy_err router_open(struct hy_loop *loop, const struct router_settings *settings,
                        struct router **router) HY_CHECKED;
void router_close(struct router **router);

/* Go out of use without a request that fails, then call left(arg). */
void router_leave(struct router *router, void (*left)(void *arg), void *arg);

/* The endpoint it serves, with the port that was picked. */
const char *router_endpoint(const struct router *router);

/* Register the checks of /readyz. */
void router_ready_checks(struct router *router, struct hy_status *status);

#endif
