#include "store/convlog.h"

void convlog_key(const struct convlog *log, uint64_t seq, struct key *key)
{
    key_log(key, log->home, log->conv_type == HY__CONV_TYPE__CONV_C2C ? KEY_LOG_C2C : KEY_LOG_GROUP,
            log->conversation, seq);
}

enum hy_err convlog_open(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                         struct convlog_walk *walk)
{
    struct key first, end;

    *walk = (struct convlog_walk){.log = *log};
    convlog_key(log, low, &first);
    convlog_key(log, high, &end);
    key_after(&end);
    return db_scan_open(db, FAMILY_LOG, &first, &end, false, &walk->scan);
}

void convlog_close(struct convlog_walk *walk)
{
    db_scan_close(&walk->scan);
}

/* Take the row where the scan is. False: it does not decode. */
static bool take(struct convlog_walk *walk)
{
    struct key_parts parts;
    size_t len;
    const uint8_t *bytes = db_scan_key(walk->scan, &len);

    if (key_parse(bytes, len, &parts) != HY_OK)
        return false;
    walk->seq = parts.number;
    bytes = db_scan_value(walk->scan, &walk->bytes);
    return value_get_log(bytes, walk->bytes, &walk->row) == HY_OK;
}

static void settle(struct convlog_walk *walk, bool there, bool (*step)(struct db_scan *scan))
{
    while (there && !take(walk))
        there = step(walk->scan);
    walk->valid = there;
}

void convlog_seek(struct convlog_walk *walk, uint64_t seq)
{
    struct key key;

    convlog_key(&walk->log, seq, &key);
    settle(walk, db_scan_seek(walk->scan, &key), db_scan_next);
}

void convlog_seek_back(struct convlog_walk *walk, uint64_t seq)
{
    struct key key;

    convlog_key(&walk->log, seq, &key);
    settle(walk, db_scan_seek_back(walk->scan, &key), db_scan_prev);
}

void convlog_next(struct convlog_walk *walk)
{
    settle(walk, db_scan_next(walk->scan), db_scan_next);
}

void convlog_prev(struct convlog_walk *walk)
{
    settle(walk, db_scan_prev(walk->scan), db_scan_prev);
}

/* Is there a row at low, sent at or after time_ms? */
static enum hy_err is_since(struct db *db, const struct convlog *log, uint64_t low,
                            uint64_t time_ms, struct convlog_place *place, bool *is)
{
    struct db_value value;
    struct value_log row;
    struct key key;
    enum hy_err err;

    *is = false;
    convlog_key(log, low, &key);
    err = db_get(db, FAMILY_LOG, &key, &value);
    if (err == HY_ENOTFOUND)
        return HY_OK;
    if (err != HY_OK)
        return err;
    *is = value_get_log(value.data, value.len, &row) == HY_OK && row.time_ms >= time_ms;
    if (*is)
        *place = (struct convlog_place){low, row.time_ms};
    db_drop(&value);
    return HY_OK;
}

enum hy_err convlog_since(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                          uint64_t time_ms, struct convlog_place *place)
{
    struct convlog_walk walk;
    bool at_low = false; /* nearly always: nothing has expired */
    enum hy_err err = HY_OK;

    *place = (struct convlog_place){.seq = high + 1};
    if (low <= high)
        err = is_since(db, log, low, time_ms, place, &at_low);
    if (err != HY_OK || at_low || low > high)
        return err;
    err = convlog_open(db, log, low, high, &walk);
    if (err != HY_OK)
        return err;
    while (low <= high) {
        uint64_t mid = low + (high - low) / 2;

        convlog_seek(&walk, mid);
        if (walk.valid && walk.row.time_ms < time_ms) {
            low = walk.seq + 1;
            continue;
        }
        if (walk.valid && walk.seq <= high)
            *place = (struct convlog_place){walk.seq, walk.row.time_ms};
        high = mid - 1;
    }
    err = db_scan_err(walk.scan);
    convlog_close(&walk);
    return err;
}

enum hy_err convlog_unread(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                           const char *user, uint32_t most, uint32_t *count)
{
    struct convlog_walk walk;
    enum hy_err err;

    *count = 0;
    if (low > high)
        return HY_OK;
    err = convlog_open(db, log, low, high, &walk);
    if (err != HY_OK)
        return err;
    for (convlog_seek_back(&walk, high); walk.valid && most-- > 0; convlog_prev(&walk))
        *count +=
            (walk.row.flags & HY__MSG_FLAG__MSG_NO_UNREAD) == 0 && !value_log_from(&walk.row, user);
    err = db_scan_err(walk.scan);
    convlog_close(&walk);
    return err;
}
