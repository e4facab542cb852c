/* coordinate - a change of the coordinator that is waited for (common/coord.h). */

#ifndef CTL_COORDINATE_H
#define CTL_COORDINATE_H

#include "common/coord.h"
#include "ctl/nodes.h"

/* Turns the loop until the outcome is known; results as of hy_coord_done_fn. */
enum hy_err coordinate(const struct nodes_visit *visit,
                       const struct hy_coord_change *change) HY_CHECKED;

#endif
