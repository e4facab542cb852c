/* What was written, as batches: for other copies of a shard. */

#include <stdlib.h>

#include "store/db_rocks.h"

enum { BATCH_HEAD = 12 }; /* sequence u64, count u32, little-endian */

enum hy_err db_sync(struct db *db)
{
    char *error = NULL;

    rocksdb_flush_wal(db->rocks, 1, &error);
    return db_classify(error, db->why);
}

const uint8_t *db_batch_data(struct db_batch *batch, size_t *len)
{
    return (const uint8_t *)rocksdb_writebatch_data(batch->rocks, len);
}

enum hy_err db_batch_from(struct db *db, const void *bytes, size_t len, struct db_batch **batch)
{
    struct db_batch *b;

    if (len < BATCH_HEAD)
        return HY_EMALFORMED;
    b = calloc(1, sizeof *b);
    if (b == NULL)
        return HY_ENOMEM;
    b->db = db;
    b->rocks = rocksdb_writebatch_create_from(bytes, len);
    *batch = b;
    return HY_OK;
}

struct db_log {
    rocksdb_wal_iterator_t *walk;
    rocksdb_writebatch_t *batch; /* lent out */
    uint64_t next, at;           /* after it, and its own sequence */
    bool begun, held;            /* held: it was got to look at, and is not given out yet */
};

/* Files of the log that were purged are skipped without a word: what comes must begin where it is
 * wanted. */
enum hy_err db_log_open(struct db *db, uint64_t first, struct db_log **log)
{
    struct db_log *l = calloc(1, sizeof *l);
    char *error = NULL;
    const uint8_t *bytes;
    size_t len;
    uint64_t at;
    uint32_t count;
    enum hy_err err;

    if (l == NULL)
        return HY_ENOMEM;
    l->next = first;
    l->walk = rocksdb_get_updates_since(db->rocks, first, NULL, &error);
    err = db_classify(error, NULL) == HY_OK && l->walk != NULL ? HY_OK : HY_ENOTFOUND;
    if (err == HY_OK)
        err = db_log_next(l, &bytes, &len, &at, &count);
    if (err != HY_OK) {
        db_log_close(&l);
        return HY_ENOTFOUND;
    }
    l->held = true; /* the walk gives each batch out once only */
    *log = l;
    return HY_OK;
}

void db_log_close(struct db_log **log)
{
    struct db_log *l = *log;

    if (l == NULL)
        return;
    *log = NULL;
    if (l->batch != NULL)
        rocksdb_writebatch_destroy(l->batch);
    if (l->walk != NULL)
        rocksdb_wal_iter_destroy(l->walk);
    free(l);
}

static uint32_t count_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[8] | (uint32_t)bytes[9] << 8 | (uint32_t)bytes[10] << 16 |
           (uint32_t)bytes[11] << 24;
}

enum hy_err db_log_next(struct db_log *log, const uint8_t **bytes, size_t *len, uint64_t *first,
                        uint32_t *count)
{
    if (log->held) {
        log->held = false;
        *bytes = (const uint8_t *)rocksdb_writebatch_data(log->batch, len);
        *count = count_of(*bytes);
        *first = log->at;
        return HY_OK;
    }
    if (log->begun)
        rocksdb_wal_iter_next(log->walk);
    log->begun = true;
    for (; rocksdb_wal_iter_valid(log->walk); rocksdb_wal_iter_next(log->walk)) {
        if (log->batch != NULL)
            rocksdb_writebatch_destroy(log->batch);
        log->batch = rocksdb_wal_iter_get_batch(log->walk, first);
        *bytes = (const uint8_t *)rocksdb_writebatch_data(log->batch, len);
        *count = count_of(*bytes);
        if (*count == 0)
            continue; /* takes no sequence number */
        if (*first != log->next)
            return HY_ECORRUPT;
        log->at = *first;
        log->next = *first + *count;
        return HY_OK;
    }
    return HY_ENOTFOUND;
}

enum hy_err db_checkpoint(struct db *db, const char *dir, char why[static 256])
{
    char *error = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(db->rocks, &error);
    enum hy_err err = db_classify(error, why);

    if (err != HY_OK)
        return err;
    error = NULL;
    rocksdb_checkpoint_create(checkpoint, dir, 0, &error);
    err = db_classify(error, why);
    rocksdb_checkpoint_object_destroy(checkpoint);
    return err;
}
