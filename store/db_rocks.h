/* db_rocks - what the files of db share: the handles of RocksDB. */

#ifndef STORE_DB_ROCKS_H
#define STORE_DB_ROCKS_H

#include <rocksdb/c.h>

#include "common/handover.h"
#include "store/db.h"

enum { READ_ALL = 0, READ_MEMORY = 1 }; /* rocksdb::ReadTier */

/* Of a family: files of level 0, and full memtables. From so many on RocksDB slows writes down,
 * which is refusing them here; who can wait does so before that. */
enum {
    DB_BEHIND_FILES = 20,
    DB_SLOW_FILES = 30,
    DB_STOP_FILES = 48,
    DB_BEHIND_BUFFERS = 2,
    DB_BUFFERS = 4, /* with the one that is filled; slow from one less on */
};

/* When a family has DB_TIERS tiers, some are merged: at least DB_TIERS_MERGED, each at most
 * DB_TIER_RATIO percent larger than all that are younger together. With fewer tiers rows are
 * written again more often (simulated, until 1,200 files lie upon them: 6 times with 6 tiers, 3.5
 * with 10), with more a look-up asks more files. Once a day all are merged, so that what has
 * expired leaves the disk. */
enum { DB_TIERS = 10, DB_TIERS_MERGED = 4, DB_TIER_RATIO = 10 };
#define DB_DAY "86400"

extern const char *const db_family_names[FAMILY_COUNT];

struct db_batch {
    struct db *db;
    rocksdb_writebatch_t *rocks;
};

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
    int tier;          /* of its reads: READ_ALL, or READ_MEMORY */
    unsigned reads;    /* that are left, with READ_MEMORY */
    struct db *memory; /* db_in_memory() */
    enum db_room room;
    bool levels;
    rocksdb_writeoptions_t *write;
    rocksdb_writeoptions_t *write_early; /* without sync */
    db_drop_fn *drop;
    void *drop_arg;
    enum hy_err (*fault)(void *arg);
    void *fault_arg;
    char why[256];
};

/* May it read once more? */
static inline bool db_may_read(struct db *db)
{
    return db->tier == READ_ALL || (db->reads > 0 && db->reads-- > 0);
}

/* What an error of RocksDB means; NULL: HY_OK. Takes text; why, if not NULL, gets its sentence (256
 * bytes). */
enum hy_err db_classify(char *text, char *why);

/* Make the options of the whole, of each family, of reads and of writes. After an error db_close()
 * lets go of what was made. HY_ECONFIG. */
enum hy_err db_tune(struct db *db, const struct db_config *config, char *why) HY_CHECKED;

#endif
