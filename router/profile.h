/* profile - changing a profile, by its owner or for somebody by REST. */

#ifndef ROUTER_PROFILE_H
#define ROUTER_PROFILE_H

#include "router/op.h"

/* PROFILE_SET: the caller's own. */
void profile_set_begin(struct op *op);

/* Set fields of a user's profile, tell all routers and the user's devices, then go on with done,
 * which answers; the op is refused if that fails. op->work is the caller's until done. */
struct profile_change {
    char *user;
    size_t count;
    Hy__Field **fields;
    bool create;             /* make the account if it is not there (import) */
    uint32_t type;           /* of an account that is made */
    uint64_t except_session; /* knows already */
    op_fn *done;
};

/* change must live as long as the op. */
void profile_change(struct op *op, const struct profile_change *change);

#endif
