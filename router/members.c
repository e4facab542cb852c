#include "router/members.h"

#include <string.h>

#include "common/body.h"
#include "router/calls.h"
#include "router/groups.h"
#include "router/hints.h"
#include "router/notices.h"

enum { NAMED_MOST = 200 }; /* longer lists come without nicks: they would sweep the user cache */
enum { RESULT_FAILED = 0, RESULT_ADDED = 1 }; /* 1 also says removed */

/* ---- get ---- */

struct get {
    const struct op_ask *ask;
    const struct op_user **users;
};

static void answer_members(struct op *op, const Hy__StoreMembersGetRes *from)
{
    Hy__MembersGetRes res = HY__MEMBERS_GET_RES__INIT;

    res.n_members = from->n_members;
    res.members = from->members;
    res.total = from->total;
    call_answer(op, &res.base);
}

static void on_names(struct op *op)
{
    const struct get *get = op->work;
    const Hy__StoreMembersGetRes *res = get->ask->answer;

    for (size_t i = 0; i < res->n_members; i++) {
        const struct user_wait *wait = &get->users[i]->wait;

        if (wait->code != HY_CODE_OK)
            continue;
        res->members[i]->nick = (char *)wait->user->nick;
        res->members[i]->face = (char *)wait->user->face;
    }
    answer_members(op, res);
}

static void on_members(struct op *op)
{
    struct get *get = op->work;
    const Hy__StoreMembersGetRes *res = get->ask->answer;

    if (op_failed(op, get->ask))
        return;
    if (op->caller->admin || res->n_members > NAMED_MOST) {
        answer_members(op, res);
        return;
    }
    get->users = op_get(op, (res->n_members + 1) * sizeof *get->users);
    for (size_t i = 0; i < res->n_members; i++)
        get->users[i] = op_user(op, res->members[i]->user, USER_RECORD);
    op_then(op, on_names);
}

void members_get_begin(struct op *op)
{
    const Hy__MembersGetReq *body = call_body(op);
    struct get *get = op_get(op, sizeof *get);
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;

    op->work = get;
    if (body->n_users > MEMBERS_CHANGE_MOST) {
        op_refuse(op, HY_CODE_GROUP_TOO_MANY);
        return;
    }
    req.app = op->caller->app;
    req.user = op->caller->user;
    req.admin = op->caller->admin;
    req.req = (Hy__MembersGetReq *)body;
    get->ask = op_store(op, hy_slot_group(req.app, body->group), HY__BUS_KIND__STORE_MEMBERS_GET,
                        &req.base, &hy__store_members_get_res__descriptor);
    op_then(op, on_members);
}

/* ---- add, remove ---- */

struct change {
    const char *group;
    size_t count;
    char **users;
    bool silent;
    const char *reason;
    const struct op_user **known; /* as users */
    const struct op_ask *ask;     /* about those who exist */
    size_t *asked;                /* which of users they are */
};

/* 0 or a code. */
static uint32_t check_users(size_t count, char *const *users)
{
    if (count == 0)
        return HY_CODE_GROUP_PARAM;
    if (count > MEMBERS_CHANGE_MOST)
        return HY_CODE_GROUP_TOO_MANY;
    for (size_t i = 0; i < count; i++)
        if (users[i][0] == '\0')
            return HY_CODE_GROUP_PARAM;
    return HY_CODE_OK;
}

static void know_users(struct op *op, struct change *change, unsigned need)
{
    change->known = op_get(op, change->count * sizeof *change->known);
    change->asked = op_get(op, change->count * sizeof *change->asked);
    for (size_t i = 0; i < change->count; i++)
        change->known[i] = op_user(op, change->users[i], need);
}

static Hy__MemberInfo *member_of(struct op *op, const struct change *change, size_t i)
{
    Hy__MemberInfo *member = op_get(op, sizeof *member);

    hy__member_info__init(member);
    member->user = change->users[i];
    member->role = HY__ROLE__ROLE_MEMBER;
    member->nick = (char *)change->known[i]->wait.user->nick;
    return member;
}

/* Ask the store to change the membership of those for whom which() is true. */
static void store_change(struct op *op, struct change *change, uint16_t kind,
                         bool (*which)(const struct op *op, const struct op_user *user),
                         op_fn *next)
{
    Hy__StoreMembersReq req = HY__STORE_MEMBERS_REQ__INIT;

    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = groups_operator(op);
    req.admin = op->caller->admin;
    req.group = (char *)change->group;
    req.silent = change->silent;
    req.reason = (char *)change->reason;
    req.members = op_get(op, change->count * sizeof *req.members);
    for (size_t i = 0; i < change->count; i++) {
        if (!which(op, change->known[i]))
            continue;
        change->asked[req.n_members] = i;
        req.members[req.n_members++] = member_of(op, change, i);
    }
    if (req.n_members == 0) {
        op_refuse(op, HY_CODE_GROUP_ACCOUNT);
        return;
    }
    change->ask = op_store(op, hy_slot_group(req.app, req.group), kind, &req.base,
                           &hy__store_members_res__descriptor);
    op_then(op, next);
}

static bool exists(const struct op *op, const struct op_user *user)
{
    return user->wait.user->exists || hy_app_admin(op_app(op), user->wait.user->name);
}

static bool anybody(const struct op *op, const struct op_user *user)
{
    (void)op;
    (void)user;
    return true;
}

static void answer_added(struct op *op, const struct change *change,
                         const Hy__StoreMembersRes *from)
{
    Hy__MembersAddRes res = HY__MEMBERS_ADD_RES__INIT;

    res.n_results = change->count;
    res.results = op_get(op, change->count * sizeof *res.results);
    for (size_t i = 0; i < change->count; i++) {
        res.results[i] = op_get(op, sizeof **res.results);
        hy__member_result__init(res.results[i]);
        res.results[i]->user = change->users[i];
        res.results[i]->result = RESULT_FAILED;
    }
    for (size_t k = 0; k < from->n_results; k++)
        res.results[change->asked[k]]->result = from->results[k]->result;
    call_answer(op, &res.base);
}

/* The route learns who came or left. */
static void change_route(struct op *op, const struct change *change, const Hy__StoreMembersRes *res,
                         bool come)
{
    char **users = op_get(op, (res->n_results + 1) * sizeof *users);
    size_t count = 0;

    for (size_t k = 0; k < res->n_results; k++)
        if (res->results[k]->result == RESULT_ADDED)
            users[count++] = change->users[change->asked[k]];
    groups_changed(op, change->group, res->member_version, come, count, users);
}

static void on_added(struct op *op)
{
    const struct change *change = op->work;
    const Hy__StoreMembersRes *res = change->ask->answer;
    struct notice notice = {.type = NOTICE_INVITED, .operator_id = groups_operator(op)};

    if (op_failed(op, change->ask))
        return;
    change_route(op, change, res, true);
    notice.group = res->group;
    for (size_t k = 0; k < res->n_results && res->group != NULL; k++) {
        size_t i = change->asked[k];

        if (res->results[k]->result != RESULT_ADDED)
            continue;
        notices_to(op->parts, change->known[i]->wait.user, 0);
        if (groups_swept(op, res->group))
            hints_add(op, change->users[i]);
    }
    hints_send(op);
    if (res->group != NULL)
        notices_system(op->parts, &notice);
    notices_tips(op->parts, op->caller->app, res->group, res->member_version, res->n_tips,
                 res->tips);
    answer_added(op, change, res);
}

static void on_users_to_add(struct op *op)
{
    struct change *change = op->work;

    for (size_t i = 0; i < change->count; i++) {
        if (change->known[i]->wait.code == HY_CODE_OK)
            continue;
        op_refuse(op, change->known[i]->wait.code);
        return;
    }
    store_change(op, change, HY__BUS_KIND__STORE_MEMBERS_ADD, exists, on_added);
}

void members_add_begin(struct op *op)
{
    const Hy__MembersAddReq *body = call_body(op);
    struct change *change = op_get(op, sizeof *change);
    uint32_t code = check_users(body->n_users, body->users);

    if (code != HY_CODE_OK) {
        op_refuse(op, code);
        return;
    }
    op->work = change;
    *change = (struct change){
        .group = body->group,
        .count = body->n_users,
        .users = body->users,
        .silent = body->silent,
        .reason = "",
    };
    know_users(op, change, USER_RECORD | USER_PLACES);
    op_then(op, on_users_to_add);
}

static bool was_member(const Hy__StoreMembersRes *res, size_t k)
{
    return k < res->n_roles && res->roles[k] != HY__ROLE__ROLE_NONE &&
           (k >= res->n_results || res->results[k]->result == RESULT_ADDED);
}

static void on_removed(struct op *op)
{
    const struct change *change = op->work;
    const Hy__StoreMembersRes *res = change->ask->answer;
    struct notice notice = {
        .type = NOTICE_KICKED,
        .operator_id = groups_operator(op),
        .text = {strlen(change->reason), (uint8_t *)change->reason},
    };

    if (op_failed(op, change->ask))
        return;
    change_route(op, change, res, false);
    notice.group = res->group;
    notices_tips(op->parts, op->caller->app, res->group, res->member_version, res->n_tips,
                 res->tips);
    for (size_t k = 0; k < res->n_roles && res->group != NULL; k++)
        if (was_member(res, k))
            notices_to(op->parts, change->known[change->asked[k]]->wait.user, 0);
    if (res->group != NULL)
        notices_system(op->parts, &notice);
    for (size_t k = 0; k < res->n_roles; k++)
        if (was_member(res, k))
            notices_to(op->parts, change->known[change->asked[k]]->wait.user, 0);
    notices_conv(op->parts, HY__CONV_TYPE__CONV_GROUP, change->group, true);
    call_ok(op);
}

static void on_users_to_remove(struct op *op)
{
    store_change(op, op->work, HY__BUS_KIND__STORE_MEMBERS_REMOVE, anybody, on_removed);
}

void members_remove_begin(struct op *op)
{
    const Hy__MembersRemoveReq *body = call_body(op);
    struct change *change = op_get(op, sizeof *change);
    uint32_t code = check_users(body->n_users, body->users);

    if (code != HY_CODE_OK) {
        op_refuse(op, code);
        return;
    }
    op->work = change;
    *change = (struct change){
        .group = body->group,
        .count = body->n_users,
        .users = body->users,
        .silent = body->silent,
        .reason = body->reason,
    };
    know_users(op, change, USER_PLACES);
    op_then(op, on_users_to_remove);
}

/* ---- set ---- */

struct set {
    const Hy__MemberSetReq *body;
    const struct op_ask *ask;
    const struct op_user **users;
    Hy__Role role; /* to which it is set; NONE: it is not */
};

/* Who has become or is no longer admin is told. */
static void tell_roles(struct op *op, const struct set *set, const Hy__StoreMembersRes *res)
{
    struct notice notice = {
        .type = set->role == HY__ROLE__ROLE_ADMIN ? NOTICE_ADMIN_SET : NOTICE_ADMIN_REMOVED,
        .group = res->group,
        .operator_id = groups_operator(op),
    };

    for (size_t i = 0; i < res->n_roles && i < set->body->n_users; i++) {
        Hy__Role before = res->roles[i];

        if (before != set->role &&
            (before == HY__ROLE__ROLE_MEMBER || before == HY__ROLE__ROLE_ADMIN))
            notices_to(op->parts, set->users[i]->wait.user, 0);
    }
    notices_system(op->parts, &notice);
}

static void on_set(struct op *op)
{
    const struct set *set = op->work;
    const Hy__StoreMembersRes *res = set->ask->answer;

    if (op_failed(op, set->ask))
        return;
    /* Who wants to hear may have changed, which the version does not show. */
    routes_forget(op->parts->routes, op->caller->app, set->body->group);
    if (set->role != HY__ROLE__ROLE_NONE && res->group != NULL)
        tell_roles(op, set, res);
    notices_tips(op->parts, op->caller->app, res->group, res->member_version, res->n_tips,
                 res->tips);
    call_ok(op);
}

void member_set_begin(struct op *op)
{
    const Hy__MemberSetReq *body = call_body(op);
    struct set *set = op_get(op, sizeof *set);
    Hy__StoreMemberSetReq req = HY__STORE_MEMBER_SET_REQ__INIT;
    uint32_t code = check_users(body->n_users, body->users);

    if (code != HY_CODE_OK || body->n_fields == 0) {
        op_refuse(op, code != HY_CODE_OK ? code : (uint32_t)HY_CODE_GROUP_PARAM);
        return;
    }
    op->work = set;
    set->body = body;
    for (size_t i = 0; i < body->n_fields; i++)
        if (strcmp(body->fields[i]->name, "Role") == 0)
            set->role = (Hy__Role)body->fields[i]->num;
    set->users = op_get(op, body->n_users * sizeof *set->users);
    for (size_t i = 0; i < body->n_users && set->role != HY__ROLE__ROLE_NONE; i++)
        set->users[i] = op_user(op, body->users[i], USER_PLACES);
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = groups_operator(op);
    req.admin = op->caller->admin;
    req.group = body->group;
    req.n_users = body->n_users;
    req.users = body->users;
    req.n_fields = body->n_fields;
    req.fields = body->fields;
    set->ask = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_MEMBER_SET,
                        &req.base, &hy__store_members_res__descriptor);
    op_then(op, on_set);
}
