#include "store/db.h"

#include <assert.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct filter_arg { /* one a family that is filtered */
    struct db *db;
    enum family family;
};

struct db {
    rocksdb_t *rocks;
    rocksdb_options_t *options;             /* of the whole */
    rocksdb_options_t *tuned[FAMILY_COUNT]; /* of each family */
    rocksdb_column_family_handle_t *handles[FAMILY_COUNT];
    rocksdb_compactionfilter_t *filters[FAMILY_COUNT];
    struct filter_arg filter_args[FAMILY_COUNT];
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write;
    db_drop_fn *drop;
    void *drop_arg;
    enum hy_err (*fault)(void *arg);
    void *fault_arg;
    char why[256];
};

struct db_batch {
    struct db *db;
    rocksdb_writebatch_t *rocks;
};

struct db_scan {
    rocksdb_iterator_t *rocks;
    rocksdb_readoptions_t *read;
    struct key first, end; /* RocksDB points at the bounds while the iterator lives */
};

static const char *const family_names[FAMILY_COUNT] = {"default", "entity", "log",
                                                       "index",   "dedupe", "outbox"};

enum { SST_FORMAT = 5, BLOOM_BITS = 10, BLOCK_BYTES = 8192, HINT_PREFIX = 16 };

/* Takes text. */
static enum hy_err classify(char *text, char *why)
{
    enum hy_err err = HY_EIO;

    if (text == NULL)
        return HY_OK;
    if (strstr(text, "No space left") != NULL || strstr(text, "NoSpace") != NULL ||
        strstr(text, "Disk quota") != NULL)
        err = HY_EFULL;
    else if (strstr(text, "Write stall") != NULL || strstr(text, "Result incomplete") != NULL)
        err = HY_EBUSY;
    else if (strncmp(text, "Corruption", 10) == 0)
        err = HY_ECORRUPT;
    if (why != NULL)
        snprintf(why, 256, "%s", text);
    rocksdb_free(text);
    return err;
}

/* ---- opening ---- */

static unsigned char filter_row(void *arg, int level, const char *key, size_t key_len,
                                const char *value, size_t value_len, char **new_value,
                                size_t *new_len, unsigned char *changed)
{
    const struct filter_arg *f = arg;

    (void)level;
    (void)new_value;
    (void)new_len;
    *changed = 0;
    return f->db->drop(f->db->drop_arg, f->family, key, key_len, value, value_len);
}

static const char *filter_name(void *arg)
{
    (void)arg;
    return "hongyan.expire";
}

static void filter_gone(void *arg)
{
    (void)arg;
}

static void tune_table(struct db *db, rocksdb_options_t *options)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, db->cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, SST_FORMAT);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

/* What the C API has no setter for, on top of base. */
static enum hy_err from_text(const rocksdb_options_t *base, const char *text,
                             rocksdb_options_t **options, char *why)
{
    char *error = NULL;

    *options = rocksdb_options_create();
    rocksdb_get_options_from_string(base, text, *options, &error);
    return classify(error, why) == HY_OK ? HY_OK : HY_ECONFIG;
}

/* How each family differs. HINT: rows of one conversation are mostly put one behind the other, so a
 * memtable that remembers the last place of each saves the search (bench/store_append.c: a quarter
 * of the CPU). The prefix is one byte longer than a conversation's: RocksDB would use the same hint
 * for the tombstone of a range, which lies in another list, and a key shorter than the prefix has
 * no hint (db_batch_delete_range). Rows that are put over and over need small memtables: old
 * versions only make the way longer. */
#define HINT "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.16"
#define DAILY "periodic_compaction_seconds=86400"

static const struct tuning {
    const char *options;
    unsigned buffer_part; /* of write_buffer_bytes: one in so many */
    bool expires;         /* compaction asks the filter */
    bool sparse;          /* most lookups are for what is not there */
} tunings[FAMILY_COUNT] = {
    [FAMILY_DEFAULT] = {"", 4, false, false},          [FAMILY_ENTITY] = {"", 4, false, true},
    [FAMILY_LOG] = {HINT ";" DAILY, 1, true, false},   [FAMILY_INDEX] = {"", 4, false, false},
    [FAMILY_DEDUPE] = {HINT ";" DAILY, 1, true, true}, [FAMILY_OUTBOX] = {"", 4, false, false},
};

static enum hy_err tune_family(struct db *db, const struct db_config *config, enum family family,
                               char *why)
{
    const struct tuning *t = &tunings[family];
    rocksdb_options_t *base = rocksdb_options_create(), *o;
    enum hy_err err = from_text(base, t->options, &db->tuned[family], why);

    rocksdb_options_destroy(base);
    if (err != HY_OK)
        return err;
    o = db->tuned[family];
    rocksdb_options_set_write_buffer_size(o, config->write_buffer_bytes / t->buffer_part);
    rocksdb_options_set_max_write_buffer_number(o, 4);
    rocksdb_options_set_level0_file_num_compaction_trigger(o, 4);
    rocksdb_options_set_level0_slowdown_writes_trigger(o, 30);
    rocksdb_options_set_level0_stop_writes_trigger(o, 48);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    if (t->sparse) { /* say so without a walk through the memtable */
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(o, 0.1);
        rocksdb_options_set_memtable_whole_key_filtering(o, 1);
    }
    tune_table(db, o);
    if (t->expires && db->drop != NULL) {
        db->filter_args[family] = (struct filter_arg){db, family};
        db->filters[family] = rocksdb_compactionfilter_create(&db->filter_args[family], filter_gone,
                                                              filter_row, filter_name);
        rocksdb_options_set_compaction_filter(o, db->filters[family]);
    }
    return HY_OK;
}

static enum hy_err tune(struct db *db, const struct db_config *config, char *why)
{
    rocksdb_options_t *base = rocksdb_options_create();
    /* Without it a synced WAL that is missing opens as if nothing had been there. */
    enum hy_err err = from_text(base, "track_and_verify_wals_in_manifest=true", &db->options, why);

    rocksdb_options_destroy(base);
    if (err != HY_OK)
        return err;
    rocksdb_options_set_create_if_missing(db->options, 1);
    rocksdb_options_set_allow_concurrent_memtable_write(db->options, 0); /* one writer */
    rocksdb_options_set_create_missing_column_families(db->options, 1);
    rocksdb_options_set_max_background_jobs(db->options, 2);
    rocksdb_options_set_keep_log_file_num(db->options, 4);
    rocksdb_options_set_max_log_file_size(db->options, 16 << 20);
    rocksdb_options_set_bytes_per_sync(db->options, 1 << 20);
    /* A quiet family would pin old WALs. */
    rocksdb_options_set_max_total_wal_size(db->options, 4 * config->write_buffer_bytes);
    rocksdb_options_set_db_write_buffer_size(db->options, 4 * config->write_buffer_bytes);
    rocksdb_options_enable_statistics(db->options);
    if (config->log_dir != NULL && *config->log_dir != '\0')
        rocksdb_options_set_db_log_dir(db->options, config->log_dir);
    db->cache = rocksdb_cache_create_lru(config->block_cache_bytes);
    for (int f = 0; f < FAMILY_COUNT && err == HY_OK; f++)
        err = tune_family(db, config, (enum family)f, why);
    db->read = rocksdb_readoptions_create();
    db->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(db->write, 1);
    rocksdb_writeoptions_set_no_slowdown(db->write, 1);
    return err;
}

enum hy_err db_open(const struct db_config *config, struct db **db, char why[static 256])
{
    struct db *d = calloc(1, sizeof *d);
    char *error = NULL;
    enum hy_err err = HY_ENOMEM;

    why[0] = '\0';
    if (d == NULL)
        return err;
    d->drop = config->drop;
    d->drop_arg = config->drop_arg;
    err = tune(d, config, why);
    if (err != HY_OK)
        goto fail;
    d->rocks = rocksdb_open_column_families(d->options, config->dir, FAMILY_COUNT, family_names,
                                            (const rocksdb_options_t *const *)d->tuned, d->handles,
                                            &error);
    err = classify(error, why);
    if (err != HY_OK)
        goto fail;
    *db = d;
    return HY_OK;

fail:
    db_close(&d);
    return err;
}

void db_close(struct db **db)
{
    struct db *d = *db;

    if (d == NULL)
        return;
    *db = NULL;
    for (int f = 0; f < FAMILY_COUNT && d->rocks != NULL; f++)
        rocksdb_column_family_handle_destroy(d->handles[f]);
    if (d->rocks != NULL)
        rocksdb_close(d->rocks);
    for (int f = 0; f < FAMILY_COUNT; f++) {
        if (d->tuned[f] != NULL)
            rocksdb_options_destroy(d->tuned[f]);
        if (d->filters[f] != NULL)
            rocksdb_compactionfilter_destroy(d->filters[f]);
    }
    if (d->options != NULL)
        rocksdb_options_destroy(d->options);
    if (d->read != NULL)
        rocksdb_readoptions_destroy(d->read);
    if (d->write != NULL)
        rocksdb_writeoptions_destroy(d->write);
    if (d->cache != NULL)
        rocksdb_cache_destroy(d->cache);
    free(d);
}

/* ---- reading ---- */

enum hy_err db_get(struct db *db, enum family family, const struct key *key, struct db_value *value)
{
    char *error = NULL;
    rocksdb_pinnableslice_t *pin = rocksdb_get_pinned_cf(
        db->rocks, db->read, db->handles[family], (const char *)key->bytes, key->len, &error);
    enum hy_err err = classify(error, NULL);

    *value = (struct db_value){0};
    if (err != HY_OK)
        return err;
    if (pin == NULL)
        return HY_ENOTFOUND;
    value->pin = pin;
    value->data = (const uint8_t *)rocksdb_pinnableslice_value(pin, &value->len);
    return HY_OK;
}

void db_drop(struct db_value *value)
{
    if (value->pin != NULL)
        rocksdb_pinnableslice_destroy(value->pin);
    *value = (struct db_value){0};
}

/* ---- writing ---- */

enum hy_err db_batch_open(struct db *db, struct db_batch **batch)
{
    struct db_batch *b = calloc(1, sizeof *b);

    if (b == NULL)
        return HY_ENOMEM;
    b->db = db;
    b->rocks = rocksdb_writebatch_create();
    *batch = b;
    return HY_OK;
}

void db_batch_close(struct db_batch **batch)
{
    if (*batch == NULL)
        return;
    rocksdb_writebatch_destroy((*batch)->rocks);
    free(*batch);
    *batch = NULL;
}

void db_batch_put(struct db_batch *batch, enum family family, const struct key *key,
                  const void *value, size_t len)
{
    rocksdb_writebatch_put_cf(batch->rocks, batch->db->handles[family], (const char *)key->bytes,
                              key->len, value, len);
}

void db_batch_delete(struct db_batch *batch, enum family family, const struct key *key)
{
    rocksdb_writebatch_delete_cf(batch->rocks, batch->db->handles[family], (const char *)key->bytes,
                                 key->len);
}

void db_batch_delete_range(struct db_batch *batch, enum family family, const struct key *first,
                           const struct key *end)
{
    rocksdb_writebatch_delete_range_cf(batch->rocks, batch->db->handles[family],
                                       (const char *)first->bytes, first->len,
                                       (const char *)end->bytes, end->len);
}

void db_batch_clear(struct db_batch *batch)
{
    rocksdb_writebatch_clear(batch->rocks);
}

size_t db_batch_count(struct db_batch *batch)
{
    return (size_t)rocksdb_writebatch_count(batch->rocks);
}

size_t db_batch_bytes(struct db_batch *batch)
{
    size_t bytes;

    rocksdb_writebatch_data(batch->rocks, &bytes);
    return bytes;
}

enum hy_err db_write(struct db *db, struct db_batch *batch)
{
    enum hy_err err = db->fault == NULL ? HY_OK : db->fault(db->fault_arg);
    char *error = NULL;

    if (err != HY_OK) {
        snprintf(db->why, sizeof db->why, "injected: %s", hy_err_text(err));
        return err;
    }
    rocksdb_write(db->rocks, db->write, batch->rocks, &error);
    return classify(error, db->why);
}

const char *db_why(const struct db *db)
{
    return db->why;
}

uint64_t db_latest(struct db *db)
{
    return rocksdb_get_latest_sequence_number(db->rocks);
}

/* ---- scans ---- */

enum hy_err db_scan_open(struct db *db, enum family family, const struct key *first,
                         const struct key *end, bool once, struct db_scan **scan)
{
    struct db_scan *s = calloc(1, sizeof *s);

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
    s->rocks = rocksdb_create_iterator_cf(db->rocks, s->read, db->handles[family]);
    *scan = s;
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
    return classify(error, NULL);
}

/* ---- looking after it ---- */

void db_compact(struct db *db)
{
    rocksdb_flushoptions_t *wait = rocksdb_flushoptions_create();
    static const enum family expiring[] = {FAMILY_LOG, FAMILY_DEDUPE};
    char *error = NULL;

    rocksdb_flushoptions_set_wait(wait, 1);
    for (int f = 0; f < FAMILY_COUNT; f++) {
        rocksdb_flush_cf(db->rocks, wait, db->handles[f], &error);
        (void)classify(error, db->why);
        error = NULL;
    }
    rocksdb_flushoptions_destroy(wait);
    for (size_t i = 0; i < sizeof expiring / sizeof *expiring; i++)
        rocksdb_compact_range_cf(db->rocks, db->handles[expiring[i]], NULL, 0, NULL, 0);
}

uint64_t db_property(struct db *db, const char *name)
{
    uint64_t sum = 0, n;

    for (int f = 0; f < FAMILY_COUNT; f++)
        if (rocksdb_property_int_cf(db->rocks, db->handles[f], name, &n) == 0)
            sum += n;
    return sum;
}

uint64_t db_counter(struct db *db, const char *name)
{
    char *text = rocksdb_options_statistics_get_string(db->options);
    uint64_t n = 0;
    size_t len = strlen(name);

    for (const char *at = text; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');

        if (strncmp(at, name, len) == 0 && strncmp(at + len, " COUNT : ", 9) == 0) {
            n = strtoull(at + len + 9, NULL, 10);
            break;
        }
        at = end == NULL ? NULL : end + 1;
    }
    rocksdb_free(text);
    return n;
}

void db_set_fault(struct db *db, enum hy_err (*fault)(void *arg), void *arg)
{
    db->fault = fault;
    db->fault_arg = arg;
}
