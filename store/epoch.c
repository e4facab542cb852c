#include "store/epoch.h"

#include "store/key.h"
#include "store/value.h"

static const struct key_home home = {KEY_SLOT_SHARD, 0};

enum hy_err epoch_last(struct db *db, uint64_t *epoch)
{
    struct key first, end;
    struct key_parts parts;
    struct db_scan *scan;
    size_t len;
    enum hy_err err;

    *epoch = 0;
    key_head(&first, home, KEY_EPOCH);
    end = first;
    key_after(&end);
    err = db_scan_open(db, FAMILY_DEFAULT, &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    if (db_scan_seek_back(scan, NULL)) {
        const uint8_t *key = db_scan_key(scan, &len);

        if (key_parse(key, len, &parts) == HY_OK)
            *epoch = parts.number;
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

void epoch_put(struct db *db, struct db_batch *batch, uint64_t epoch)
{
    uint8_t bytes[8];
    struct key key;

    key_number(&key, home, KEY_EPOCH, epoch);
    value_put_u64(bytes, db_latest(db) + 1);
    db_batch_put(batch, FAMILY_DEFAULT, &key, bytes, sizeof bytes);
}
