/* send - ROUTER_SEND: messages of one sender to one conversation, stored, answered, told.
 *
 * The hot path: two look-ups, one encoding, one record to the store; on its answer one frame for
 * each gateway. Belongs to the router's loop. */

#ifndef ROUTER_SEND_H
#define ROUTER_SEND_H

#include "common/bus.h"
#include "common/err.h"
#include "router/parts.h"

enum hy_err sends_open(struct sends **sends) HY_CHECKED;

/* Drop what is under way; the bus is closed. NULL is fine. */
void sends_close(struct sends **sends);

/* Is nothing under way? */
bool sends_idle(const struct sends *sends);

/* Begin with a SendCall; it is answered when all is decided. */
void send_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

#endif
