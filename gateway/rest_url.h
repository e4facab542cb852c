/* rest_url - what a REST v4 request's target says. Pure; bytes from outside. */

#ifndef GATEWAY_REST_URL_H
#define GATEWAY_REST_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"

struct rest_url {
    const char *service; /* decoded, in arena; never NULL after HY_CODE_OK */
    const char *command;
    const char *sdkappid; /* as given; NULL: missing */
    const char *identifier;
    const char *usersig;
};

/* Take "/v4/<service>/<command>?<query>" apart ("http://host" before it is skipped). Returns 0,
 * HTTP_PARSE for bad escapes, or 404 for a path that is none of REST v4's. Parameters may come in
 * any order; the first of a name counts, unknown ones are ignored. */
uint32_t rest_url_parse(const char *target, struct hy_arena *arena, struct rest_url *url);

/* A decimal number of 1..4294967295. */
bool rest_url_app(const char *text, uint32_t *sdkappid);

#endif
