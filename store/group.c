#include "store/group.h"

#include "store/value.h"

enum { NOTE_LIVE_SEQ, NOTE_TOKENS, NOTE_TOKENS_AT };
enum { PRIORITY_LOW = 3, PRIORITY_LOWEST = 4 };

static void home_of(uint32_t app, const char *id, struct group_ref *ref, struct key *key)
{
    *ref = (struct group_ref){.home = {hy_slot_group(app, id), app}, .id = id};
    key_text(key, ref->home, KEY_GROUP, id);
}

static enum hy_err take(struct group_ref *ref, ProtobufCMessage *msg)
{
    ref->group = (Hy__Group *)msg;
    if (ref->group == NULL)
        return HY_ENOTFOUND;
    if (ref->group->info == NULL)
        return HY_ECORRUPT;
    ref->type = hy_group_type(ref->group->info->type);
    return ref->type == NULL ? HY_ECORRUPT : HY_OK;
}

enum hy_err group_find(struct core *core, uint32_t app, const char *id, struct group_ref *ref)
{
    struct key key;
    enum hy_err err;

    home_of(app, id, ref, &key);
    err = rows_get(core->rows, FAMILY_ENTITY, &key, &hy__group__descriptor, &ref->row);
    return err == HY_OK ? take(ref, ref->row->msg) : err;
}

static enum hy_err look_up(struct core *core, const struct key *key, ProtobufCMessage **msg)
{
    struct db_value value;
    enum hy_err err = db_get(core->db, FAMILY_ENTITY, key, &value);

    if (err != HY_OK)
        return err;
    err = value_get(&hy__group__descriptor, &core->arena.pb, value.data, value.len, msg);
    db_drop(&value);
    return err;
}

static enum hy_err walk_up(struct core *core, struct db_scan *heads, const struct key *key,
                           ProtobufCMessage **msg)
{
    size_t len;
    const uint8_t *value;

    if (!db_scan_reach(heads, key)) {
        enum hy_err err = db_scan_err(heads);

        return err == HY_OK ? HY_ENOTFOUND : err;
    }
    value = db_scan_value(heads, &len);
    return value_get(&hy__group__descriptor, &core->arena.pb, value, len, msg);
}

enum hy_err group_look(struct core *core, struct db_scan *heads, uint32_t app, const char *id,
                       struct group_ref *ref)
{
    ProtobufCMessage *msg = NULL;
    struct key key;
    enum hy_err err;

    home_of(app, id, ref, &key);
    ref->row = rows_peek(core->rows, FAMILY_ENTITY, &key);
    if (ref->row != NULL)
        return take(ref, ref->row->msg);
    err = heads == NULL ? look_up(core, &key, &msg) : walk_up(core, heads, &key, &msg);
    return err == HY_OK ? take(ref, msg) : err;
}

/* The group's row was changed. */
static void touch(struct core *core, const struct group_ref *ref)
{
    if (ref->row != NULL)
        rows_touch(core->rows, ref->row);
}

void group_keep(struct core *core, const struct group_ref *ref)
{
    struct key key;

    touch(core, ref);
    if (ref->row != NULL)
        return;
    key_text(&key, ref->home, KEY_GROUP, ref->id);
    batch_put_record(core->batch, FAMILY_ENTITY, &key, &ref->group->base);
}

bool group_need(struct core *core, const struct request *req, uint32_t app, const char *id,
                struct group_ref *ref)
{
    enum hy_err err;

    if (!key_text_ok(id)) {
        core_refuse(core, req, HY_CODE_GROUP_UNKNOWN);
        return false;
    }
    if (!core_needs(core, hy_slot_group(app, id))) {
        core_refuse(core, req, HY_CODE_UNAVAILABLE);
        return false;
    }
    err = group_find(core, app, id, ref);
    if (err == HY_OK)
        return true;
    if (err == HY_ENOTFOUND)
        core_refuse(core, req, HY_CODE_GROUP_UNKNOWN);
    else
        core_broken(core, req, err);
    return false;
}

static uint64_t live_take(struct core *core, struct group_ref *ref)
{
    uint64_t *seq = &ref->row->note[NOTE_LIVE_SEQ];

    /* After a start the rest of the old block is skipped: nobody knows how much was used. */
    if (*seq == 0)
        *seq = ref->group->last_seq;
    if (++*seq > ref->group->last_seq) {
        ref->group->last_seq += GROUP_BLOCK;
        rows_touch(core->rows, ref->row);
    }
    return *seq;
}

struct place group_take(struct core *core, struct group_ref *ref, uint32_t flags)
{
    uint64_t now_ms = core_now(core);
    Hy__Group *g = ref->group;
    struct place place;

    if (g->last_time_ms < now_ms)
        g->last_time_ms = now_ms;
    place.time_ms = g->last_time_ms;
    if (ref->type->live) {
        place.seq = live_take(core, ref);
        return place;
    }
    place.seq = ++g->last_seq;
    g->countable += (flags & HY__MSG_FLAG__MSG_NO_UNREAD) == 0;
    touch(core, ref);
    return place;
}

/* How much must be in the bucket; a full one always does, however small. */
static uint64_t rate_need(uint64_t full, uint32_t priority)
{
    static const uint8_t spared_quarters[] = {[PRIORITY_LOW] = 1, [PRIORITY_LOWEST] = 2};
    uint64_t spare = priority <= PRIORITY_LOWEST ? full * spared_quarters[priority] / 4 : 0;

    return spare + 1000 < full ? spare + 1000 : full;
}

bool group_rate(uint64_t notes[2], uint32_t rate, uint32_t priority, uint64_t now_ms)
{
    uint64_t full = (uint64_t)rate * 1000, passed;

    if (rate == 0)
        return true;
    if (notes[1] == 0) {
        notes[0] = full;
    } else {
        passed = now_ms > notes[1] ? now_ms - notes[1] : 0;
        notes[0] =
            passed >= 1000 || notes[0] + passed * rate > full ? full : notes[0] + passed * rate;
    }
    notes[1] = now_ms;
    if (notes[0] < rate_need(full, priority))
        return false;
    notes[0] -= 1000;
    return true;
}

uint64_t *group_rate_notes(struct group_ref *ref)
{
    return &ref->row->note[NOTE_TOKENS];
}

void group_info(const struct group_ref *ref, Hy__GroupInfo *info)
{
    const Hy__Group *g = ref->group;
    uint64_t seq = ref->type->live ? ref->row->note[NOTE_LIVE_SEQ] : g->last_seq;

    *info = *g->info;
    info->last_msg_time_s = g->last_time_ms / 1000;
    info->next_msg_seq = (seq == 0 ? g->last_seq : seq) + 1;
    info->member_num = g->member_num;
}

void group_bump(struct core *core, struct group_ref *ref)
{
    ref->group->member_version++;
    core->members_changed = true;
    touch(core, ref);
}

struct convlog group_log(const struct group_ref *ref)
{
    return (struct convlog){ref->home, HY__CONV_TYPE__CONV_GROUP, ref->group->conversation};
}

bool group_mutes(const struct hy_group_type *type, const Hy__Group *group)
{
    return type->mutes && !group->unmuted;
}

bool group_swept(struct core *core, const struct group_ref *ref)
{
    if (ref->type->live)
        return false;
    if (ref->group->info->sweep != 0)
        return ref->group->info->sweep == 1;
    return appset_sweeps(core->appset, ref->home.app);
}
