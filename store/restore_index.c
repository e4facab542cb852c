#include "store/restore_index.h"

#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/grouptype.h"
#include "common/slot.h"
#include "store/index.h"
#include "store/member_walk.h"
#include "store/value.h"

enum { BATCH_ROWS = 1000 };

struct check {
    struct db *const *dbs;
    uint32_t shards;
    bool behind;
    struct restore_index *result;
    struct hy_arena row_arena;
    struct hy_buf buf;
    struct db_batch *batches[64];
};

static const struct key all_first = {.len = 0}, all_end = {.len = 2, .bytes = {0xFF, 0xFF}};

static uint32_t shard_of(const struct check *c, uint16_t slot)
{
    return hy_slot_shard(slot, c->shards);
}

/* ---- rows ---- */

/* NULL: it is not there. */
static enum hy_err get(struct check *c, uint16_t slot, enum family family, const struct key *key,
                       const ProtobufCMessageDescriptor *type, void *record)
{
    ProtobufCMessage **out = record;
    struct db_value value;
    enum hy_err err = db_get(c->dbs[shard_of(c, slot)], family, key, &value);

    *out = NULL;
    if (err == HY_ENOTFOUND)
        return HY_OK;
    if (err != HY_OK)
        return err;
    err = value_get(type, &c->row_arena.pb, value.data, value.len, out);
    db_drop(&value);
    return err;
}

static enum hy_err is_there(struct check *c, uint16_t slot, enum family family,
                            const struct key *key, bool *there)
{
    struct db_value value;
    enum hy_err err = db_get(c->dbs[shard_of(c, slot)], family, key, &value);

    *there = err == HY_OK;
    db_drop(&value);
    return err == HY_ENOTFOUND ? HY_OK : err;
}

static enum hy_err write_some(struct check *c, uint32_t shard, size_t least)
{
    enum hy_err err;

    if (c->batches[shard] == NULL || db_batch_count(c->batches[shard]) < least)
        return HY_OK;
    err = db_write(c->dbs[shard], c->batches[shard]);
    db_batch_clear(c->batches[shard]);
    return err;
}

/* Put a row right; NULL: it goes. */
static enum hy_err mend(struct check *c, uint16_t slot, const struct key *key,
                        const Hy__IndexRow *row)
{
    uint32_t shard = shard_of(c, slot);
    enum hy_err err = HY_OK;

    if (c->batches[shard] == NULL)
        err = db_batch_open(c->dbs[shard], &c->batches[shard]);
    c->buf.len = 0;
    if (err == HY_OK && row != NULL)
        err = value_put(&c->buf, &row->base);
    if (err != HY_OK)
        return err;
    if (row != NULL)
        db_batch_put(c->batches[shard], FAMILY_INDEX, key, c->buf.data, c->buf.len);
    else
        db_batch_delete(c->batches[shard], FAMILY_INDEX, key);
    c->result->repaired++;
    return write_some(c, shard, BATCH_ROWS);
}

/* ---- what conversations say ---- */

static enum hy_err pair_side(struct check *c, const struct key_parts *parts, const Hy__Pair *pair,
                             const char *user, const char *peer)
{
    Hy__IndexRow right = HY__INDEX_ROW__INIT, *row;
    uint16_t slot = hy_slot_user(parts->home.app, user);
    struct key key, out;
    bool waits;
    enum hy_err err;

    key_index(&key, (struct key_home){slot, parts->home.app}, user, HY__CONV_TYPE__CONV_C2C, peer,
              KEY_INDEX_ROW);
    err = get(c, slot, FAMILY_INDEX, &key, &hy__index_row__descriptor, &row);
    c->result->looked++;
    if (err != HY_OK || (row != NULL && row->version == pair->version))
        return err;
    right.version = pair->version;
    right.last_time_ms = pair->last_time_ms;
    if (row != NULL && row->version > pair->version) {
        c->result->ahead++;
        return mend(c, slot, &key, &right);
    }
    key_pair(&out, parts->home, KEY_OUT_PAIR, user, peer);
    err = is_there(c, parts->home.slot, FAMILY_OUTBOX, &out, &waits);
    if (err != HY_OK)
        return err;
    ++*(waits ? &c->result->waiting : &c->result->behind);
    return waits || !c->behind ? HY_OK : mend(c, slot, &key, &right);
}

static enum hy_err pair_row(struct check *c, const struct key_parts *parts, const void *value,
                            size_t len)
{
    char users[2][KEY_TEXT_MAX + 1];
    ProtobufCMessage *pair;
    enum hy_err err;

    if (!key_copy_text(parts->first, parts->first_len, users[0]) ||
        !key_copy_text(parts->second, parts->second_len, users[1]))
        return HY_ECORRUPT;
    err = value_get(&hy__pair__descriptor, &c->row_arena.pb, value, len, &pair);
    if (err == HY_OK)
        err = pair_side(c, parts, (Hy__Pair *)pair, users[0], users[1]);
    if (err == HY_OK && strcmp(users[0], users[1]) != 0)
        err = pair_side(c, parts, (Hy__Pair *)pair, users[1], users[0]);
    return err;
}

static enum hy_err member_waits(struct check *c, struct key_home home, uint64_t conversation,
                                const char *user, bool *waits)
{
    struct key out;

    key_member(&out, home, KEY_OUT_MEMBER, conversation, user);
    return is_there(c, home.slot, FAMILY_OUTBOX, &out, waits);
}

static void right_row(const Hy__Group *group, const Hy__Member *member, Hy__IndexRow *row)
{
    const struct hy_group_type *type = hy_group_type(group->info->type);

    hy__index_row__init(row);
    row->version = group->member_version;
    row->conversation = group->conversation;
    row->group_type = (char *)(type != NULL ? type->name : group->info->type);
    row->sweep_word = group->info->sweep;
    row->last_time_ms = group->last_time_ms;
    row->joined = true;
    row->join_time_s = member->join_time_s;
    row->role = member->role;
}

static enum hy_err check_member(struct check *c, struct key_home home, const char *id,
                                const Hy__Group *group, const struct member_walk *at)
{
    char user[KEY_TEXT_MAX + 1];
    ProtobufCMessage *member;
    Hy__IndexRow right, *row;
    struct key key;
    uint16_t slot;
    bool waits;
    enum hy_err err =
        value_get(&hy__member__descriptor, &c->row_arena.pb, at->value, at->len, &member);

    if (err != HY_OK || !key_copy_text(at->user, at->user_len, user))
        return HY_ECORRUPT;
    slot = hy_slot_user(home.app, user);
    key_index(&key, (struct key_home){slot, home.app}, user, HY__CONV_TYPE__CONV_GROUP, id,
              KEY_INDEX_ROW);
    err = get(c, slot, FAMILY_INDEX, &key, &hy__index_row__descriptor, &row);
    c->result->looked++;
    right_row(group, (Hy__Member *)member, &right);
    if (err != HY_OK || (row != NULL && row->joined && row->conversation == right.conversation &&
                         row->version <= right.version))
        return err;
    if (row == NULL || !index_newer(row, &right)) {
        err = member_waits(c, home, group->conversation, user, &waits);
        if (err != HY_OK || waits) {
            c->result->waiting += waits;
            return err;
        }
        c->result->missing++;
    } else {
        c->result->ahead++;
    }
    return mend(c, slot, &key, &right);
}

static enum hy_err group_row(struct check *c, const struct key_parts *parts, const void *value,
                             size_t len)
{
    struct db *db = c->dbs[shard_of(c, parts->home.slot)];
    char id[KEY_TEXT_MAX + 1];
    ProtobufCMessage *msg;
    const Hy__Group *group;
    struct member_walk walk;
    enum hy_err err = value_get(&hy__group__descriptor, NULL, value, len, &msg);

    if (err != HY_OK)
        return err;
    group = (Hy__Group *)msg;
    if (group->info == NULL || !key_copy_text(parts->first, parts->first_len, id))
        err = HY_ECORRUPT;
    if (err == HY_OK)
        err = member_walk_open(db, parts->home, group, true, &walk);
    if (err == HY_OK) {
        while (err == HY_OK && member_walk_next(&walk)) {
            err = check_member(c, parts->home, id, group, &walk);
            hy_arena_reset(&c->row_arena);
        }
        if (err == HY_OK)
            err = member_walk_err(&walk);
        member_walk_close(&walk);
    }
    protobuf_c_message_free_unpacked(msg, NULL);
    return err;
}

static enum hy_err conversation_row(struct check *c, const uint8_t *key, size_t key_len,
                                    const void *value, size_t len)
{
    struct key_parts parts;

    if (key_parse(key, key_len, &parts) != HY_OK)
        return HY_ECORRUPT;
    if (parts.format == KEY_GROUP)
        return group_row(c, &parts, value, len);
    return parts.format == KEY_PAIR ? pair_row(c, &parts, value, len) : HY_OK;
}

/* ---- what indexes say ---- */

static enum hy_err look_pair(struct check *c, uint32_t app, const char *user, const char *peer,
                             bool *right)
{
    uint16_t slot = hy_slot_pair(app, user, peer);
    struct key key;

    key_pair(&key, (struct key_home){slot, app}, KEY_PAIR, user, peer);
    return is_there(c, slot, FAMILY_ENTITY, &key, right);
}

/* In the group's roster? */
static enum hy_err is_listed(struct check *c, struct key_home home, uint64_t conversation,
                             const char *user, bool *listed)
{
    ProtobufCBinaryData list;
    struct roster_entry entry;
    struct db_value value;
    struct key key;
    enum hy_err err;

    key_member(&key, home, KEY_ROSTER, conversation, NULL);
    err = db_get(c->dbs[shard_of(c, home.slot)], FAMILY_ENTITY, &key, &value);
    *listed = false;
    if (err == HY_OK)
        err = roster_list(value.data, value.len, &list);
    if (err == HY_OK)
        err = roster_find(list, user, &entry);
    *listed = err == HY_OK;
    db_drop(&value);
    return err == HY_ENOTFOUND ? HY_OK : err;
}

static enum hy_err look_member(struct check *c, uint32_t app, const char *user, const char *id,
                               const Hy__IndexRow *row, bool *right)
{
    uint16_t slot = hy_slot_group(app, id);
    struct key_home home = {slot, app};
    Hy__Group *group;
    struct key key;
    enum hy_err err;

    key_text(&key, home, KEY_GROUP, id);
    err = get(c, slot, FAMILY_ENTITY, &key, &hy__group__descriptor, &group);
    *right = group != NULL && group->conversation == row->conversation;
    if (err != HY_OK || !*right)
        return err;
    key_member(&key, home, KEY_MEMBER, row->conversation, user);
    err = is_there(c, slot, FAMILY_ENTITY, &key, right);
    if (err == HY_OK && !*right)
        err = is_listed(c, home, row->conversation, user, right);
    if (err != HY_OK || *right)
        return err;
    key_member(&key, home, KEY_OUT_MEMBER, row->conversation, user);
    err = is_there(c, slot, FAMILY_OUTBOX, &key, right); /* it will hear that it left */
    c->result->waiting += err == HY_OK && *right;
    return err;
}

static enum hy_err index_row(struct check *c, const uint8_t *bytes, size_t key_len,
                             const void *value, size_t len)
{
    char user[KEY_TEXT_MAX + 1], peer[KEY_TEXT_MAX + 1];
    struct key_parts parts;
    ProtobufCMessage *msg;
    const Hy__IndexRow *row;
    struct key key;
    bool right = true;
    enum hy_err err;

    if (key_parse(bytes, key_len, &parts) != HY_OK ||
        !key_copy_text(parts.first, parts.first_len, user) ||
        !key_copy_text(parts.second, parts.second_len, peer))
        return HY_ECORRUPT;
    if (parts.part != KEY_INDEX_ROW)
        return HY_OK;
    err = value_get(&hy__index_row__descriptor, &c->row_arena.pb, value, len, &msg);
    if (err != HY_OK)
        return err;
    row = (Hy__IndexRow *)msg;
    c->result->looked++;
    if (parts.type == HY__CONV_TYPE__CONV_C2C)
        err = look_pair(c, parts.home.app, user, peer, &right);
    else if (row->joined)
        err = look_member(c, parts.home.app, user, peer, row, &right);
    if (err != HY_OK || right)
        return err;
    c->result->orphans++;
    key.len = (uint16_t)key_len;
    memcpy(key.bytes, bytes, key_len);
    return mend(c, parts.home.slot, &key, NULL);
}

/* ---- all of it ---- */

typedef enum hy_err row_fn(struct check *c, const uint8_t *key, size_t key_len, const void *value,
                           size_t len);

static enum hy_err walk(struct check *c, uint32_t shard, enum family family, row_fn *fn)
{
    struct db_scan *scan;
    enum hy_err err = db_scan_open(c->dbs[shard], family, &all_first, &all_end, true, &scan);

    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan)) {
        size_t key_len, len;
        const uint8_t *key = db_scan_key(scan, &key_len), *value = db_scan_value(scan, &len);

        err = fn(c, key, key_len, value, len);
        hy_arena_reset(&c->row_arena);
    }
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    for (uint32_t i = 0; i < c->shards && err == HY_OK; i++)
        err = write_some(c, i, 1);
    return err;
}

enum hy_err restore_index_check(struct db *const *dbs, uint32_t shards, bool behind,
                                struct restore_index *result, char why[static 256])
{
    struct check c = {.dbs = dbs, .shards = shards, .behind = behind, .result = result};
    enum hy_err err = HY_OK;

    *result = (struct restore_index){0};
    hy_arena_init(&c.row_arena);
    for (uint32_t i = 0; i < shards && err == HY_OK; i++)
        err = walk(&c, i, FAMILY_ENTITY, conversation_row);
    for (uint32_t i = 0; i < shards && err == HY_OK; i++)
        err = walk(&c, i, FAMILY_INDEX, index_row);
    for (uint32_t i = 0; i < shards; i++)
        db_batch_close(&c.batches[i]);
    hy_arena_free(&c.row_arena);
    hy_buf_free(&c.buf);
    if (err != HY_OK)
        snprintf(why, 256, "the indexes cannot be checked: %s", hy_err_text(err));
    return err;
}
