#include "store/db_backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/backupset.h"
#include "store/db_rocks.h"
#include "store/epoch.h"

enum { CACHE_BYTES = 8 << 20, BUFFER_BYTES = 16 << 20 };

/* Table files get their names from who wrote them and when, so the same file is copied once. */
static enum hy_err open_engine(const char *folder, uint64_t rate_bytes,
                               rocksdb_backup_engine_t **engine, char *why)
{
    rocksdb_backup_engine_options_t *options = rocksdb_backup_engine_options_create(folder);
    rocksdb_env_t *env = rocksdb_create_default_env();
    char *error = NULL;

    rocksdb_backup_engine_options_set_share_table_files(options, 1);
    rocksdb_backup_engine_options_set_sync(options, 1);
    rocksdb_backup_engine_options_set_backup_rate_limit(options, rate_bytes);
    rocksdb_backup_engine_options_set_max_background_operations(options, 1);
    *engine = rocksdb_backup_engine_open_opts(options, env, &error);
    rocksdb_backup_engine_options_destroy(options);
    rocksdb_env_destroy(env);
    return db_classify(error, why);
}

/* The newest backup of the engine. */
static void describe(rocksdb_backup_engine_t *engine, struct db_backup *made)
{
    const rocksdb_backup_engine_info_t *info = rocksdb_backup_engine_get_backup_info(engine);
    int last = rocksdb_backup_engine_info_count(info) - 1;

    if (last >= 0) {
        made->id = rocksdb_backup_engine_info_backup_id(info, last);
        made->bytes = rocksdb_backup_engine_info_size(info, last);
        made->files = rocksdb_backup_engine_info_number_files(info, last);
    }
    rocksdb_backup_engine_info_destroy(info);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hy_backup_file *)a)->name,
                  ((const struct hy_backup_file *)b)->name);
}

static uint64_t size_of(const char *folder, const struct hy_backup_file *file)
{
    char path[4096];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", folder, file->name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Bytes of a backup's files that the one before (0: none) did not have. */
static uint64_t fresh_bytes(const char *folder, uint32_t before, uint32_t id)
{
    struct hy_backup_set was = {0}, is = {0};
    char ignored[256];
    uint64_t bytes = 0;

    if (before == 0 || hy_backup_set_read(folder, before, &was, ignored) != HY_OK)
        was = (struct hy_backup_set){0};
    if (was.count > 0)
        qsort(was.files, was.count, sizeof *was.files, by_name);
    if (hy_backup_set_read(folder, id, &is, ignored) != HY_OK)
        is = (struct hy_backup_set){0};
    for (size_t i = 0; i < is.count; i++)
        if (was.count == 0 ||
            bsearch(&is.files[i], was.files, was.count, sizeof *was.files, by_name) == NULL)
            bytes += size_of(folder, &is.files[i]);
    hy_backup_set_free(&was);
    hy_backup_set_free(&is);
    return bytes;
}

static enum hy_err make(struct db *db, const char *folder, uint64_t rate_bytes,
                        struct db_backup *made, char *why)
{
    rocksdb_backup_engine_t *engine = NULL;
    struct db_backup before = {0};
    char *error = NULL;
    enum hy_err err = open_engine(folder, rate_bytes, &engine, why);

    if (err != HY_OK)
        return err;
    describe(engine, &before);
    rocksdb_backup_engine_create_new_backup_flush(engine, db->rocks, 1, &error);
    err = db_classify(error, why);
    if (err == HY_OK)
        describe(engine, made);
    rocksdb_backup_engine_close(engine);
    if (err == HY_OK)
        made->copied = fresh_bytes(folder, before.id, made->id);
    return err;
}

enum hy_err db_backup_make(const char *checkpoint, const char *folder, uint64_t rate_bytes,
                           struct db_backup *made, char why[static 256])
{
    struct db_config config = {.dir = checkpoint,
                               .block_cache_bytes = CACHE_BYTES,
                               .write_buffer_bytes = BUFFER_BYTES,
                               .still = true};
    struct db *db = NULL;
    enum hy_err err = db_open(&config, &db, why);

    *made = (struct db_backup){0};
    if (err != HY_OK)
        return err;
    err = epoch_last(db, &made->epoch);
    made->sequence = db_latest(db);
    if (err == HY_OK)
        err = make(db, folder, rate_bytes, made, why);
    db_close(&db);
    return err;
}

enum hy_err db_backup_keep(const char *folder, uint32_t from, char why[static 256])
{
    const rocksdb_backup_engine_info_t *info;
    rocksdb_backup_engine_t *engine = NULL;
    char *error = NULL;
    uint32_t keep = 0;
    enum hy_err err = open_engine(folder, 0, &engine, why);

    if (err != HY_OK)
        return err;
    info = rocksdb_backup_engine_get_backup_info(engine);
    for (int i = 0; i < rocksdb_backup_engine_info_count(info); i++)
        keep += rocksdb_backup_engine_info_backup_id(info, i) >= from;
    rocksdb_backup_engine_info_destroy(info);
    rocksdb_backup_engine_purge_old_backups(engine, keep, &error);
    err = db_classify(error, why);
    rocksdb_backup_engine_close(engine);
    return err;
}
