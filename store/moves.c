#include "store/moves.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "store/gate.h"
#include "store/metric.h"
#include "store/moves_int.h"

enum {
    PART_DEADLINE_MS = 10000, /* a leader of the target may be replaced meanwhile */
    LAST_DEADLINE_MS = 1000,  /* requests wait */
    TURN_MS = 20, /* an idle loop looks so often: what is due before the next time goes now */
    TELL_MS = 1000,
    CLEAN_MS = 250,
    CLEAN_SLOTS = 16, /* at a time */
};

enum hy_err moves_open(const struct moves_config *config, struct moves **moves)
{
    struct moves *m = calloc(1, sizeof *m);
    enum hy_err err = HY_OK;

    if (m == NULL)
        return HY_ENOMEM;
    m->config = *config;
    if (config->loop != NULL)
        err = worker_open(config->loop, &m->worker);
    if (err == HY_OK && config->coord != NULL)
        moves_learn_all(m);
    if (err != HY_OK)
        moves_close(&m);
    *moves = m;
    return err;
}

void moves_close(struct moves **moves)
{
    struct moves *m = *moves;

    if (m == NULL)
        return;
    *moves = NULL;
    if (m->config.coord != NULL)
        hy_coord_forget(m->config.coord, m);
    worker_close(&m->worker);
    slots_clear(&m->slots);
    hy_buf_free(&m->reading.rows);
    hy_buf_free(&m->tee);
    hy_buf_free(&m->message);
    free(m->list);
    free(m);
}

/* ---- reigns ---- */

static void lead_steps(struct moves *m)
{
    const struct slots_out *frozen = slots_frozen(&m->slots);

    move_out_lead(&m->out, frozen == NULL ? 0 : frozen->id, frozen == NULL ? 0 : frozen->attempt);
    m->froze_us = hy_steady_us();
    if (frozen != NULL)
        hy_log_info("store.move_frozen", "move=%u attempt=%u slots=%u-%u found=1", frozen->id,
                    frozen->attempt, frozen->first, frozen->last);
}

enum hy_err moves_lead(struct moves *moves, struct db *db)
{
    enum hy_err err = slots_load(&moves->slots, db);

    if (err != HY_OK)
        return err;
    moves->db = db;
    moves->reign++;
    moves->token = 0;
    moves->look_ended = true;
    lead_steps(moves);
    return HY_OK;
}

void moves_follow(struct moves *moves)
{
    if (moves->db == NULL)
        return;
    moves_read_stop(moves);
    slots_clear(&moves->slots);
    move_out_lead(&moves->out, 0, 0);
    moves->db = NULL;
    moves->token = 0;
    metric_moving(false);
}

/* A row that was not written may be one of ours. */
void moves_failed(struct moves *moves)
{
    if (slots_load(&moves->slots, moves->db) != HY_OK)
        hy_log_error("store.reload_failed", "why=\"%s\"", hy_err_text(HY_EIO));
}

/* ---- who serves ---- */

void moves_map(struct moves *moves, const struct hy_shardmap *map)
{
    moves->map = map;
}

void moves_serve(const struct moves *moves, struct hy_shardmap *mine)
{
    slots_serve(&moves->slots, moves->config.shard, moves->map, mine);
}

bool moves_waits(const struct moves *moves, uint16_t slot)
{
    const struct slots_out *frozen = slots_frozen(&moves->slots);

    return frozen != NULL && slot >= frozen->first && slot <= frozen->last &&
           moves->map->owner[slot] == moves->config.shard;
}

bool moves_frozen(const struct moves *moves)
{
    return slots_frozen(&moves->slots) != NULL;
}

static bool owns_all(const struct moves *m, uint16_t first, uint16_t last)
{
    for (uint32_t slot = first; slot <= last; slot++)
        if (m->map->owner[slot] != m->config.shard)
            return false;
    return true;
}

/* The first rows of a shard: it has what the first map gave it. */
static void begin_slots(struct moves *m)
{
    slots_begin(&m->slots, m->config.shard, m->map);
    slots_put(&m->slots, m->config.core->batch);
    (void)!m->config.write(m->config.store); /* not written, it is not there, and is made again */
}

/* ---- what the target is asked ---- */

static void send_part(struct moves *m, enum move_do what)
{
    Hy__StoreMoveReq req = HY__STORE_MOVE_REQ__INIT;
    bool last = what == MOVE_SEND_LAST;
    struct hy_buf bytes = {0};

    if (what == MOVE_SEND_FIRST) {
        m->seq = m->rows = m->bytes = m->hash = 0;
        m->message.len = 0;
        m->message_rows = 0;
    } else {
        m->seq++;
        m->hash = move_rows_hash(m->hash, m->message.data, m->message.len);
    }
    m->rows += m->message_rows;
    m->bytes += m->message.len;
    req.move = m->out.id;
    req.attempt = m->out.attempt;
    req.seq = m->seq;
    req.rows = (ProtobufCBinaryData){m->message.len, m->message.data};
    req.count = last ? m->rows : 0;
    req.hash = last ? m->hash : 0;
    if (hy_buf_put_pb(&bytes, &req.base) != HY_OK) {
        move_out_did(&m->out, hy_steady_ms(), what, HY_ENOMEM);
        return;
    }
    metric_moved(m->message_rows, m->message.len);
    m->token = ++m->tokens;
    m->config.send(m->config.ctx, m->to, m->token,
                   last ? HY__BUS_KIND__STORE_MOVE_END : HY__BUS_KIND__STORE_MOVE,
                   last ? LAST_DEADLINE_MS : PART_DEADLINE_MS, bytes.data, bytes.len);
    hy_buf_free(&bytes);
}

static enum hy_err result_of(enum hy_err err, const void *payload, size_t len)
{
    Hy__StoreMoveRes *res = NULL;

    if (err != HY_OK)
        return err;
    res = hy__store_move_res__unpack(NULL, len, payload);
    if (res == NULL)
        return HY_EMALFORMED;
    if (res->code == HY_CODE_BUSY)
        err = HY_EBUSY;
    else if (res->code != HY_CODE_OK)
        err = HY_EIO;
    else if (res->result == HY__STORE_MOVE_RES__RESULT__STALE)
        err = HY_EDENIED;
    else if (res->result == HY__STORE_MOVE_RES__RESULT__DIFFERS)
        err = HY_ECORRUPT;
    hy__store_move_res__free_unpacked(res, NULL);
    return err;
}

void moves_answered(struct moves *moves, uint64_t token, enum hy_err err, const void *payload,
                    size_t len)
{
    enum move_do what = moves->out.busy;

    if (moves->db == NULL || token == 0 || token != moves->token)
        return;
    moves->token = 0;
    err = result_of(err, payload, len);
    if (err != HY_OK)
        hy_log_warn("store.move_refused", "move=%u attempt=%u what=\"%s\" why=\"%s\"",
                    moves->out.id, moves->out.attempt, move_do_name(what), hy_err_text(err));
    move_out_did(&moves->out, hy_steady_ms(), what, err);
    if (err == HY_OK && what == MOVE_SEND_FIRST)
        moves_read_begin(moves);
    if (moves->config.loop != NULL)
        hy_loop_again(moves->config.loop);
}

/* By the rate, the next part goes when this one would have gone through. */
static void keep_to_rate(struct moves *m)
{
    uint64_t now_ms = hy_steady_ms(), rate = m->rebalance.rate_bytes_s;

    if (rate == 0)
        return;
    if (m->send_from_ms < now_ms)
        m->send_from_ms = now_ms;
    m->send_from_ms += m->message.len * 1000 / rate;
}

static void send_rows(struct moves *m)
{
    enum hy_err err = moves_read_take(m);

    if (err != HY_OK) {
        hy_log_error("store.move_unread", "move=%u why=\"%s\"", m->out.id, hy_err_text(err));
        move_out_did(&m->out, hy_steady_ms(), MOVE_SEND_ROWS, err);
        return;
    }
    send_part(m, MOVE_SEND_ROWS);
    keep_to_rate(m);
}

static void send_last(struct moves *m)
{
    enum hy_err err = moves_read_rest(m);

    moves_read_stop(m);
    if (err == HY_OK)
        send_part(m, MOVE_SEND_LAST);
    else
        move_out_did(&m->out, hy_steady_ms(), MOVE_SEND_LAST, err);
}

/* ---- rows of this shard ---- */

/* What waits is written first: it may be of the run. */
static enum hy_err freeze(struct moves *m)
{
    struct slots_out out = {.id = m->out.id,
                            .to = m->to,
                            .attempt = m->out.attempt,
                            .first = m->run.first,
                            .last = m->run.last};
    enum hy_err err = m->config.settle(m->config.store);

    m->froze_us = hy_steady_us();
    if (err == HY_OK)
        err = slots_put_out(&m->slots, &out, m->config.core->batch);
    if (err == HY_OK)
        err = m->config.write(m->config.store);
    if (err != HY_OK)
        return err;
    m->mark = gate_mark(m->config.core->gate);
    m->config.refresh(m->config.store);
    return HY_OK;
}

static enum hy_err thaw(struct moves *m)
{
    enum hy_err err = m->config.settle(m->config.store);

    if (err != HY_OK)
        return err;
    slots_drop_out(&m->slots, m->out.frozen_id, m->config.core->batch);
    err = m->config.write(m->config.store);
    if (err == HY_OK)
        m->config.refresh(m->config.store);
    return err;
}

static enum hy_err go(struct moves *m)
{
    const struct slots_out *frozen = slots_frozen(&m->slots);
    struct slots_out out = *frozen;
    enum hy_err err = m->config.settle(m->config.store);

    if (err != HY_OK)
        return err;
    out.gone = true;
    out.gone_ms = core_now(m->config.core);
    slots_set(&m->slots, out.first, out.last, false);
    m->slots.map_epoch = m->map->epoch;
    slots_put(&m->slots, m->config.core->batch);
    err = slots_put_out(&m->slots, &out, m->config.core->batch);
    if (err == HY_OK)
        err = m->config.write(m->config.store);
    if (err != HY_OK)
        return err;
    m->config.refresh(m->config.store);
    metric_froze(hy_steady_us() - m->froze_us);
    hy_log_info("store.move_done", "move=%u to=%u map_epoch=%llu frozen_ms=%llu", out.id, out.to,
                (unsigned long long)m->map->epoch,
                (unsigned long long)(hy_steady_us() - m->froze_us) / 1000);
    return HY_OK;
}

static void write_rows(struct moves *m, enum move_do what)
{
    uint64_t now_ms = hy_steady_ms();
    uint64_t frozen_us = hy_steady_us() - m->froze_us;
    enum hy_err err = what == MOVE_FREEZE ? freeze(m) : what == MOVE_THAW ? thaw(m) : go(m);

    if (err == HY_OK && what == MOVE_FREEZE)
        hy_log_info("store.move_frozen", "move=%u attempt=%u slots=%u-%u rows=%llu bytes=%llu",
                    m->out.id, m->out.attempt, m->run.first, m->run.last,
                    (unsigned long long)m->rows, (unsigned long long)m->bytes);
    if (err == HY_OK && what == MOVE_THAW)
        hy_log_warn("store.move_thawed", "move=%u frozen_ms=%llu", m->out.frozen_id,
                    (unsigned long long)frozen_us / 1000);
    if (err != HY_OK)
        hy_log_warn("store.move_unwritten", "what=\"%s\" why=\"%s\"", move_do_name(what),
                    hy_err_text(err));
    if (m->db != NULL) /* else the reign ended with it */
        move_out_did(&m->out, now_ms, what, err);
}

/* ---- going on ---- */

static void act(struct moves *m, enum move_do what, const struct known *known)
{
    switch (what) {
    case MOVE_REST:
        break;
    case MOVE_SEND_FIRST:
        m->run = (struct move_run){known->move.first, known->move.last};
        m->to = known->move.to;
        moves_read_stop(m);
        hy_log_info("store.move_copies", "move=%u attempt=%u slots=%u-%u to=%u", m->out.id,
                    m->out.attempt, m->run.first, m->run.last, m->to);
        send_part(m, what);
        break;
    case MOVE_SEND_ROWS:
        send_rows(m);
        break;
    case MOVE_SEND_LAST:
        send_last(m);
        break;
    case MOVE_FREEZE:
    case MOVE_THAW:
    case MOVE_GO:
        write_rows(m, what);
        break;
    default:
        moves_ask(m, what, known);
    }
}

static const struct known *under_way(const struct moves *m)
{
    return m->out.frozen ? moves_find(m, m->out.frozen_id) : moves_next(m);
}

static struct move_see look(struct moves *m, const struct known *known)
{
    uint64_t now_ms = hy_steady_ms();
    const struct slots_out *frozen = m->out.frozen ? slots_frozen(&m->slots) : NULL;
    struct move_see see = {.now_ms = now_ms,
                           .move = known == NULL ? NULL : &known->move,
                           .running = m->rebalance.state == HY_REBALANCE_RUNNING,
                           .cancelling = m->rebalance.state == HY_REBALANCE_CANCELLING};

    if (known != NULL)
        see.owns = owns_all(m, known->move.first, known->move.last);
    see.ready = moves_read_ready(m) && now_ms + TURN_MS >= m->send_from_ms;
    see.small = moves_read_small(m);
    see.passed = frozen != NULL && gate_has_passed(m->config.core->gate, m->mark);
    return see;
}

static void tell_progress(struct moves *m)
{
    const struct known *known = under_way(m);

    if (m->out.phase != MOVE_COPIES || known == NULL || !move_out_lives(&m->out, &known->move) ||
        hy_steady_ms() < m->told_ms + TELL_MS || m->out.busy != MOVE_SEND_ROWS)
        return;
    m->told_ms = hy_steady_ms();
    moves_ask_progress(m, known);
}

/* Rows of runs that left go, some slots at a time; but not of slots that came back. */
static void clean_out(struct moves *m)
{
    struct slots_out *out = m->slots.out;
    struct move_run run;
    uint32_t from, next;
    enum hy_err err;

    while (out != NULL && (!out->gone || core_now(m->config.core) <
                                             out->gone_ms + (uint64_t)m->config.keep_s * 1000))
        out = out->next;
    if (out == NULL || m->config.settle(m->config.store) != HY_OK)
        return;
    run = (struct move_run){out->first, out->last};
    from = m->clean_from < run.first || m->clean_from > run.last ? run.first : m->clean_from;
    err = moves_wipe(m, &run, from, CLEAN_SLOTS, &next);
    if (err == HY_OK && next > run.last) {
        hy_log_info("store.move_cleaned", "move=%u slots=%u-%u", out->id, run.first, run.last);
        slots_drop_out(&m->slots, out->id, m->config.core->batch);
    }
    if (err != HY_OK)
        batch_fail(m->config.core->batch, err);
    err = m->config.write(m->config.store);
    m->clean_from = err == HY_OK && next <= run.last ? (uint16_t)next : 0;
}

static void clean(struct moves *m)
{
    uint64_t now_ms = hy_steady_ms();

    if (now_ms < m->cleaned_ms + CLEAN_MS || (m->slots.out == NULL && m->slots.in == NULL))
        return;
    m->cleaned_ms = now_ms;
    clean_out(m);
    if (m->db != NULL && m->slots.in != NULL)
        moves_clean_in(m);
}

void moves_turn(struct moves *moves)
{
    struct moves *m = moves;
    const struct known *known;
    enum move_do what;

    if (m->db == NULL || m->map->epoch == 0)
        return;
    if (!m->slots.there)
        begin_slots(m);
    if (m->config.coord == NULL || !slots_fresh(&m->slots, m->map))
        return;
    while (m->db != NULL && !m->changing) {
        struct move_see see;

        known = under_way(m);
        see = look(m, known);
        what = move_out_next(&m->out, &see);
        if (what == MOVE_REST)
            break;
        act(m, what, known);
    }
    if (m->db == NULL)
        return;
    if (m->out.phase == MOVE_IDLE && m->reads)
        moves_read_stop(m);
    metric_moving(m->out.phase != MOVE_IDLE);
    if (!m->changing)
        tell_progress(m);
    if (!m->changing && m->look_ended)
        moves_ask_end(m);
    if (m->db != NULL)
        clean(m);
}
