/* db - the database of a shard. Only db*.c say rocksdb_.
 *
 * One thread writes, through one struct db_batch at a time. Any thread may read; nobody may be
 * reading when the database is closed. A write that fails for another reason than a stall leaves
 * the database unusable until it is closed and opened again. */

#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/key.h"

struct db;

/* Should compaction drop this row? Any thread; must not block for long. */
typedef bool db_drop_fn(void *arg, enum family family, const void *key, size_t key_len,
                        const void *value, size_t value_len);

struct db_config {
    const char *dir;
    const char *log_dir; /* RocksDB's own LOG; "" or NULL: in dir */
    size_t block_cache_bytes;
    size_t write_buffer_bytes; /* of one family's memtable */
    size_t wal_keep_bytes;     /* of the log, kept after it was flushed, for db_log; 0: none */
    db_drop_fn *drop;          /* rows of log and dedupe are asked about; may be NULL */
    void *drop_arg;
    enum hy_err (*fault)(void *arg); /* db_set_fault() from the start; NULL: none */
    void *fault_arg;
    bool read_only; /* nothing but reads; the directory is not changed */
    bool still;     /* files stay as they are: no compactions */
    bool levels;    /* no tiers (db_room()): needs little room, and more CPU the more is stored */
};

/* Open, and create what is missing. HY_EIO, HY_EFULL, HY_ECORRUPT; why gets RocksDB's sentence. */
enum hy_err db_open(const struct db_config *config, struct db **db,
                    char why[static 256]) HY_CHECKED;
void db_close(struct db **db);

/* The same database for the writer's thread, which must not wait for the disk: gets of what is not
 * in memory fail with HY_EBUSY, and so do all after the next `reads` gets, and every scan: RocksDB
 * 7.8's iterators of this kind may end, without an error, where a block is not in memory. Goes with
 * db. */
struct db *db_in_memory(struct db *db, unsigned reads);

/* A value that was read; belongs to the reader until db_drop(). */
struct db_value {
    const uint8_t *data;
    size_t len;
    void *pin;
};

/* HY_ENOTFOUND, HY_EIO, HY_ECORRUPT. */
enum hy_err db_get(struct db *db, enum family family, const struct key *key,
                   struct db_value *value) HY_CHECKED;
void db_drop(struct db_value *value);

/* ---- writing ---- */

struct db_batch;

enum hy_err db_batch_open(struct db *db, struct db_batch **batch) HY_CHECKED;
void db_batch_close(struct db_batch **batch);
void db_batch_put(struct db_batch *batch, enum family family, const struct key *key,
                  const void *value, size_t len);
void db_batch_delete(struct db_batch *batch, enum family family, const struct key *key);

/* All keys from first up to, but without, end. Never over more than one slot; first is no longer
 * than a conversation's prefix (15 bytes). */
void db_batch_delete_range(struct db_batch *batch, enum family family, const struct key *first,
                           const struct key *end);
void db_batch_clear(struct db_batch *batch);
size_t db_batch_count(struct db_batch *batch);
size_t db_batch_bytes(struct db_batch *batch);

/* Write it whole or not at all; returns when it is on the disk. HY_EBUSY: a stall, nothing was
 * written. HY_EFULL, HY_EIO, HY_ECORRUPT: it may or may not be there after the next open. */
enum hy_err db_write(struct db *db, struct db_batch *batch) HY_CHECKED;

/* Write it; it is on the disk after the next db_sync(). Errors as db_write(). */
enum hy_err db_write_early(struct db *db, struct db_batch *batch) HY_CHECKED;
enum hy_err db_sync(struct db *db) HY_CHECKED;

/* A batch as bytes, lent until it changes; and from bytes. They are the same on every copy. */
const uint8_t *db_batch_data(struct db_batch *batch, size_t *len);
enum hy_err db_batch_from(struct db *db, const void *bytes, size_t len,
                          struct db_batch **batch) HY_CHECKED;

/* The sentence of the last write that failed. */
const char *db_why(const struct db *db);

/* Sequence number of the newest row. */
uint64_t db_latest(struct db *db);

/* ---- what a batch does ---- */

enum db_change_kind { DB_PUT, DB_DELETE, DB_DELETE_RANGE };

/* value: of a put; of a deleted range, its end. All is lent from the batch. */
struct db_change {
    enum db_change_kind kind;
    enum family family;
    const uint8_t *key, *value;
    size_t key_len, value_len;
};

/* Walk the changes of an encoded batch (db_batch_data(), db_log_next()) in order, while fn returns
 * HY_OK. HY_EMALFORMED: it is none; what fn said. */
enum hy_err db_changes(const uint8_t *bytes, size_t len,
                       enum hy_err (*fn)(void *arg, const struct db_change *change),
                       void *arg) HY_CHECKED;

/* A thread begins that reads: RocksDB counts for itself what each thread does, which nobody asks
 * for. The thread of db_open() need not say it. */
void db_thread(void);

/* ---- scans ---- */

struct db_scan;

/* Walk keys from first up to, but without, end. The keys are copied. once: a long walk whose blocks
 * are not worth keeping in the cache. Starts nowhere: call a seek. */
enum hy_err db_scan_open(struct db *db, enum family family, const struct key *first,
                         const struct key *end, bool once, struct db_scan **scan) HY_CHECKED;
void db_scan_close(struct db_scan **scan);

/* The same over a whole family, for hops from place to place. What would pass by more than some
 * hundred deleted rows gives up: db_scan_err() says HY_EBUSY until the next seek. A walk with an
 * end of its own then finds what there is. */
enum hy_err db_scan_open_hops(struct db *db, enum family family, struct db_scan **scan) HY_CHECKED;

/* Go to the first key at or after / the last key at or before key; key NULL: first / last of all.
 * False: there is none. */
bool db_scan_seek(struct db_scan *scan, const struct key *key);
bool db_scan_seek_back(struct db_scan *scan, const struct key *key);
bool db_scan_next(struct db_scan *scan);
bool db_scan_prev(struct db_scan *scan);

/* Go to this very key, a step from where the scan is or by a seek. False: there is no such key. */
bool db_scan_reach(struct db_scan *scan, const struct key *key);

/* Of where the scan is; lent until it moves. */
const uint8_t *db_scan_key(const struct db_scan *scan, size_t *len);
const uint8_t *db_scan_value(const struct db_scan *scan, size_t *len);

/* HY_OK: the scan ended because there was no more. */
enum hy_err db_scan_err(const struct db_scan *scan) HY_CHECKED;

/* ---- the log of what was written ---- */

struct db_log;

/* Read batches again, from the one that begins at sequence first. HY_ENOTFOUND: it is not there any
 * more, or no batch begins there. Any thread. */
enum hy_err db_log_open(struct db *db, uint64_t first, struct db_log **log) HY_CHECKED;
void db_log_close(struct db_log **log);

/* The next batch, lent until the call after. HY_ENOTFOUND: there is none yet, or the log goes on in
 * another file: open it again. HY_ECORRUPT: there is a gap. */
enum hy_err db_log_next(struct db_log *log, const uint8_t **bytes, size_t *len, uint64_t *first,
                        uint32_t *count) HY_CHECKED;

/* A copy of the database as it is, in a directory that does not exist yet: links to files, where
 * the file system has them. Any thread; takes some 100 ms under load. */
enum hy_err db_checkpoint(struct db *db, const char *dir, char why[static 256]) HY_CHECKED;

/* ---- looking after it ---- */

/* Write what is in memory into files. */
enum hy_err db_flush(struct db *db, char why[static 256]) HY_CHECKED;

/* Flush everything and compact log and dedupe, so that what has expired leaves the disk. */
void db_compact(struct db *db);

/* What may be merged: nothing, as it was when the database was opened; what is fresh; all. */
enum db_room { DB_ROOM_NONE, DB_ROOM_FRESH, DB_ROOM_WHOLE };

/* Files of log and dedupe are merged with others of about their size, and are there twice
 * meanwhile: say now and then how many bytes of the disk may be used for it. With levels there is
 * always room. The writer's thread. */
enum db_room db_room(struct db *db, uint64_t free_bytes);

/* Are flushes and compactions so far behind that writes are refused (HY_EBUSY), or soon would be?
 * Who has much to write, and can wait, does so then; messages still pass. */
bool db_behind(struct db *db);

/* A property of RocksDB that is a number, summed over the families. */
uint64_t db_property(struct db *db, const char *name);

/* A counter of RocksDB's statistics, like "rocksdb.block.cache.hit"; 0 if there is none. */
uint64_t db_counter(struct db *db, const char *name);

/* Tests: asked before each write; what is not HY_OK fails it. */
void db_set_fault(struct db *db, enum hy_err (*fault)(void *arg), void *arg);

#endif
