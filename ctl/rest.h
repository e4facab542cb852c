/* rest - call a cluster's REST v4 as its administrator; blocking, for the setup of a replay. */

#ifndef CTL_REST_H
#define CTL_REST_H

#include <jansson.h>

#include "common/err.h"
#include "ctl/cluster.h"

/* POST /v4/<command> with the body (taken). *code is ErrorCode, info ErrorInfo. HY_EIO: no answer,
 * or none that is JSON. */
enum hy_err rest_call(const struct cluster *cluster, const char *command, json_t *body, int *code,
                      char info[static 256]) HY_CHECKED;

#endif
