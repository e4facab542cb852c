#include "store/restore.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/backupset.h"
#include "common/file.h"
#include "common/slot.h"
#include "store/db_fill.h"
#include "store/epoch.h"

enum { CACHE_BYTES = 16 << 20, BUFFER_BYTES = 16 << 20, TELL_EVERY = 4096 };

struct restore {
    const struct restore_config *config;
    struct restore_result *result;
    struct db *targets[RESTORE_MOST];
    struct db *sources[RESTORE_MOST];
    struct db_fill *fills[RESTORE_MOST]; /* of the family under way */
    uint64_t filled[RESTORE_MOST];       /* rows of it */
    char *why;
};

/* All keys of a family but those of the shard itself. */
static const struct key all_first = {.len = 0}, all_end = {.len = 2, .bytes = {0xFF, 0xFF}};

static void tell(struct restore *r)
{
    if (r->config->progress != NULL)
        r->config->progress(r->config->arg, r->result->bytes, r->result->rows);
}

/* ---- the files of a source ---- */

static void path_of(const struct restore *r, const char *name, size_t i, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s-%zu", r->config->to, name, i);
}

/* As hongyanctl up names it (ctl/plan.h). */
static void path_of_copy(const struct restore *r, uint32_t shard, uint32_t copy,
                         char out[static PATH_MAX])
{
    if (r->config->copies == 0)
        path_of(r, "store", shard, out);
    else
        snprintf(out, PATH_MAX, "%s/store-%u%c", r->config->to, shard, (char)('a' + copy));
}

static enum hy_err link_file(const char *folder, const struct hy_backup_file *file, const char *to,
                             char why[static 256])
{
    char from[PATH_MAX], whole[PATH_MAX];

    snprintf(from, sizeof from, "%s/%s", folder, file->name);
    if (access(from, R_OK) == 0 && realpath(from, whole) != NULL && symlink(whole, to) == 0)
        return HY_OK;
    snprintf(why, 256, "cannot read %.200s: %s", from, strerror(errno));
    return HY_EIO;
}

/* Table files have checksums in each block: who only reads them through a database need not copy
 * them first. */
static enum hy_err bring(struct restore *r, size_t i, const char *dir, bool links)
{
    const struct restore_source *source = &r->config->sources[i];
    struct hy_backup_set set;
    enum hy_err err = hy_backup_set_read(source->folder, source->id, &set, r->why);

    if (err == HY_OK)
        err = hy_dir_make(dir, r->why);
    for (size_t f = 0; f < set.count && err == HY_OK; f++) {
        char name[64], to[PATH_MAX + 66];

        hy_backup_file_name(&set.files[f], name);
        snprintf(to, sizeof to, "%s/%s", dir, name);
        if (links && hy_backup_file_table(&set.files[f]))
            err = link_file(source->folder, &set.files[f], to, r->why);
        else
            err =
                hy_backup_file_check(source->folder, &set.files[f], to, &r->result->bytes, r->why);
        tell(r);
    }
    hy_backup_set_free(&set);
    return err;
}

static enum hy_err open_one(const char *dir, bool read_only, struct db **db, char why[static 256])
{
    struct db_config config = {.dir = dir,
                               .block_cache_bytes = CACHE_BYTES,
                               .write_buffer_bytes = BUFFER_BYTES,
                               .read_only = read_only,
                               .still = true};

    return db_open(&config, db, why);
}

static enum hy_err open_targets(struct restore *r)
{
    char dir[PATH_MAX];
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; i < r->config->shards && err == HY_OK; i++) {
        path_of_copy(r, i, 0, dir);
        err = hy_dir_make(dir, r->why);
        if (err == HY_OK)
            err = open_one(dir, false, &r->targets[i], r->why);
    }
    return err;
}

static enum hy_err highest_epoch(struct restore *r, struct db *const *dbs, size_t count)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < count && err == HY_OK; i++) {
        uint64_t epoch;

        err = epoch_last(dbs[i], &epoch);
        if (err == HY_OK && epoch > r->result->epoch)
            r->result->epoch = epoch;
    }
    return err;
}

/* ---- the same shards ---- */

static bool same_shards(const struct restore_config *config)
{
    if (config->moved || config->source_count != config->shards ||
        config->run_count != config->shards)
        return false;
    for (size_t i = 0; i < config->run_count; i++) {
        uint16_t first = config->runs[i].first;

        if (config->runs[i].source != i || hy_slot_shard(first, config->shards) != i ||
            (first > 0 && hy_slot_shard((uint16_t)(first - 1), config->shards) == i))
            return false;
    }
    return true;
}

static enum hy_err restore_same(struct restore *r)
{
    char dir[PATH_MAX];
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < r->config->source_count && err == HY_OK; i++) {
        path_of_copy(r, (uint32_t)i, 0, dir);
        err = bring(r, i, dir, false);
    }
    if (err == HY_OK)
        err = open_targets(r);
    if (err == HY_OK)
        err = highest_epoch(r, r->targets, r->config->shards);
    return err;
}

/* ---- other shards ---- */

static uint32_t owner_of(const struct restore_config *config, uint16_t slot)
{
    size_t i = config->run_count - 1;

    while (i > 0 && config->runs[i].first > slot)
        i--;
    return config->runs[i].source;
}

static enum hy_err put_row(struct restore *r, enum family family, uint32_t target,
                           const struct db_scan *scan)
{
    struct db_fill **fill = &r->fills[target];
    size_t key_len, value_len;
    const uint8_t *key = db_scan_key(scan, &key_len), *value = db_scan_value(scan, &value_len);
    enum hy_err err = HY_OK;

    if (*fill == NULL) {
        char dir[PATH_MAX];

        path_of_copy(r, target, 0, dir);
        err = db_fill_open(r->targets[target], family, dir, fill);
    }
    if (err == HY_OK)
        err = db_fill_put(*fill, key, key_len, value, value_len, r->why);
    if (err != HY_OK)
        return err;
    r->filled[target]++;
    r->result->bytes += key_len + value_len;
    if (++r->result->rows % TELL_EVERY == 0)
        tell(r);
    return HY_OK;
}

static void say_damaged(struct restore *r, size_t source)
{
    snprintf(r->why, 256, "%.160s is damaged; see hongyanctl backup verify",
             r->config->sources[source].folder);
}

static enum hy_err copy_family_of(struct restore *r, enum family family, uint32_t source)
{
    struct db_scan *scan;
    enum hy_err err = db_scan_open(r->sources[source], family, &all_first, &all_end, true, &scan);

    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there && err == HY_OK; there = db_scan_next(scan)) {
        size_t len;
        const uint8_t *key = db_scan_key(scan, &len);
        uint16_t slot = len >= 2 ? (uint16_t)(key[0] << 8 | key[1]) : HY_SLOTS;

        if (slot >= HY_SLOTS || owner_of(r->config, slot) != source)
            r->result->stray++;
        else
            err = put_row(r, family, hy_slot_shard(slot, r->config->shards), scan);
    }
    if (err == HY_OK) {
        err = db_scan_err(scan);
        if (err == HY_ECORRUPT)
            say_damaged(r, source);
    }
    db_scan_close(&scan);
    return err;
}

static enum hy_err count_rows(struct db *db, enum family family, uint64_t *count)
{
    struct db_scan *scan;
    enum hy_err err = db_scan_open(db, family, &all_first, &all_end, true, &scan);

    *count = 0;
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there; there = db_scan_next(scan))
        ++*count;
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

/* The family's rows are in all targets: as many as were read? */
static enum hy_err end_family(struct restore *r, enum family family)
{
    enum hy_err err = HY_OK;

    for (uint32_t i = 0; i < r->config->shards && err == HY_OK; i++) {
        uint64_t count = 0;

        if (r->fills[i] != NULL)
            err = db_fill_end(r->fills[i], r->why);
        if (err == HY_OK)
            err = count_rows(r->targets[i], family, &count);
        if (err == HY_OK && count != r->filled[i]) {
            snprintf(r->why, 256, "shard %u has %llu rows of family %d where %llu were written", i,
                     (unsigned long long)count, (int)family, (unsigned long long)r->filled[i]);
            err = HY_ECORRUPT;
        }
        db_fill_close(&r->fills[i]);
        r->filled[i] = 0;
    }
    return err;
}

static enum hy_err open_sources(struct restore *r)
{
    char dir[PATH_MAX];
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < r->config->source_count && err == HY_OK; i++) {
        path_of(r, "source", i, dir);
        err = bring(r, i, dir, true);
        if (err == HY_OK)
            err = open_one(dir, true, &r->sources[i], r->why);
        if (err == HY_ECORRUPT)
            say_damaged(r, i);
    }
    return err;
}

static void close_sources(struct restore *r)
{
    char dir[PATH_MAX];

    for (size_t i = 0; i < r->config->source_count; i++) {
        db_close(&r->sources[i]);
        path_of(r, "source", i, dir);
        if (!hy_dir_remove(dir))
            fprintf(stderr, "hongyan-backup: cannot remove %s: %s\n", dir, strerror(errno));
    }
}

static enum hy_err restore_other(struct restore *r)
{
    enum hy_err err = open_sources(r);

    if (err == HY_OK)
        err = open_targets(r);
    if (err == HY_OK)
        err = highest_epoch(r, r->sources, r->config->source_count);
    for (int f = 0; f < FAMILY_COUNT && err == HY_OK; f++) {
        for (uint32_t i = 0; i < r->config->source_count && err == HY_OK; i++)
            err = copy_family_of(r, (enum family)f, i);
        if (err == HY_OK)
            err = end_family(r, (enum family)f);
    }
    for (uint32_t i = 0; i < r->config->shards; i++)
        db_fill_close(&r->fills[i]);
    close_sources(r);
    return err;
}

/* ---- what each database begins with ---- */

/* Copies of the list of apps are made anew: an old one may be newer than the list. Which slots
 * there are is for the map of the new cluster to say. */
static void drop_rows_of_shard(struct db_batch *batch)
{
    struct key first, end;

    key_head(&first, (struct key_home){KEY_SLOT_SHARD, 0}, KEY_APP_COPY);
    key_head(&end, (struct key_home){KEY_SLOT_SHARD, 0}, KEY_MOVE_IN); /* KEY_SLOTS, KEY_MOVE_OUT */
    first.len -= 4;                                                    /* any app */
    end.len -= 4;
    key_after(&end);
    db_batch_delete_range(batch, FAMILY_DEFAULT, &first, &end);
}

static uint32_t owner_of_apps(const struct restore *r)
{
    return hy_slot_shard(hy_slot(0, HY_KIND_APP, "", 0), r->config->shards);
}

static enum hy_err put_copies(struct restore *r, struct db_batch *batch)
{
    struct db *owner = r->targets[owner_of_apps(r)];
    struct key_parts parts;
    struct db_scan *scan;
    struct key key, end;
    enum hy_err err;

    key_head(&key, (struct key_home){hy_slot(0, HY_KIND_APP, "", 0), 0}, KEY_APP);
    key.len -= 4;
    end = key;
    key_after(&end);
    err = db_scan_open(owner, FAMILY_ENTITY, &key, &end, true, &scan);
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, NULL); there; there = db_scan_next(scan)) {
        size_t key_len, value_len;
        const uint8_t *at = db_scan_key(scan, &key_len), *value = db_scan_value(scan, &value_len);

        if (key_parse(at, key_len, &parts) != HY_OK)
            continue;
        key_head(&key, (struct key_home){KEY_SLOT_SHARD, parts.home.app}, KEY_APP_COPY);
        db_batch_put(batch, FAMILY_DEFAULT, &key, value, value_len);
    }
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

static enum hy_err begin_one(struct restore *r, uint32_t shard)
{
    struct db *db = r->targets[shard];
    struct db_batch *batch;
    enum hy_err err = db_batch_open(db, &batch);

    if (err != HY_OK)
        return err;
    epoch_put(db, batch, r->result->epoch);
    drop_rows_of_shard(batch);
    if (shard != owner_of_apps(r))
        err = put_copies(r, batch);
    if (err == HY_OK)
        err = db_write(db, batch);
    if (err == HY_OK)
        err = db_flush(db, r->why);
    db_batch_close(&batch);
    return err;
}

/* All copies begin with the same rows: whoever starts first may lead. They share table files, which
 * nobody changes. */
static enum hy_err copy_one(struct restore *r, uint32_t shard)
{
    char dir[PATH_MAX];
    enum hy_err err = HY_OK;

    for (uint32_t copy = 1; copy < r->config->copies && err == HY_OK; copy++) {
        path_of_copy(r, shard, copy, dir);
        err = db_checkpoint(r->targets[shard], dir, r->why);
    }
    return err;
}

static enum hy_err finish(struct restore *r)
{
    enum hy_err err = HY_OK;

    r->result->epoch += RESTORE_EPOCHS;
    if (r->config->check)
        err = restore_index_check(r->targets, r->config->shards, r->config->loose,
                                  &r->result->index, r->why);
    for (uint32_t i = 0; i < r->config->shards && err == HY_OK; i++)
        err = begin_one(r, i);
    for (uint32_t i = 0; i < r->config->shards && err == HY_OK; i++)
        err = copy_one(r, i);
    return err;
}

static enum hy_err config_bad(const struct restore_config *config, char why[static 256])
{
    if (config->source_count > 0 && config->source_count <= RESTORE_MOST && config->shards > 0 &&
        config->shards <= RESTORE_MOST && config->copies <= RESTORE_COPIES &&
        config->run_count > 0 && config->runs[0].first == 0)
        return HY_OK;
    snprintf(why, 256, "a restore needs 1 to %d sources and shards, and a map from slot 0 on",
             RESTORE_MOST);
    return HY_ECONFIG;
}

enum hy_err restore_all(const struct restore_config *config, struct restore_result *result,
                        char why[static 256])
{
    struct restore *r = calloc(1, sizeof *r);
    enum hy_err err;

    *result = (struct restore_result){0};
    why[0] = '\0';
    err = config_bad(config, why);
    if (r == NULL)
        return HY_ENOMEM;
    *r = (struct restore){.config = config, .result = result, .why = why};
    if (err == HY_OK)
        err = hy_dir_make(config->to, why);
    if (err == HY_OK)
        err = same_shards(config) ? restore_same(r) : restore_other(r);
    if (err == HY_OK)
        err = finish(r);
    if (err == HY_ECORRUPT && why[0] == '\0')
        snprintf(why, 256, "a backup is damaged; see hongyanctl backup verify");
    for (uint32_t i = 0; i < RESTORE_MOST; i++)
        db_close(&r->targets[i]);
    free(r);
    return err;
}
