/* heads - asks all shards concerned for the heads of many conversations of a user. */

#ifndef ROUTER_HEADS_H
#define ROUTER_HEADS_H

#include "router/convlist.h"
#include "router/op.h"

/* The questions that are out. */
struct heads;

/* Ask, one question to each shard; follow with op_then(). items must stay. */
struct heads *heads_ask(struct op *op, struct convlist_item *items, size_t count, bool no_last_msg);

/* Put the answers into the items. False: a shard did not answer, and the op was refused; or slots have
 * moved, others are asked, and then (the caller) comes again. */
bool heads_take(struct op *op, struct heads *heads, op_fn *then);

#endif
