/* route - which function takes a request, and on whose thread. */

#ifndef STORE_ROUTE_H
#define STORE_ROUTE_H

#include <stdint.h>

#include "store/core.h"
#include "store/view.h"

enum route_kind {
    ROUTE_WRITES = 1,   /* decided by the writer */
    ROUTE_WRITES_ALONE, /* the same, in a batch of its own: the database has all it needs to see */
    ROUTE_READS_SOON,   /* answered by the writer: small, and of rows it has */
    ROUTE_READS_ASIDE,  /* answered by a reader */
};

struct route {
    uint16_t kind; /* of the request */
    enum route_kind how;
    void (*handle)(struct core *core, const struct request *req); /* by the writer */
    view_fn *read;                                                /* by a reader */
};

/* The route of a kind of request; NULL: nobody takes it. */
const struct route *route_of(uint16_t kind);

#endif
