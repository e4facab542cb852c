/* members_read - the members of a group: by name, by role, page by page, or all ids for a route. */

#include <string.h>

#include "common/codes.h"
#include "common/slot.h"
#include "store/answers.h"
#include "store/hearers.h"
#include "store/member.h"
#include "store/member_walk.h"
#include "store/value.h"
#include "store/view.h"

/* A listing under way. */
struct listing {
    struct view *view;
    const Hy__StoreMembersGetReq *in;
    const Hy__MembersGetReq *req;
    struct key_home home;
    Hy__Group *group;
    const struct hy_group_type *type;
    Hy__StoreMembersGetRes out;
    size_t size; /* room in out.members */
    uint32_t skip, limit;
    struct hearers hearers;
    struct db_scan *mutes; /* walks beside the members; NULL: the type has none */
    bool muted;            /* the walk stands on a mute */
};

static enum hy_err refuse(uint32_t code, struct hy_buf *out)
{
    return answer_refusal(HY__BUS_KIND__STORE_MEMBERS_GET, 0, code, out);
}

static enum hy_err add(struct listing *l, const Hy__Member *m, uint64_t mute_until_s)
{
    Hy__MemberInfo *info = hy_arena_alloc(&l->view->arena, sizeof *info);

    if (info == NULL)
        return HY_ENOMEM;
    if (l->out.n_members == l->size) {
        size_t size = l->size == 0 ? 64 : l->size * 4;
        Hy__MemberInfo **list = hy_arena_alloc(&l->view->arena, size * sizeof *list);

        if (list == NULL)
            return HY_ENOMEM;
        if (l->out.n_members > 0)
            memcpy(list, l->out.members, l->out.n_members * sizeof *list);
        l->out.members = list;
        l->size = size;
    }
    if (l->in->ids_only) {
        hy__member_info__init(info);
        info->user = m->user;
        info->msg_flag = m->msg_flag;
        info->role = m->role;
    } else {
        member_info(l->type, l->group, m, mute_until_s, info);
    }
    l->out.members[l->out.n_members++] = info;
    return HY_OK;
}

/* ---- by name ---- */

static enum hy_err mute_of(struct listing *l, const char *user, uint64_t *until_s)
{
    ProtobufCMessage *mute = NULL;
    struct key key;
    enum hy_err err = HY_OK;

    if (group_mutes(l->type, l->group)) {
        key_member(&key, l->home, KEY_MUTE, l->group->conversation, user);
        err = view_get(l->view, FAMILY_ENTITY, &key, &hy__mute__descriptor, &mute);
    }
    *until_s = mute == NULL ? 0 : ((Hy__Mute *)mute)->until_s;
    if (*until_s <= l->view->now_ms / 1000)
        *until_s = 0;
    return err;
}

static enum hy_err list_named(struct listing *l)
{
    Hy__Member nobody = HY__MEMBER__INIT;
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < l->req->n_users && err == HY_OK; i++) {
        const Hy__Member *member;
        uint64_t until_s = 0;

        nobody.user = l->req->users[i];
        err = view_member(l->view, l->home, l->group, nobody.user, &member);
        if (err == HY_OK && key_text_ok(nobody.user))
            err = mute_of(l, nobody.user, &until_s);
        nobody.counted = l->group->countable; /* nothing is unread to one who is no member */
        if (err == HY_OK)
            err = add(l, member == NULL ? &nobody : member, until_s);
    }
    return err;
}

/* ---- all ---- */

static bool role_wanted(const struct listing *l, Hy__Role role)
{
    for (size_t i = 0; i < l->req->n_roles; i++)
        if (l->req->roles[i] == role)
            return true;
    return l->req->n_roles == 0;
}

/* Both walks go by user: step the mutes up to this one. */
static enum hy_err mute_beside(struct listing *l, const char *user, uint64_t *until_s)
{
    struct key_parts parts;
    ProtobufCMessage *mute;
    size_t len, user_len = strlen(user);
    enum hy_err err;

    *until_s = 0;
    for (; l->muted; l->muted = db_scan_next(l->mutes)) {
        const uint8_t *key = db_scan_key(l->mutes, &len);
        int order;

        if (key_parse(key, len, &parts) != HY_OK)
            continue;
        order = roster_order(parts.first, parts.first_len, user, user_len);
        if (order < 0)
            continue;
        if (order > 0)
            return HY_OK;
        key = db_scan_value(l->mutes, &len);
        err = value_get(&hy__mute__descriptor, &l->view->arena.pb, key, len, &mute);
        if (err == HY_OK && ((Hy__Mute *)mute)->until_s > l->view->now_ms / 1000)
            *until_s = ((Hy__Mute *)mute)->until_s;
        return err;
    }
    return HY_OK;
}

static enum hy_err open_mutes(struct listing *l)
{
    struct key first, end;
    enum hy_err err;

    key_member(&first, l->home, KEY_MUTE, l->group->conversation, NULL);
    end = first;
    key_after(&end);
    err = db_scan_open(l->view->db, FAMILY_ENTITY, &first, &end, false, &l->mutes);
    l->muted = err == HY_OK && db_scan_seek(l->mutes, NULL);
    return err;
}

static enum hy_err list_one(struct listing *l, const struct member_walk *walk)
{
    ProtobufCMessage *msg;
    const Hy__Member *m;
    uint64_t until_s = 0;
    enum hy_err err =
        value_get(&hy__member__descriptor, &l->view->arena.pb, walk->value, walk->len, &msg);

    if (err != HY_OK)
        return err;
    m = (const Hy__Member *)msg;
    if (!role_wanted(l, m->role))
        return HY_OK;
    if (l->skip > 0) {
        l->skip--;
        return HY_OK;
    }
    if (l->mutes != NULL)
        err = mute_beside(l, m->user, &until_s);
    return err == HY_OK ? add(l, m, until_s) : err;
}

static enum hy_err list_all(struct listing *l)
{
    struct member_walk walk;
    enum hy_err err = member_walk_open(l->view->db, l->home, l->group, !l->in->ids_only, &walk);

    if (err != HY_OK)
        return err;
    if (group_mutes(l->type, l->group) && !l->in->ids_only)
        err = open_mutes(l);
    l->skip = l->req->offset;
    l->limit = l->req->limit == 0 || l->in->ids_only ? UINT32_MAX : l->req->limit;
    while (err == HY_OK && l->out.n_members < l->limit && member_walk_next(&walk))
        err = list_one(l, &walk);
    if (err == HY_OK)
        err = member_walk_err(&walk);
    member_walk_close(&walk);
    db_scan_close(&l->mutes);
    return err;
}

/* For a route. */
static enum hy_err list_names(struct listing *l)
{
    enum hy_err err =
        hearers_read(l->view->db, l->home, l->group, (struct hearers_asker){0}, &l->hearers);

    l->out.hearing = (ProtobufCBinaryData){l->hearers.hearing.len, l->hearers.hearing.data};
    l->out.deaf = (ProtobufCBinaryData){l->hearers.deaf.len, l->hearers.deaf.data};
    return err;
}

/* ---- the request ---- */

/* May they look? 0 or a code. */
static enum hy_err may_look(struct listing *l, uint32_t *code)
{
    const Hy__Member *member;
    enum hy_err err;

    *code = HY_CODE_OK;
    if (l->in->admin || l->type->strangers_read)
        return HY_OK;
    err = view_member(l->view, l->home, l->group, l->in->user, &member);
    if (err == HY_OK && member == NULL)
        *code = HY_CODE_GROUP_DENIED;
    return err;
}

static enum hy_err find_group(struct listing *l, uint32_t *code)
{
    ProtobufCMessage *msg = NULL;
    struct key key;
    enum hy_err err;

    *code = HY_CODE_GROUP_UNKNOWN;
    if (!key_text_ok(l->req->group))
        return HY_OK;
    l->home = (struct key_home){hy_slot_group(l->in->app, l->req->group), l->in->app};
    if (!view_needs(l->view, l->home.slot)) {
        *code = HY_CODE_UNAVAILABLE;
        return HY_OK;
    }
    key_text(&key, l->home, KEY_GROUP, l->req->group);
    err = view_get(l->view, FAMILY_ENTITY, &key, &hy__group__descriptor, &msg);
    if (err != HY_OK || msg == NULL)
        return err;
    l->group = (Hy__Group *)msg;
    l->type = l->group->info == NULL ? NULL : hy_group_type(l->group->info->type);
    return l->type == NULL ? HY_ECORRUPT : may_look(l, code);
}

static enum hy_err answer_list(struct listing *l, struct hy_buf *out)
{
    l->out.total = l->group->member_num;
    l->out.member_version = l->group->member_version;
    l->out.group_type = (char *)l->type->name;
    l->out.group_name = l->group->info->name;
    return hy_buf_put_pb(out, &l->out.base);
}

enum hy_err members_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out)
{
    struct listing l = {.view = view, .out = HY__STORE_MEMBERS_GET_RES__INIT};
    uint32_t code;
    enum hy_err err;

    l.in = hy__store_members_get_req__unpack(&view->arena.pb, len, payload);
    if (l.in == NULL || l.in->req == NULL)
        return refuse(HY_CODE_GROUP_PARAM, out);
    l.req = l.in->req;
    err = find_group(&l, &code);
    if (err != HY_OK)
        return err;
    if (code != HY_CODE_OK)
        return refuse(code, out);
    if (l.in->names_only)
        err = list_names(&l);
    else
        err = l.req->n_users > 0 ? list_named(&l) : list_all(&l);
    if (err == HY_OK)
        err = answer_list(&l, out);
    hearers_free(&l.hearers);
    return err;
}
