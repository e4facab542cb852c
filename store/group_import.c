/* group_import - many groups at once, as a migration brings them. Nothing is read but whether a
 * group is there, and what is written does not come to stay in memory. */

#include <stdlib.h>
#include <string.h>

#include "store/group_create.h"
#include "store/handlers.h"
#include "store/member.h"
#include "store/roster.h"
#include "store/totals.h"
#include "store/value.h"

enum { GROUPS_MOST = 1000 };

/* A member whom an earlier one of the list names already. */
static bool named_before(const Hy__StoreGroupCreateReq *in, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(in->members[k]->user, in->members[i]->user) == 0)
            return true;
    return false;
}

/* In the roster, or in a row of his own when that is full. */
static enum hy_err put_member(struct creation *c, const Hy__MemberInfo *as, Hy__Roster *roster)
{
    Hy__Group *group = c->ref.group;
    Hy__Member member;
    struct key key;
    enum hy_err err = HY_OK;

    member_fill(&c->ref, as, creation_role(c, as), c->now_s, &member);
    if (roster_room(roster->members, group->rostered)) {
        err = roster_put(&roster->members, &member);
        group->rostered++;
    } else {
        key_member(&key, c->ref.home, KEY_MEMBER, group->conversation, as->user);
        batch_put_record(c->core->batch, FAMILY_ENTITY, &key, &member.base);
    }
    member_show(c->core, &c->ref, as->user, &member);
    group->member_num++;
    return err;
}

/* The conversation is new, so nobody is a member yet. */
static enum hy_err put_members(struct creation *c, Hy__Roster *roster)
{
    Hy__MemberInfo owner = HY__MEMBER_INFO__INIT;
    bool owner_named = false;
    enum hy_err err = HY_OK;

    owner.user = c->in->info->owner;
    for (size_t i = 0; i < c->in->n_members && err == HY_OK; i++) {
        if (named_before(c->in, i))
            continue;
        owner_named |= strcmp(c->in->members[i]->user, owner.user) == 0;
        err = put_member(c, c->in->members[i], roster);
    }
    if (err == HY_OK && *owner.user != '\0' && !owner_named)
        err = put_member(c, &owner, roster);
    return err;
}

static enum hy_err put_roster(struct creation *c)
{
    Hy__Roster roster = HY__ROSTER__INIT;
    struct key key;
    enum hy_err err = put_members(c, &roster);

    if (err == HY_OK && roster.members.len > 0) {
        key_member(&key, c->ref.home, KEY_ROSTER, c->ref.group->conversation, NULL);
        batch_put_record(c->core->batch, FAMILY_ENTITY, &key, &roster.base);
    }
    free(roster.members.data);
    return err;
}

/* The row of the group, which may be in memory as one that is not there, and is found again by a
 * later one of the same batch. */
static enum hy_err put_group(struct creation *c)
{
    struct key key;
    struct row *row;
    size_t len = hy__group__get_packed_size(c->ref.group);
    struct hy_buf bytes = {0};
    enum hy_err err;

    key_text(&key, c->ref.home, KEY_GROUP, c->in->info->group);
    row = rows_peek(c->core->rows, FAMILY_ENTITY, &key);
    err = hy_buf_reserve(&bytes, len + 1);
    if (err == HY_OK)
        err = value_put(&bytes, &c->ref.group->base);
    if (err == HY_OK)
        batch_put_seen(c->core->batch, FAMILY_ENTITY, &key, bytes.data, bytes.len);
    hy_buf_free(&bytes);
    if (err == HY_OK && row != NULL) {
        ProtobufCMessage *fresh = rows_copy(&c->ref.group->base);

        if (fresh == NULL)
            return HY_ENOMEM;
        memset(row->note, 0, sizeof row->note);
        rows_set(c->core->rows, row, fresh);
    }
    return err;
}

static bool in_batch(const struct creation *c)
{
    const uint8_t *value;
    struct key key;
    size_t len;

    key_text(&key, c->ref.home, KEY_GROUP, c->in->info->group);
    return batch_find(c->core->batch, FAMILY_ENTITY, &key, &value, &len);
}

static enum hy_err make(struct creation *c)
{
    Hy__GroupInfo info;
    Hy__Group group;
    enum hy_err err = creation_fill(c, &group, &info);

    if (err != HY_OK)
        return err;
    c->ref.group = &group;
    c->ref.type = c->type;
    err = put_roster(c);
    if (err == HY_OK)
        err = put_group(c);
    c->ref.group = NULL; /* it ends with this function */
    return err == HY_OK ? totals_add(c->core, c->ref.home, c->type->name, 1) : err;
}

/* HY_OK with *code not 0: this one was refused. */
static enum hy_err import(struct creation *c, uint32_t *code)
{
    enum hy_err err;

    *code = creation_check(c);
    if (*code != HY_CODE_OK)
        return HY_OK;
    err = group_look(c->core, NULL, c->in->app, c->in->info->group, &c->ref);
    if (err != HY_OK && err != HY_ENOTFOUND)
        return err;
    if (err == HY_OK)
        *code = creation_taken(c);
    else if (in_batch(c))
        *code = HY_CODE_GROUP_ID_OWN;
    else if (creation_over_quota(c->core, c->in->app))
        *code = HY_CODE_GROUP_QUOTA;
    return *code == HY_CODE_OK ? make(c) : HY_OK;
}

void groups_import_handle(struct core *core, const struct request *req)
{
    const Hy__StoreGroupsImportReq *in =
        core_decode(core, req, &hy__store_groups_import_req__descriptor);
    Hy__StoreGroupsImportRes res = HY__STORE_GROUPS_IMPORT_RES__INIT;
    size_t elsewhere = 0;
    enum hy_err err = HY_OK;

    if (in == NULL)
        return;
    if (in->n_groups > GROUPS_MOST) {
        core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    res.codes = hy_arena_alloc(&core->arena, (in->n_groups + 1) * sizeof *res.codes);
    if (res.codes == NULL)
        err = HY_ENOMEM;
    while (err == HY_OK && res.n_codes < in->n_groups) {
        struct creation c = {
            .core = core, .in = in->groups[res.n_codes], .now_s = core_now(core) / 1000};

        err = import(&c, &res.codes[res.n_codes++]);
        elsewhere += core->misplaced;
        core->misplaced = false; /* that one is refused; the others are not */
    }
    if (err != HY_OK) { /* some are half done: the whole batch goes */
        batch_fail(core->batch, err);
        core_broken(core, req, err);
        return;
    }
    core->misplaced = elsewhere > 0 && elsewhere == in->n_groups;
    core_answer(core, req, &res.base);
}
