#include "store/db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "store/db_rocks.h"

/* Of RocksDB's threads, which write files in bursts: a burst takes a third of what a busy thread
 * gets, so that messages do not wait for it, and is never starved. */
enum { BACKGROUND_NICE = 5 };

const char *const db_family_names[FAMILY_COUNT] = {"default", "entity", "log",
                                                   "index",   "dedupe", "outbox"};

enum hy_err db_classify(char *text, char *why)
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

/* The same handles, with another way to read. */
static enum hy_err make_memory(struct db *db)
{
    struct db *memory = malloc(sizeof *memory);

    if (memory == NULL)
        return HY_ENOMEM;
    *memory = *db;
    memory->tier = READ_MEMORY;
    memory->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(memory->read, READ_MEMORY);
    db->memory = memory;
    return HY_OK;
}

struct db *db_in_memory(struct db *db, unsigned reads)
{
    db->memory->reads = reads;
    return db->memory;
}

struct opening {
    struct db *db;
    const char *dir;
    bool read_only;
    char *error;
};

/* What merges all of a family has a thread of its own; else fresh files, of which there may only be
 * so many, would wait for it. */
static void add_thread(void)
{
    rocksdb_env_t *env = rocksdb_create_default_env();

    rocksdb_env_set_bottom_priority_background_threads(env, 1);
    rocksdb_env_destroy(env);
}

/* Threads have the niceness of the one that starts them, and none may lower its own again: so the
 * database is opened in a thread that ends with that. */
static void *open_aside(void *arg)
{
    struct opening *o = arg;

    (void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + BACKGROUND_NICE);
    add_thread();
    if (o->read_only)
        o->db->rocks = rocksdb_open_for_read_only_column_families(
            o->db->options, o->dir, FAMILY_COUNT, db_family_names,
            (const rocksdb_options_t *const *)o->db->tuned, o->db->handles, 0, &o->error);
    else
        o->db->rocks = rocksdb_open_column_families(
            o->db->options, o->dir, FAMILY_COUNT, db_family_names,
            (const rocksdb_options_t *const *)o->db->tuned, o->db->handles, &o->error);
    return NULL;
}

static enum hy_err open_files(struct db *db, const struct db_config *config, char *why)
{
    struct opening opening = {.db = db, .dir = config->dir, .read_only = config->read_only};
    pthread_t thread;

    if (pthread_create(&thread, NULL, open_aside, &opening) != 0)
        return HY_ENOMEM;
    pthread_join(thread, NULL);
    return db_classify(opening.error, why);
}

enum hy_err db_open(const struct db_config *config, struct db **db, char why[static 256])
{
    struct db *d = calloc(1, sizeof *d);
    enum hy_err err = HY_ENOMEM;

    why[0] = '\0';
    db_thread();
    if (d == NULL)
        return err;
    d->drop = config->drop;
    d->drop_arg = config->drop_arg;
    d->levels = config->levels;
    db_set_fault(d, config->fault, config->fault_arg);
    err = db_tune(d, config, why);
    if (err != HY_OK)
        goto fail;
    /* RocksDB's threads filter after it was opened and before it was closed. */
    for (int f = 0; f < FAMILY_COUNT; f++)
        HY_GIVES(&d->filter_args[f]);
    err = open_files(d, config, why);
    if (err == HY_OK)
        err = make_memory(d);
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
    if (d->memory != NULL)
        rocksdb_readoptions_destroy(d->memory->read);
    free(d->memory);
    for (int f = 0; f < FAMILY_COUNT && d->rocks != NULL; f++)
        rocksdb_column_family_handle_destroy(d->handles[f]);
    if (d->rocks != NULL)
        rocksdb_close(d->rocks);
    HY_TAKES(&d->rocks);
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
    if (d->write_early != NULL)
        rocksdb_writeoptions_destroy(d->write_early);
    if (d->cache != NULL)
        rocksdb_cache_destroy(d->cache);
    free(d);
}

/* ---- reading ---- */

enum hy_err db_get(struct db *db, enum family family, const struct key *key, struct db_value *value)
{
    rocksdb_pinnableslice_t *pin;
    char *error = NULL;
    enum hy_err err;

    *value = (struct db_value){0};
    if (!db_may_read(db))
        return HY_EBUSY;
    pin = rocksdb_get_pinned_cf(db->rocks, db->read, db->handles[family], (const char *)key->bytes,
                                key->len, &error);
    err = db_classify(error, NULL);
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

static enum hy_err write_with(struct db *db, const rocksdb_writeoptions_t *options,
                              struct db_batch *batch)
{
    enum hy_err err = db->fault == NULL ? HY_OK : db->fault(db->fault_arg);
    char *error = NULL;

    if (err != HY_OK) {
        snprintf(db->why, sizeof db->why, "injected: %s", hy_err_text(err));
        return err;
    }
    rocksdb_write(db->rocks, options, batch->rocks, &error);
    return db_classify(error, db->why);
}

enum hy_err db_write(struct db *db, struct db_batch *batch)
{
    return write_with(db, db->write, batch);
}

enum hy_err db_write_early(struct db *db, struct db_batch *batch)
{
    return write_with(db, db->write_early, batch);
}

void db_thread(void)
{
    enum { PERF_DISABLE = 1 };

    rocksdb_set_perf_level(PERF_DISABLE);
}

const char *db_why(const struct db *db)
{
    return db->why;
}

uint64_t db_latest(struct db *db)
{
    return rocksdb_get_latest_sequence_number(db->rocks);
}

/* ---- looking after it ---- */

enum hy_err db_flush(struct db *db, char why[static 256])
{
    rocksdb_flushoptions_t *wait = rocksdb_flushoptions_create();
    enum hy_err err = HY_OK;

    rocksdb_flushoptions_set_wait(wait, 1);
    for (int f = 0; f < FAMILY_COUNT && err == HY_OK; f++) {
        char *error = NULL;

        rocksdb_flush_cf(db->rocks, wait, db->handles[f], &error);
        err = db_classify(error, why);
    }
    rocksdb_flushoptions_destroy(wait);
    return err;
}

void db_compact(struct db *db)
{
    static const enum family expiring[] = {FAMILY_LOG, FAMILY_DEDUPE};

    if (db_flush(db, db->why) != HY_OK)
        return;
    for (size_t i = 0; i < sizeof expiring / sizeof *expiring; i++)
        rocksdb_compact_range_cf(db->rocks, db->handles[expiring[i]], NULL, 0, NULL, 0);
}

/* Of one family; some numbers RocksDB says as texts only. 0: it does not know. */
static uint64_t number_of(struct db *db, enum family family, const char *name)
{
    char *text = rocksdb_property_value_cf(db->rocks, db->handles[family], name);
    uint64_t number = text == NULL ? 0 : strtoull(text, NULL, 10);

    rocksdb_free(text);
    return number;
}

static bool family_behind(struct db *db, enum family family)
{
    return number_of(db, family, "rocksdb.num-files-at-level0") >= DB_BEHIND_FILES ||
           number_of(db, family, "rocksdb.num-immutable-mem-table") >= DB_BEHIND_BUFFERS;
}

bool db_behind(struct db *db)
{
    uint64_t rate;

    for (int f = 0; f < FAMILY_COUNT; f++)
        if (family_behind(db, (enum family)f))
            return true;
    return rocksdb_property_int(db->rocks, "rocksdb.actual-delayed-write-rate", &rate) == 0 &&
           rate > 0;
}

uint64_t db_property(struct db *db, const char *name)
{
    uint64_t sum = 0;

    for (int f = 0; f < FAMILY_COUNT; f++)
        sum += number_of(db, (enum family)f, name);
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
