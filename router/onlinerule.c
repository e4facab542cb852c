#include "router/onlinerule.h"

#include "common/codes.h"
#include "common/grouptype.h"

uint32_t onlinerule(const Hy__GroupInfo *group, const Hy__MemberInfo *self, bool admin,
                    uint64_t now_s)
{
    const struct hy_group_type *type = hy_group_type(group->type);
    Hy__Role role = self == NULL ? HY__ROLE__ROLE_NONE : self->role;

    if (type == NULL)
        return HY_CODE_GROUP_UNKNOWN;
    if (!admin && (type->only_admin_sends || role == HY__ROLE__ROLE_NONE))
        return HY_CODE_GROUP_DENIED;
    if (self != NULL && self->mute_until_s > now_s)
        return HY_CODE_GROUP_MUTED; /* for REST as well (trap 18) */
    if (group->mute_all && !admin && role < HY__ROLE__ROLE_ADMIN)
        return HY_CODE_GROUP_MUTED;
    return HY_CODE_OK;
}
