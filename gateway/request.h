/* request - what a client may ask: the table of kinds, and the way of each to an answer. */

#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/link.h"

struct worker;

/* Take an encoded Frame of a link. Bytes that are no frame of the protocol end the link. */
void request_take(struct worker *worker, struct link *link, const uint8_t *bytes, size_t len);

/* Make the series of the table; once, before traffic. */
void request_metrics(void);

#endif
