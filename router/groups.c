#include "router/groups.h"

#include <string.h>

#include "common/grouptype.h"
#include "router/calls.h"
#include "router/hints.h"
#include "router/notices.h"

char *groups_operator(const struct op *op)
{
    return op->caller->user[0] != '\0' ? op->caller->user : op->caller->admin_user;
}

bool groups_live(const Hy__GroupInfo *info)
{
    const struct hy_group_type *type = info == NULL ? NULL : hy_group_type(info->type);

    return type != NULL && type->live;
}

bool groups_swept(const struct op *op, const Hy__GroupInfo *info)
{
    if (groups_live(info))
        return false;
    return info->sweep == 1 || (info->sweep == 0 && op_app(op)->sweep == 1);
}

const struct op_ask *groups_ask(struct op *op, const char *group, const char *user, bool admin)
{
    Hy__GroupReq req = HY__GROUP_REQ__INIT;

    req.app = op->caller->app;
    req.group = (char *)group;
    req.user = (char *)user;
    req.admin = admin;
    return op_store(op, hy_slot_group(req.app, group), HY__BUS_KIND__STORE_GROUP_GET, &req.base,
                    &hy__group_res__descriptor);
}

void groups_changed(struct op *op, const char *group, uint64_t version, bool come, size_t count,
                    char *const *users)
{
    struct routes_change change = {
        .app = op->caller->app,
        .group = group,
        .version = version,
        .come = come,
        .count = count,
        .users = users,
    };

    routes_change(op->parts->routes, &change);
}

/* ---- get ---- */

struct get {
    const Hy__GroupGetReq *body;
    const struct op_ask **asks;
};

static void take_group(struct op *op, char *group, const struct op_ask *ask, Hy__GroupInfo **info,
                       Hy__MemberInfo **self)
{
    const Hy__GroupRes *res = ask->answer;
    const char *sentence;
    uint32_t code = op_code(ask, &sentence);

    *self = res == NULL ? NULL : res->self;
    if (*self == NULL) {
        *self = op_get(op, sizeof **self);
        hy__member_info__init(*self);
    }
    if (code == HY_CODE_OK && res != NULL && res->group != NULL) {
        *info = res->group;
        return;
    }
    *info = op_get(op, sizeof **info);
    hy__group_info__init(*info);
    (*info)->group = group;
    (*info)->code = code == HY_CODE_OK ? (uint32_t)HY_CODE_GROUP_UNKNOWN : code;
}

static void on_groups(struct op *op)
{
    const struct get *get = op->work;
    Hy__GroupGetRes res = HY__GROUP_GET_RES__INIT;
    size_t count = get->body->n_groups;

    res.groups = op_get(op, count * sizeof *res.groups);
    res.selves = op_get(op, count * sizeof *res.selves);
    for (size_t i = 0; i < count; i++)
        take_group(op, get->body->groups[i], get->asks[i], &res.groups[i], &res.selves[i]);
    res.n_groups = res.n_selves = count;
    call_answer(op, &res.base);
}

void group_get_begin(struct op *op)
{
    const Hy__GroupGetReq *body = call_body(op);
    struct get *get = op_get(op, sizeof *get);

    if (body->n_groups == 0 || body->n_groups > GROUPS_GET_MOST) {
        op_refuse(op, HY_CODE_GROUP_PARAM);
        return;
    }
    op->work = get;
    get->body = body;
    get->asks = op_get(op, body->n_groups * sizeof *get->asks);
    for (size_t i = 0; i < body->n_groups; i++)
        get->asks[i] = groups_ask(op, body->groups[i], op->caller->user, op->caller->admin);
    op_then(op, on_groups);
}

/* ---- set, owner ---- */

struct change {
    const char *group;
    const struct op_ask *ask;
    const struct op_ask *members; /* of a group whose sweep was turned on */
    bool sweep_on;
};

static void on_sweep_members(struct op *op)
{
    const struct change *change = op->work;
    const Hy__StoreMembersGetRes *res = change->members->answer;

    /* Without an answer the scan that presence makes now and then finds them. */
    for (size_t i = 0; res != NULL && i < res->n_members; i++)
        hints_add(op, res->members[i]->user);
    hints_send(op);
    op_end(op);
}

static void hint_members(struct op *op, struct change *change, const Hy__GroupInfo *info)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq which = HY__MEMBERS_GET_REQ__INIT;

    which.group = info->group;
    req.app = op->caller->app;
    req.admin = true;
    req.ids_only = true;
    req.req = &which;
    change->members =
        op_store(op, hy_slot_group(req.app, info->group), HY__BUS_KIND__STORE_MEMBERS_GET,
                 &req.base, &hy__store_members_get_res__descriptor);
    op_then(op, on_sweep_members);
}

static void on_changed(struct op *op)
{
    struct change *change = op->work;
    const Hy__GroupRes *res = change->ask->answer;
    Hy__Ok ok = HY__OK__INIT;

    if (op_failed(op, change->ask))
        return;
    groups_changed(op, change->group, res->member_version, false, 0, NULL);
    notices_tips(op->parts, op->caller->app, res->group, res->member_version, res->n_tips,
                 res->tips);
    if (!change->sweep_on || res->group == NULL || !groups_swept(op, res->group)) {
        call_ok(op);
        return;
    }
    call_reply(op, &ok.base);
    hint_members(op, change, res->group);
}

void group_set_begin(struct op *op)
{
    const Hy__GroupSetReq *body = call_body(op);
    struct change *change = op_get(op, sizeof *change);
    Hy__StoreGroupSetReq req = HY__STORE_GROUP_SET_REQ__INIT;

    op->work = change;
    change->group = body->group;
    for (size_t i = 0; i < body->n_fields; i++)
        change->sweep_on = change->sweep_on || strcmp(body->fields[i]->name, "Sweep") == 0;
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = groups_operator(op);
    req.admin = op->caller->admin;
    req.group = body->group;
    req.n_fields = body->n_fields;
    req.fields = body->fields;
    change->ask = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_GROUP_SET,
                           &req.base, &hy__group_res__descriptor);
    op_then(op, on_changed);
}

void group_owner_begin(struct op *op)
{
    const Hy__GroupOwnerReq *body = call_body(op);
    struct change *change = op_get(op, sizeof *change);
    Hy__StoreGroupOwnerReq req = HY__STORE_GROUP_OWNER_REQ__INIT;

    op->work = change;
    change->group = body->group;
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = groups_operator(op);
    req.admin = op->caller->admin;
    req.group = body->group;
    req.new_owner = body->new_owner;
    change->ask = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_GROUP_OWNER,
                           &req.base, &hy__group_res__descriptor);
    op_then(op, on_changed);
}

/* ---- destroy ---- */

struct destroy {
    const Hy__GroupDestroyReq *body;
    const struct op_ask *ask;
    const struct op_user **affected;
    size_t count;
};

static void on_affected(struct op *op)
{
    const struct destroy *destroy = op->work;
    const Hy__GroupRes *res = destroy->ask->answer;
    struct notice notice = {
        .type = NOTICE_DISMISSED,
        .group = res->group,
        .operator_id = groups_operator(op),
    };

    for (size_t i = 0; i < destroy->count; i++)
        notices_to(op->parts, destroy->affected[i]->wait.user, 0);
    notices_system(op->parts, &notice);
    for (size_t i = 0; i < destroy->count; i++)
        notices_to(op->parts, destroy->affected[i]->wait.user, 0);
    notices_conv(op->parts, HY__CONV_TYPE__CONV_GROUP, res->group->group, true);
    if (groups_live(res->group)) {
        notices_all(op->parts, op->caller->app, 0, &notice);
        rooms_forget(op->parts->rooms, op->caller->app, res->group->group);
    }
    op_end(op);
}

static void on_destroyed(struct op *op)
{
    struct destroy *destroy = op->work;
    const Hy__GroupRes *res = destroy->ask->answer;
    Hy__Ok ok = HY__OK__INIT;

    if (op_failed(op, destroy->ask))
        return;
    routes_forget(op->parts->routes, op->caller->app, destroy->body->group);
    if (res->group == NULL) {
        call_ok(op);
        return;
    }
    /* The group is gone; its members may be many, and the caller need not wait for them. */
    call_reply(op, &ok.base);
    destroy->count = res->n_affected;
    destroy->affected = op_get(op, (res->n_affected + 1) * sizeof *destroy->affected);
    for (size_t i = 0; i < res->n_affected; i++)
        destroy->affected[i] = op_user(op, res->affected[i], USER_PLACES);
    op_then(op, on_affected);
}

void group_destroy_begin(struct op *op)
{
    struct destroy *destroy = op_get(op, sizeof *destroy);
    Hy__GroupReq req = HY__GROUP_REQ__INIT;

    op->work = destroy;
    destroy->body = call_body(op);
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.group = destroy->body->group;
    req.user = groups_operator(op);
    req.admin = op->caller->admin;
    destroy->ask =
        op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_GROUP_DESTROY,
                 &req.base, &hy__group_res__descriptor);
    op_then(op, on_destroyed);
}

/* ---- online ---- */

static void on_online(struct op *op)
{
    const struct op_ask *ask = op->work;
    const Hy__GroupRes *res = ask->answer;
    Hy__GroupOnlineRes answer = HY__GROUP_ONLINE_RES__INIT;

    if (op_failed(op, ask))
        return;
    if (res->group != NULL && groups_live(res->group))
        answer.count = rooms_count(op->parts->rooms, op->caller->app, res->group->group);
    call_answer(op, &answer.base);
}

void group_online_begin(struct op *op)
{
    const Hy__GroupOnlineReq *body = call_body(op);

    op->work = (void *)groups_ask(op, body->group, op->caller->user, true);
    op_then(op, on_online);
}
