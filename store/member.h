/* member - rows of a group's members and mutes, and what is told of them. */

#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/core.h"
#include "store/group.h"

/* The member's row; its msg is NULL for one who is none. user must be good for keys. Who is in the
 * roster only gets one in memory, with what the roster says; it is written when it is touched. */
enum hy_err member_find(struct core *core, const struct group_ref *ref, const char *user,
                        struct row **row) HY_CHECKED;

/* Role of a row found: ROLE_NONE without a message. */
Hy__Role member_role(const struct row *row);

/* The role of a user; a user without a good name is ROLE_NONE. */
enum hy_err member_role_of(struct core *core, const struct group_ref *ref, const char *user,
                           Hy__Role *role) HY_CHECKED;

/* Muted until when, 0 for not (any more) at now_s. */
enum hy_err mute_until(struct core *core, const struct group_ref *ref, const char *user,
                       uint64_t now_s, uint64_t *until_s) HY_CHECKED;

/* Mute for seconds from now_s (UINT32_MAX for ever, 0 lifts). */
enum hy_err mute_set(struct core *core, const struct group_ref *ref, const char *user,
                     uint64_t now_s, uint32_t seconds) HY_CHECKED;

/* Unread messages of a member now. */
uint32_t member_unread(const struct hy_group_type *type, const Hy__Group *group,
                       const Hy__Member *member);

/* The lowest place a member may see, but for expiry. member NULL: one who sees all (REST). */
uint64_t member_first(const struct hy_group_type *type, const Hy__Group *group,
                      const Hy__Member *member);

/* Has read up to seq (0: all); left unread stay when it is not the newest. False: no change. */
bool member_read(const Hy__Group *group, Hy__Member *member, uint64_t seq, uint32_t left);

/* What is told of a member: shares the row's texts. */
void member_info(const struct hy_group_type *type, const Hy__Group *group, const Hy__Member *member,
                 uint64_t mute_until_s, Hy__MemberInfo *info);

/* The member's row, which has a message, was changed. */
void member_touch(struct core *core, struct group_ref *ref, struct row *row);

/* The same where role, flag, name card or custom fields were changed, which the roster says, too.
 */
enum hy_err member_changed(struct core *core, struct group_ref *ref, struct row *row) HY_CHECKED;

/* A member, whose row this is, is none any more. */
enum hy_err member_remove(struct core *core, struct group_ref *ref, const char *user,
                          struct row *row) HY_CHECKED;

/* The roster goes with the group. */
void member_roster_drop(struct core *core, const struct group_ref *ref);

/* What the row of a new member says; shares the texts of as. */
void member_fill(const struct group_ref *ref, const Hy__MemberInfo *as, Hy__Role role,
                 uint64_t now_s, Hy__Member *member);

/* Make a member of a user who is none. now_s is the time of joining. */
enum hy_err member_make(struct core *core, struct group_ref *ref, struct row *row,
                        const Hy__MemberInfo *as, Hy__Role role, uint64_t now_s) HY_CHECKED;

/* Tell the user's index what he is to the group now; call after group_bump(). member NULL: none any
 * more. */
void member_show(struct core *core, const struct group_ref *ref, const char *user,
                 const Hy__Member *member);

#endif
