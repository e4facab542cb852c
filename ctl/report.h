/* report - DIR/cluster.json: addresses, pids and apps of a running cluster, for tools. */

#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"
#include "ctl/child.h"
#include "ctl/layout.h"
#include "ctl/plan.h"

/* What the file says; json_decref() it. endpoints: "name=endpoint" of each part's processes. */
json_t *report_make(const struct layout *layout, const struct child *children, size_t count,
                    const json_t *const endpoints[PARTS], bool curve);

/* Write it whole. */
enum hy_err report_write(const struct layout *layout, const json_t *report) HY_CHECKED;

#endif
