#include "store/core.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/gate.h"
#include "store/metric.h"
#include "store/moves.h"
#include "store/outbox.h"
#include "store/pair.h"
#include "store/runs.h"
#include "store/totals.h"
#include "store/value.h"

uint64_t core_now(const struct core *core)
{
    return core->now_ms(core->now_arg);
}

void core_use_map(struct core *core, const struct hy_shardmap *map)
{
    core->map = map;
    core->slots = 0;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        core->slots += core_owns(core, (uint16_t)slot);
}

bool core_owns(const struct core *core, uint16_t slot)
{
    return core->map->owner[slot] == core->shard;
}

bool core_needs(struct core *core, uint16_t slot)
{
    bool owns = core_owns(core, slot);

    core->misplaced = core->misplaced || !owns;
    if (!owns && core->moves != NULL && moves_waits(core->moves, slot))
        core->frozen = true;
    return owns;
}

void *core_decode(struct core *core, const struct request *req,
                  const ProtobufCMessageDescriptor *type)
{
    void *msg = protobuf_c_message_unpack(type, &core->arena.pb, req->len, req->payload);

    if (msg == NULL)
        core_refuse(core, req, HY_CODE_PARAM);
    return msg;
}

void core_answer(struct core *core, const struct request *req, const ProtobufCMessage *msg)
{
    if (answers_add(core->answers, req, msg, 0) != HY_OK)
        hy_log_warn("store.answer_lost", "why=\"%s\"", hy_err_text(HY_ENOMEM));
}

void core_refuse(struct core *core, const struct request *req, uint32_t code)
{
    core->scratch.len = 0;
    if (answer_refusal(req->kind, 1, code, &core->scratch) == HY_OK &&
        answers_add_bytes(core->answers, req, core->scratch.data, core->scratch.len, 1) == HY_OK)
        return;
    hy_log_warn("store.answer_lost", "why=\"%s\"", hy_err_text(HY_ENOMEM));
}

uint32_t core_code(enum hy_err err)
{
    switch (err) {
    case HY_EFULL:
        return HY_CODE_DISK_FULL;
    case HY_EBUSY:
    case HY_ENOMEM:
        return HY_CODE_BUSY;
    default:
        return HY_CODE_UNAVAILABLE;
    }
}

void core_broken(struct core *core, const struct request *req, enum hy_err err)
{
    hy_log_error("store.request_failed", "kind=0x%x why=\"%s\"", req->kind, hy_err_text(err));
    core_refuse(core, req, core_code(err));
}

/* ---- the batch ---- */

static void commit_failed(struct core *core, enum hy_err err)
{
    core->failure = err;
    hy_log_error("store.write_failed", "why=\"%s\" detail=\"%s\" answers=%zu", hy_err_text(err),
                 db_why(core->db), answers_count(core->answers));
    rows_forget(core->rows);
    pair_forget(core);
    if (err != HY_EBUSY && err != HY_ENOMEM) { /* the reign ends */
        answers_drop(core->answers);
        return;
    }
    answers_fail(core->answers, core_code(err));
    /* What was counted and queued along the way is what the rows say. */
    if (core->moves != NULL)
        moves_failed(core->moves);
    if (totals_load(core) != HY_OK || outbox_load(core) != HY_OK)
        hy_log_error("store.reload_failed", "why=\"%s\"", hy_err_text(HY_EIO));
}

static enum hy_err write_batch(struct core *core)
{
    uint64_t began_us = hy_steady_us();
    bool writes;
    enum hy_err err;

    if (!core->sealed) {
        pair_flush(core);
        rows_flush(core->rows, core->batch);
        core->sealed = true;
    }
    writes = batch_ops(core->batch) > 0;
    err = batch_write(core->batch);
    if (writes)
        metric_write(err, hy_steady_us() - began_us, core->messages);
    if (writes && err == HY_OK)
        gate_wrote(core->gate, gate_mark(core->gate), batch_bytes(core->batch));
    return err;
}

static void end_batch(struct core *core, enum hy_err err)
{
    runs_settle(core->runs);
    if (err == HY_OK) {
        rows_done(core->rows);
        pair_forget(core);
        answers_send(core->answers);
    } else {
        commit_failed(core, err);
    }
    batch_clear(core->batch);
    core->messages = 0;
    core->members_changed = false;
    core->batch_number++;
    core->sealed = false;
}

enum hy_err core_commit(struct core *core)
{
    enum hy_err err = write_batch(core);

    end_batch(core, err);
    return err;
}

enum hy_err core_commit_try(struct core *core)
{
    enum hy_err err = write_batch(core);

    if (err != HY_EBUSY)
        end_batch(core, err);
    return err;
}

enum hy_err core_settle(struct core *core)
{
    if (!rows_changed(core->rows) && batch_ops(core->batch) == 0)
        return HY_OK;
    return core_commit(core);
}

/* ---- counters ---- */

static enum hy_err read_u64(struct core *core, const struct key *key, uint64_t *n)
{
    const uint8_t *bytes;
    struct db_value value;
    size_t len;
    enum hy_err err;

    *n = 0;
    if (batch_find(core->batch, FAMILY_DEFAULT, key, &bytes, &len))
        return value_get_u64(bytes, len, n) ? HY_OK : HY_ECORRUPT;
    err = db_get(core->db, FAMILY_DEFAULT, key, &value);
    if (err == HY_ENOTFOUND)
        return HY_OK;
    if (err != HY_OK)
        return err;
    err = value_get_u64(value.data, value.len, n) ? HY_OK : HY_ECORRUPT;
    db_drop(&value);
    return err;
}

enum hy_err core_conversation(struct core *core, uint16_t slot, uint64_t *number)
{
    uint8_t bytes[8];
    struct key key;
    enum hy_err err;

    key_head(&key, (struct key_home){slot, 0}, KEY_COUNTER);
    err = read_u64(core, &key, number);
    if (err != HY_OK)
        return err;
    ++*number;
    value_put_u64(bytes, *number);
    batch_put_seen(core->batch, FAMILY_DEFAULT, &key, bytes, sizeof bytes);
    return HY_OK;
}

/* ---- what must not be done twice ---- */

enum hy_err core_dedupe(struct core *core, const struct key *key, Hy__DedupeRow **row)
{
    const uint8_t *bytes;
    struct db_value value;
    size_t len;
    enum hy_err err;

    *row = NULL;
    if (batch_find(core->batch, FAMILY_DEDUPE, key, &bytes, &len))
        return value_get_dedupe(&core->arena.pb, bytes, len, row);
    err = db_get(core->db, FAMILY_DEDUPE, key, &value);
    if (err == HY_ENOTFOUND)
        return HY_OK;
    if (err != HY_OK)
        return err;
    err = value_get_dedupe(&core->arena.pb, value.data, value.len, row);
    db_drop(&value);
    return err;
}

void core_dedupe_put(struct core *core, const struct key *key, const Hy__DedupeRow *row)
{
    core->scratch.len = 0;
    if (value_put_dedupe(&core->scratch, row) != HY_OK)
        batch_fail(core->batch, HY_ENOMEM);
    else
        batch_put_seen(core->batch, FAMILY_DEDUPE, key, core->scratch.data, core->scratch.len);
}

bool core_op_seen(struct core *core, const struct request *req, struct key_home home,
                  const char *op_id)
{
    Hy__DedupeRow *row;
    struct key key;
    enum hy_err err;

    if (*op_id == '\0')
        return false;
    if (!key_text_ok(op_id)) {
        core_refuse(core, req, HY_CODE_GROUP_PARAM);
        return true;
    }
    key_op(&key, home, req->kind, op_id);
    err = core_dedupe(core, &key, &row);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return true;
    }
    if (row == NULL)
        return false;
    if (answers_add_bytes(core->answers, req, row->answer.data, row->answer.len, 0) != HY_OK)
        hy_log_warn("store.answer_lost", "why=\"%s\"", hy_err_text(HY_ENOMEM));
    return true;
}

void core_op_answer(struct core *core, const struct request *req, struct key_home home,
                    const char *op_id, const ProtobufCMessage *msg)
{
    Hy__DedupeRow row = HY__DEDUPE_ROW__INIT;
    struct hy_buf answer = {0};
    struct key key;

    core_answer(core, req, msg);
    if (*op_id == '\0')
        return;
    if (hy_buf_put_pb(&answer, msg) != HY_OK) {
        batch_fail(core->batch, HY_ENOMEM);
        return;
    }
    row.time_ms = core_now(core);
    row.answer = (ProtobufCBinaryData){.len = answer.len, .data = answer.data};
    key_op(&key, home, req->kind, op_id);
    core_dedupe_put(core, &key, &row);
    hy_buf_free(&answer);
}
