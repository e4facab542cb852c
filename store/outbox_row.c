#include "store/outbox_row.h"

#include "store/pair.h"
#include "store/value.h"

/* What to tell of a pair: its head as it is now. HY_ENOTFOUND: nothing. */
static enum hy_err pair_effect(struct core *core, const struct key_parts *parts, int side,
                               Hy__Effect **effect)
{
    Hy__Effect *e = hy_arena_alloc(&core->arena, sizeof *e);
    Hy__IndexRow *row = hy_arena_alloc(&core->arena, sizeof *row);
    char *users[2] = {hy_arena_strdup(&core->arena, parts->first, parts->first_len),
                      hy_arena_strdup(&core->arena, parts->second, parts->second_len)};
    struct pair_ref ref;
    enum hy_err err;

    if (e == NULL || row == NULL || users[0] == NULL || users[1] == NULL)
        return HY_ENOMEM;
    err = pair_find(core, parts->home.app, users[0], users[1], &ref);
    if (err != HY_OK)
        return err;
    if (ref.pair == NULL)
        return HY_ENOTFOUND;
    hy__effect__init(e);
    hy__index_row__init(row);
    e->app = parts->home.app;
    e->user = users[side];
    e->peer = users[1 - side];
    e->type = HY__CONV_TYPE__CONV_C2C;
    e->row = row;
    row->version = ref.pair->version;
    row->last_time_ms = ref.pair->last_time_ms;
    *effect = e;
    return HY_OK;
}

static enum hy_err member_effect(struct core *core, const struct key *key, Hy__Effect **effect)
{
    struct db_value value;
    enum hy_err err = db_get(core->db, FAMILY_OUTBOX, key, &value);
    ProtobufCMessage *msg;

    if (err != HY_OK)
        return err;
    err = value_get(&hy__effect__descriptor, &core->arena.pb, value.data, value.len, &msg);
    if (err == HY_OK)
        *effect = (Hy__Effect *)msg;
    db_drop(&value);
    return err == HY_ECORRUPT ? HY_ENOTFOUND : err;
}

enum hy_err outbox_row_effect(struct core *core, const struct key *key, int side,
                              Hy__Effect **effect)
{
    struct key_parts parts;

    if (key_parse(key->bytes, key->len, &parts) != HY_OK)
        return HY_ENOTFOUND;
    if (parts.format == KEY_OUT_PAIR)
        return pair_effect(core, &parts, side, effect);
    return member_effect(core, key, effect);
}
