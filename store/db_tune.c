/* How RocksDB is set up for what each family holds. */

#include <limits.h>

#include "store/db_rocks.h"

enum { SST_FORMAT = 5, BLOOM_BITS = 10, BLOCK_BYTES = 8192, CACHE_SHARD_BITS = 3 };

static unsigned char filter_row(void *arg, int level, const char *key, size_t key_len,
                                const char *value, size_t value_len, char **new_value,
                                size_t *new_len, unsigned char *changed)
{
    const struct filter_arg *f = arg;
    struct db *db = NULL;
    bool drops = false;

    (void)level;
    (void)new_value;
    (void)new_len;
    *changed = 0;
    HY_TAKES(arg);
    db = f->db;
    drops = db->drop(db->drop_arg, f->family, key, key_len, value, value_len);
    HY_GIVES(&db->rocks);
    return drops;
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

/* Index and filter of a file are cut into blocks, of which a look-up needs one each, and which
 * share the cache: right where many rows are hardly asked for by name. */
static void cut_filters(rocksdb_block_based_table_options_t *table)
{
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_index_type(
        table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(table, 1);
    rocksdb_block_based_options_set_metadata_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
}

/* held: they lie in memory, whole, 1.5 to 2 bytes a row. Every message asks all files of dedupe
 * rows for one that is not there: cut filters were 60 % of the writer's CPU at 60 million rows. A
 * message to a cold group reads its head and its roster: with cut ones that was six blocks, not
 * two. */
static void tune_table(struct db *db, rocksdb_options_t *options, bool held)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, db->cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, SST_FORMAT);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    if (held)
        rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 0);
    else
        cut_filters(table);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

/* Merged by size alone, and not before db_room() says so. */
static void tune_tiers(rocksdb_options_t *options)
{
    rocksdb_universal_compaction_options_t *tiers = rocksdb_universal_compaction_options_create();

    rocksdb_universal_compaction_options_set_size_ratio(tiers, DB_TIER_RATIO);
    rocksdb_universal_compaction_options_set_min_merge_width(tiers, DB_TIERS_MERGED);
    rocksdb_universal_compaction_options_set_max_size_amplification_percent(tiers, INT_MAX);
    rocksdb_options_set_compaction_style(options, rocksdb_universal_compaction);
    rocksdb_options_set_universal_compaction_options(options, tiers);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, DB_TIERS);
    rocksdb_options_set_disable_auto_compactions(options, 1);
    rocksdb_universal_compaction_options_destroy(tiers);
}

/* What the C API has no setter for, on top of base. */
static enum hy_err from_text(const rocksdb_options_t *base, const char *text,
                             rocksdb_options_t **options, char *why)
{
    char *error = NULL;

    *options = rocksdb_options_create();
    rocksdb_get_options_from_string(base, text, *options, &error);
    return db_classify(error, why) == HY_OK ? HY_OK : HY_ECONFIG;
}

/* How each family differs. HINT: rows of one conversation are mostly put one behind the other, so a
 * memtable that remembers the last place of each saves the search (bench/store_append.c: a quarter
 * of the CPU). The prefix is one byte longer than a conversation's: RocksDB would use the same hint
 * for the tombstone of a range, which lies in another list, and a key shorter than the prefix has
 * no hint (db_batch_delete_range). Rows that are put over and over need small memtables: old
 * versions only make the way longer. */
#define HINT "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.16"
#define DAILY "periodic_compaction_seconds=" DB_DAY

static const struct tuning {
    const char *options;
    unsigned buffer_part; /* of write_buffer_bytes: one in so many */
    bool expires;         /* compaction asks the filter */
    bool sparse;          /* most lookups are for what is not there */
    bool held;            /* filters and indexes of all its files are in memory */
    bool tiers;           /* files are merged by size (db_tiers.c), unless levels are wanted */
    int merge_at;         /* by level: so many files at level 0 are merged */
} tunings[FAMILY_COUNT] = {
    [FAMILY_DEFAULT] = {"", 4, false, false, false, false, 4},
    [FAMILY_ENTITY] = {"", 2, false, true, true, false, 5},
    [FAMILY_LOG] = {HINT ";" DAILY, 1, true, false, false, true, 4},
    [FAMILY_INDEX] = {"", 2, false, false, false, false, 5},
    [FAMILY_DEDUPE] = {HINT ";" DAILY, 1, true, true, true, true, 4},
    [FAMILY_OUTBOX] = {"", 4, false, false, false, false, 4},
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
    rocksdb_options_set_max_write_buffer_number(o, DB_BUFFERS);
    rocksdb_options_set_level0_file_num_compaction_trigger(o, t->merge_at);
    rocksdb_options_set_level0_slowdown_writes_trigger(o, DB_SLOW_FILES);
    rocksdb_options_set_level0_stop_writes_trigger(o, DB_STOP_FILES);
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    if (t->sparse) { /* say so without a walk through the memtable */
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(o, 0.1);
        rocksdb_options_set_memtable_whole_key_filtering(o, 1);
    }
    tune_table(db, o, t->held);
    rocksdb_options_set_disable_auto_compactions(o, config->still);
    if (t->tiers && !config->levels)
        tune_tiers(o);
    if (t->expires && db->drop != NULL) {
        db->filter_args[family] = (struct filter_arg){db, family};
        db->filters[family] = rocksdb_compactionfilter_create(&db->filter_args[family], filter_gone,
                                                              filter_row, filter_name);
        rocksdb_options_set_compaction_filter(o, db->filters[family]);
    }
    return HY_OK;
}

/* In few parts, for few threads: what does not fit into one part is not kept at all. */
static rocksdb_cache_t *open_cache(size_t bytes)
{
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_cache_t *cache;

    rocksdb_lru_cache_options_set_capacity(options, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(options, CACHE_SHARD_BITS);
    cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

enum hy_err db_tune(struct db *db, const struct db_config *config, char *why)
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
    /* By size alone: by age a clock that is set back would purge all. */
    if (config->wal_keep_bytes > 0)
        rocksdb_options_set_WAL_size_limit_MB(db->options, config->wal_keep_bytes >> 20);
    if (config->log_dir != NULL && *config->log_dir != '\0')
        rocksdb_options_set_db_log_dir(db->options, config->log_dir);
    db->cache = open_cache(config->block_cache_bytes);
    for (int f = 0; f < FAMILY_COUNT && err == HY_OK; f++)
        err = tune_family(db, config, (enum family)f, why);
    db->read = rocksdb_readoptions_create();
    db->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(db->write, 1);
    rocksdb_writeoptions_set_no_slowdown(db->write, 1);
    db->write_early = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_no_slowdown(db->write_early, 1);
    return err;
}
