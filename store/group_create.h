/* group_create - what making one group and importing many have in common. */

#ifndef STORE_GROUP_CREATE_H
#define STORE_GROUP_CREATE_H

#include "store/core.h"
#include "store/group.h"

/* A group being made. */
struct creation {
    struct core *core;
    const Hy__StoreGroupCreateReq *in;
    const struct hy_group_type *type;
    struct group_ref ref;
    uint64_t now_s;
    uint32_t cap; /* members, 0 none */
};

/* All that can be said against it without looking; 0 or a code. Fills in type and cap. */
uint32_t creation_check(struct creation *c);

/* Has the app all the groups that it may have? */
bool creation_over_quota(const struct core *core, uint32_t app);

/* The group is there already: the code says whose it is. */
uint32_t creation_taken(const struct creation *c);

/* What the new group's row says, with a new conversation; shares the texts of the request. */
enum hy_err creation_fill(struct creation *c, Hy__Group *group, Hy__GroupInfo *info) HY_CHECKED;

/* What a member that is named becomes. */
Hy__Role creation_role(const struct creation *c, const Hy__MemberInfo *as);

#endif
