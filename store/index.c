#include "store/index.h"

#include "store/value.h"

static struct key_home home_of(uint32_t app, const char *user)
{
    return (struct key_home){hy_slot_user(app, user), app};
}

void index_put_pair(struct core *core, uint32_t app, const char *user, const char *peer,
                    const Hy__Pair *pair)
{
    Hy__IndexRow row = HY__INDEX_ROW__INIT;
    struct key key;

    row.version = pair->version;
    row.last_time_ms = pair->last_time_ms;
    key_index(&key, home_of(app, user), user, HY__CONV_TYPE__CONV_C2C, peer, KEY_INDEX_ROW);
    batch_put_record(core->batch, FAMILY_INDEX, &key, &row.base);
}

void index_put_group(struct core *core, uint32_t app, const char *user, const char *group,
                     const Hy__IndexRow *row)
{
    struct key key;

    key_index(&key, home_of(app, user), user, HY__CONV_TYPE__CONV_GROUP, group, KEY_INDEX_ROW);
    if (row->joined || core->moves != NULL) /* else another shard's word may come late */
        batch_put_record(core->batch, FAMILY_INDEX, &key, &row->base);
    else
        batch_delete(core->batch, FAMILY_INDEX, &key);
}

void index_put_row(struct core *core, const Hy__Effect *effect)
{
    struct key key;

    key_index(&key, home_of(effect->app, effect->user), effect->user, (uint8_t)effect->type,
              effect->peer, KEY_INDEX_ROW);
    batch_put_record(core->batch, FAMILY_INDEX, &key, &effect->row->base);
}

bool index_newer(const Hy__IndexRow *a, const Hy__IndexRow *b)
{
    if (b == NULL)
        return true;
    if (a->conversation != b->conversation)
        return a->conversation > b->conversation;
    return a->version > b->version;
}

enum hy_err index_apply(struct core *core, const Hy__Effect *effect)
{
    ProtobufCMessage *fresh;
    struct row *row;
    struct key key;
    enum hy_err err;

    if (effect->row == NULL || !key_text_ok(effect->user) || !key_text_ok(effect->peer))
        return HY_EMALFORMED;
    key_index(&key, home_of(effect->app, effect->user), effect->user, (uint8_t)effect->type,
              effect->peer, KEY_INDEX_ROW);
    err = rows_get(core->rows, FAMILY_INDEX, &key, &hy__index_row__descriptor, &row);
    if (err != HY_OK || !index_newer(effect->row, (Hy__IndexRow *)row->msg))
        return err;
    fresh = rows_copy(&effect->row->base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, row, fresh);
    return HY_OK;
}

static bool apply_mark(Hy__IndexRow *marks, const Hy__ConvSetReq *set, uint64_t last_seq)
{
    switch (set->op) {
    case HY__CONV_SET_REQ__OP__PIN:
        marks->pinned = true;
        return true;
    case HY__CONV_SET_REQ__OP__UNPIN:
        marks->pinned = false;
        return true;
    case HY__CONV_SET_REQ__OP__REMIND:
        marks->remind = set->value;
        return set->value <= 2;
    case HY__CONV_SET_REQ__OP__HIDE:
        marks->hidden_seq = last_seq;
        return true;
    default:
        return false;
    }
}

/* Marks of a group are about its incarnation: those of an old one hide nothing of the new. */
static enum hy_err incarnation(struct core *core, uint32_t app, const char *user,
                               const Hy__ConvSetReq *set, uint64_t *conversation)
{
    ProtobufCMessage *row;
    struct db_value value;
    struct key key;
    enum hy_err err;

    *conversation = 0;
    if (set->type != HY__CONV_TYPE__CONV_GROUP)
        return HY_OK;
    key_index(&key, home_of(app, user), user, (uint8_t)set->type, set->peer, KEY_INDEX_ROW);
    err = db_get(core->db, FAMILY_INDEX, &key, &value);
    if (err != HY_OK)
        return err == HY_ENOTFOUND ? HY_OK : err;
    err = value_get(&hy__index_row__descriptor, &core->arena.pb, value.data, value.len, &row);
    if (err == HY_OK)
        *conversation = ((Hy__IndexRow *)row)->conversation;
    db_drop(&value);
    return err;
}

enum hy_err index_mark(struct core *core, uint32_t app, const char *user, const Hy__ConvSetReq *set,
                       uint64_t last_seq)
{
    Hy__IndexRow marks = HY__INDEX_ROW__INIT;
    ProtobufCMessage *fresh;
    struct row *row;
    struct key key;
    enum hy_err err;

    key_index(&key, home_of(app, user), user, (uint8_t)set->type, set->peer, KEY_INDEX_MARKS);
    err = rows_get(core->rows, FAMILY_INDEX, &key, &hy__index_row__descriptor, &row);
    if (err != HY_OK)
        return err;
    if (row->msg != NULL)
        marks = *(Hy__IndexRow *)row->msg;
    err = incarnation(core, app, user, set, &marks.conversation);
    if (err != HY_OK)
        return err;
    if (!apply_mark(&marks, set, last_seq))
        return HY_EMALFORMED;
    fresh = rows_copy(&marks.base);
    if (fresh == NULL)
        return HY_ENOMEM;
    rows_set(core->rows, row, fresh);
    return HY_OK;
}
