/* route - a client's request on its way to a router and back. */

#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/link.h"

struct worker;

/* What a good answer means for this gateway. */
enum route_after {
    ROUTE_NOTHING,
    ROUTE_JOINED, /* the caller has joined a group: sits in its audience if it is a live room */
    ROUTE_QUIT,   /* the caller has left a group */
};

struct route_to {
    uint16_t slot;
    const char *group; /* the request is about, or NULL; lent */
    uint8_t kind;      /* of the answer's body */
    enum route_after after;
};

/* Ask the router of to->slot with the frame as it came; the link gets its answer, or TIMEOUT and
 * the like, under frame_id. Returns 0, or a code if nothing was asked. */
uint32_t route_call(struct worker *worker, struct link *link, const struct route_to *to,
                    uint64_t frame_id, const uint8_t *bytes, size_t len);

/* Forget all that wait for answers; before the bus closes. */
void routes_close(struct worker *worker);

#endif
