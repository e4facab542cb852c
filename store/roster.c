#include "store/roster.h"

#include <string.h>

#include "common/names.h"
#include "store/value.h"

enum { MEMBER_MSG_FLAG = 8 }; /* of Member, from records.proto */
enum { FLAG_DISCARD = 2 };

/* The walk stands on a member, whose name is the end of the key. */
static enum hy_err bring(const struct db_scan *scan, struct rows *rows)
{
    struct key key;
    size_t len, key_len;
    const uint8_t *value = db_scan_value(scan, &len), *bytes = db_scan_key(scan, &key_len);

    key.len = (uint16_t)key_len;
    memcpy(key.bytes, bytes, key_len);
    return rows_bring(rows, FAMILY_ENTITY, &key, &hy__member__descriptor, value, len);
}

static enum hy_err pass_member(const struct db_scan *scan, size_t first_len,
                               struct roster_asker asker, struct roster *roster)
{
    size_t len, key_len;
    const uint8_t *value = db_scan_value(scan, &len), *key = db_scan_key(scan, &key_len);
    const uint8_t *name = key + first_len;
    uint64_t flag;
    enum hy_err err = value_number(value, len, MEMBER_MSG_FLAG, &flag);

    key_len -= first_len;
    if (err == HY_OK)
        err = hy_names_put(flag == FLAG_DISCARD ? &roster->deaf : &roster->hearing, name, key_len);
    if (err == HY_OK && asker.user != NULL && strlen(asker.user) == key_len &&
        memcmp(asker.user, name, key_len) == 0)
        err = bring(scan, asker.rows);
    return err;
}

enum hy_err roster_read(struct db *db, struct key_home home, uint64_t conversation,
                        struct roster_asker asker, struct roster *roster)
{
    struct db_scan *scan;
    struct key first, end;
    enum hy_err err;

    roster->hearing.len = roster->deaf.len = 0;
    key_member(&first, home, KEY_MEMBER, conversation, NULL);
    end = first;
    key_after(&end);
    err = db_scan_open(db, FAMILY_ENTITY, &first, &end, false, &scan);
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan))
        err = pass_member(scan, first.len, asker, roster);
    if (err == HY_OK)
        err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

void roster_free(struct roster *roster)
{
    hy_buf_free(&roster->hearing);
    hy_buf_free(&roster->deaf);
}
