/* send - messages on their way to a router: for each session and conversation one record is in
 * flight, and what comes meanwhile waits and goes together, so that no retry changes the order. */

#ifndef GATEWAY_SEND_H
#define GATEWAY_SEND_H

#include <stdint.h>

#include "client.pb-c.h"
#include "gateway/link.h"

struct session;
struct worker;

/* Take a message of a signed-in link. Answers send_res, now or later. frame is lent. */
void send_submit(struct worker *worker, struct link *link, const Hy__Frame *frame);

/* Forget all that is under way for a session: its link is gone, and the client asks again. */
void send_free(struct session *session);

/* A turn hook: what came in this turn leaves. arg is the worker. */
void send_turn(void *arg);

#endif
