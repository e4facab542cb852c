/* convs - reading a conversation, marking it read, and how its user wants to see it. */

#ifndef ROUTER_CONVS_H
#define ROUTER_CONVS_H

#include "router/op.h"

void history_begin(struct op *op);
void read_begin(struct op *op);
void conv_set_begin(struct op *op);

#endif
