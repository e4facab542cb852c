/* rest_ticket - tickets of REST callers that were found good, so that a signature is computed once
 * and not for each call.
 *
 * Pure but for memory: time comes in. A hit needs the same ticket, byte for byte, and the app as it
 * was (its version changes with its keys). A fixed number of places; a collision costs a new check.
 */

#ifndef GATEWAY_REST_TICKET_H
#define GATEWAY_REST_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app.h"
#include "common/err.h"

struct rest_tickets;

enum { REST_REVOCATION_MS = 10000 }; /* how long a word on revocation is believed */

enum hy_err rest_tickets_open(struct rest_tickets **tickets) HY_CHECKED;
void rest_tickets_close(struct rest_tickets **tickets);

/* Returns 0 with when it was issued, and whether it is time to ask if it was revoked; or a code of
 * REST v4 3.4. */
uint32_t rest_tickets_check(struct rest_tickets *tickets, const Hy__App *app,
                            const char *identifier, const char *usersig, uint64_t wall_s,
                            uint64_t steady_ms, uint64_t *issued_s, bool *ask);

/* It was asked at steady_ms, and is not revoked. */
void rest_tickets_confirm(struct rest_tickets *tickets, uint32_t sdkappid, const char *identifier,
                          const char *usersig, uint64_t steady_ms);

/* Ask again about this account's tickets before they are used next. */
void rest_tickets_doubt(struct rest_tickets *tickets, uint32_t sdkappid, const char *identifier);

#endif
