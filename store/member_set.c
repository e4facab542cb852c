/* member_set - a member's role, mute, name card and marks are changed. */

#include <string.h>

#include "common/body.h"
#include "store/fieldset.h"
#include "store/group.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/tip.h"

enum { USERS_MOST = 500, CARD_MOST = 50 };

static const struct fieldset_limits custom_limits = {.count = 5, .name_len = 16, .value_len = 64};

/* One StoreMemberSetReq under way. */
struct setting {
    struct core *core;
    const Hy__StoreMemberSetReq *in;
    struct group_ref ref;
    Hy__Role asker;
    uint64_t now_s;
    const Hy__Field *role, *mute; /* of the request, or NULL */
    Hy__StoreMembersRes out;
    Hy__TipElem tip;
};

/* ---- may they? ---- */

enum power { OWN, ABOVE, OWNER }; /* the member himself too; whoever stands above; the owner */

static bool has_power(const struct setting *s, enum power power, const char *user, Hy__Role target)
{
    if (s->in->admin)
        return true;
    if (power == OWN && strcmp(user, s->in->operator_id) == 0)
        return true;
    if (power == OWNER)
        return s->asker == HY__ROLE__ROLE_OWNER && target != HY__ROLE__ROLE_OWNER;
    return s->asker >= HY__ROLE__ROLE_ADMIN && s->asker > target;
}

static uint32_t check_role(const struct setting *s, const Hy__Field *f, const char *user,
                           Hy__Role target)
{
    if (!s->ref.type->sets_admins || !has_power(s, OWNER, user, target) ||
        target == HY__ROLE__ROLE_OWNER)
        return HY_CODE_GROUP_DENIED;
    if (target == HY__ROLE__ROLE_NONE ||
        (f->num != HY__ROLE__ROLE_MEMBER && f->num != HY__ROLE__ROLE_ADMIN))
        return HY_CODE_GROUP_PARAM;
    return HY_CODE_OK;
}

/* A mute outlives membership, and in a live room most have no row: any user can be muted. */
static uint32_t check_mute(const struct setting *s, const Hy__Field *f, const char *user,
                           Hy__Role target)
{
    if (!s->ref.type->mutes || !has_power(s, ABOVE, user, target))
        return HY_CODE_GROUP_DENIED;
    return f->num > UINT32_MAX ? HY_CODE_GROUP_PARAM : HY_CODE_OK;
}

static uint32_t check_card(const struct setting *s, const Hy__Field *f, const char *user,
                           Hy__Role target)
{
    if (!has_power(s, OWN, user, target))
        return HY_CODE_GROUP_DENIED;
    return f->str.len <= CARD_MOST && hy_utf8((const char *)f->str.data, f->str.len)
               ? HY_CODE_OK
               : HY_CODE_GROUP_PARAM;
}

static uint32_t check_flag(const struct setting *s, const Hy__Field *f, const char *user,
                           Hy__Role target)
{
    (void)target;
    if (!s->in->admin && strcmp(user, s->in->operator_id) != 0)
        return HY_CODE_GROUP_DENIED;
    return f->num <= 2 ? HY_CODE_OK : HY_CODE_GROUP_PARAM;
}

/* ---- doing it ---- */

static enum hy_err set_role(struct setting *s, Hy__Member *m, const Hy__Field *f, const char *user)
{
    (void)s;
    (void)user;
    m->role = (Hy__Role)f->num;
    return HY_OK;
}

static enum hy_err set_mute(struct setting *s, Hy__Member *m, const Hy__Field *f, const char *user)
{
    (void)m;
    return mute_set(s->core, &s->ref, user, s->now_s, (uint32_t)f->num);
}

static enum hy_err set_card(struct setting *s, Hy__Member *m, const Hy__Field *f, const char *user)
{
    char card[CARD_MOST + 1];

    (void)s;
    (void)user;
    if (f->str.len > 0)
        memcpy(card, f->str.data, f->str.len);
    card[f->str.len] = '\0';
    return rows_text(&m->name_card, card);
}

static enum hy_err set_flag(struct setting *s, Hy__Member *m, const Hy__Field *f, const char *user)
{
    (void)s;
    (void)user;
    m->msg_flag = (uint32_t)f->num;
    return HY_OK;
}

/* Every field there is but the custom ones. */
static const struct rule {
    const char *name;
    uint32_t (*check)(const struct setting *s, const Hy__Field *f, const char *user,
                      Hy__Role target);
    enum hy_err (*set)(struct setting *s, Hy__Member *m, const Hy__Field *f, const char *user);
    bool strangers; /* also of users who are no members */
} rules[] = {
    {"Role", check_role, set_role, false},
    {"MuteTime", check_mute, set_mute, true},
    {"NameCard", check_card, set_card, false},
    {"MsgFlag", check_flag, set_flag, false},
};

static const struct rule *rule_of(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

static uint32_t check_field(const struct setting *s, const Hy__Field *f, const char *user,
                            const struct row *row)
{
    const struct rule *rule = rule_of(f->name);
    Hy__Role target = member_role(row);

    if (rule == NULL && fieldset_custom(f->name) == NULL)
        return HY_CODE_GROUP_PARAM;
    if (row->msg == NULL &&
        (rule == NULL || !rule->strangers)) /* REST: 10004 for a user without row */
        return s->ref.type->live ? HY_CODE_GROUP_DENIED : HY_CODE_GROUP_PARAM;
    if (rule != NULL)
        return rule->check(s, f, user, target);
    return has_power(s, OWN, user, target) ? HY_CODE_OK : HY_CODE_GROUP_DENIED;
}

static uint32_t check_user(struct setting *s, const char *user)
{
    const Hy__Member *m;
    uint32_t code = HY_CODE_OK;
    struct row *row;
    enum hy_err err;

    if (!key_text_ok(user))
        return HY_CODE_GROUP_PARAM;
    err = member_find(s->core, &s->ref, user, &row);
    if (err != HY_OK)
        return core_code(err);
    for (size_t i = 0; i < s->in->n_fields && code == HY_CODE_OK; i++)
        code = check_field(s, s->in->fields[i], user, row);
    m = (const Hy__Member *)row->msg;
    if (code == HY_CODE_OK && m != NULL &&
        !fieldset_fits(&custom_limits, m->n_custom, m->custom, s->in->n_fields,
                       (const Hy__Field *const *)s->in->fields))
        code = HY_CODE_GROUP_PARAM;
    return code;
}

static uint32_t check_all(struct setting *s)
{
    uint32_t code = HY_CODE_OK;

    if (s->in->n_users == 0 || s->in->n_fields == 0)
        return HY_CODE_GROUP_PARAM;
    if (s->in->n_users > USERS_MOST)
        return HY_CODE_GROUP_TOO_MANY;
    for (size_t i = 0; i < s->in->n_users && code == HY_CODE_OK; i++)
        code = check_user(s, s->in->users[i]);
    return code;
}

static enum hy_err set_fields(struct setting *s, const char *user, Hy__Member *m)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < s->in->n_fields && err == HY_OK; i++) {
        const Hy__Field *f = s->in->fields[i];
        const struct rule *rule = rule_of(f->name);

        if (rule != NULL)
            err = rule->set(s, m, f, user);
        else
            err = fieldset_set(&m->n_custom, &m->custom, fieldset_custom(f->name), f);
    }
    return err;
}

static enum hy_err set_user(struct setting *s, size_t i)
{
    Hy__TipMember *named = hy_arena_alloc(&s->core->arena, sizeof *named);
    const char *user = s->in->users[i];
    struct row *row;
    enum hy_err err = named == NULL ? HY_ENOMEM : member_find(s->core, &s->ref, user, &row);

    if (err != HY_OK)
        return err;
    s->out.roles[i] = member_role(row);
    err = set_fields(s, user, (Hy__Member *)row->msg);
    if (err == HY_OK && row->msg != NULL) {
        err = member_changed(s->core, &s->ref, row);
        if (s->role != NULL)
            member_show(s->core, &s->ref, user, (Hy__Member *)row->msg);
    }
    hy__tip_member__init(named);
    named->user = (char *)user;
    named->mute_s = s->mute == NULL ? 0 : (uint32_t)s->mute->num;
    s->tip.members[s->tip.n_members++] = named;
    return err;
}

/* Roles and mutes are told in the group; a name card or a flag is not. */
static enum hy_err tell(struct setting *s, Hy__Msg **msg)
{
    *msg = NULL;
    if (s->role == NULL && s->mute == NULL)
        return HY_OK;
    if (s->role == NULL)
        s->tip.type = HY__TIP_TYPE__TIP_MEMBER_CHANGED;
    else
        s->tip.type = s->role->num == HY__ROLE__ROLE_ADMIN ? HY__TIP_TYPE__TIP_ADMIN_SET
                                                           : HY__TIP_TYPE__TIP_ADMIN_CANCELLED;
    return tip_append(s->core, &s->ref, s->in->operator_id, &s->tip, msg);
}

static void answer(struct setting *s, const struct request *req, Hy__Msg *msg)
{
    Hy__GroupInfo info;

    group_info(&s->ref, &info);
    s->out.group = &info;
    s->out.member_version = s->ref.group->member_version;
    s->out.n_roles = s->in->n_users;
    s->out.n_tips = msg != NULL;
    s->out.tips = &msg;
    core_op_answer(s->core, req, s->ref.home, s->in->op_id, &s->out.base);
}

static enum hy_err do_all(struct setting *s, Hy__Msg **msg)
{
    size_t n = s->in->n_users;
    enum hy_err err = HY_OK;

    s->out.roles = hy_arena_zalloc(&s->core->arena, n * sizeof *s->out.roles);
    s->tip.members = hy_arena_alloc(&s->core->arena, n * sizeof *s->tip.members);
    if (s->out.roles == NULL || s->tip.members == NULL)
        return HY_ENOMEM;
    group_bump(s->core, &s->ref);
    for (size_t i = 0; i < n && err == HY_OK; i++)
        err = set_user(s, i);
    return err == HY_OK ? tell(s, msg) : err;
}

void member_set_handle(struct core *core, const struct request *req)
{
    struct setting s = {.core = core,
                        .now_s = core_now(core) / 1000,
                        .out = HY__STORE_MEMBERS_RES__INIT,
                        .tip = HY__TIP_ELEM__INIT};
    Hy__Msg *msg = NULL;
    uint32_t code;
    enum hy_err err;

    s.in = core_decode(core, req, &hy__store_member_set_req__descriptor);
    if (s.in == NULL || !group_need(core, req, s.in->app, s.in->group, &s.ref) ||
        core_op_seen(core, req, s.ref.home, s.in->op_id))
        return;
    err = member_role_of(core, &s.ref, s.in->operator_id, &s.asker);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    s.role = fieldset_find(s.in->n_fields, s.in->fields, "Role");
    s.mute = fieldset_find(s.in->n_fields, s.in->fields, "MuteTime");
    code = check_all(&s);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    err = do_all(&s, &msg);
    if (err != HY_OK)
        batch_fail(core->batch, err);
    answer(&s, req, msg);
}
