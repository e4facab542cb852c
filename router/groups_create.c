/* groups_create - making a group. */

#include <string.h>

#include "common/body.h"
#include "common/grouptype.h"
#include "router/calls.h"
#include "router/groupid.h"
#include "router/groups.h"
#include "router/hints.h"
#include "router/notices.h"

enum { ID_TRIES = 4 };

struct create {
    const Hy__GroupCreateReq *body;
    const struct hy_group_type *type;
    Hy__GroupInfo info;
    const struct op_user **users; /* of the members; the owner, if any, comes first */
    Hy__MemberInfo **members;
    size_t count;
    uint32_t attempt;
    const struct op_ask *ask;
};

static const char *default_join(const struct hy_group_type *type)
{
    static const char *const options[] = {
        [HY_JOIN_NEVER] = "DisableApply",
        [HY_JOIN_APPROVE] = "NeedPermission",
        [HY_JOIN_FREE] = "FreeAccess",
    };

    return options[type->join];
}

/* What can be seen without asking anybody; 0 or a code. */
static uint32_t check(const struct op *op, const Hy__GroupCreateReq *body,
                      const struct hy_group_type *type)
{
    if (body->info == NULL || type == NULL || body->info->name[0] == '\0')
        return HY_CODE_GROUP_PARAM;
    if (type->only_admin_sends && !op->caller->admin)
        return HY_CODE_GROUP_DENIED;
    if (body->info->group[0] != '\0' && !hy_group_id_ok(body->info->group, true))
        return HY_CODE_GROUP_ID_BAD;
    if (type->live && body->n_members > 0)
        return HY_CODE_GROUP_DENIED;
    if (body->n_members > GROUPS_MEMBERS_MOST)
        return HY_CODE_GROUP_TOO_MANY;
    for (size_t i = 0; i < body->n_members; i++)
        if (!hy_account_ok(body->members[i]->user))
            return HY_CODE_GROUP_ACCOUNT;
    return HY_CODE_OK;
}

static void add_member(struct op *op, struct create *create, const Hy__MemberInfo *like,
                       const char *user, Hy__Role role)
{
    Hy__MemberInfo *member;

    for (size_t i = 0; i < create->count; i++)
        if (strcmp(create->members[i]->user, user) == 0)
            return;
    member = op_get(op, sizeof *member);
    hy__member_info__init(member);
    if (like != NULL)
        *member = *like;
    member->user = (char *)user;
    member->role = role;
    create->members[create->count] = member;
    create->users[create->count++] = op_user(op, user, USER_RECORD | USER_PLACES);
}

static void gather_members(struct op *op, struct create *create)
{
    const Hy__GroupCreateReq *body = create->body;

    create->members = op_get(op, (body->n_members + 1) * sizeof *create->members);
    create->users = op_get(op, (body->n_members + 1) * sizeof *create->users);
    if (create->info.owner[0] != '\0')
        add_member(op, create, NULL, create->info.owner, HY__ROLE__ROLE_OWNER);
    for (size_t i = 0; i < body->n_members; i++) {
        const Hy__MemberInfo *member = body->members[i];

        add_member(op, create, member, member->user,
                   member->role == HY__ROLE__ROLE_ADMIN ? HY__ROLE__ROLE_ADMIN
                                                        : HY__ROLE__ROLE_MEMBER);
    }
}

/* ---- done ---- */

static void tell_members(struct op *op, const struct create *create, const Hy__GroupInfo *info)
{
    struct notice notice = {.group = info, .operator_id = groups_operator(op)};
    size_t first = info->owner[0] != '\0' ? 1 : 0;

    if (first > 0) {
        notice.type = NOTICE_CREATED;
        notices_to(op->parts, create->users[0]->wait.user, 0);
        notices_system(op->parts, &notice);
    }
    notice.type = NOTICE_INVITED;
    for (size_t i = first; i < create->count; i++)
        notices_to(op->parts, create->users[i]->wait.user, 0);
    notices_system(op->parts, &notice);
}

static void on_created(struct op *op);

static void store(struct op *op, struct create *create)
{
    Hy__StoreGroupCreateReq req = HY__STORE_GROUP_CREATE_REQ__INIT;

    if (create->body->info->group[0] == '\0') {
        create->info.group = op_get(op, GROUPID_SIZE);
        groupid_make(op->op_id, create->attempt, create->info.group);
    }
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = groups_operator(op);
    req.info = &create->info;
    req.n_members = create->count;
    req.members = create->members;
    create->ask = op_store(op, hy_slot_group(req.app, create->info.group),
                           HY__BUS_KIND__STORE_GROUP_CREATE, &req.base, &hy__group_res__descriptor);
    op_then(op, on_created);
}

static bool try_another_id(struct op *op, struct create *create)
{
    const char *info;
    uint32_t code = op_code(create->ask, &info);

    if (create->body->info->group[0] != '\0' || ++create->attempt == ID_TRIES ||
        (code != HY_CODE_GROUP_ID_TAKEN && code != HY_CODE_GROUP_ID_OWN))
        return false;
    store(op, create);
    return true;
}

static void on_created(struct op *op)
{
    struct create *create = op->work;
    const Hy__GroupRes *res = create->ask->answer;
    Hy__GroupCreateRes answer = HY__GROUP_CREATE_RES__INIT;
    const Hy__GroupInfo *info;

    if (try_another_id(op, create) || op_failed(op, create->ask))
        return;
    info = res->group != NULL ? res->group : &create->info;
    tell_members(op, create, info);
    notices_tips(op->parts, op->caller->app, info, res->member_version, res->n_tips, res->tips);
    if (groups_swept(op, info)) {
        for (size_t i = 0; i < create->count; i++)
            hints_add(op, create->members[i]->user);
        hints_send(op);
    }
    answer.group = info->group;
    answer.type = info->type;
    call_answer(op, &answer.base);
}

/* ---- begin ---- */

/* Administrators of the app may own groups without ever having been imported. */
static bool is_there(const struct op *op, const struct user *user)
{
    return user->exists || hy_app_admin(op_app(op), user->name);
}

static void on_members(struct op *op)
{
    struct create *create = op->work;

    for (size_t i = 0; i < create->count; i++) {
        const struct user_wait *wait = &create->users[i]->wait;

        if (wait->code != HY_CODE_OK || !is_there(op, wait->user)) {
            op_refuse(op, wait->code != HY_CODE_OK ? wait->code : (uint32_t)HY_CODE_GROUP_ACCOUNT);
            return;
        }
        create->members[i]->nick = (char *)wait->user->nick;
    }
    store(op, create);
}

void group_create_begin(struct op *op)
{
    const Hy__GroupCreateReq *body = call_body(op);
    struct create *create = op_get(op, sizeof *create);
    const struct hy_group_type *type = body->info == NULL ? NULL : hy_group_type(body->info->type);
    uint32_t code = check(op, body, type);

    if (code != HY_CODE_OK) {
        op_refuse(op, code);
        return;
    }
    op->work = create;
    create->body = body;
    create->type = type;
    create->info = *body->info;
    create->info.type = (char *)type->name;
    if (!op->caller->admin)
        create->info.owner = op->caller->user;
    if (create->info.apply_join[0] == '\0')
        create->info.apply_join = (char *)default_join(type);
    gather_members(op, create);
    op_then(op, on_members);
}
