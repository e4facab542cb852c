/* rows - the floors of the store: RocksDB alone, with rows as long as ours. */

#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/floor/floor.h"
#include "common/clock.h"

enum { KEY = 16, MESSAGE = 200, SMALL = 32, PAGE_ROWS = 20, SCAN_ROWS = 500000, FILL_BATCH = 1000 };

struct database {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
};

static bool told(char *error)
{
    if (error != NULL)
        fprintf(stderr, "RocksDB: %s\n", error);
    rocksdb_free(error);
    return error != NULL;
}

static void database_close(struct database *d, const char *dir)
{
    char *error = NULL;

    if (d->db != NULL) { /* else it may be somebody's */
        rocksdb_close(d->db);
        rocksdb_destroy_db(d->options, dir, &error);
        (void)told(error);
    }
    rocksdb_options_destroy(d->options);
    rocksdb_writeoptions_destroy(d->write);
    rocksdb_readoptions_destroy(d->read);
}

static enum hy_err database_open(struct database *d, const char *dir, bool sync)
{
    char *error = NULL;

    d->options = rocksdb_options_create();
    d->write = rocksdb_writeoptions_create();
    d->read = rocksdb_readoptions_create();
    rocksdb_options_set_create_if_missing(d->options, 1);
    rocksdb_options_set_error_if_exists(d->options, 1); /* it is removed afterwards */
    rocksdb_options_set_write_buffer_size(d->options, 64 << 20);
    rocksdb_options_set_compression(d->options, rocksdb_no_compression);
    rocksdb_options_set_allow_concurrent_memtable_write(d->options, 0); /* there is one writer */
    rocksdb_writeoptions_set_sync(d->write, sync);
    d->db = rocksdb_open(d->options, dir, &error);
    return told(error) ? HY_EIO : HY_OK;
}

static void put_row(rocksdb_writebatch_t *batch, char family, uint64_t a, uint64_t b, size_t len)
{
    char key[KEY] = {family}, value[MESSAGE];

    for (int i = 0; i < 7; i++) {
        key[1 + i] = (char)(a >> (48 - 8 * i));
        key[8 + i] = (char)(b >> (48 - 8 * i));
    }
    for (size_t i = 0; i < len; i += 8)
        memcpy(value + i, &(uint64_t){(a * 31 + b + i) * 0x9e3779b97f4a7c15u}, 8);
    rocksdb_writebatch_put(batch, key, sizeof key, value, len);
}

/* The message, the sender's id of it, and the conversation's head. */
static void put_message(rocksdb_writebatch_t *batch, uint64_t n)
{
    uint64_t conversation = n * 0x9e3779b97f4a7c15u >> 50;

    put_row(batch, 'm', conversation, n, MESSAGE);
    put_row(batch, 'i', conversation, n, SMALL);
    put_row(batch, 'h', conversation, 0, SMALL);
}

static bool write_messages(struct database *d, uint64_t first, uint32_t count)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char *error = NULL;

    for (uint32_t i = 0; i < count; i++)
        put_message(batch, first + i);
    rocksdb_write(d->db, d->write, batch, &error);
    rocksdb_writebatch_destroy(batch);
    return !told(error);
}

enum hy_err floor_commit(const struct floor_options *o, struct result *result)
{
    struct database d = {.db = NULL};
    enum hy_err err = database_open(&d, o->dir, true);
    struct watch watch;
    bool good = err == HY_OK;

    result->durability = "fsync of each write";
    result->latency_from = "write with fsync";
    watch_begin(&watch, 0);
    while (good && !watch_over(&watch, o->seconds)) {
        uint64_t begun = hy_steady_us();

        good = write_messages(&d, result->operations, o->batch);
        hist_add(&result->latency, hy_steady_us() - begun);
        result->operations += o->batch;
    }
    watch_end(&watch, result);
    database_close(&d, o->dir);
    return good ? HY_OK : HY_EIO;
}

static bool read_page(struct database *d, uint64_t first)
{
    rocksdb_iterator_t *at = rocksdb_create_iterator(d->db, d->read);
    char key[KEY] = {'s'};
    size_t sum = 0, len = 0;
    int rows = 0;

    for (int i = 0; i < 7; i++)
        key[8 + i] = (char)(first >> (48 - 8 * i));
    for (rocksdb_iter_seek(at, key, sizeof key); rows < PAGE_ROWS && rocksdb_iter_valid(at);
         rocksdb_iter_next(at), rows++) {
        (void)rocksdb_iter_value(at, &len);
        sum += len;
    }
    rocksdb_iter_destroy(at);
    return rows == PAGE_ROWS && sum == (size_t)PAGE_ROWS * MESSAGE;
}

static bool fill_rows(struct database *d)
{
    bool good = true;
    char *error = NULL;

    for (uint64_t n = 0; good && n < SCAN_ROWS;) {
        rocksdb_writebatch_t *batch = rocksdb_writebatch_create();

        for (int i = 0; i < FILL_BATCH; i++)
            put_row(batch, 's', 0, n++, MESSAGE);
        rocksdb_write(d->db, d->write, batch, &error);
        rocksdb_writebatch_destroy(batch);
        good = !told(error);
        error = NULL;
    }
    if (good)
        rocksdb_compact_range(d->db, NULL, 0, NULL, 0);
    return good;
}

enum hy_err floor_scan(const struct floor_options *o, struct result *result)
{
    struct database d = {.db = NULL};
    enum hy_err err = database_open(&d, o->dir, false);
    bool good = err == HY_OK && fill_rows(&d);
    struct watch watch;

    for (uint64_t n = 0; good && n + PAGE_ROWS <= SCAN_ROWS; n += PAGE_ROWS)
        good = read_page(&d, n); /* into the caches */
    result->latency_from = "seek to last row";
    watch_begin(&watch, 0);
    for (uint64_t n = 1; good && !watch_over(&watch, o->seconds);
         n = n * 6364136223846793005u + 1) {
        uint64_t begun = hy_steady_us();

        good = read_page(&d, (n >> 33) % (SCAN_ROWS - PAGE_ROWS));
        hist_add(&result->latency, hy_steady_us() - begun);
        result->operations++;
    }
    watch_end(&watch, result);
    database_close(&d, o->dir);
    return good ? HY_OK : HY_EIO;
}
