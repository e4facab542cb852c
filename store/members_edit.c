/* members_edit - members come and go: by themselves, added, removed. */

#include <string.h>

#include "store/group.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/member_change.h"
#include "store/tip.h"

enum { AT_ONCE_MOST = 500 };

/* One StoreMembersReq under way. */
struct edit {
    struct core *core;
    const Hy__StoreMembersReq *in;
    struct group_ref ref;
    struct member_asker asker;
    uint64_t now_s;
    Hy__StoreMembersRes out;
    Hy__TipElem tip;
    size_t done; /* members who came or went */
};

/* Decode, find the group, who asks, and room for results. False: answered. */
static bool begin(struct edit *e, struct core *core, const struct request *req)
{
    Hy__MemberResult *results;
    size_t n;
    enum hy_err err;

    *e = (struct edit){.core = core,
                       .now_s = core_now(core) / 1000,
                       .out = HY__STORE_MEMBERS_RES__INIT,
                       .tip = HY__TIP_ELEM__INIT};
    e->in = core_decode(core, req, &hy__store_members_req__descriptor);
    if (e->in == NULL)
        return false;
    n = e->in->n_members;
    if (n == 0 || n > AT_ONCE_MOST) {
        core_refuse(core, req, n == 0 ? HY_CODE_GROUP_PARAM : HY_CODE_GROUP_TOO_MANY);
        return false;
    }
    if (!group_need(core, req, e->in->app, e->in->group, &e->ref) ||
        core_op_seen(core, req, e->ref.home, e->in->op_id))
        return false;
    e->asker.admin = e->in->admin;
    err = member_role_of(core, &e->ref, e->in->operator_id, &e->asker.role);
    results = hy_arena_alloc(&core->arena, n * sizeof *results);
    e->out.results = hy_arena_alloc(&core->arena, n * sizeof *e->out.results);
    e->out.roles = hy_arena_zalloc(&core->arena, n * sizeof *e->out.roles);
    e->tip.members = hy_arena_alloc(&core->arena, n * sizeof *e->tip.members);
    if (err == HY_OK && (results == NULL || e->out.results == NULL || e->out.roles == NULL ||
                         e->tip.members == NULL))
        err = HY_ENOMEM;
    if (err != HY_OK) {
        core_broken(core, req, err);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        hy__member_result__init(&results[i]);
        results[i].user = e->in->members[i]->user;
        e->out.results[i] = &results[i];
    }
    e->out.n_results = e->out.n_roles = n;
    return true;
}

static enum hy_err name_in_tip(struct edit *e, const Hy__MemberInfo *who)
{
    Hy__TipMember *m = hy_arena_alloc(&e->core->arena, sizeof *m);

    if (m == NULL)
        return HY_ENOMEM;
    hy__tip_member__init(m);
    m->user = who->user;
    m->nick = who->nick;
    e->tip.members[e->tip.n_members++] = m;
    return HY_OK;
}

/* Tip, answer, and the answer kept for retries. A failure half-way takes the whole batch along. */
static void finish(struct edit *e, const struct request *req, const char *by, enum hy_err err)
{
    Hy__GroupInfo info;
    Hy__Msg *msg = NULL;

    if (err == HY_OK && e->done > 0 && !e->in->silent)
        err = tip_append(e->core, &e->ref, by, &e->tip, &msg);
    if (err != HY_OK)
        batch_fail(e->core->batch, err);
    group_info(&e->ref, &info);
    e->out.group = &info;
    e->out.member_version = e->ref.group->member_version;
    e->out.n_tips = msg != NULL;
    e->out.tips = &msg;
    core_op_answer(e->core, req, e->ref.home, e->in->op_id, &e->out.base);
}

/* ---- coming ---- */

static bool full(const struct edit *e)
{
    uint32_t cap = e->ref.group->info->max_member_num;

    return cap != 0 && e->ref.group->member_num >= cap;
}

static Hy__Role role_for(const struct edit *e, const Hy__MemberInfo *as)
{
    bool admin = e->asker.admin && e->ref.type->sets_admins && as->role == HY__ROLE__ROLE_ADMIN;

    return admin ? HY__ROLE__ROLE_ADMIN : HY__ROLE__ROLE_MEMBER;
}

static enum hy_err add_one(struct edit *e, size_t i)
{
    const Hy__MemberInfo *as = e->in->members[i];
    Hy__MemberResult *r = e->out.results[i];
    struct row *row;
    enum hy_err err;

    r->result = MEMBER_RESULT_FAILED;
    if (!key_text_ok(as->user))
        return HY_OK;
    err = member_find(e->core, &e->ref, as->user, &row);
    if (err != HY_OK)
        return err;
    e->out.roles[i] = member_role(row);
    r->result = row->msg != NULL ? MEMBER_RESULT_WAS
                : full(e)        ? MEMBER_RESULT_FULL
                                 : MEMBER_RESULT_DONE;
    if (r->result != MEMBER_RESULT_DONE)
        return HY_OK;
    err = member_make(e->core, &e->ref, row, as, role_for(e, as), e->now_s);
    if (err == HY_OK)
        err = name_in_tip(e, as);
    if (err != HY_OK)
        return err;
    if (e->done++ == 0)
        group_bump(e->core, &e->ref);
    member_show(e->core, &e->ref, as->user, (Hy__Member *)row->msg);
    return HY_OK;
}

/* Did nobody get in because there was no room? */
static bool none_fitted(const struct edit *e)
{
    bool any_full = false;

    for (size_t i = 0; i < e->out.n_results; i++) {
        if (e->out.results[i]->result == MEMBER_RESULT_DONE ||
            e->out.results[i]->result == MEMBER_RESULT_WAS)
            return false;
        any_full |= e->out.results[i]->result == MEMBER_RESULT_FULL;
    }
    return any_full;
}

void members_add_handle(struct core *core, const struct request *req)
{
    struct edit e;
    bool waits = false;
    uint32_t code;
    enum hy_err err = HY_OK;

    if (!begin(&e, core, req))
        return;
    if (e.in->join)
        code = member_may_join(e.ref.type, e.ref.group->info->apply_join, e.in->admin, &waits);
    else
        code = member_may_add(e.ref.type, e.ref.group->info->invite_join, e.asker);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    if (waits && e.asker.role == HY__ROLE__ROLE_NONE) {
        e.out.results[0]->result = MEMBER_RESULT_WAITS;
        finish(&e, req, "", HY_OK);
        return;
    }
    for (size_t i = 0; i < e.in->n_members && err == HY_OK; i++)
        err = add_one(&e, i);
    if (err == HY_OK && none_fitted(&e)) {
        core_refuse(core, req, HY_CODE_GROUP_FULL);
        return;
    }
    e.tip.type = HY__TIP_TYPE__TIP_JOIN;
    finish(&e, req, e.in->join ? e.in->members[0]->user : e.in->operator_id, err);
}

/* ---- going ---- */

/* May each of them be taken out? Looked at before anything is changed; 0 or a code. */
static uint32_t check_each(struct edit *e)
{
    for (size_t i = 0; i < e->in->n_members; i++) {
        const char *user = e->in->members[i]->user;
        uint32_t code = HY_CODE_OK;
        Hy__Role role;

        if (member_role_of(e->core, &e->ref, user, &role) != HY_OK)
            return HY_CODE_UNAVAILABLE;
        e->out.roles[i] = role;
        if (e->in->join)
            code = member_may_quit(e->ref.type, role);
        else if (role != HY__ROLE__ROLE_NONE)
            code = member_may_remove_one(e->ref.type, e->asker, role);
        if (code != HY_CODE_OK)
            return code;
    }
    return HY_CODE_OK;
}

static uint32_t check_remove(struct edit *e)
{
    uint32_t code = HY_CODE_OK;

    if (e->ref.type->live)
        code = e->in->admin ? HY_CODE_GROUP_PARAM : HY_CODE_GROUP_DENIED;
    else if (!e->in->join)
        code = member_may_remove(e->ref.type, e->asker);
    return code == HY_CODE_OK ? check_each(e) : code;
}

static enum hy_err remove_one(struct edit *e, size_t i)
{
    const Hy__MemberInfo *who = e->in->members[i];
    Hy__GroupInfo *info = e->ref.group->info;
    struct row *row;
    enum hy_err err;

    if (e->out.roles[i] == HY__ROLE__ROLE_NONE)
        return HY_OK;
    err = member_find(e->core, &e->ref, who->user, &row);
    if (err != HY_OK || row->msg == NULL) /* named twice */
        return err;
    err = member_remove(e->core, &e->ref, who->user, row);
    if (err == HY_OK && strcmp(info->owner, who->user) == 0)
        err = rows_text(&info->owner, "");
    if (err == HY_OK)
        err = name_in_tip(e, who);
    if (e->done++ == 0)
        group_bump(e->core, &e->ref);
    member_show(e->core, &e->ref, who->user, NULL);
    e->out.results[i]->result = MEMBER_RESULT_DONE;
    return err;
}

void members_remove_handle(struct core *core, const struct request *req)
{
    struct edit e;
    uint32_t code;
    enum hy_err err = HY_OK;

    if (!begin(&e, core, req))
        return;
    code = check_remove(&e);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    for (size_t i = 0; i < e.in->n_members && err == HY_OK; i++)
        err = remove_one(&e, i);
    e.tip.type = e.in->join ? HY__TIP_TYPE__TIP_QUIT : HY__TIP_TYPE__TIP_KICKED;
    e.tip.reason = e.in->reason;
    finish(&e, req, e.in->join ? e.in->members[0]->user : e.in->operator_id, err);
}
