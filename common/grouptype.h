/* grouptype - the table of group types and their rules (C1, C2; REST v4 section 11.1). */

#ifndef COMMON_GROUPTYPE_H
#define COMMON_GROUPTYPE_H

#include <stdbool.h>
#include <stdint.h>

enum hy_join { HY_JOIN_NEVER, HY_JOIN_APPROVE, HY_JOIN_FREE };

struct hy_group_type {
    const char *name;      /* as REST answers it: Private, Public, ChatRoom, AVChatRoom, BChatRoom */
    const char *alias;     /* Work, Meeting, or "" */
    uint32_t max_members;  /* default cap; 0 none */
    enum hy_join join;     /* default way in */
    bool members_invite;   /* any member may add others */
    bool add, remove;      /* members can be added / removed by REST or admins */
    bool live;             /* audience at the gateways, no member rows */
    bool stores;           /* messages are kept */
    bool history_before_join;
    bool unread;
    bool tips;             /* member changes are told in the conversation */
    bool owner_quits;
    bool sets_admins;
    bool mutes;
    bool members_edit;     /* any member changes name, introduction, notice, face */
    bool strangers_read;   /* found by id */
    bool only_admin_sends; /* BChatRoom: the app's administrator alone */
    bool needs_owner;      /* dissolved by its owner (else only by the app) */
    uint32_t msg_flag;     /* default: 0 AcceptAndNotify, 1 AcceptNotNotify */
};

/* By name or alias; NULL: no such type. */
const struct hy_group_type *hy_group_type(const char *name);

#endif
