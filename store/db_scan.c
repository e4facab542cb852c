/* Walks over keys. */

#include <stdlib.h>
#include <string.h>

#include "store/db_rocks.h"

struct db_scan {
    rocksdb_iterator_t *rocks;
    rocksdb_readoptions_t *read;
    struct key first, end; /* RocksDB points at the bounds while the iterator lives */
};

enum { HOP_MOST = 200 };

static enum hy_err make(struct db *db, const struct key *first, const struct key *end, bool once,
                        struct db_scan **scan)
{
    struct db_scan *s;

    if (db->tier != READ_ALL)
        return HY_EBUSY;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return HY_ENOMEM;
    s->first = *first;
    s->end = *end;
    s->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_lower_bound(s->read, (const char *)s->first.bytes,
                                                s->first.len);
    rocksdb_readoptions_set_iterate_upper_bound(s->read, (const char *)s->end.bytes, s->end.len);
    if (once)
        rocksdb_readoptions_set_fill_cache(s->read, 0);
    *scan = s;
    return HY_OK;
}

static void begin(struct db *db, enum family family, struct db_scan *scan)
{
    scan->rocks = rocksdb_create_iterator_cf(db->rocks, scan->read, db->handles[family]);
}

enum hy_err db_scan_open(struct db *db, enum family family, const struct key *first,
                         const struct key *end, bool once, struct db_scan **scan)
{
    enum hy_err err = make(db, first, end, once, scan);

    if (err == HY_OK)
        begin(db, family, *scan);
    return err;
}

enum hy_err db_scan_open_hops(struct db *db, enum family family, struct db_scan **scan)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    enum hy_err err = make(db, &first, &end, true, scan);

    if (err != HY_OK)
        return err;
    rocksdb_readoptions_set_max_skippable_internal_keys((*scan)->read, HOP_MOST);
    begin(db, family, *scan);
    return HY_OK;
}

void db_scan_close(struct db_scan **scan)
{
    if (*scan == NULL)
        return;
    rocksdb_iter_destroy((*scan)->rocks);
    rocksdb_readoptions_destroy((*scan)->read);
    free(*scan);
    *scan = NULL;
}

bool db_scan_seek(struct db_scan *scan, const struct key *key)
{
    if (key == NULL)
        rocksdb_iter_seek_to_first(scan->rocks);
    else
        rocksdb_iter_seek(scan->rocks, (const char *)key->bytes, key->len);
    return rocksdb_iter_valid(scan->rocks);
}

bool db_scan_seek_back(struct db_scan *scan, const struct key *key)
{
    if (key == NULL)
        rocksdb_iter_seek_to_last(scan->rocks);
    else
        rocksdb_iter_seek_for_prev(scan->rocks, (const char *)key->bytes, key->len);
    return rocksdb_iter_valid(scan->rocks);
}

bool db_scan_next(struct db_scan *scan)
{
    rocksdb_iter_next(scan->rocks);
    return rocksdb_iter_valid(scan->rocks);
}

bool db_scan_prev(struct db_scan *scan)
{
    rocksdb_iter_prev(scan->rocks);
    return rocksdb_iter_valid(scan->rocks);
}

static bool stands_on(const struct db_scan *scan, const struct key *key)
{
    size_t len;
    const char *at;

    if (!rocksdb_iter_valid(scan->rocks))
        return false;
    at = rocksdb_iter_key(scan->rocks, &len);
    return len == key->len && memcmp(at, key->bytes, len) == 0;
}

bool db_scan_reach(struct db_scan *scan, const struct key *key)
{
    if (stands_on(scan, key))
        return true;
    if (rocksdb_iter_valid(scan->rocks)) {
        rocksdb_iter_next(scan->rocks);
        if (stands_on(scan, key))
            return true;
    }
    rocksdb_iter_seek(scan->rocks, (const char *)key->bytes, key->len);
    return stands_on(scan, key);
}

const uint8_t *db_scan_key(const struct db_scan *scan, size_t *len)
{
    return (const uint8_t *)rocksdb_iter_key(scan->rocks, len);
}

const uint8_t *db_scan_value(const struct db_scan *scan, size_t *len)
{
    return (const uint8_t *)rocksdb_iter_value(scan->rocks, len);
}

enum hy_err db_scan_err(const struct db_scan *scan)
{
    char *error = NULL;

    rocksdb_iter_get_error(scan->rocks, &error);
    return db_classify(error, NULL);
}
