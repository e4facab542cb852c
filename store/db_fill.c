#include "store/db_fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db_rocks.h"

enum { FILE_BYTES = 64 << 20, LOOK_EVERY = 256, PATH_SIZE = 4096 };

struct db_fill {
    struct db *db;
    enum family family;
    char dir[PATH_SIZE - 64], path[PATH_SIZE];
    rocksdb_envoptions_t *env;
    rocksdb_sstfilewriter_t *writer;
    rocksdb_ingestexternalfileoptions_t *ingest;
    uint64_t rows; /* in the file; 0: there is none */
    unsigned number;
    struct key last;
};

enum hy_err db_fill_open(struct db *db, enum family family, const char *dir, struct db_fill **fill)
{
    struct db_fill *f = calloc(1, sizeof *f);

    if (f == NULL)
        return HY_ENOMEM;
    f->db = db;
    f->family = family;
    snprintf(f->dir, sizeof f->dir, "%s", dir);
    f->env = rocksdb_envoptions_create();
    f->writer = rocksdb_sstfilewriter_create(f->env, db->tuned[family]);
    f->ingest = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(f->ingest, 1);
    *fill = f;
    return HY_OK;
}

void db_fill_close(struct db_fill **fill)
{
    struct db_fill *f = *fill;

    if (f == NULL)
        return;
    *fill = NULL;
    rocksdb_sstfilewriter_destroy(f->writer);
    rocksdb_envoptions_destroy(f->env);
    rocksdb_ingestexternalfileoptions_destroy(f->ingest);
    free(f);
}

static enum hy_err begin_file(struct db_fill *f, char *why)
{
    char *error = NULL;

    snprintf(f->path, sizeof f->path, "%s/fill-%d-%u.sst", f->dir, (int)f->family, f->number++);
    rocksdb_sstfilewriter_open(f->writer, f->path, &error);
    return db_classify(error, why);
}

enum hy_err db_fill_end(struct db_fill *f, char why[static 256])
{
    const char *paths[] = {f->path};
    char *error = NULL;
    enum hy_err err;

    if (f->rows == 0)
        return HY_OK;
    f->rows = 0;
    rocksdb_sstfilewriter_finish(f->writer, &error);
    err = db_classify(error, why);
    if (err != HY_OK)
        return err;
    error = NULL;
    rocksdb_ingest_external_file_cf(f->db->rocks, f->db->handles[f->family], paths, 1, f->ingest,
                                    &error);
    return db_classify(error, why);
}

static bool in_order(const struct db_fill *f, const void *key, size_t len)
{
    size_t both = len < f->last.len ? len : f->last.len;
    int order = memcmp(f->last.bytes, key, both);

    return order < 0 || (order == 0 && f->last.len < len);
}

static bool is_full(struct db_fill *f)
{
    uint64_t bytes = 0;

    if (f->rows % LOOK_EVERY == 0)
        rocksdb_sstfilewriter_file_size(f->writer, &bytes);
    return bytes >= FILE_BYTES;
}

enum hy_err db_fill_put(struct db_fill *f, const void *key, size_t key_len, const void *value,
                        size_t value_len, char why[static 256])
{
    char *error = NULL;
    enum hy_err err = HY_OK;

    if (key_len > KEY_MAX)
        return HY_ECORRUPT;
    if (f->rows > 0 && (is_full(f) || !in_order(f, key, key_len)))
        err = db_fill_end(f, why);
    if (err == HY_OK && f->rows == 0)
        err = begin_file(f, why);
    if (err != HY_OK)
        return err;
    rocksdb_sstfilewriter_put(f->writer, key, key_len, value, value_len, &error);
    err = db_classify(error, why);
    f->last.len = (uint16_t)key_len;
    memcpy(f->last.bytes, key, key_len);
    f->rows += err == HY_OK;
    return err;
}
