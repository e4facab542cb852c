/* group_create - groups come and go. A re-created group is a new conversation: nothing of the old
 * one shows, dedupes or mutes. */

#include <string.h>

#include "common/body.h"
#include "store/group_create.h"
#include "store/group_field.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/member_walk.h"
#include "store/totals.h"

enum { MEMBERS_MOST = 500, QUOTA_DEFAULT = 100000 };

/* ---- creating ---- */

/* The quota is for the whole app; a shard knows its own groups and takes the other slots to have as
 * many each. */
bool creation_over_quota(const struct core *core, uint32_t app)
{
    const Hy__App *a = hy_apps_find(core->apps, app);
    uint64_t most = a == NULL ? QUOTA_DEFAULT : a->max_groups;
    uint64_t here = totals_get(core->totals, app, NULL);

    return here * HY_SLOTS >= most * core->slots;
}

static uint32_t check_members(const struct creation *c)
{
    size_t owners = 0;

    if (c->in->n_members > MEMBERS_MOST)
        return HY_CODE_GROUP_TOO_MANY;
    for (size_t i = 0; i < c->in->n_members; i++) {
        const Hy__MemberInfo *m = c->in->members[i];
        bool owner = strcmp(m->user, c->in->info->owner) == 0;

        if (!key_text_ok(m->user))
            return HY_CODE_GROUP_PARAM;
        owners += owner;
        if (c->type->live && !owner)
            return HY_CODE_GROUP_DENIED;
        if (!owner && m->role == HY__ROLE__ROLE_ADMIN && !c->type->sets_admins)
            return HY_CODE_GROUP_DENIED;
    }
    if (c->cap != 0 && c->in->n_members - owners + (*c->in->info->owner != '\0') > c->cap)
        return HY_CODE_GROUP_FULL;
    return HY_CODE_OK;
}

uint32_t creation_check(struct creation *c)
{
    const Hy__GroupInfo *info = c->in->info;
    uint32_t code;

    if (info == NULL)
        return HY_CODE_GROUP_PARAM;
    c->type = hy_group_type(info->type);
    if (c->type == NULL)
        return HY_CODE_GROUP_PARAM;
    if (!hy_group_id_ok(info->group, false))
        return HY_CODE_GROUP_ID_BAD;
    if (*info->owner != '\0' && !key_text_ok(info->owner))
        return HY_CODE_GROUP_ACCOUNT;
    code = group_field_check_new(c->type, info);
    if (code != HY_CODE_OK)
        return code;
    c->cap = info->max_member_num != 0 ? info->max_member_num : c->type->max_members;
    code = check_members(c);
    if (code == HY_CODE_OK && !core_needs(c->core, hy_slot_group(c->in->app, info->group)))
        code = HY_CODE_UNAVAILABLE;
    return code;
}

enum hy_err creation_fill(struct creation *c, Hy__Group *group, Hy__GroupInfo *info)
{
    static const char *const apply[] = {
        [HY_JOIN_NEVER] = "DisableApply",
        [HY_JOIN_APPROVE] = "NeedPermission",
        [HY_JOIN_FREE] = "FreeAccess",
    };

    hy__group__init(group);
    *info = *c->in->info;
    info->type = (char *)c->type->name;
    info->max_member_num = c->cap;
    info->info_seq = 1;
    if (info->create_time_s == 0)
        info->create_time_s = c->now_s;
    info->last_info_time_s = c->now_s;
    info->last_msg_time_s = info->next_msg_seq = info->member_num = info->code = 0;
    if (*info->apply_join == '\0')
        info->apply_join = (char *)apply[c->type->join];
    group->info = info;
    group->unmuted = true;
    group->last_time_ms = core_now(c->core);
    group->member_version = group->last_time_ms; /* beyond all of an earlier group of this id */
    c->core->members_changed = true;
    return core_conversation(c->core, c->ref.home.slot, &group->conversation);
}

Hy__Role creation_role(const struct creation *c, const Hy__MemberInfo *as)
{
    if (strcmp(as->user, c->in->info->owner) == 0)
        return HY__ROLE__ROLE_OWNER;
    return as->role == HY__ROLE__ROLE_ADMIN ? HY__ROLE__ROLE_ADMIN : HY__ROLE__ROLE_MEMBER;
}

static enum hy_err make_group(struct creation *c)
{
    ProtobufCMessage *fresh;
    Hy__GroupInfo info;
    Hy__Group group;
    enum hy_err err = creation_fill(c, &group, &info);

    if (err != HY_OK)
        return err;
    fresh = rows_copy(&group.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(c->core->rows, c->ref.row, fresh);
    memset(c->ref.row->note, 0, sizeof c->ref.row->note);
    c->ref.group = (Hy__Group *)fresh;
    c->ref.type = c->type;
    return HY_OK;
}

static enum hy_err make_member(struct creation *c, const Hy__MemberInfo *as)
{
    struct row *row;
    enum hy_err err = member_find(c->core, &c->ref, as->user, &row);

    if (err != HY_OK || row->msg != NULL) /* named twice */
        return err;
    err = member_make(c->core, &c->ref, row, as, creation_role(c, as), c->now_s);
    if (err == HY_OK)
        member_show(c->core, &c->ref, as->user, (Hy__Member *)row->msg);
    return err;
}

static enum hy_err make_members(struct creation *c)
{
    Hy__MemberInfo owner = HY__MEMBER_INFO__INIT;
    enum hy_err err = HY_OK;

    owner.user = c->in->info->owner;
    for (size_t i = 0; i < c->in->n_members && err == HY_OK; i++)
        err = make_member(c, c->in->members[i]);
    if (err == HY_OK && *owner.user != '\0')
        err = make_member(c, &owner);
    return err;
}

static void answer_create(struct creation *c, const struct request *req)
{
    Hy__GroupRes res = HY__GROUP_RES__INIT;
    Hy__GroupInfo info;

    group_info(&c->ref, &info);
    res.group = &info;
    res.member_version = c->ref.group->member_version;
    core_op_answer(c->core, req, c->ref.home, c->in->op_id, &res.base);
}

uint32_t creation_taken(const struct creation *c)
{
    const char *owner = c->ref.group->info->owner;
    bool own = *owner != '\0' &&
               (strcmp(owner, c->in->info->owner) == 0 || strcmp(owner, c->in->operator_id) == 0);

    return own ? HY_CODE_GROUP_ID_OWN : HY_CODE_GROUP_ID_TAKEN;
}

void group_create_handle(struct core *core, const struct request *req)
{
    struct creation c = {.core = core, .now_s = core_now(core) / 1000};
    uint32_t code;
    enum hy_err err;

    c.in = core_decode(core, req, &hy__store_group_create_req__descriptor);
    if (c.in == NULL)
        return;
    code = creation_check(&c);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    err = group_find(core, c.in->app, c.in->info->group, &c.ref);
    if (err != HY_OK && err != HY_ENOTFOUND) {
        core_broken(core, req, err);
        return;
    }
    if (core_op_seen(core, req, c.ref.home, c.in->op_id))
        return;
    if (err == HY_OK || creation_over_quota(core, c.in->app)) {
        core_refuse(core, req, err == HY_OK ? creation_taken(&c) : HY_CODE_GROUP_QUOTA);
        return;
    }
    err = make_group(&c);
    if (err == HY_OK)
        err = make_members(&c);
    if (err == HY_OK)
        err = totals_add(core, c.ref.home, c.type->name, 1);
    if (err != HY_OK)
        batch_fail(core->batch, err); /* half done: the whole batch goes */
    answer_create(&c, req);
}

/* ---- destroying ---- */

/* REST may always; the owner where the type has one who dissolves. */
static bool may_destroy(const struct group_ref *ref, bool admin, Hy__Role role)
{
    return admin || (ref->type->needs_owner && role == HY__ROLE__ROLE_OWNER);
}

/* The members, by a walk through what is committed; texts in the arena. */
static enum hy_err list_members(struct core *core, const struct group_ref *ref, Hy__GroupRes *res)
{
    size_t most = ref->group->member_num + 1u;
    struct member_walk walk;
    enum hy_err err;

    res->affected = hy_arena_alloc(&core->arena, most * sizeof(char *));
    if (res->affected == NULL)
        return HY_ENOMEM;
    err = member_walk_open(core->db, ref->home, ref->group, false, &walk);
    if (err != HY_OK)
        return err;
    while (err == HY_OK && res->n_affected < most && member_walk_next(&walk)) {
        char *user = hy_arena_strdup(&core->arena, walk.user, walk.user_len);

        if (user == NULL)
            err = HY_ENOMEM;
        else
            res->affected[res->n_affected++] = user;
    }
    if (err == HY_OK)
        err = member_walk_err(&walk);
    member_walk_close(&walk);
    return err;
}

static void drop_rows(struct core *core, const struct group_ref *ref)
{
    uint64_t conversation = ref->group->conversation;
    struct convlog log = group_log(ref);
    struct key key;

    key_member(&key, ref->home, KEY_MEMBER, conversation, NULL);
    rows_drop_prefix(core->rows, FAMILY_ENTITY, &key);
    batch_delete_prefix(core->batch, FAMILY_ENTITY, &key);
    member_roster_drop(core, ref);
    key_member(&key, ref->home, KEY_MUTE, conversation, NULL);
    rows_drop_prefix(core->rows, FAMILY_ENTITY, &key);
    batch_delete_prefix(core->batch, FAMILY_ENTITY, &key);
    key_sent(&key, ref->home, conversation, NULL, NULL);
    batch_delete_prefix(core->batch, FAMILY_DEDUPE, &key);
    convlog_key(&log, 0, &key);
    key.len -= 8; /* the conversation, any place */
    batch_delete_prefix(core->batch, FAMILY_LOG, &key);
}

static enum hy_err destroy(struct core *core, struct group_ref *ref, const Hy__GroupRes *res)
{
    enum hy_err err;

    group_bump(core, ref);
    for (size_t i = 0; i < res->n_affected; i++)
        member_show(core, ref, res->affected[i], NULL);
    err = totals_add(core, ref->home, ref->type->name, -1);
    drop_rows(core, ref);
    rows_remove(core->rows, ref->row);
    return err;
}

void group_destroy_handle(struct core *core, const struct request *req)
{
    const Hy__GroupReq *in = core_decode(core, req, &hy__group_req__descriptor);
    Hy__GroupRes res = HY__GROUP_RES__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    struct group_ref ref;
    Hy__Role role;
    enum hy_err err;

    if (in == NULL)
        return;
    if (key_text_ok(in->group) &&
        core_op_seen(core, req, (struct key_home){hy_slot_group(in->app, in->group), in->app},
                     in->op_id))
        return;
    err = core_settle(core);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    if (!group_need(core, req, in->app, in->group, &ref))
        return;
    err = member_role_of(core, &ref, in->user, &role);
    if (err == HY_OK && !may_destroy(&ref, in->admin, role)) {
        core_refuse(core, req, HY_CODE_GROUP_DENIED);
        return;
    }
    if (err == HY_OK)
        err = list_members(core, &ref, &res);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    info.group = in->group;
    info.type = (char *)ref.type->name;
    info.name = hy_arena_strdup(&core->arena, ref.group->info->name, strlen(ref.group->info->name));
    res.group = &info;
    res.member_version = ref.group->member_version + 1;
    err = destroy(core, &ref, &res);
    if (err != HY_OK || info.name == NULL)
        batch_fail(core->batch, err == HY_OK ? HY_ENOMEM : err);
    if (info.name != NULL)
        core_op_answer(core, req, ref.home, in->op_id, &res.base);
}
