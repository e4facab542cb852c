/* members - who is in a group, brought in or put out by others, and what they may. */

#ifndef ROUTER_MEMBERS_H
#define ROUTER_MEMBERS_H

#include "router/op.h"

enum { MEMBERS_CHANGE_MOST = 500 };

void members_get_begin(struct op *op);
void members_add_begin(struct op *op);
void members_remove_begin(struct op *op);
void member_set_begin(struct op *op);

#endif
