#include "common/grouptype.h"

#include <stddef.h>
#include <string.h>

/* REST v4 section 11.1, the column of 2018. Caps: 0 is none. A newcomer to an AVChatRoom sees what
 * was said last although nothing is stored (C2): the router remembers it. */
static const struct hy_group_type types[] = {
    {
        .name = "Private",
        .alias = "Work",
        .max_members = 200,
        .join = HY_JOIN_NEVER,
        .members_invite = true,
        .add = true,
        .remove = true,
        .stores = true,
        .unread = true,
        .tips = true,
        .owner_quits = true,
        .members_edit = true,
    },
    {
        .name = "Public",
        .alias = "",
        .max_members = 2000,
        .join = HY_JOIN_APPROVE,
        .add = true,
        .remove = true,
        .stores = true,
        .unread = true,
        .tips = true,
        .sets_admins = true,
        .mutes = true,
        .strangers_read = true,
        .needs_owner = true,
    },
    {
        .name = "ChatRoom",
        .alias = "Meeting",
        .max_members = 10000,
        .join = HY_JOIN_FREE,
        .add = true,
        .remove = true,
        .stores = true,
        .history_before_join = true,
        .sets_admins = true,
        .mutes = true,
        .strangers_read = true,
        .needs_owner = true,
        .msg_flag = 1,
    },
    {
        .name = "AVChatRoom",
        .alias = "",
        .join = HY_JOIN_FREE,
        .live = true,
        .history_before_join = true,
        .tips = true,
        .mutes = true,
        .strangers_read = true,
        .needs_owner = true,
        .msg_flag = 1,
    },
    {
        .name = "BChatRoom",
        .alias = "",
        .join = HY_JOIN_FREE,
        .live = true,
        .only_admin_sends = true,
        .msg_flag = 1,
    },
};

const struct hy_group_type *hy_group_type(const char *name)
{
    if (name == NULL || *name == '\0')
        return NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0 || strcmp(name, types[i].alias) == 0)
            return &types[i];
    return NULL;
}
