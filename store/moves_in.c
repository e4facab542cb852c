/* Runs that come: their parts, and the end of those that do not come any more. */

#include <string.h>

#include "cluster.pb-c.h"
#include "common/codes.h"
#include "common/log.h"
#include "store/handlers.h"
#include "store/moves_int.h"
#include "store/value.h"

/* ---- deleting ---- */

/* The first slot of the run, from one on, in which a family has a row; run->last + 1: none. */
static uint32_t occupied(struct db_scan *scan, const struct move_run *run, uint32_t from)
{
    struct key key = {.len = 2, .bytes = {(uint8_t)(from >> 8), (uint8_t)from}};
    const uint8_t *at;
    size_t len;

    if (from > run->last || !db_scan_seek(scan, &key))
        return run->last + 1U;
    at = db_scan_key(scan, &len);
    return (uint32_t)at[0] << 8 | at[1];
}

static bool comes(const struct slots *slots, uint32_t slot)
{
    for (const struct slots_in *in = slots->in; in != NULL; in = in->next)
        if (slot >= in->first && slot <= in->last)
            return true;
    return false;
}

/* Slots of one family, up to before end. What is served, or comes (back), stays. */
static enum hy_err wipe_family(struct moves *m, enum family family, const struct move_run *run,
                               uint32_t from, uint32_t end)
{
    struct key first, behind;
    struct db_scan *scan;
    enum hy_err err;

    move_run_keys(run, &first, &behind);
    err = db_scan_open(m->db, family, &first, &behind, true, &scan);
    if (err != HY_OK)
        return err;
    while ((from = occupied(scan, run, from)) < end) {
        struct key slot = {.len = 2, .bytes = {(uint8_t)(from >> 8), (uint8_t)from}};

        if (!m->slots.has[from] && m->map->owner[from] != m->config.shard &&
            !comes(&m->slots, from))
            batch_delete_prefix(m->config.core->batch, family, &slot);
        from++;
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

enum hy_err moves_wipe(struct moves *m, const struct move_run *run, uint32_t from, unsigned most,
                       uint32_t *next)
{
    enum hy_err err = HY_OK;

    *next = run->last - from < most ? run->last + 1U : from + most;
    for (int f = 0; f < FAMILY_COUNT && err == HY_OK; f++)
        err = wipe_family(m, (enum family)f, run, from, *next);
    return err;
}

/* ---- rows of runs that come ---- */

/* Of this batch or of the database; decoded into the arena. *row NULL: there is none. */
static enum hy_err find_row(struct core *core, uint32_t id, Hy__MoveIn **row)
{
    const uint8_t *bytes;
    struct db_value value;
    ProtobufCMessage *msg;
    struct key key;
    size_t len;
    enum hy_err err;

    *row = NULL;
    slots_key_in(id, &key);
    if (batch_find(core->batch, FAMILY_DEFAULT, &key, &bytes, &len)) {
        err = value_get(&hy__move_in__descriptor, &core->arena.pb, bytes, len, &msg);
    } else {
        err = db_get(core->db, FAMILY_DEFAULT, &key, &value);
        if (err == HY_ENOTFOUND)
            return HY_OK;
        if (err != HY_OK)
            return err;
        err = value_get(&hy__move_in__descriptor, &core->arena.pb, value.data, value.len, &msg);
        db_drop(&value);
    }
    if (err == HY_OK)
        *row = (Hy__MoveIn *)msg;
    return err;
}

static bool owns_any(const struct moves *m, uint32_t first, uint32_t last)
{
    for (uint32_t slot = first; slot <= last; slot++)
        if (m->map->owner[slot] == m->config.shard)
            return true;
    return false;
}

static bool is_over(const struct moves *m, uint32_t id)
{
    const struct known *known = moves_find(m, id);

    return known != NULL && hy_move_ended(known->move.state);
}

/* Another move's row about these slots, that is not over. */
static bool is_taken(const struct moves *m, uint32_t id, uint32_t first, uint32_t last)
{
    for (const struct slots_in *in = m->slots.in; in != NULL; in = in->next)
        if (in->id != id && in->first <= last && in->last >= first && !is_over(m, in->id))
            return true;
    return false;
}

/* Is what is known here as new as any that the shard acted upon, and does it know the apps? Else it
 * would serve by the settings of none. */
static bool is_fresh(const struct moves *m)
{
    return m->slots.there && slots_fresh(&m->slots, m->map) && m->config.core->knows_apps;
}

static struct move_in_see look(const struct moves *m, uint32_t id, const Hy__MoveIn *row)
{
    const struct known *known = moves_find(m, id);
    struct move_in_see see = {.row = row,
                              .move = known == NULL ? NULL : &known->move,
                              .shard = m->config.shard,
                              .fresh = is_fresh(m)};
    uint32_t first = row != NULL ? row->first : known != NULL ? known->move.first : 0;
    uint32_t last = row != NULL ? row->last : known != NULL ? known->move.last : 0;

    if (row == NULL && known == NULL)
        return see;
    see.owns = owns_any(m, first, last);
    see.taken = is_taken(m, id, first, last);
    return see;
}

/* ---- parts ---- */

/* What there is of the run goes, and so do rows of moves about it that are over, or of attempts. */
static enum hy_err begin(struct moves *m, const Hy__StoreMoveReq *in)
{
    const struct hy_move *move = &moves_find(m, in->move)->move;
    struct move_run run = {move->first, move->last};
    Hy__MoveIn row = HY__MOVE_IN__INIT;
    struct batch *batch = m->config.core->batch;
    uint32_t next;
    enum hy_err err;

    for (struct slots_in *other = m->slots.in, *after; other != NULL; other = after) {
        after = other->next;
        if (other->first <= run.last && other->last >= run.first)
            slots_drop_in(&m->slots, other->id, batch);
    }
    slots_set(&m->slots, run.first, run.last, false);
    m->slots.map_epoch = m->map->epoch;
    slots_put(&m->slots, batch);
    err = moves_wipe(m, &run, run.first, HY_SLOTS, &next);
    row.first = run.first;
    row.last = run.last;
    row.from = move->from;
    row.attempt = in->attempt;
    if (err == HY_OK)
        err = slots_put_in(&m->slots, in->move, &row, batch);
    if (err == HY_OK)
        hy_log_info("store.move_comes", "move=%u attempt=%u slots=%u-%u from=%u", in->move,
                    in->attempt, run.first, run.last, row.from);
    return err;
}

static void key_of(const uint8_t *bytes, size_t len, struct key *key)
{
    key->len = (uint16_t)len;
    memcpy(key->bytes, bytes, len);
}

static enum hy_err apply(struct moves *m, const Hy__MoveIn *row, const ProtobufCBinaryData *rows,
                         uint64_t *count)
{
    struct move_run run = {(uint16_t)row->first, (uint16_t)row->last};
    struct move_rows_walk walk = {.at = rows->data, .end = rows->data + rows->len};
    struct batch *batch = m->config.core->batch;
    struct db_change change;
    struct key key, end;

    for (*count = 0; move_rows_next(&walk, &change); ++*count) {
        if (!move_row_in(&run, &change))
            return HY_EMALFORMED;
        key_of(change.key, change.key_len, &key);
        if (change.kind == DB_PUT) {
            batch_put(batch, change.family, &key, change.value, change.value_len);
        } else if (change.kind == DB_DELETE) {
            batch_delete(batch, change.family, &key);
        } else {
            key_of(change.value, change.value_len, &end);
            batch_delete_range(batch, change.family, &key, &end);
        }
    }
    return walk.bad ? HY_EMALFORMED : HY_OK;
}

/* Checked before anything is put: what is not whole is not taken. */
static bool agrees(const Hy__StoreMoveReq *in, const Hy__MoveIn *row, bool ends)
{
    struct move_run run = {(uint16_t)row->first, (uint16_t)row->last};
    struct move_rows_walk walk = {.at = in->rows.data, .end = in->rows.data + in->rows.len};
    struct db_change change;
    uint64_t count = 0;

    while (move_rows_next(&walk, &change)) {
        if (!move_row_in(&run, &change))
            return false;
        count++;
    }
    return !walk.bad &&
           (!ends || (row->rows + count == in->count &&
                      move_rows_hash(row->hash, in->rows.data, in->rows.len) == in->hash));
}

static enum hy_err take(struct moves *m, const Hy__StoreMoveReq *in, Hy__MoveIn *row, bool ends)
{
    uint64_t count;
    enum hy_err err = apply(m, row, &in->rows, &count);

    row->seq = in->seq;
    row->rows += count;
    row->hash = move_rows_hash(row->hash, in->rows.data, in->rows.len);
    row->complete = ends;
    if (err == HY_OK)
        err = slots_put_in(&m->slots, in->move, row, m->config.core->batch);
    if (err != HY_OK || !ends)
        return err;
    slots_set(&m->slots, (uint16_t)row->first, (uint16_t)row->last, true);
    slots_put(&m->slots, m->config.core->batch);
    hy_log_info("store.move_complete", "move=%u attempt=%u slots=%u-%u rows=%llu", in->move,
                row->attempt, row->first, row->last, (unsigned long long)row->rows);
    return HY_OK;
}

static void answer(struct core *core, const struct request *req, Hy__StoreMoveRes__Result result)
{
    Hy__StoreMoveRes res = HY__STORE_MOVE_RES__INIT;

    res.result = result;
    core_answer(core, req, &res.base);
}

static void handle(struct core *core, const struct request *req, const Hy__StoreMoveReq *in,
                   Hy__MoveIn *row)
{
    struct moves *m = core->moves;
    struct move_in_see see = look(m, in->move, row);
    bool ends = req->kind == HY__BUS_KIND__STORE_MOVE_END;
    enum hy_err err = HY_OK;

    switch (move_in_look(&see, &(struct move_part){in->attempt, in->seq})) {
    case MOVE_IN_BEGIN:
        err = begin(m, in);
        break;
    case MOVE_IN_TAKE:
        if (!agrees(in, row, ends)) {
            hy_log_error("store.move_differs", "move=%u attempt=%u part=%llu", in->move,
                         in->attempt, (unsigned long long)in->seq);
            answer(core, req, HY__STORE_MOVE_RES__RESULT__DIFFERS);
            return;
        }
        err = take(m, in, row, ends);
        break;
    case MOVE_IN_AGAIN:
        break;
    case MOVE_IN_STALE:
        answer(core, req, HY__STORE_MOVE_RES__RESULT__STALE);
        return;
    case MOVE_IN_WAIT:
        core->misplaced = true; /* it is asked again, and by then more is known here */
        break;
    }
    if (err == HY_OK) {
        answer(core, req, HY__STORE_MOVE_RES__RESULT__TAKEN);
        return;
    }
    batch_fail(core->batch, err);
    core_broken(core, req, err);
}

void move_handle(struct core *core, const struct request *req)
{
    const Hy__StoreMoveReq *in = core_decode(core, req, &hy__store_move_req__descriptor);
    Hy__MoveIn *row;
    enum hy_err err;

    if (in == NULL)
        return;
    if (core->moves == NULL) { /* one machine: its map is for ever */
        core_refuse(core, req, HY_CODE_PARAM);
        return;
    }
    err = find_row(core, in->move, &row);
    if (err != HY_OK)
        core_broken(core, req, err);
    else
        handle(core, req, in, row);
}

/* ---- runs that came, or never will ---- */

static enum hy_err end_one(struct moves *m, uint32_t id, enum move_in_end end)
{
    const struct known *known = moves_find(m, id);
    struct move_run run = {known->move.first, known->move.last};
    uint32_t next;
    enum hy_err err = m->config.settle(m->config.store);

    if (err != HY_OK)
        return err;
    slots_drop_in(&m->slots, id, m->config.core->batch);
    if (end == MOVE_IN_DELETE) {
        slots_set(&m->slots, run.first, run.last, false);
        slots_put(&m->slots, m->config.core->batch);
        err = moves_wipe(m, &run, run.first, HY_SLOTS, &next);
    }
    if (err != HY_OK)
        batch_fail(m->config.core->batch, err);
    return m->config.write(m->config.store);
}

void moves_clean_in(struct moves *m)
{
    for (struct slots_in *in = m->slots.in, *next; in != NULL; in = next) {
        Hy__MoveIn row = HY__MOVE_IN__INIT;
        struct move_in_see see;
        enum move_in_end end;

        next = in->next;
        row.first = in->first;
        row.last = in->last;
        see = look(m, in->id, &row);
        end = move_in_over(&see);
        if (end == MOVE_IN_KEEP)
            continue;
        hy_log_info("store.move_over", "move=%u slots=%u-%u here=%d", in->id, in->first, in->last,
                    end == MOVE_IN_FORGET);
        if (end_one(m, in->id, end) != HY_OK || m->db == NULL)
            return; /* what was known may be gone */
    }
}
