/* sync - the list of conversations, which is also how a client finds out what it missed.
 *
 * Index in the user's slot, heads in the conversations' slots, one question to each shard. */

#ifndef ROUTER_SYNC_H
#define ROUTER_SYNC_H

#include "router/op.h"

void conv_list_begin(struct op *op);

/* One conversation, whether it is in the list or not. */
void conv_get_begin(struct op *op);

#endif
