/* group_change - a group is looked at, changed, handed over. */

#include <assert.h>
#include <string.h>

#include "store/fieldset.h"
#include "store/group.h"
#include "store/group_field.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/member_walk.h"
#include "store/tip.h"
#include "store/value.h"

/* What a user is to a group, as it is told to him; NULL info for none. */
static enum hy_err self_info(struct core *core, const struct group_ref *ref, const char *user,
                             Hy__MemberInfo *info, bool *member)
{
    uint64_t muted_until;
    struct row *row;
    enum hy_err err;

    *member = false;
    if (!key_text_ok(user))
        return HY_OK;
    err = member_find(core, ref, user, &row);
    if (err == HY_OK)
        err = mute_until(core, ref, user, core_now(core) / 1000, &muted_until);
    if (err != HY_OK)
        return err;
    hy__member_info__init(info);
    info->user = (char *)user;
    info->mute_until_s = muted_until;
    if (row->msg == NULL)
        return HY_OK;
    *member = true;
    member_info(ref->type, ref->group, (Hy__Member *)row->msg, muted_until, info);
    return HY_OK;
}

void group_get_handle(struct core *core, const struct request *req)
{
    const Hy__GroupReq *in = core_decode(core, req, &hy__group_req__descriptor);
    Hy__GroupRes res = HY__GROUP_RES__INIT;
    struct group_ref ref;
    Hy__GroupInfo info;
    Hy__MemberInfo self;
    bool member;
    enum hy_err err;

    if (in == NULL || !group_need(core, req, in->app, in->group, &ref))
        return;
    err = self_info(core, &ref, in->user, &self, &member);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    if (!in->admin && !member && !ref.type->strangers_read) {
        core_refuse(core, req, HY_CODE_GROUP_DENIED);
        return;
    }
    group_info(&ref, &info);
    res.group = &info;
    res.self = key_text_ok(in->user) ? &self : NULL;
    res.member_version = ref.group->member_version;
    core_answer(core, req, &res.base);
}

/* ---- changing ---- */

static void answer_change(struct core *core, const struct request *req, const struct group_ref *ref,
                          const char *op_id, Hy__Msg *tip)
{
    Hy__GroupRes res = HY__GROUP_RES__INIT;
    Hy__GroupInfo info;

    group_info(ref, &info);
    res.group = &info;
    res.member_version = ref->group->member_version;
    res.n_tips = tip != NULL;
    res.tips = &tip;
    core_op_answer(core, req, ref->home, op_id, &res.base);
}

/* The members' indexes carry the group's word about the sweep. */
static enum hy_err show_all(struct core *core, struct group_ref *ref)
{
    struct member_walk walk;
    enum hy_err err = member_walk_open(core->db, ref->home, ref->group, false, &walk);

    if (err != HY_OK)
        return err;
    while (member_walk_next(&walk)) {
        ProtobufCMessage *msg;

        if (value_get(&hy__member__descriptor, NULL, walk.value, walk.len, &msg) != HY_OK)
            continue;
        member_show(core, ref, ((Hy__Member *)msg)->user, (Hy__Member *)msg);
        protobuf_c_message_free_unpacked(msg, NULL);
    }
    err = member_walk_err(&walk);
    member_walk_close(&walk);
    return err;
}

static bool sets_sweep(const Hy__StoreGroupSetReq *in)
{
    for (size_t i = 0; i < in->n_fields; i++)
        if (group_field_sweep(in->fields[i]))
            return true;
    return false;
}

static enum hy_err set_fields(struct core *core, struct group_ref *ref,
                              const Hy__StoreGroupSetReq *in)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < in->n_fields && err == HY_OK; i++)
        err = group_field_set(ref->group->info, in->fields[i]);
    ref->group->info->info_seq++;
    ref->group->info->last_info_time_s = core_now(core) / 1000;
    group_bump(core, ref); /* routes show name and mute */
    if (err == HY_OK && sets_sweep(in))
        err = show_all(core, ref);
    return err;
}

void group_set_handle(struct core *core, const struct request *req)
{
    const Hy__StoreGroupSetReq *in = core_decode(core, req, &hy__store_group_set_req__descriptor);
    Hy__TipElem tip = HY__TIP_ELEM__INIT;
    struct group_asker asker;
    struct group_ref ref;
    Hy__Msg *msg = NULL;
    uint32_t code;
    enum hy_err err;

    if (in == NULL)
        return;
    err = sets_sweep(in) ? core_settle(core) : HY_OK; /* show_all() scans */
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    if (!group_need(core, req, in->app, in->group, &ref) ||
        core_op_seen(core, req, ref.home, in->op_id))
        return;
    asker.admin = in->admin;
    err = member_role_of(core, &ref, in->operator_id, &asker.role);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    code = group_field_check(ref.type, ref.group->info, ref.group->member_num, asker, in->n_fields,
                             in->fields);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    err = set_fields(core, &ref, in);
    tip.type = HY__TIP_TYPE__TIP_GROUP_CHANGED;
    tip.n_changed = in->n_fields;
    tip.changed = in->fields;
    if (err == HY_OK)
        err = tip_append(core, &ref, in->operator_id, &tip, &msg);
    if (err != HY_OK)
        batch_fail(core->batch, err);
    answer_change(core, req, &ref, in->op_id, msg);
}

/* ---- handing over ---- */

struct handover {
    struct row *from, *to; /* from may be without message: a group without owner */
};

/* 0 or a code. */
static uint32_t check_owner(struct core *core, const struct group_ref *ref,
                            const Hy__StoreGroupOwnerReq *in, struct handover *h)
{
    const char *owner = ref->group->info->owner;
    Hy__Role role;
    enum hy_err err;

    if (ref->type->live)
        return HY_CODE_GROUP_DENIED;
    if (!key_text_ok(in->new_owner))
        return HY_CODE_GROUP_PARAM;
    err = member_role_of(core, ref, in->operator_id, &role);
    if (err == HY_OK && !in->admin && role != HY__ROLE__ROLE_OWNER)
        return HY_CODE_GROUP_DENIED;
    if (err == HY_OK)
        err = member_find(core, ref, in->new_owner, &h->to);
    h->from = NULL;
    if (err == HY_OK && *owner != '\0')
        err = member_find(core, ref, owner, &h->from);
    if (err != HY_OK)
        return core_code(err);
    return h->to == NULL || h->to->msg == NULL ? HY_CODE_GROUP_PARAM : HY_CODE_OK;
}

static enum hy_err hand_over(struct core *core, struct group_ref *ref, const char *new_owner,
                             const struct handover *h)
{
    Hy__Member *from = h->from == NULL ? NULL : (Hy__Member *)h->from->msg;
    Hy__Member *to = h->to == NULL ? NULL : (Hy__Member *)h->to->msg;
    enum hy_err err = rows_text(&ref->group->info->owner, new_owner);

    assert(to != NULL); /* check_owner() looked */
    if (err != HY_OK)
        return err;
    if (from != NULL)
        from->role = HY__ROLE__ROLE_MEMBER;
    to->role = HY__ROLE__ROLE_OWNER;
    ref->group->info->info_seq++;
    ref->group->info->last_info_time_s = core_now(core) / 1000;
    group_bump(core, ref);
    if (from != NULL && from != to) {
        err = member_changed(core, ref, h->from);
        member_show(core, ref, from->user, from);
    }
    if (err == HY_OK)
        err = member_changed(core, ref, h->to);
    member_show(core, ref, to->user, to);
    return err;
}

void group_owner_handle(struct core *core, const struct request *req)
{
    const Hy__StoreGroupOwnerReq *in =
        core_decode(core, req, &hy__store_group_owner_req__descriptor);
    Hy__Field owner = HY__FIELD__INIT, *changed[1] = {&owner};
    Hy__TipElem tip = HY__TIP_ELEM__INIT;
    struct group_ref ref;
    struct handover h = {0};
    Hy__Msg *msg = NULL;
    uint32_t code;
    enum hy_err err;

    if (in == NULL || !group_need(core, req, in->app, in->group, &ref) ||
        core_op_seen(core, req, ref.home, in->op_id))
        return;
    code = check_owner(core, &ref, in, &h);
    if (code != HY_CODE_OK) {
        core_refuse(core, req, code);
        return;
    }
    err = hand_over(core, &ref, in->new_owner, &h);
    owner.name = (char *)"Owner";
    owner.str = (ProtobufCBinaryData){strlen(in->new_owner), (uint8_t *)in->new_owner};
    tip.type = HY__TIP_TYPE__TIP_GROUP_CHANGED;
    tip.n_changed = 1;
    tip.changed = changed;
    if (err == HY_OK)
        err = tip_append(core, &ref, in->operator_id, &tip, &msg);
    if (err != HY_OK)
        batch_fail(core->batch, err);
    answer_change(core, req, &ref, in->op_id, msg);
}
