/* rest - the REST v4 front of a gateway worker: HTTP in, calls to routers, JSON out.
 *
 * Commands are rows of tables, one table and file a family (rest_account.c, rest_openim.c,
 * rest_profile.c, rest_group.c). A command without a row answers 60009 / 10003, never a false OK.
 */

#ifndef GATEWAY_REST_H
#define GATEWAY_REST_H

#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "gateway/upstream.h"

struct rest;

struct rest_settings {
    uint32_t max_body_bytes;  /* larger: 93000 */
    uint32_t timeout_s;       /* a request that does not arrive in this time is cut off */
    uint32_t max_connections; /* more are refused */
};

/* Serve on an already listening, non-blocking socket (the rest's from now on). */
enum hy_err rest_open(struct hy_loop *loop, int listener, const struct rest_settings *settings,
                      struct upstream *upstream, struct rest **rest) HY_CHECKED;

/* Answer what is under way with 60008 and free everything. NULL is fine. */
void rest_close(struct rest **rest);

/* Stop accepting; requests under way go on. */
void rest_drain(struct rest *rest);

#endif
