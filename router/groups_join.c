/* groups_join - coming into a group by oneself, and leaving it. */

#include <string.h>

#include "router/calls.h"
#include "router/groups.h"
#include "router/joinrule.h"
#include "router/notices.h"

enum { STATUS_JOINED = 1, STATUS_MEMBER = 2, STATUS_WAITS = 3 };

struct join {
    const char *group;
    const Hy__GroupJoinReq *body; /* NULL to quit */
    const struct op_ask *get, *change, *admins;
    const struct op_user *self;
    const struct op_user **deciders; /* owner and admins */
    size_t count;
};

static const Hy__GroupInfo *info_of(const struct join *join)
{
    const Hy__GroupRes *res = join->get->answer;

    return res->group;
}

/* ---- join ---- */

static void answer(struct op *op, const struct join *join, uint32_t status,
                   const Hy__GroupInfo *group)
{
    Hy__GroupJoinRes res = HY__GROUP_JOIN_RES__INIT;
    Hy__Msg *recent[ROOMS_RECENT];

    res.status = status;
    res.group = (Hy__GroupInfo *)group;
    if (groups_live(group)) {
        res.n_recent =
            rooms_recent(op->parts->rooms, op->caller->app, join->group, &op->arena, recent);
        res.recent = recent;
    }
    call_answer(op, &res.base);
}

/* Whoever is let in is told what was said before; what is said from here on, the gateway gets. */
static void enter_room(struct op *op, const struct join *join, const Hy__GroupInfo *group)
{
    struct gate *gate = op->caller->session_id == 0 ? NULL : push_gate(op->parts->push, op->asker);

    if (gate != NULL)
        rooms_expect(op->parts->rooms, gate, op->caller->app, join->group);
    answer(op, join, STATUS_JOINED, group);
}

static void on_joined(struct op *op)
{
    const struct join *join = op->work;
    const Hy__StoreMembersRes *res = join->change->answer;
    char *self[] = {op->caller->user};
    const Hy__GroupInfo *group;
    uint32_t result;

    if (op_failed(op, join->change))
        return;
    group = res->group != NULL ? res->group : info_of(join);
    result = res->n_results == 1 ? res->results[0]->result : 0;
    if (result == 4) {
        op_refuse(op, HY_CODE_GROUP_FULL);
        return;
    }
    if (result != 1 && result != 2) {
        op_refuse(op, HY_CODE_GROUP_DENIED);
        return;
    }
    if (result == 1)
        groups_changed(op, join->group, res->member_version, true, 1, self);
    notices_tips(op->parts, op->caller->app, group, res->member_version, res->n_tips, res->tips);
    notices_to(op->parts, join->self->wait.user, op->caller->session_id);
    notices_conv(op->parts, HY__CONV_TYPE__CONV_GROUP, join->group, false);
    answer(op, join, result == 1 ? STATUS_JOINED : STATUS_MEMBER, group);
}

static void on_self(struct op *op)
{
    struct join *join = op->work;
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo member = HY__MEMBER_INFO__INIT, *members[] = {&member};

    member.user = op->caller->user;
    member.role = HY__ROLE__ROLE_MEMBER;
    member.nick = (char *)join->self->wait.user->nick;
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = op->caller->user;
    req.admin = op->caller->admin;
    req.group = (char *)join->group;
    req.n_members = 1;
    req.members = members;
    req.join = true;
    join->change = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_MEMBERS_ADD,
                            &req.base, &hy__store_members_res__descriptor);
    op_then(op, on_joined);
}

static void on_deciders(struct op *op)
{
    const struct join *join = op->work;
    struct notice notice = {
        .type = NOTICE_JOIN_REQUEST,
        .group = info_of(join),
        .operator_id = op->caller->user,
        .text = {strlen(join->body->apply_message), (uint8_t *)join->body->apply_message},
    };

    for (size_t i = 0; i < join->count; i++)
        notices_to(op->parts, join->deciders[i]->wait.user, 0);
    notices_system(op->parts, &notice);
    answer(op, join, STATUS_WAITS, info_of(join));
}

static void on_admins(struct op *op)
{
    struct join *join = op->work;
    const Hy__StoreMembersGetRes *res = join->admins->answer;

    if (op_failed(op, join->admins))
        return;
    join->deciders = op_get(op, (res->n_members + 1) * sizeof *join->deciders);
    for (size_t i = 0; i < res->n_members; i++)
        if (res->members[i]->role >= HY__ROLE__ROLE_ADMIN)
            join->deciders[join->count++] = op_user(op, res->members[i]->user, USER_PLACES);
    op_then(op, on_deciders);
}

static void ask_admins(struct op *op, struct join *join)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq which = HY__MEMBERS_GET_REQ__INIT;
    Hy__Role roles[] = {HY__ROLE__ROLE_ADMIN, HY__ROLE__ROLE_OWNER};

    which.group = (char *)join->group;
    which.n_roles = 2;
    which.roles = roles;
    req.app = op->caller->app;
    req.admin = true;
    req.req = &which;
    join->admins =
        op_store(op, hy_slot_group(req.app, join->group), HY__BUS_KIND__STORE_MEMBERS_GET,
                 &req.base, &hy__store_members_get_res__descriptor);
    op_then(op, on_admins);
}

static void on_group(struct op *op)
{
    struct join *join = op->work;
    const Hy__GroupRes *res = join->get->answer;

    if (op_failed(op, join->get))
        return;
    if (res->group == NULL) {
        op_refuse(op, HY_CODE_GROUP_UNKNOWN);
        return;
    }
    switch (joinrule(res->group, res->self)) {
    case JOIN_NOW:
        join->self = op_user(op, op->caller->user, USER_RECORD | USER_PLACES);
        op_then(op, on_self);
        return;
    case JOIN_ALREADY:
        answer(op, join, STATUS_MEMBER, res->group);
        return;
    case JOIN_AUDIENCE:
        enter_room(op, join, res->group);
        return;
    case JOIN_ASK:
        ask_admins(op, join);
        return;
    case JOIN_DENIED:
        op_refuse(op, HY_CODE_GROUP_DENIED);
        return;
    }
}

void group_join_begin(struct op *op)
{
    struct join *join = op_get(op, sizeof *join);

    op->work = join;
    join->body = call_body(op);
    join->group = join->body->group;
    /* As administrator: who is not a member yet may find a group that strangers cannot. */
    join->get = groups_ask(op, join->group, op->caller->user, true);
    op_then(op, on_group);
}

/* ---- quit ---- */

static void on_left(struct op *op)
{
    const struct join *join = op->work;
    const Hy__StoreMembersRes *res = join->change->answer;
    char *self[] = {op->caller->user};
    struct notice notice = {
        .type = NOTICE_QUIT,
        .group = info_of(join),
        .operator_id = op->caller->user,
    };

    if (op_failed(op, join->change))
        return;
    groups_changed(op, join->group, res->member_version, false, 1, self);
    notices_tips(op->parts, op->caller->app, notice.group, res->member_version, res->n_tips,
                 res->tips);
    notices_to(op->parts, join->self->wait.user, 0);
    notices_system(op->parts, &notice);
    notices_to(op->parts, join->self->wait.user, op->caller->session_id);
    notices_conv(op->parts, HY__CONV_TYPE__CONV_GROUP, join->group, true);
    call_ok(op);
}

static void on_group_to_leave(struct op *op)
{
    struct join *join = op->work;
    const Hy__GroupRes *res = join->get->answer;
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo member = HY__MEMBER_INFO__INIT, *members[] = {&member};

    if (op_failed(op, join->get))
        return;
    if (res->group == NULL || groups_live(res->group)) {
        call_ok(op); /* the gateway has let the link out of the audience */
        return;
    }
    member.user = op->caller->user;
    member.nick = (char *)join->self->wait.user->nick;
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = op->caller->user;
    req.group = (char *)join->group;
    req.n_members = 1;
    req.members = members;
    req.join = true;
    join->change =
        op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_MEMBERS_REMOVE,
                 &req.base, &hy__store_members_res__descriptor);
    op_then(op, on_left);
}

void group_quit_begin(struct op *op)
{
    const Hy__GroupQuitReq *body = call_body(op);
    struct join *join = op_get(op, sizeof *join);

    op->work = join;
    join->group = body->group;
    join->get = groups_ask(op, join->group, op->caller->user, true);
    join->self = op_user(op, op->caller->user, USER_RECORD | USER_PLACES);
    op_then(op, on_group_to_leave);
}
