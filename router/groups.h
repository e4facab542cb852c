/* groups - making, showing, changing and dissolving groups; joining and quitting are in
 * groups_join.c. Permissions are the store's to check. */

#ifndef ROUTER_GROUPS_H
#define ROUTER_GROUPS_H

#include "router/op.h"

enum { GROUPS_GET_MOST = 50, GROUPS_MEMBERS_MOST = 500, GROUPS_LIST_MOST = 5000 };

void group_create_begin(struct op *op);
void group_get_begin(struct op *op);
void group_set_begin(struct op *op);
void group_destroy_begin(struct op *op);
void group_list_begin(struct op *op);
void group_owner_begin(struct op *op);
void group_online_begin(struct op *op);
void group_join_begin(struct op *op);
void group_quit_begin(struct op *op);

/* Who does it, for tips and notices: the caller, or the administrator behind a REST call. */
char *groups_operator(const struct op *op);

/* Ask the store for a group, with the membership of user; the answer is a Hy__GroupRes. */
const struct op_ask *groups_ask(struct op *op, const char *group, const char *user, bool admin);

/* A command has changed a group to this version of its members: these users came, or left. Before
 * its tips are told. */
void groups_changed(struct op *op, const char *group, uint64_t version, bool come, size_t count,
                    char *const *users);

/* Is it a live room? */
bool groups_live(const Hy__GroupInfo *info);

/* Are its offline members to be swept? */
bool groups_swept(const struct op *op, const Hy__GroupInfo *info);

#endif
