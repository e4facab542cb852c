/* Reading a run that leaves, part by part, and noting what changes meanwhile. */

#include <string.h>

#include "common/log.h"
#include "store/moves_int.h"

/* ---- what changes ---- */

static enum hy_err note_change(void *arg, const struct db_change *change)
{
    struct moves *m = arg;
    enum hy_err err;

    if (!move_row_in(&m->run, change))
        return HY_OK;
    err = move_rows_put(&m->tee, change);
    m->tee_rows += err == HY_OK;
    return err;
}

/* batch_tee_fn: a batch was written. */
static void note_batch(void *arg, const uint8_t *bytes, size_t len)
{
    struct moves *m = arg;

    if (!m->tee_bad && db_changes(bytes, len, note_change, m) != HY_OK)
        m->tee_bad = true;
}

/* ---- a part ---- */

static enum hy_err take_row(struct reading *r)
{
    struct db_change row = {.kind = DB_PUT, .family = r->family};
    enum hy_err err;

    row.key = db_scan_key(r->scan, &row.key_len);
    row.value = db_scan_value(r->scan, &row.value_len);
    err = move_rows_put(&r->rows, &row);
    if (err != HY_OK)
        return err;
    r->last.len = (uint16_t)row.key_len;
    memcpy(r->last.bytes, row.key, row.key_len);
    r->count++;
    return HY_OK;
}

/* In the worker's thread. */
static void read_part(struct job *job)
{
    struct reading *r = (struct reading *)job;
    bool there = db_scan_seek(r->scan, &r->from);

    while (there && r->err == HY_OK && r->rows.len < MOVE_PART_BYTES) {
        r->err = take_row(r);
        there = db_scan_next(r->scan);
    }
    if (r->err == HY_OK && !there)
        r->err = db_scan_err(r->scan);
    r->family_ended = !there;
}

static void part_read(struct job *job, bool ran)
{
    struct reading *r = (struct reading *)job;

    db_scan_close(&r->scan);
    r->busy = false;
    r->ready = ran;
    if (ran && r->moves->config.loop != NULL)
        hy_loop_again(r->moves->config.loop);
}

/* The part is what the database has now. */
static void read_on(struct moves *m)
{
    struct reading *r = &m->reading;
    struct key first, end;

    r->rows.len = 0;
    r->count = 0;
    r->ready = r->family_ended = false;
    move_run_keys(&m->run, &first, &end);
    r->err = db_scan_open(m->db, r->family, &first, &end, true, &r->scan);
    if (r->err != HY_OK) {
        r->ready = true; /* which tells of it */
        return;
    }
    r->busy = true;
    r->job = (struct job){.run = read_part, .done = part_read};
    if (m->worker != NULL) {
        worker_do(m->worker, &r->job);
        return;
    }
    read_part(&r->job);
    part_read(&r->job, true);
}

void moves_read_begin(struct moves *m)
{
    struct key end;

    moves_read_stop(m);
    m->scanned = false;
    m->reads = true;
    batch_tee(m->config.core->batch, note_batch, m);
    m->reading.moves = m;
    m->reading.family = FAMILY_DEFAULT;
    move_run_keys(&m->run, &m->reading.from, &end);
    read_on(m);
}

void moves_read_stop(struct moves *m)
{
    if (m->reading.busy)
        worker_wait(m->worker);
    m->reading.ready = false;
    m->reading.rows.len = 0;
    hy_buf_free(&m->tee);
    m->tee_rows = 0;
    m->tee_bad = m->reads = false;
    if (m->config.core->batch != NULL)
        batch_tee(m->config.core->batch, NULL, NULL);
}

bool moves_read_ready(const struct moves *m)
{
    return m->tee_bad || (m->scanned ? m->tee.len > 0 : m->reading.ready);
}

bool moves_read_small(const struct moves *m)
{
    return m->scanned && m->tee.len < MOVE_SMALL_BYTES && !m->tee_bad;
}

/* ---- a message ---- */

/* Was the row's place read already? What lies beyond is read later, as it is then. */
static bool was_read(const struct reading *r, const struct db_change *row)
{
    size_t len = row->key_len < r->last.len ? row->key_len : r->last.len;
    int order;

    if (row->family != r->family)
        return row->family < r->family;
    if (r->family_ended)
        return true;
    order = memcmp(row->key, r->last.bytes, len);
    return order < 0 || (order == 0 && row->key_len <= r->last.len);
}

/* Behind the part: what has changed of it, and of what was read before. */
static enum hy_err add_changes(struct moves *m)
{
    struct move_rows_walk walk = {.at = m->tee.data, .end = m->tee.data + m->tee.len};
    struct db_change row;
    enum hy_err err = HY_OK;

    while (err == HY_OK && move_rows_next(&walk, &row)) {
        if (!m->scanned && !was_read(&m->reading, &row))
            continue;
        err = move_rows_put(&m->message, &row);
        m->message_rows += err == HY_OK;
    }
    m->tee.len = 0;
    m->tee_rows = 0;
    return err;
}

/* The next part begins behind the last row. */
static void go_on(struct moves *m)
{
    struct reading *r = &m->reading;
    struct key end;

    if (!r->family_ended) {
        r->from = r->last;
        r->from.bytes[r->from.len++] = 0; /* KEY_MAX leaves room: no key is so long */
        read_on(m);
        return;
    }
    if (r->family + 1 == FAMILY_COUNT) {
        r->ready = false;
        m->scanned = true;
        return;
    }
    r->family++;
    move_run_keys(&m->run, &r->from, &end);
    read_on(m);
}

enum hy_err moves_read_take(struct moves *m)
{
    struct reading *r = &m->reading;
    enum hy_err err = m->tee_bad ? HY_ENOMEM : HY_OK;

    m->message.len = 0;
    m->message_rows = 0;
    if (m->scanned)
        return err == HY_OK ? add_changes(m) : err;
    if (err == HY_OK)
        err = r->err;
    if (err == HY_OK)
        err = hy_buf_put(&m->message, r->rows.data, r->rows.len);
    m->message_rows = r->count;
    if (err == HY_OK)
        err = add_changes(m);
    if (err == HY_OK)
        go_on(m);
    return err;
}

enum hy_err moves_read_rest(struct moves *m)
{
    m->message.len = 0;
    m->message_rows = 0;
    return m->tee_bad || !m->scanned ? HY_ENOMEM : add_changes(m);
}
