/* admin - ROUTER_ADMIN: what REST and hongyanctl ask that clients cannot.
 *
 * The table is in admin.c; group commands are in admin_group.c. */

#ifndef ROUTER_ADMIN_H
#define ROUTER_ADMIN_H

#include "router/op.h"

enum { ADMIN_USERS_MOST = 500 };

/* Begin with an AdminCall. */
void admin_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record);

/* What is asked: a struct of the kind the handler's row says. */
void *admin_body(const struct op *op);

/* Answer success with a result (or without: HY__ADMIN_ANSWER__RES__NOT_SET, NULL), and end. */
void admin_answer(struct op *op, Hy__AdminAnswer__ResCase kind, ProtobufCMessage *res);

/* The same with an encoded result, as op_store_raw() brought it. */
void admin_answer_raw(struct op *op, Hy__AdminAnswer__ResCase kind, const struct op_ask *ask);

/* Answer success alone, and end. */
void admin_ok(struct op *op);

void admin_group_scan_begin(struct op *op);
void admin_system_notify_begin(struct op *op);
void admin_delete_by_sender_begin(struct op *op);
void admin_groups_import_begin(struct op *op);

#endif
