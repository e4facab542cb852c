#include "store/epoch.h"

#include "store/key.h"
#include "store/value.h"

static const struct key_home home = {KEY_SLOT_SHARD, 0};

enum hy_err epoch_table(struct db *db, struct epochs *epochs)
{
    struct key first, end;
    struct db_scan *scan;
    enum hy_err err;

    key_head(&first, home, KEY_EPOCH);
    end = first;
    key_after(&end);
    err = db_scan_open(db, FAMILY_DEFAULT, &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    for (bool more = db_scan_seek(scan, NULL); more && err == HY_OK; more = db_scan_next(scan)) {
        struct key_parts parts;
        size_t key_len, len;
        const uint8_t *key = db_scan_key(scan, &key_len), *value = db_scan_value(scan, &len);
        uint64_t sequence;

        if (key_parse(key, key_len, &parts) != HY_OK || !value_get_u64(value, len, &sequence))
            err = HY_ECORRUPT;
        else
            err = epochs_add(epochs, parts.number, sequence);
    }
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

enum hy_err epoch_last(struct db *db, uint64_t *epoch)
{
    struct epochs table = {0};
    enum hy_err err = epoch_table(db, &table);

    *epoch = epochs_last(&table);
    epochs_clear(&table);
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
