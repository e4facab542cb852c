/* hints - tells presence who has become a member of a group with the sweep on, so that those who
 * are offline are looked after. */

#ifndef ROUTER_HINTS_H
#define ROUTER_HINTS_H

#include "router/op.h"

/* Note a user of the caller's app; the name must stay until hints_send(). */
void hints_add(struct op *op, char *user);

/* Tell each presence process its users. Lost hints are found by its next scan. */
void hints_send(struct op *op);

#endif
