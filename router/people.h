/* people - profiles and online states of others. */

#ifndef ROUTER_PEOPLE_H
#define ROUTER_PEOPLE_H

#include "router/op.h"

enum { PEOPLE_PROFILES_MOST = 100, PEOPLE_STATES_MOST = 500 };

void profile_get_begin(struct op *op);
void state_get_begin(struct op *op);

/* Ask the store for the record of each user; answers are Hy__UserRes. For profiles and ADMIN
 * UsersGet. */
const struct op_ask **people_ask(struct op *op, size_t count, char *const *users);

#endif
