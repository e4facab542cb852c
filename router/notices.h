/* notices - what is told to people beside messages, and the tips that group commands leave behind.
 *
 * The users must have been asked for with USER_PLACES. */

#ifndef ROUTER_NOTICES_H
#define ROUTER_NOTICES_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "router/parts.h"
#include "router/users.h"

/* Numbers of SystemNotice.type. */
enum notice_type {
    NOTICE_JOIN_REQUEST = 1,
    NOTICE_KICKED = 4,
    NOTICE_DISMISSED = 5,
    NOTICE_CREATED = 6,
    NOTICE_INVITED = 7,
    NOTICE_QUIT = 8,
    NOTICE_ADMIN_SET = 9,
    NOTICE_ADMIN_REMOVED = 10,
    NOTICE_CUSTOM = 255,
};

/* A SystemNotice; now is filled in. */
struct notice {
    enum notice_type type;
    const Hy__GroupInfo *group;
    const char *operator_id;
    ProtobufCBinaryData text;
};

/* Add a user's sessions, but not except_session (0: all), to those the next notices_push() tells.
 */
void notices_to(struct parts *parts, const struct user *user, uint64_t except_session);

/* Tell them, and begin anew. */
void notices_push(struct parts *parts, const Hy__Frame *frame);

/* Tell those added a SystemNotice. */
void notices_system(struct parts *parts, const struct notice *notice);

/* Tell those added a ConvNotice. */
void notices_conv(struct parts *parts, Hy__ConvType type, const char *peer, bool gone);

/* Tell the members of a group, or the audience of a live room, a SystemNotice. version as in
 * routes_post. */
void notices_all(struct parts *parts, uint32_t app, uint64_t version, const struct notice *notice);

/* Tell the members of a group, or the audience of a live room, one Frame. version as in
 * routes_post. */
void notices_group(struct parts *parts, uint32_t app, const Hy__GroupInfo *group, uint64_t version,
                   uint64_t time_ms, const Hy__Frame *frame);

/* Tell the members the tips that a command has left in the group. */
void notices_tips(struct parts *parts, uint32_t app, const Hy__GroupInfo *group, uint64_t version,
                  size_t count, Hy__Msg **tips);

#endif
