#include "store/view.h"

#include <string.h>

#include "common/codes.h"
#include "common/slot.h"
#include "store/member.h"
#include "store/member_walk.h"
#include "store/value.h"

enum hy_err view_get(struct view *view, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type, ProtobufCMessage **msg)
{
    struct db_value value;
    enum hy_err err = db_get(view->db, family, key, &value);

    *msg = NULL;
    if (err != HY_OK)
        return err == HY_ENOTFOUND ? HY_OK : err;
    err = value_get(type, &view->arena.pb, value.data, value.len, msg);
    db_drop(&value);
    return err;
}

enum hy_err view_see(struct view *view, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type, const ProtobufCMessage **msg)
{
    ProtobufCMessage *mine;
    enum hy_err err;

    *msg = NULL;
    if (view->rows != NULL && rows_see(view->rows, view->db, family, key, type, msg, &err))
        return err;
    err = view_get(view, family, key, type, &mine);
    *msg = mine;
    return err;
}

bool view_owns(const struct view *view, uint16_t slot)
{
    return view->map->owner[slot] == view->shard;
}

bool view_needs(struct view *view, uint16_t slot)
{
    bool owns = view_owns(view, slot);

    view->misplaced = view->misplaced || !owns;
    return owns;
}

/* Leave out what has expired. */
static enum hy_err span_expire(struct view *view, struct span *span)
{
    struct convlog_place first;
    uint64_t low = span->first;
    enum hy_err err;

    span->floor_ms =
        appset_floor_ms(view->apps, span->log.home.app, span->log.conv_type, view->now_ms);
    if (span->floor_ms == 0 || low > span->last ||
        edges_find(view->edges, &span->log, low, span->floor_ms, &span->first))
        return HY_OK;
    err = convlog_since(view->db, &span->log, low, span->last, span->floor_ms, &first);
    if (err != HY_OK)
        return err;
    span->first = first.seq;
    if (first.seq <= span->last)
        edges_note(view->edges, &span->log, low, span->floor_ms, first);
    return HY_OK;
}

static enum hy_err span_pair(struct view *view, uint32_t app, const char *user, const char *peer,
                             struct span *span)
{
    struct key_home home = {hy_slot_pair(app, user, peer), app};
    const ProtobufCMessage *msg;
    struct key key;
    enum hy_err err;

    key_pair(&key, home, KEY_PAIR, user, peer);
    err = view_see(view, FAMILY_ENTITY, &key, &hy__pair__descriptor, &msg);
    if (err != HY_OK || msg == NULL)
        return err;
    span->pair = (const Hy__Pair *)msg;
    if (span->pair->n_sides != 2)
        return HY_ECORRUPT;
    span->side = strcmp(user, peer) <= 0 ? 0 : 1;
    span->log = (struct convlog){home, HY__CONV_TYPE__CONV_C2C, span->pair->conversation};
    span->first = span->pair->sides[span->side]->clear_seq + 1;
    span->last = span->pair->last_seq;
    if (strcmp(user, peer) != 0) /* notes to oneself are always one's own */
        span->user = user;
    return span_expire(view, span);
}

/* What the roster says of a user. */
static enum hy_err view_listed(struct view *view, struct key_home home, const Hy__Group *group,
                               const char *user, const Hy__Member **member)
{
    ProtobufCBinaryData list;
    ProtobufCMessage *msg;
    struct roster_entry entry;
    struct db_value value;
    struct key key;
    enum hy_err err;

    key_member(&key, home, KEY_ROSTER, group->conversation, NULL);
    err = db_get(view->db, FAMILY_ENTITY, &key, &value);
    if (err != HY_OK)
        return err == HY_ENOTFOUND ? HY_OK : err;
    err = roster_list(value.data, value.len, &list);
    if (err == HY_OK)
        err = roster_find(list, user, &entry);
    if (err == HY_OK)
        err = value_get(&hy__member__descriptor, &view->arena.pb, entry.value, entry.len, &msg);
    if (err == HY_OK)
        *member = (const Hy__Member *)msg;
    db_drop(&value);
    return err == HY_ENOTFOUND ? HY_OK : err;
}

enum hy_err view_member(struct view *view, struct key_home home, const Hy__Group *group,
                        const char *user, const Hy__Member **member)
{
    const ProtobufCMessage *msg;
    struct key key;
    enum hy_err err = HY_OK;

    *member = NULL;
    if (!key_text_ok(user))
        return HY_OK;
    if (member_walk_apart(group)) {
        key_member(&key, home, KEY_MEMBER, group->conversation, user);
        err = view_see(view, FAMILY_ENTITY, &key, &hy__member__descriptor, &msg);
        *member = (const Hy__Member *)msg;
    }
    if (err == HY_OK && *member == NULL && group->rostered > 0)
        err = view_listed(view, home, group, user, member);
    return err;
}

static enum hy_err span_group(struct view *view, uint32_t app, const char *user, const char *group,
                              bool admin, struct span *span)
{
    struct key_home home = {hy_slot_group(app, group), app};
    const ProtobufCMessage *msg;
    struct key key;
    enum hy_err err;

    key_text(&key, home, KEY_GROUP, group);
    err = view_see(view, FAMILY_ENTITY, &key, &hy__group__descriptor, &msg);
    span->group = (const Hy__Group *)msg;
    if (err != HY_OK)
        return err;
    if (span->group == NULL) {
        span->code = HY_CODE_GROUP_UNKNOWN;
        return HY_OK;
    }
    span->type = span->group->info == NULL ? NULL : hy_group_type(span->group->info->type);
    if (span->type == NULL)
        return HY_ECORRUPT;
    err = view_member(view, home, span->group, user, &span->member);
    if (err != HY_OK)
        return err;
    if (span->member == NULL && !admin) {
        span->code = HY_CODE_GROUP_DENIED;
        return HY_OK;
    }
    span->log = (struct convlog){home, HY__CONV_TYPE__CONV_GROUP, span->group->conversation};
    span->first = member_first(span->type, span->group, span->member);
    span->last = span->type->stores ? span->group->last_seq : 0;
    if (span->member != NULL)
        span->user = span->member->user;
    return span_expire(view, span);
}

enum hy_err span_open(struct view *view, uint32_t app, int conv_type, const char *user,
                      const char *peer, bool admin, struct span *span)
{
    bool pair = conv_type == HY__CONV_TYPE__CONV_C2C;

    *span = (struct span){.first = 1};
    if (!key_text_ok(peer) || (pair && !key_text_ok(user)) ||
        (!pair && conv_type != HY__CONV_TYPE__CONV_GROUP)) {
        span->code = HY_CODE_PARAM;
        return HY_OK;
    }
    if (!view_needs(view, hy_slot_conv(app, conv_type, user, peer))) {
        span->code = HY_CODE_UNAVAILABLE;
        return HY_OK;
    }
    if (pair)
        return span_pair(view, app, user, peer, span);
    return span_group(view, app, user, peer, admin, span);
}

bool span_shows(const struct span *span, const struct value_log *row, bool places)
{
    if (row->time_ms < span->floor_ms)
        return false;
    if (!places && (row->flags & HY__MSG_FLAG__MSG_DELETED) != 0)
        return false;
    return (row->flags & HY__MSG_FLAG__MSG_NO_SELF_SYNC) == 0 || span->user == NULL ||
           !value_log_from(row, span->user);
}
