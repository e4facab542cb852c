#include "store/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/apps.h"
#include "store/config.h"
#include "store/core_parts.h"
#include "store/disk.h"
#include "store/expire.h"
#include "store/held.h"
#include "store/identity.h"
#include "store/metric.h"
#include "store/readers.h"
#include "store/route.h"
#include "store/telling.h"

enum {
    BATCH_OPS = 4096,      /* a batch is written when it has so many rows */
    BATCH_BYTES = 4 << 20, /* or is so big */
    LAZY_MS = 200,         /* rows nobody waits for may wait so long */
    REOPEN_MS = 1000,      /* after a failure, try again so often */
    STALL_MS = 5000,       /* a batch waits so long for a stall to pass */
    HELD_MOST = 20000,     /* requests that wait meanwhile */
};

enum state { GOOD, FULL, FAILED };

struct store {
    struct store_config config;
    struct core core;
    struct readers *readers;
    struct expire expire;
    _Atomic enum state state;
    bool lazy;   /* rows wait that nobody waits for */
    bool urgent; /* a read waits for rows */
    uint64_t lazy_ms, retry_ms;
    uint64_t stalled_ms; /* since when, 0: not */
    struct held *held;   /* what came during a stall */
    enum hy_err (*fault)(void *arg);
    void *fault_arg;
};

/* ---- the database comes and goes ---- */

static void close_db(struct store *s)
{
    if (s->readers != NULL)
        readers_use(s->readers, &(struct readers_source){.db = NULL});
    core_close_db(&s->core);
}

static enum hy_err open_db(struct store *s, char why[static 256])
{
    struct db_config config = {.dir = s->config.data_dir,
                               .log_dir = s->config.log_dir,
                               .block_cache_bytes = s->config.block_cache_bytes,
                               .write_buffer_bytes = s->config.write_buffer_bytes,
                               .drop = expire_drop,
                               .drop_arg = &s->expire,
                               .fault = s->fault,
                               .fault_arg = s->fault_arg};
    enum hy_err err = core_open_db(&s->core, &config, s->config.cache_rows, why);

    if (err == HY_OK)
        readers_use(s->readers, &(struct readers_source){.db = s->core.db,
                                                         .rows = s->core.rows,
                                                         .runs = s->config.history_cache_bytes == 0
                                                                     ? NULL
                                                                     : s->core.runs});
    return err;
}

/* ---- opening and closing ---- */

static enum hy_err open_parts(struct store *s)
{
    struct core *core = &s->core;
    struct readers_config readers = {.threads = s->config.readers,
                                     .shard = s->config.shard,
                                     .shards = s->config.shards,
                                     .now_ms = s->config.now_ms,
                                     .now_arg = s->config.now_arg,
                                     .loop = s->config.loop,
                                     .answer = s->config.answer,
                                     .answer_ctx = s->config.ctx};
    struct core_config parts = {.shard = s->config.shard,
                                .shards = s->config.shards,
                                .history_cache_bytes = s->config.history_cache_bytes,
                                .now_ms = s->config.now_ms,
                                .now_arg = s->config.now_arg,
                                .answer = s->config.answer,
                                .send = s->config.send,
                                .ctx = s->config.ctx};
    enum hy_err err = core_open(core, &parts);

    if (err != HY_OK)
        return err;
    s->expire = (struct expire){core->appset, core->now_ms, core->now_arg};
    readers.apps = core->appset;
    err = held_open(HELD_MOST, &s->held);
    return err == HY_OK ? readers_open(&readers, &s->readers) : err;
}

enum hy_err store_open(const struct store_config *config, struct store **store,
                       char why[static 256])
{
    struct store *s = calloc(1, sizeof *s);
    struct identity mine;
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (s == NULL)
        return err;
    err = config_copy(&s->config, config);
    if (err == HY_OK)
        err = open_parts(s);
    if (err != HY_OK)
        goto fail;
    mine = (struct identity){s->config.cluster_id, s->config.shard, s->config.shards};
    err = disk_make_dir(s->config.data_dir, why);
    if (err == HY_OK)
        err = identity_check(s->config.data_dir, &mine, why);
    if (err == HY_OK)
        err = open_db(s, why);
    if (err != HY_OK)
        goto fail;
    store_tick(s);
    *store = s;
    return HY_OK;

fail:
    store_close(&s);
    return err;
}

void store_close(struct store **store)
{
    struct store *s = *store;

    if (s == NULL)
        return;
    *store = NULL;
    if (s->core.db != NULL)
        store_turn(s);
    held_close(&s->held); /* they will be asked again */
    readers_close(&s->readers);
    close_db(s);
    core_close(&s->core);
    config_free(&s->config);
    free(s);
}

/* ---- requests ---- */

static void refuse(struct store *s, const struct request *req, uint32_t code)
{
    struct hy_buf out = {0};
    size_t items = answer_items(req, &s->core.arena.pb);

    if (answer_refusal(req->kind, items, code, &out) == HY_OK)
        s->config.answer(s->config.ctx, &req->reply, out.data, out.len);
    hy_buf_free(&out);
    hy_arena_reset(&s->core.arena);
}

/* 0, or why a request cannot be taken now. */
static uint32_t closed_for(const struct store *s, const struct route *row)
{
    if (s->core.db == NULL || s->core.failure != HY_OK)
        return s->core.failure == HY_EFULL ? HY_CODE_DISK_FULL : HY_CODE_UNAVAILABLE;
    if ((row->how == ROUTE_WRITES || row->how == ROUTE_WRITES_ALONE) && s->state == FULL)
        return HY_CODE_DISK_FULL;
    return HY_CODE_OK;
}

static void failed(struct store *s, enum hy_err err);

static void commit(struct store *s)
{
    uint64_t now_ms = hy_steady_ms();
    enum hy_err err;

    s->lazy = s->urgent = false;
    if (s->stalled_ms != 0 && now_ms - s->stalled_ms > STALL_MS)
        err = core_commit(&s->core); /* the last try */
    else
        err = core_commit_try(&s->core);
    if (!s->core.sealed)
        s->stalled_ms = 0;
    else if (s->stalled_ms == 0)
        s->stalled_ms = now_ms;
    if (err != HY_OK && !s->core.sealed)
        failed(s, err);
}

/* ---- a stall: requests wait in order, reads go on ---- */

/* Decide what waited, until the next stall. */
static void let_go(struct store *s)
{
    struct request *req;

    while (!s->core.sealed && (req = held_take(s->held)) != NULL) {
        store_handle(s, req);
        held_free(req);
    }
}

/* What warm conversations have yet to tell the index that is about to be read. */
static void bring_index_up(struct store *s, const struct request *req)
{
    Hy__IndexReq *in = hy__index_req__unpack(&s->core.arena.pb, req->len, req->payload);

    if (in != NULL && !in->groups_only && s->state == GOOD)
        outbox_hurry(&s->core, in->app, in->user);
    s->urgent = true;
    hy_arena_reset(&s->core.arena);
}

static bool batch_waits(const struct store *s)
{
    return rows_changed(s->core.rows) || batch_ops(s->core.batch) > 0;
}

void store_handle(struct store *store, const struct request *req)
{
    const struct route *row = route_of(req->kind);
    uint32_t code = row == NULL ? HY_CODE_PARAM : closed_for(store, row);

    if (code != HY_CODE_OK) {
        refuse(store, req, code);
        return;
    }
    if (row->how == ROUTE_READS_ASIDE) {
        if (row->read == index_read)
            bring_index_up(store, req);
        if (readers_add(store->readers, req, row->read) != HY_OK)
            refuse(store, req, HY_CODE_BUSY);
        return;
    }
    if (row->how == ROUTE_WRITES_ALONE && batch_waits(store))
        commit(store);
    if (store->core.sealed) {
        if (held_add(store->held, req) != HY_OK)
            refuse(store, req, HY_CODE_BUSY);
        return;
    }
    row->handle(&store->core, req);
    hy_arena_reset(&store->core.arena);
    if (store->core.failure != HY_OK) /* a commit in the middle failed */
        failed(store, store->core.failure);
    else if (row->how == ROUTE_WRITES_ALONE || batch_ops(store->core.batch) >= BATCH_OPS ||
             batch_bytes(store->core.batch) >= BATCH_BYTES)
        commit(store);
}

/* Rows that nobody waits for (those of the outbox that go) ride along with others, or wait a
 * little. */
static bool worth_writing(struct store *s)
{
    uint64_t now_ms = hy_steady_ms();

    if (answers_count(s->core.answers) > 0 || rows_changed(s->core.rows) || s->urgent ||
        s->core.sealed)
        return true;
    if (batch_ops(s->core.batch) == 0)
        return false;
    if (!s->lazy) {
        s->lazy = true;
        s->lazy_ms = now_ms + LAZY_MS;
    }
    return now_ms >= s->lazy_ms;
}

void store_turn(struct store *store)
{
    if (store->core.db != NULL && worth_writing(store))
        commit(store);
    if (!held_empty(store->held) && !store->core.sealed) {
        let_go(store);
        if (store->core.db != NULL && worth_writing(store))
            commit(store);
    }
    if (store->core.db != NULL && !store->core.sealed) /* it tells what is durable */
        outbox_tick(&store->core, hy_steady_ms());
    tellings_tick(store->core.tellings, hy_steady_ms());
    readers_go(store->readers);
}

/* ---- failures ---- */

static void set_state(struct store *s, enum state state, const char *why)
{
    static const char *const names[] = {"good", "full", "failed"};

    if (s->state == state)
        return;
    hy_log_warn("store.state", "was=%s is=%s why=\"%s\"", names[s->state], names[state], why);
    s->state = state;
}

/* After a failed write nobody knows what is on the disk, and RocksDB never heals a failed WAL:
 * close, and open again when the disk may have room. A long stall or a lack of memory is over with
 * its batch. */
static void failed(struct store *s, enum hy_err err)
{
    if (err == HY_EBUSY || err == HY_ENOMEM) {
        s->core.failure = HY_OK;
        return;
    }
    if (s->core.db == NULL)
        return;
    set_state(s, FAILED, db_why(s->core.db));
    answers_fail(s->core.answers, core_code(err));
    close_db(s);
    s->retry_ms = hy_steady_ms() + REOPEN_MS;
}

static void try_again(struct store *s, uint64_t free_bytes)
{
    char why[256];
    enum hy_err was = s->core.failure, err;

    if (hy_steady_ms() < s->retry_ms || disk_refuses(true, free_bytes, s->config.reserve_bytes))
        return;
    err = open_db(s, why);
    s->retry_ms = hy_steady_ms() + REOPEN_MS;
    if (err == HY_OK) {
        set_state(s, GOOD, "the database is open again");
        return;
    }
    s->core.failure = was;
    hy_log_error("store.reopen_failed", "why=\"%s\" detail=\"%s\"", hy_err_text(err), why);
}

void store_tick(struct store *store)
{
    struct disk_space space;
    bool full;

    if (disk_look(store->config.data_dir, &space) != HY_OK)
        return;
    metric_disk(space.used_bytes, space.capacity_bytes);
    metric_outbox(outbox_count(store->core.outbox));
    if (store->core.db == NULL) {
        try_again(store, space.free_bytes);
        return;
    }
    metric_db(store->core.db);
    full = disk_refuses(store->state == FULL, space.free_bytes, store->config.reserve_bytes);
    set_state(store, full ? FULL : GOOD,
              full ? "free space is below the reserve" : "there is room");
}

const char *store_ready(const struct store *store)
{
    enum state state = store->state;

    switch (state) {
    case GOOD:
        return NULL;
    case FULL:
        return "the disk is full";
    default:
        return "the database is closed after a failed write";
    }
}

/* ---- the rest ---- */

void store_effects_answered(struct store *store, uint32_t shard, uint64_t token, bool done)
{
    if (store->core.db != NULL)
        outbox_answered(&store->core, shard, token, done, hy_steady_ms());
}

void store_apps_learned(struct store *store, const uint8_t *payload, size_t len)
{
    Hy__AppsRes *res = hy__apps_res__unpack(&store->core.arena.pb, len, payload);

    if (res != NULL && apps_learn(&store->core, res) != HY_OK)
        hy_log_warn("store.apps_not_learned", "why=\"%s\"", hy_err_text(HY_ENOMEM));
    hy_arena_reset(&store->core.arena);
}

uint64_t store_apps_version(const struct store *store)
{
    return hy_apps_version(store->core.apps);
}

void store_compact(struct store *store)
{
    if (store->core.db == NULL)
        return;
    hy_log_info("store.compact", "why=\"asked for by the settings\"");
    db_compact(store->core.db);
}

bool store_settled(const struct store *store)
{
    static const char *const busy[] = {"rocksdb.mem-table-flush-pending",
                                       "rocksdb.num-running-flushes", "rocksdb.compaction-pending",
                                       "rocksdb.num-running-compactions"};

    for (size_t i = 0; i < sizeof busy / sizeof *busy && store->core.db != NULL; i++)
        if (db_property(store->core.db, busy[i]) > 0)
            return false;
    return true;
}

void store_set_fault(struct store *store, enum hy_err (*fault)(void *arg), void *arg)
{
    store->fault = fault;
    store->fault_arg = arg;
    if (store->core.db != NULL)
        db_set_fault(store->core.db, fault, arg);
}
