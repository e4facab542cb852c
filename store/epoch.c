#include "store/epoch.h"

#include "store/value.h"

enum hy_err epoch_begin(struct core *core)
{
    struct key_home home = {KEY_SLOT_SHARD, 0};
    struct key first, end;
    struct key_parts parts;
    struct db_scan *scan;
    uint64_t epoch = 0;
    uint8_t bytes[8];
    size_t len;
    enum hy_err err;

    key_head(&first, home, KEY_EPOCH);
    end = first;
    key_after(&end);
    err = db_scan_open(core->db, FAMILY_DEFAULT, &first, &end, true, &scan);
    if (err != HY_OK)
        return err;
    if (db_scan_seek_back(scan, NULL)) {
        const uint8_t *key = db_scan_key(scan, &len);

        if (key_parse(key, len, &parts) == HY_OK)
            epoch = parts.number;
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    if (err != HY_OK)
        return err;
    key_number(&first, home, KEY_EPOCH, epoch + 1);
    value_put_u64(bytes, db_latest(core->db) + 1);
    batch_put(core->batch, FAMILY_DEFAULT, &first, bytes, sizeof bytes);
    return core_commit(core);
}
