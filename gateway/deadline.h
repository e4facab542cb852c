/* deadline - when a link has waited too long. Rules only: no clock, no socket. */

#ifndef GATEWAY_DEADLINE_H
#define GATEWAY_DEADLINE_H

#include <stdint.h>

#include "gateway/link.h"
#include "gateway/settings.h"

enum { DEADLINE_CLOSING_MS = 2000 };

/* Steady times of one link, ms. */
struct deadline {
    uint64_t opened_ms;  /* accepted */
    uint64_t heard_ms;   /* something came */
    uint64_t part_ms;    /* a frame has begun and is not whole; 0: none */
    uint64_t closing_ms; /* began to close */
    uint64_t expires_ms; /* the ticket is good until then; UINT64_MAX before sign-in */
};

/* The next moment at which something may be due. */
uint64_t deadline_due(enum link_state state, const struct deadline *deadline,
                      const struct limits *limits);

/* Why the link must end now; LINK_END_NONE: it need not. In LINK_CLOSING any reason means: close
 * without waiting. */
enum link_end deadline_check(enum link_state state, const struct deadline *deadline,
                             const struct limits *limits, uint64_t now_ms);

#endif
