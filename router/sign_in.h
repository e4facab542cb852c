/* sign_in - ROUTER_SIGN_IN: a good ticket was shown; the account is made if it is new. */

#ifndef ROUTER_SIGN_IN_H
#define ROUTER_SIGN_IN_H

#include "router/op.h"

/* Begin with a SignInCall. */
void sign_in_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

#endif
