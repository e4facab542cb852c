/* first_app - makes the app that a new cluster comes with, and gives it the settings of --app-set.
 */

#ifndef CTL_FIRST_APP_H
#define CTL_FIRST_APP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "ctl/admin.h"
#include "ctl/layout.h"
#include "ctl/plan.h"

/* Create the first app of keys/apps.json if the stores do not have it, and apply plan->app_sets.
 * Waits for the routers at most wait_ms; prints what is wrong. *changed: processes learn of it
 * within a second. */
enum hy_err first_app_put(struct hy_loop *loop, const struct layout *layout,
                          const struct plan *plan, const struct admin_config *config,
                          uint32_t wait_ms, bool *changed) HY_CHECKED;

#endif
