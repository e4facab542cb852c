#include "router/joinrule.h"

#include <string.h>

#include "common/grouptype.h"

enum join_way joinrule(const Hy__GroupInfo *group, const Hy__MemberInfo *self)
{
    const struct hy_group_type *type = hy_group_type(group->type);

    if (type == NULL)
        return JOIN_DENIED;
    if (type->live)
        return JOIN_AUDIENCE;
    if (self != NULL && self->role != HY__ROLE__ROLE_NONE)
        return JOIN_ALREADY;
    /* The group's own word means something only where the type asks for permission (11.1). */
    if (type->join == HY_JOIN_NEVER)
        return JOIN_DENIED;
    if (type->join == HY_JOIN_FREE || strcmp(group->apply_join, "FreeAccess") == 0)
        return JOIN_NOW;
    return strcmp(group->apply_join, "DisableApply") == 0 ? JOIN_DENIED : JOIN_ASK;
}
