#include "store/member.h"

#include <string.h>

#include "store/index.h"
#include "store/member_walk.h"
#include "store/outbox.h"
#include "store/value.h"

enum { FOR_EVER = UINT32_MAX };

/* ---- decisions ---- */

uint32_t member_unread(const struct hy_group_type *type, const Hy__Group *group,
                       const Hy__Member *member)
{
    uint64_t later = group->countable > member->counted ? group->countable - member->counted : 0;
    uint64_t unread = member->unread + later;

    if (!type->unread)
        return 0;
    return unread > UINT32_MAX ? UINT32_MAX : (uint32_t)unread;
}

uint64_t member_first(const struct hy_group_type *type, const Hy__Group *group,
                      const Hy__Member *member)
{
    uint64_t hidden = group->clear_seq;

    if (member != NULL && member->clear_seq > hidden)
        hidden = member->clear_seq;
    if (member != NULL && !type->history_before_join && member->join_seq > hidden)
        hidden = member->join_seq;
    return hidden + 1;
}

bool member_read(const Hy__Group *group, Hy__Member *member, uint64_t seq, uint32_t left)
{
    if (seq == 0 || seq > group->last_seq)
        seq = group->last_seq;
    if (seq == group->last_seq)
        left = 0;
    if (seq < member->read_seq ||
        (seq == member->read_seq && member->counted == group->countable && member->unread == left))
        return false;
    member->read_seq = seq;
    member->unread = left;
    member->counted = group->countable;
    return true;
}

void member_info(const struct hy_group_type *type, const Hy__Group *group, const Hy__Member *member,
                 uint64_t mute_until_s, Hy__MemberInfo *info)
{
    hy__member_info__init(info);
    info->user = member->user;
    info->role = member->role;
    info->join_time_s = member->join_time_s;
    info->read_seq = member->read_seq;
    info->msg_flag = member->msg_flag;
    info->last_send_s = member->last_send_s;
    info->name_card = member->name_card;
    info->mute_until_s = mute_until_s;
    info->n_custom = member->n_custom;
    info->custom = member->custom;
    info->unread = member_unread(type, group, member);
}

/* ---- rows ---- */

/* The roster as the batch under way has it. */
struct listed {
    ProtobufCBinaryData list;
    struct db_value value; /* it lies here, if it is not in memory */
    bool decided;          /* the batch has changed it */
};

static void roster_key(const struct group_ref *ref, struct key *key)
{
    key_member(key, ref->home, KEY_ROSTER, ref->group->conversation, NULL);
}

/* To look only: it does not come to stay in memory. */
static enum hy_err listed_open(struct core *core, const struct group_ref *ref,
                               struct listed *listed)
{
    const struct row *row;
    struct key key;
    enum hy_err err;

    *listed = (struct listed){0};
    roster_key(ref, &key);
    row = rows_peek(core->rows, FAMILY_ENTITY, &key);
    if (row != NULL) {
        listed->decided = rows_is_changed(row);
        if (row->msg != NULL)
            listed->list = ((const Hy__Roster *)row->msg)->members;
        return HY_OK;
    }
    err = db_get(core->db, FAMILY_ENTITY, &key, &listed->value);
    if (err == HY_ENOTFOUND)
        return HY_ECORRUPT; /* the head counts some there */
    return err == HY_OK ? roster_list(listed->value.data, listed->value.len, &listed->list) : err;
}

/* Give a row without message what the roster says of the user, if it names him. */
static enum hy_err find_listed(struct core *core, const struct group_ref *ref, const char *user,
                               struct row *row)
{
    struct roster_entry entry;
    ProtobufCMessage *msg;
    struct listed listed;
    enum hy_err err = listed_open(core, ref, &listed);

    if (err == HY_OK)
        err = roster_find(listed.list, user, &entry);
    if (err == HY_OK)
        err = value_get(&hy__member__descriptor, NULL, entry.value, entry.len, &msg);
    if (err == HY_OK)
        (void)rows_fill(core->rows, row, msg, listed.decided);
    db_drop(&listed.value);
    return err == HY_ENOTFOUND ? HY_OK : err;
}

enum hy_err member_find(struct core *core, const struct group_ref *ref, const char *user,
                        struct row **row)
{
    struct key key;
    enum hy_err err;

    key_member(&key, ref->home, KEY_MEMBER, ref->group->conversation, user);
    if (member_walk_apart(ref->group))
        err = rows_get(core->rows, FAMILY_ENTITY, &key, &hy__member__descriptor, row);
    else
        err = rows_get_new(core->rows, FAMILY_ENTITY, &key, &hy__member__descriptor, row);
    if (err != HY_OK || (*row)->msg != NULL || ref->group->rostered == 0)
        return err;
    return find_listed(core, ref, user, *row);
}

Hy__Role member_role(const struct row *row)
{
    return row->msg == NULL ? HY__ROLE__ROLE_NONE : ((const Hy__Member *)row->msg)->role;
}

enum hy_err member_role_of(struct core *core, const struct group_ref *ref, const char *user,
                           Hy__Role *role)
{
    struct row *row;
    enum hy_err err;

    *role = HY__ROLE__ROLE_NONE;
    if (!key_text_ok(user))
        return HY_OK;
    err = member_find(core, ref, user, &row);
    if (err == HY_OK)
        *role = member_role(row);
    return err;
}

static enum hy_err mute_row(struct core *core, const struct group_ref *ref, const char *user,
                            struct row **row)
{
    struct key key;

    key_member(&key, ref->home, KEY_MUTE, ref->group->conversation, user);
    return rows_get(core->rows, FAMILY_ENTITY, &key, &hy__mute__descriptor, row);
}

enum hy_err mute_until(struct core *core, const struct group_ref *ref, const char *user,
                       uint64_t now_s, uint64_t *until_s)
{
    struct row *row;
    enum hy_err err;

    *until_s = 0;
    if (!group_mutes(ref->type, ref->group) || !key_text_ok(user))
        return HY_OK;
    err = mute_row(core, ref, user, &row);
    if (err == HY_OK && row->msg != NULL && ((Hy__Mute *)row->msg)->until_s > now_s)
        *until_s = ((Hy__Mute *)row->msg)->until_s;
    return err;
}

enum hy_err mute_set(struct core *core, const struct group_ref *ref, const char *user,
                     uint64_t now_s, uint32_t seconds)
{
    Hy__Mute mute = HY__MUTE__INIT;
    ProtobufCMessage *fresh;
    struct row *row;
    enum hy_err err = mute_row(core, ref, user, &row);

    if (err != HY_OK)
        return err;
    ref->group->unmuted = false;
    rows_touch(core->rows, ref->row);
    if (seconds == 0) {
        if (row->msg != NULL)
            rows_remove(core->rows, row);
        return HY_OK;
    }
    mute.until_s = seconds == FOR_EVER ? FOR_EVER : now_s + seconds;
    fresh = rows_copy(&mute.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, row, fresh);
    return HY_OK;
}

void member_fill(const struct group_ref *ref, const Hy__MemberInfo *as, Hy__Role role,
                 uint64_t now_s, Hy__Member *member)
{
    hy__member__init(member);
    member->user = as->user;
    member->role = role;
    member->join_time_s = now_s;
    member->join_seq = ref->group->last_seq;
    member->read_seq = ref->group->last_seq;
    member->counted = ref->group->countable;
    member->msg_flag = as->msg_flag != 0 ? as->msg_flag : ref->type->msg_flag;
    member->name_card = as->name_card;
    member->n_custom = as->n_custom;
    member->custom = as->custom;
}

/* ---- the roster changes ---- */

/* The row of the roster, to be changed. */
static enum hy_err roster_row(struct core *core, const struct group_ref *ref, struct row **row)
{
    static const Hy__Roster none = HY__ROSTER__INIT;
    struct key key;
    enum hy_err err;

    roster_key(ref, &key);
    if (ref->group->rostered > 0)
        err = rows_get(core->rows, FAMILY_ENTITY, &key, &hy__roster__descriptor, row);
    else
        err = rows_get_new(core->rows, FAMILY_ENTITY, &key, &hy__roster__descriptor, row);
    if (err != HY_OK || (*row)->msg != NULL)
        return err;
    if (ref->group->rostered > 0)
        return HY_ECORRUPT;
    rows_set(core->rows, *row, rows_copy(&none.base));
    return (*row)->msg == NULL ? HY_ENOMEM : HY_OK;
}

/* Is he in the roster? Then *row is its row, and his entry there. */
static enum hy_err in_roster(struct core *core, const struct group_ref *ref, const char *user,
                             struct row **row, struct roster_entry *entry)
{
    enum hy_err err;

    if (ref->group->rostered == 0)
        return HY_ENOTFOUND;
    err = roster_row(core, ref, row);
    return err == HY_OK ? roster_find(((Hy__Roster *)(*row)->msg)->members, user, entry) : err;
}

/* Put a new member there, if there is room. A group that had members before it had a roster goes on
 * with rows. */
static enum hy_err enlist(struct core *core, struct group_ref *ref, const Hy__Member *member,
                          bool *done)
{
    Hy__Group *group = ref->group;
    Hy__Roster *roster;
    struct row *row;
    enum hy_err err;

    *done = false;
    if (group->rostered == 0 && group->member_num > 0)
        return HY_OK;
    err = roster_row(core, ref, &row);
    if (err != HY_OK)
        return err;
    roster = (Hy__Roster *)row->msg;
    if (!roster_room(roster->members, group->rostered))
        return HY_OK;
    err = roster_put(&roster->members, member);
    if (err != HY_OK)
        return err;
    rows_touch(core->rows, row);
    group->rostered++;
    *done = true;
    return HY_OK;
}

enum hy_err member_make(struct core *core, struct group_ref *ref, struct row *row,
                        const Hy__MemberInfo *as, Hy__Role role, uint64_t now_s)
{
    ProtobufCMessage *fresh;
    Hy__Member m;
    bool listed;
    enum hy_err err;

    member_fill(ref, as, role, now_s, &m);
    fresh = rows_copy(&m.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    err = enlist(core, ref, &m, &listed);
    if (err == HY_OK && listed)
        ref->group->apart |= rows_fill(core->rows, row, fresh, true);
    else
        rows_set(core->rows, row, fresh); /* after an error it goes with the batch */
    ref->group->member_num++;
    rows_touch(core->rows, ref->row);
    return err;
}

void member_touch(struct core *core, struct group_ref *ref, struct row *row)
{
    rows_touch(core->rows, row);
    if (ref->group->apart || ref->group->rostered == 0)
        return;
    ref->group->apart = true;
    rows_touch(core->rows, ref->row);
}

enum hy_err member_changed(struct core *core, struct group_ref *ref, struct row *row)
{
    const Hy__Member *member = (const Hy__Member *)row->msg;
    struct roster_entry entry;
    struct row *roster;
    enum hy_err err;

    member_touch(core, ref, row);
    err = in_roster(core, ref, member->user, &roster, &entry);
    if (err != HY_OK)
        return err == HY_ENOTFOUND ? HY_OK : err;
    err = roster_put(&((Hy__Roster *)roster->msg)->members, member);
    if (err == HY_OK)
        rows_touch(core->rows, roster);
    return err;
}

enum hy_err member_remove(struct core *core, struct group_ref *ref, const char *user,
                          struct row *row)
{
    Hy__Group *group = ref->group;
    struct roster_entry entry;
    struct row *roster;
    enum hy_err err = in_roster(core, ref, user, &roster, &entry);
    bool listed = err == HY_OK;

    if (!listed && err != HY_ENOTFOUND)
        return err;
    if (listed) {
        roster_cut(&((Hy__Roster *)roster->msg)->members, &entry);
        if (--group->rostered == 0)
            rows_remove(core->rows, roster);
        else
            rows_touch(core->rows, roster);
    }
    if (!listed || group->apart)
        rows_remove(core->rows, row);
    else
        (void)rows_fill(core->rows, row, NULL, true);
    group->member_num -= group->member_num > 0;
    rows_touch(core->rows, ref->row);
    return HY_OK;
}

void member_roster_drop(struct core *core, const struct group_ref *ref)
{
    struct row *row;
    struct key key;

    if (ref->group->rostered == 0)
        return;
    roster_key(ref, &key);
    row = rows_peek(core->rows, FAMILY_ENTITY, &key);
    if (row != NULL)
        rows_remove(core->rows, row);
    else
        batch_delete(core->batch, FAMILY_ENTITY, &key);
}

void member_show(struct core *core, const struct group_ref *ref, const char *user,
                 const Hy__Member *member)
{
    Hy__IndexRow row = HY__INDEX_ROW__INIT;
    Hy__Effect effect = HY__EFFECT__INIT;

    row.version = ref->group->member_version;
    row.conversation = ref->group->conversation;
    row.group_type = (char *)ref->type->name;
    row.sweep_word = ref->group->info->sweep;
    row.last_time_ms = ref->group->last_time_ms;
    if (member != NULL) {
        row.joined = true;
        row.join_time_s = member->join_time_s;
        row.role = member->role;
    }
    if (core_owns(core, hy_slot_user(ref->home.app, user)) &&
        (core->moves == NULL ||
         !outbox_has_member(core, ref->home, ref->group->conversation, user))) {
        index_put_group(core, ref->home.app, user, ref->id, &row);
        return;
    }
    effect.app = ref->home.app;
    effect.user = (char *)user;
    effect.type = HY__CONV_TYPE__CONV_GROUP;
    effect.peer = (char *)ref->id;
    effect.row = &row;
    outbox_member(core, ref->home, ref->group->conversation, &effect);
}
