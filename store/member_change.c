#include "store/member_change.h"

#include <string.h>

#include "common/codes.h"

/* ---- decisions (REST 11.1, the column of 2018) ---- */

uint32_t member_may_join(const struct hy_group_type *type, const char *apply_join, bool admin,
                         bool *waits)
{
    *waits = false;
    if (type->live)
        return HY_CODE_GROUP_DENIED; /* an audience is not kept here */
    if (admin)
        return HY_CODE_OK;
    if (type->join == HY_JOIN_NEVER)
        return HY_CODE_GROUP_DENIED;
    if (type->join == HY_JOIN_FREE)
        return HY_CODE_OK;
    if (strcmp(apply_join, "DisableApply") == 0)
        return HY_CODE_GROUP_DENIED;
    *waits = strcmp(apply_join, "FreeAccess") != 0;
    return HY_CODE_OK;
}

uint32_t member_may_add(const struct hy_group_type *type, const char *invite_join,
                        struct member_asker asker)
{
    if (!type->add)
        return HY_CODE_GROUP_DENIED;
    if (asker.admin)
        return HY_CODE_OK;
    if (asker.role == HY__ROLE__ROLE_NONE || strcmp(invite_join, "DisableInvite") == 0)
        return HY_CODE_GROUP_DENIED;
    if (type->members_invite || strcmp(invite_join, "FreeAccess") == 0)
        return HY_CODE_OK;
    if (strcmp(invite_join, "NeedPermission") == 0 && asker.role >= HY__ROLE__ROLE_ADMIN)
        return HY_CODE_OK;
    return HY_CODE_GROUP_DENIED;
}

uint32_t member_may_remove(const struct hy_group_type *type, struct member_asker asker)
{
    if (!type->remove)
        return asker.admin ? HY_CODE_GROUP_PARAM : HY_CODE_GROUP_DENIED;
    if (asker.admin || asker.role == HY__ROLE__ROLE_OWNER)
        return HY_CODE_OK;
    return asker.role == HY__ROLE__ROLE_ADMIN ? HY_CODE_OK : HY_CODE_GROUP_DENIED;
}

uint32_t member_may_remove_one(const struct hy_group_type *type, struct member_asker asker,
                               Hy__Role target)
{
    if (target == HY__ROLE__ROLE_OWNER)
        return asker.admin && type->owner_quits ? HY_CODE_OK : HY_CODE_GROUP_DENIED;
    if (asker.admin || asker.role > target)
        return HY_CODE_OK;
    return HY_CODE_GROUP_DENIED;
}

uint32_t member_may_quit(const struct hy_group_type *type, Hy__Role role)
{
    if (role == HY__ROLE__ROLE_NONE)
        return HY_CODE_GROUP_DENIED;
    if (role == HY__ROLE__ROLE_OWNER && !type->owner_quits)
        return HY_CODE_GROUP_OWNER_QUIT;
    return HY_CODE_OK;
}
