/* calls - ROUTER_CALL: a client's Frame, answered by a Frame with its id.
 *
 * The table of what can be asked is in calls.c; the handlers are in the files of their nouns. */

#ifndef ROUTER_CALLS_H
#define ROUTER_CALLS_H

#include "common/bus.h"
#include "router/op.h"

/* Begin with a RouterCall. */
void call_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

/* The body of the Frame that is asked: a struct of the kind the handler's row says. */
const void *call_body(const struct op *op);

/* Answer with a body of the row's kind, and end. */
void call_answer(struct op *op, ProtobufCMessage *body);

/* Answer with an encoded body of the row's kind, as op_store_raw() brought it, and end. */
void call_answer_raw(struct op *op, const struct op_ask *ask);

/* Answer, but do not end: there is work left that the caller need not wait for. */
void call_reply(struct op *op, ProtobufCMessage *body);

/* Answer Ok, and end. */
void call_ok(struct op *op);

#endif
