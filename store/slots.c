#include "store/slots.h"

#include <stdlib.h>
#include <string.h>

#include "store/value.h"

static const struct key_home home = {KEY_SLOT_SHARD, 0};

void slots_key_in(uint32_t id, struct key *key)
{
    key_number(key, home, KEY_MOVE_IN, id);
}

/* ---- lists ---- */

static struct slots_out **find_out(struct slots *slots, uint32_t id)
{
    struct slots_out **at = &slots->out;

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static struct slots_in **find_in(struct slots *slots, uint32_t id)
{
    struct slots_in **at = &slots->in;

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static enum hy_err keep_out(struct slots *slots, const struct slots_out *out)
{
    struct slots_out **at = find_out(slots, out->id), *next = *at == NULL ? NULL : (*at)->next;

    if (*at == NULL)
        *at = malloc(sizeof **at);
    if (*at == NULL)
        return HY_ENOMEM;
    **at = *out;
    (*at)->next = next;
    return HY_OK;
}

static enum hy_err keep_in(struct slots *slots, uint32_t id, const Hy__MoveIn *in)
{
    struct slots_in **at = find_in(slots, id), *next = *at == NULL ? NULL : (*at)->next;

    if (*at == NULL)
        *at = malloc(sizeof **at);
    if (*at == NULL)
        return HY_ENOMEM;
    **at = (struct slots_in){id, (uint16_t)in->first, (uint16_t)in->last, next};
    return HY_OK;
}

void slots_clear(struct slots *slots)
{
    for (struct slots_out *out = slots->out, *next; out != NULL; out = next) {
        next = out->next;
        free(out);
    }
    for (struct slots_in *in = slots->in, *next; in != NULL; in = next) {
        next = in->next;
        free(in);
    }
    memset(slots, 0, sizeof *slots);
}

/* ---- reading ---- */

static bool is_run(uint32_t first, uint32_t last)
{
    return first <= last && last < HY_SLOTS;
}

static enum hy_err load_has(struct slots *slots, const Hy__ShardSlots *row)
{
    if (row->n_runs % 2 != 0)
        return HY_ECORRUPT;
    slots->there = true;
    slots->map_epoch = row->map_epoch;
    for (size_t i = 0; i < row->n_runs; i += 2) {
        if (!is_run(row->runs[i], row->runs[i + 1]))
            return HY_ECORRUPT;
        slots_set(slots, (uint16_t)row->runs[i], (uint16_t)row->runs[i + 1], true);
    }
    return HY_OK;
}

static enum hy_err load_out(struct slots *slots, uint64_t id, const Hy__MoveOut *row)
{
    if (!is_run(row->first, row->last))
        return HY_ECORRUPT;
    return keep_out(slots, &(struct slots_out){.id = (uint32_t)id,
                                               .to = row->to,
                                               .attempt = row->attempt,
                                               .first = (uint16_t)row->first,
                                               .last = (uint16_t)row->last,
                                               .gone = row->gone,
                                               .gone_ms = row->gone_ms});
}

static enum hy_err load_in(struct slots *slots, uint64_t id, const Hy__MoveIn *row)
{
    return is_run(row->first, row->last) ? keep_in(slots, (uint32_t)id, row) : HY_ECORRUPT;
}

static const ProtobufCMessageDescriptor *type_of(enum key_format format)
{
    if (format == KEY_SLOTS)
        return &hy__shard_slots__descriptor;
    if (format == KEY_MOVE_OUT)
        return &hy__move_out__descriptor;
    return format == KEY_MOVE_IN ? &hy__move_in__descriptor : NULL;
}

static enum hy_err load_row(struct slots *slots, const struct db_scan *scan)
{
    const ProtobufCMessageDescriptor *type;
    struct key_parts parts;
    ProtobufCMessage *msg;
    size_t len;
    const uint8_t *bytes = db_scan_key(scan, &len);
    enum hy_err err;

    if (key_parse(bytes, len, &parts) != HY_OK || (type = type_of(parts.format)) == NULL)
        return HY_OK;
    bytes = db_scan_value(scan, &len);
    err = value_get(type, NULL, bytes, len, &msg);
    if (err != HY_OK)
        return err;
    if (parts.format == KEY_SLOTS)
        err = load_has(slots, (const Hy__ShardSlots *)msg);
    else if (parts.format == KEY_MOVE_OUT)
        err = load_out(slots, parts.number, (const Hy__MoveOut *)msg);
    else
        err = load_in(slots, parts.number, (const Hy__MoveIn *)msg);
    protobuf_c_message_free_unpacked(msg, NULL);
    return err;
}

enum hy_err slots_load(struct slots *slots, struct db *db)
{
    struct key first, end;
    struct db_scan *scan;
    enum hy_err err;

    slots_clear(slots);
    key_head(&first, home, KEY_SLOTS);
    key_head(&end, home, KEY_MOVE_IN);
    end.len -= 4; /* any app */
    key_after(&end);
    err = db_scan_open(db, FAMILY_DEFAULT, &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan))
        err = load_row(slots, scan);
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

/* ---- what they say ---- */

bool slots_fresh(const struct slots *slots, const struct hy_shardmap *map)
{
    return map->epoch > 0 && map->epoch >= slots->map_epoch;
}

struct slots_out *slots_frozen(const struct slots *slots)
{
    struct slots_out *out = slots->out;

    while (out != NULL && out->gone)
        out = out->next;
    return out;
}

void slots_serve(const struct slots *slots, uint32_t shard, const struct hy_shardmap *map,
                 struct hy_shardmap *mine)
{
    const struct slots_out *frozen = slots_frozen(slots);
    bool fresh = slots_fresh(slots, map);

    *mine = *map;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        if (map->owner[slot] == shard &&
            (!fresh || (slots->there && !slots->has[slot]) ||
             (frozen != NULL && slot >= frozen->first && slot <= frozen->last)))
            mine->owner[slot] = SLOTS_NOBODY;
}

void slots_begin(struct slots *slots, uint32_t shard, const struct hy_shardmap *map)
{
    slots->there = true;
    slots->map_epoch = map->epoch;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        slots->has[slot] = map->owner[slot] == shard;
}

void slots_set(struct slots *slots, uint16_t first, uint16_t last, bool has)
{
    memset(slots->has + first, has, (size_t)(last - first) + 1);
}

/* ---- changing ---- */

void slots_put(const struct slots *slots, struct batch *batch)
{
    Hy__ShardSlots row = HY__SHARD_SLOTS__INIT;
    uint32_t *runs = malloc((HY_SLOTS + 2) * sizeof *runs);
    struct key key;

    if (runs == NULL) {
        batch_fail(batch, HY_ENOMEM);
        return;
    }
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++) {
        if (!slots->has[slot])
            continue;
        if (slot == 0 || !slots->has[slot - 1])
            runs[row.n_runs++] = slot;
        if (slot + 1 == HY_SLOTS || !slots->has[slot + 1])
            runs[row.n_runs++] = slot;
    }
    row.runs = runs;
    row.map_epoch = slots->map_epoch;
    key_head(&key, home, KEY_SLOTS);
    batch_put_record(batch, FAMILY_DEFAULT, &key, &row.base);
    free(runs);
}

enum hy_err slots_put_out(struct slots *slots, const struct slots_out *out, struct batch *batch)
{
    Hy__MoveOut row = HY__MOVE_OUT__INIT;
    struct key key;
    enum hy_err err = keep_out(slots, out);

    if (err != HY_OK)
        return err;
    row.first = out->first;
    row.last = out->last;
    row.to = out->to;
    row.attempt = out->attempt;
    row.gone = out->gone;
    row.gone_ms = out->gone_ms;
    key_number(&key, home, KEY_MOVE_OUT, out->id);
    batch_put_record(batch, FAMILY_DEFAULT, &key, &row.base);
    return HY_OK;
}

void slots_drop_out(struct slots *slots, uint32_t id, struct batch *batch)
{
    struct slots_out **at = find_out(slots, id), *out = *at;
    struct key key;

    if (out != NULL) {
        *at = out->next;
        free(out);
    }
    key_number(&key, home, KEY_MOVE_OUT, id);
    batch_delete(batch, FAMILY_DEFAULT, &key);
}

enum hy_err slots_put_in(struct slots *slots, uint32_t id, const Hy__MoveIn *in,
                         struct batch *batch)
{
    struct key key;
    enum hy_err err = keep_in(slots, id, in);
    struct hy_buf bytes = {0};

    if (err == HY_OK)
        err = value_put(&bytes, &in->base);
    slots_key_in(id, &key);
    if (err == HY_OK)
        batch_put_seen(batch, FAMILY_DEFAULT, &key, bytes.data, bytes.len);
    hy_buf_free(&bytes);
    return err;
}

void slots_drop_in(struct slots *slots, uint32_t id, struct batch *batch)
{
    struct slots_in **at = find_in(slots, id), *in = *at;
    struct key key;

    if (in != NULL) {
        *at = in->next;
        free(in);
    }
    slots_key_in(id, &key);
    batch_delete(batch, FAMILY_DEFAULT, &key);
}
