#include "store/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "store/apps.h"
#include "store/backup.h"
#include "store/config.h"
#include "store/core_parts.h"
#include "store/disk.h"
#include "store/expire.h"
#include "store/gate.h"
#include "store/handlers.h"
#include "store/held.h"
#include "store/identity.h"
#include "store/metric.h"
#include "store/moves.h"
#include "store/readers.h"
#include "store/replica.h"
#include "store/retention.h"
#include "store/route.h"
#include "store/telling.h"

enum {
    BATCH_OPS = 4096,      /* a batch is written when it has so many rows */
    BATCH_BYTES = 4 << 20, /* or is so big */
    LAZY_MS = 200,         /* rows nobody waits for may wait so long */
    STALL_MS = 5000,       /* a batch, or who waits behind it, waits so long for a stall to pass */
    HELD_MOST = 20000,     /* requests that wait meanwhile */
    FROZEN_MS = 200,       /* a request about a slot that is about to move waits so long */
    BULK_MS = 3000,        /* a command of many rows waits so long while the disk is behind */
    BULK_MOST = 64,        /* so many of them */
};

enum state { FOLLOWS, GOOD, FULL, FAILED };

struct store {
    struct store_config config;
    struct hy_shardmap *map, *next_map; /* next: to be gone by as soon as can be */
    struct hy_shardmap *mine; /* the map as this shard goes by it; may be the map itself */
    struct moves *moves;      /* NULL: the map is for ever */
    struct replica *replica;
    struct core core;
    struct readers *readers;
    struct backup *backup;
    struct expire expire;
    struct retention retention;
    struct db *open;   /* the database of this copy, also while it follows; NULL: it is closed */
    enum db_room room; /* at the last look */
    _Atomic enum state state;
    atomic_bool streams; /* it follows a leader's stream */
    bool remap;          /* the core has yet to load what goes by the map, */
    bool gained;         /* which gave slots to this shard */
    bool lazy;           /* rows wait that nobody waits for */
    bool urgent;         /* a read waits for rows */
    uint64_t lazy_ms;
    uint64_t stalled_ms; /* since when the disk is behind, 0: it is not */
    uint64_t full_ms;    /* the same of other copies: the gate is full */
    struct held *held;   /* what came meanwhile */
    struct held *bulk;   /* commands of many rows, which wait before there is a stall */
    struct held *frozen; /* what is about slots that are about to be another's */
    bool no_more_frozen; /* they have waited long enough */
    bool (*behind)(struct db *db);
};

static void set_state(struct store *s, enum state state, const char *why)
{
    static const char *const names[] = {"follows", "good", "full", "failed"};

    if (s->state == state)
        return;
    if (s->state != FOLLOWS && state != FOLLOWS) /* a reign is told by itself */
        hy_log_warn("store.state", "was=%s is=%s why=\"%s\"", names[s->state], names[state], why);
    s->state = state;
    s->core.full = state == FULL;
}

/* Does it lead, and has no write failed? While the reign is handed over it does not. */
static bool decides(const struct store *s)
{
    return s->core.db != NULL && s->core.failure == HY_OK && replica_leads(s->replica);
}

/* What is served, by the map and by rows of this shard. */
static enum hy_err make_mine(struct store *s)
{
    struct hy_shardmap *mine;

    if (s->moves == NULL)
        return HY_OK;
    mine = s->mine == s->map ? malloc(sizeof *mine) : s->mine;
    if (mine == NULL)
        return HY_ENOMEM;
    moves_serve(s->moves, mine);
    s->mine = mine;
    core_use_map(&s->core, mine);
    return HY_OK;
}

/* ---- who is not answered here ---- */

static void refuse(struct store *s, const struct request *req, uint32_t code)
{
    struct hy_buf out = {0};
    size_t items = answer_items(req, &s->core.arena.pb);

    if (answer_refusal(req->kind, items, code, &out) == HY_OK)
        gate_refuse(s->core.gate, &req->reply, out.data, out.len);
    hy_buf_free(&out);
    hy_arena_reset(&s->core.arena);
}

/* Another leads this shard; or the slot asked for is another's, and the map says whose. */
static void say_elsewhere(struct store *s, const struct hy_reply *reply)
{
    Hy__Elsewhere elsewhere = HY__ELSEWHERE__INIT;
    struct hy_reply to = *reply;
    struct hy_buf out = {0};

    elsewhere.leader = s->core.db == NULL ? (char *)replica_leader(s->replica) : (char *)"";
    elsewhere.epoch = replica_epoch(s->replica);
    elsewhere.map_epoch = s->map->epoch;
    to.kind = HY__BUS_KIND__STORE_ELSEWHERE;
    if (hy_buf_put_pb(&out, &elsewhere.base) == HY_OK)
        gate_refuse(s->core.gate, &to, out.data, out.len);
    hy_buf_free(&out);
}

/* gate_away_fn: an answer that was decided but may not be said. What was decided may be on the disk
 * after a failed write, or not: so it is not refused, whatever failed; who asks again learns it. */
static void send_away(void *ctx, const struct hy_reply *reply, size_t items)
{
    struct store *s = ctx;
    struct hy_buf out = {0};

    if (replica_broken(s->replica) == HY_OK) {
        say_elsewhere(s, reply);
        return;
    }
    if (answer_refusal(reply->kind, items, HY_CODE_UNAVAILABLE, &out) == HY_OK)
        gate_refuse(s->core.gate, reply, out.data, out.len);
    hy_buf_free(&out);
}

static void turn_away(struct store *s, const struct request *req)
{
    enum hy_err broken = replica_broken(s->replica);

    if (broken == HY_OK)
        say_elsewhere(s, &req->reply);
    else
        refuse(s, req, core_code(broken));
}

static void turn_away_held(struct store *s, struct held *held)
{
    struct request *req;

    while ((req = held_take(held)) != NULL) {
        turn_away(s, req);
        held_free(req);
    }
}

/* ---- reigns ---- */

static void read_from(struct store *s)
{
    readers_use(s->readers, &(struct readers_source){
                                .db = s->core.db,
                                .map = s->mine,
                                .rows = s->core.rows,
                                .runs = s->config.history_cache_bytes == 0 ? NULL : s->core.runs});
}

static enum hy_err on_lead(void *ctx, struct db *db, uint64_t epoch)
{
    struct store *s = ctx;
    enum hy_err err = s->moves == NULL ? HY_OK : moves_lead(s->moves, db);

    retention_end(&s->retention);
    if (err == HY_OK)
        err = make_mine(s);
    if (err == HY_OK)
        err = core_lead(&s->core, db, s->replica, s->config.cache_rows);
    if (err != HY_OK)
        return err;
    read_from(s);
    s->lazy = s->urgent = s->remap = s->gained = false;
    s->stalled_ms = s->full_ms = 0;
    hy_log_info("store.leads", "shard=%u epoch=%llu", s->config.shard, (unsigned long long)epoch);
    set_state(s, GOOD, "this copy leads");
    return HY_OK;
}

static void on_follow(void *ctx, const char *leader)
{
    struct store *s = ctx;

    if (s->core.db == NULL)
        return;
    s->streams = false;
    readers_drop(s->readers);
    if (s->moves != NULL)
        moves_follow(s->moves);
    core_follow(&s->core);
    turn_away_held(s, s->held);
    turn_away_held(s, s->bulk);
    turn_away_held(s, s->frozen);
    hy_log_info("store.follows", "shard=%u leader=%s", s->config.shard, leader);
    if (replica_broken(s->replica) == HY_OK)
        set_state(s, FOLLOWS, "another copy leads");
}

static void on_open(void *ctx, struct db *db)
{
    struct store *s = ctx;

    s->open = db;
    s->room = DB_ROOM_WHOLE;
    backup_use(s->backup, db);
}

static void on_passed(void *ctx, uint64_t mark)
{
    struct store *s = ctx;

    gate_passed(s->core.gate, mark);
    if ((!held_empty(s->held) || !held_empty(s->frozen)) && s->config.loop != NULL)
        hy_loop_again(s->config.loop);
}

/* ---- opening and closing ---- */

static enum hy_err open_moves(struct store *s);

static enum hy_err open_parts(struct store *s)
{
    struct core *core = &s->core;
    struct readers_config readers = {.threads = s->config.readers,
                                     .shard = s->config.shard,
                                     .now_ms = s->config.now_ms,
                                     .now_arg = s->config.now_arg,
                                     .loop = s->config.loop};
    struct core_config parts = {.shard = s->config.shard,
                                .map = s->mine,
                                .history_cache_bytes = s->config.history_cache_bytes,
                                .now_ms = s->config.now_ms,
                                .now_arg = s->config.now_arg,
                                .gate = {.answer = s->config.answer,
                                         .send = s->config.send,
                                         .ctx = s->config.ctx,
                                         .away = send_away,
                                         .away_ctx = s}};
    enum hy_err err = core_open(core, &parts);

    if (err != HY_OK)
        return err;
    s->expire = (struct expire){core->appset, core->now_ms, core->now_arg};
    s->retention.set = core->appset;
    readers.apps = core->appset;
    readers.gate = core->gate;
    s->behind = db_behind;
    err = held_open(HELD_MOST, &s->held);
    if (err == HY_OK)
        err = held_open(BULK_MOST, &s->bulk);
    if (err == HY_OK)
        err = held_open(HELD_MOST, &s->frozen);
    return err == HY_OK ? readers_open(&readers, &s->readers) : err;
}

static enum hy_err copy_map(const struct hy_shardmap *map, struct hy_shardmap **copy)
{
    struct hy_shardmap *mine = malloc(sizeof *mine);

    if (mine == NULL)
        return HY_ENOMEM;
    if (map == NULL)
        hy_shardmap_even(mine, 1);
    else
        *mine = *map;
    free(*copy);
    *copy = mine;
    return HY_OK;
}

static enum hy_err open_replica(struct store *s, char why[static 256])
{
    static const struct replica_events events = {on_lead, on_follow, on_passed, on_open};
    struct replica_config config = {.db = {.dir = s->config.data_dir,
                                           .log_dir = s->config.log_dir,
                                           .block_cache_bytes = s->config.block_cache_bytes,
                                           .write_buffer_bytes = s->config.write_buffer_bytes,
                                           .levels = s->config.levels,
                                           .drop = expire_drop,
                                           .drop_arg = &s->expire},
                                    .reserve_bytes = s->config.reserve_bytes,
                                    .loop = s->config.loop,
                                    .bus = s->config.bus,
                                    .coord = s->config.coord,
                                    .name = s->config.name,
                                    .shard = s->config.shard,
                                    .min_insync = s->config.min_insync,
                                    .follower_timeout_ms = s->config.follower_timeout_ms};
    struct identity mine = {s->config.cluster_id, s->config.shard, s->map, !s->config.map_changes};
    struct backup_config backup = {.data_dir = s->config.data_dir,
                                   .program = s->config.backup_program};
    enum hy_err err = hy_dir_make(s->config.data_dir, why);

    if (err == HY_OK)
        err = identity_check(s->config.data_dir, &mine, why);
    if (err == HY_OK)
        err = backup_open(&backup, &s->backup);
    if (err == HY_OK)
        err = replica_open(&config, &events, s, &s->replica, why);
    if (err == HY_OK)
        err = replica_start(s->replica, why);
    return err;
}

enum hy_err store_open(const struct store_config *config, struct store **store,
                       char why[static 256])
{
    struct store *s = calloc(1, sizeof *s);
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (s == NULL)
        return err;
    err = config_copy(&s->config, config);
    if (err == HY_OK)
        err = copy_map(config->map, &s->map);
    s->mine = s->map;
    if (err == HY_OK)
        err = open_parts(s);
    if (err == HY_OK && config->map_changes)
        err = open_moves(s);
    if (err == HY_OK)
        err = open_replica(s, why);
    if (err != HY_OK)
        goto fail;
    if (replica_broken(s->replica) != HY_OK)
        set_state(s, FAILED, "there is no room to open the database");
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
    held_close(&s->bulk);
    held_close(&s->frozen);
    readers_close(&s->readers);
    retention_end(&s->retention);
    if (s->moves != NULL)
        moves_follow(s->moves);
    backup_close(&s->backup);
    core_follow(&s->core);
    replica_close(&s->replica); /* its compaction asks what the core knows of apps */
    core_close(&s->core);
    moves_close(&s->moves);
    config_free(&s->config);
    if (s->mine != s->map)
        free(s->mine);
    free(s->map);
    free(s->next_map);
    free(s);
}

/* ---- requests ---- */

/* 0, or why a request cannot be taken now. Messages are looked at one by one, by append.c. */
static uint32_t closed_for(const struct store *s, const struct route *row)
{
    if ((row->how == ROUTE_WRITES || row->how == ROUTE_WRITES_ALONE) && s->state == FULL &&
        row->handle != append_handle)
        return HY_CODE_DISK_FULL;
    return HY_CODE_OK;
}

static void failed(struct store *s, enum hy_err err);
static void turn_elsewhere(struct store *s, const struct request *req);

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

/* ---- a stall: requests wait in order. While the disk is behind, reads go on; while other copies
 * are, these wait, too, as their answers would ---- */

static bool blocked(const struct store *s)
{
    return s->core.sealed || s->full_ms != 0 || s->remap;
}

/* Does a request have to wait? */
static bool waits(const struct store *s, const struct route *row)
{
    return row->how == ROUTE_READS_ASIDE ? s->full_ms != 0 : blocked(s);
}

static void look_at_gate(struct store *s)
{
    if (!gate_full(s->core.gate))
        s->full_ms = 0;
    else if (s->full_ms == 0)
        s->full_ms = hy_steady_ms();
}

static void hold(struct store *s, const struct request *req)
{
    bool too_long = s->full_ms != 0 && hy_steady_ms() - s->full_ms > STALL_MS;

    if (too_long || held_add(s->held, req, hy_steady_ms()) != HY_OK)
        refuse(s, req, HY_CODE_BUSY);
}

/* Decide what waited, until the next stall. */
static void let_go(struct store *s)
{
    struct request *req;

    while (!blocked(s) && (req = held_take(s->held)) != NULL) {
        store_handle(s, req);
        held_free(req);
    }
}

/* Other copies have been behind for so long that nobody waits any more. */
static void give_up_held(struct store *s)
{
    struct request *req;

    if (s->full_ms == 0 || hy_steady_ms() - s->full_ms <= STALL_MS)
        return;
    while ((req = held_take(s->held)) != NULL) {
        refuse(s, req, HY_CODE_BUSY);
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

static void read_aside(struct store *s, const struct request *req, const struct route *row)
{
    if (row->read == index_read)
        bring_index_up(s, req);
    if (readers_add(s->readers, req, row->read) != HY_OK)
        refuse(s, req, HY_CODE_BUSY);
}

static void decide(struct store *s, const struct request *req, const struct route *row)
{
    s->core.misplaced = s->core.frozen = false;
    row->handle(&s->core, req);
    if (s->core.misplaced)
        turn_elsewhere(s, req);
    hy_arena_reset(&s->core.arena);
    if (s->core.failure != HY_OK) /* a commit in the middle failed */
        failed(s, s->core.failure);
    else if (row->how == ROUTE_WRITES_ALONE || batch_ops(s->core.batch) >= BATCH_OPS ||
             batch_bytes(s->core.batch) >= BATCH_BYTES)
        commit(s);
    look_at_gate(s);
}

static void take(struct store *s, const struct request *req, const struct route *row)
{
    if (row->how == ROUTE_WRITES_ALONE && batch_waits(s) && !blocked(s)) {
        commit(s);
        if (!decides(s)) {
            turn_away(s, req);
            return;
        }
    }
    if (waits(s, row))
        hold(s, req);
    else if (row->how == ROUTE_READS_ASIDE)
        read_aside(s, req, row);
    else
        decide(s, req, row);
}

/* ---- commands of many rows: while the disk is behind they wait, so that messages need not ---- */

static bool bulk_waits(const struct store *s)
{
    return !held_empty(s->bulk) || s->behind(s->core.db);
}

static void hold_bulk(struct store *s, const struct request *req)
{
    if (held_has(s->bulk, req))
        return; /* asked again while it waits: one answer is enough */
    if (held_add(s->bulk, req, hy_steady_ms()) != HY_OK)
        refuse(s, req, HY_CODE_BUSY);
}

/* Decide what waited, while the disk keeps up. What has waited too long is for its sender to try
 * again. */
static void let_bulk_go(struct store *s)
{
    while (!held_empty(s->bulk) && decides(s)) {
        bool late = hy_steady_ms() - held_since_ms(s->bulk) > BULK_MS;
        bool closed = blocked(s) || s->behind(s->core.db);
        struct request *req;

        if (closed && !late)
            break;
        req = held_take(s->bulk);
        if (closed || closed_for(s, route_of(req->kind)) != HY_CODE_OK)
            refuse(s, req, HY_CODE_BUSY);
        else
            take(s, req, route_of(req->kind));
        held_free(req);
    }
}

void store_handle(struct store *store, const struct request *req)
{
    const struct route *row = route_of(req->kind);
    uint32_t code;

    if (row != NULL && !decides(store)) {
        turn_away(store, req);
        return;
    }
    if (row != NULL && replica_stalled(store->replica)) {
        refuse(store, req, HY_CODE_BUSY);
        return;
    }
    code = row == NULL ? HY_CODE_PARAM : closed_for(store, row);
    if (code != HY_CODE_OK) {
        refuse(store, req, code);
        return;
    }
    if (row->how == ROUTE_WRITES_ALONE && bulk_waits(store))
        hold_bulk(store, req);
    else
        take(store, req, row);
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

static void commit_if_worth(struct store *s)
{
    if (decides(s) && worth_writing(s))
        commit(s);
    look_at_gate(s);
}

/* ---- slots change owners ---- */

static bool gains(const struct hy_shardmap *was, const struct hy_shardmap *is, uint32_t shard)
{
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        if (is->owner[slot] == shard && was->owner[slot] != shard)
            return true;
    return false;
}

enum hy_err store_map(struct store *store, const struct hy_shardmap *map)
{
    return copy_map(map, &store->next_map);
}

/* Between two batches. What is under way for the old owners is sent again; no thread has the old
 * map any more when this returns. */
static void go_by(struct store *s, struct hy_shardmap *was)
{
    s->gained = s->gained || gains(was, s->mine, s->config.shard);
    s->remap = s->core.db != NULL;
    core_use_map(&s->core, s->mine);
    if (s->core.db != NULL)
        read_from(s);
}

static void adopt_map(struct store *s)
{
    struct hy_shardmap *was = s->map, *mine = s->mine;

    s->map = s->next_map;
    s->next_map = NULL;
    if (s->moves != NULL)
        moves_map(s->moves, s->map);
    s->mine = s->map;
    if (s->moves != NULL && s->core.db != NULL && make_mine(s) != HY_OK)
        abort(); /* it would answer for slots of others */
    go_by(s, mine);
    if (mine != was)
        free(mine);
    free(was);
    hy_log_info("store.map", "epoch=%llu slots=%u", (unsigned long long)s->map->epoch,
                s->core.slots);
}

static void remap(struct store *s)
{
    enum hy_err err = core_remap(&s->core, s->gained);

    if (err == HY_OK)
        s->remap = s->gained = false;
    else /* again, with the next turn */
        hy_log_error("store.reload_failed", "why=\"%s\"", hy_err_text(err));
}

static void change_map(struct store *s)
{
    if (s->next_map == NULL && !s->remap)
        return;
    if (decides(s) && !s->core.sealed && (batch_waits(s) || answers_count(s->core.answers) > 0))
        commit(s);
    if (s->core.sealed || (s->core.db != NULL && !decides(s)))
        return;
    if (s->next_map != NULL)
        adopt_map(s);
    if (s->remap)
        remap(s);
}

/* moves: rows of this shard say that other slots are served, by the same map. */
static void refresh(void *arg)
{
    struct store *s = arg;
    struct hy_shardmap *was = s->mine;

    s->mine = s->map;
    if (make_mine(s) != HY_OK)
        abort(); /* it would answer for slots that are not served */
    go_by(s, was);
    if (was != s->map)
        free(was);
    remap(s);
}

/* Write what waits; HY_OK: nothing does any more. */
static enum hy_err settle(void *arg)
{
    struct store *s = arg;

    if (batch_waits(s) || answers_count(s->core.answers) > 0)
        commit(s);
    return decides(s) && !s->core.sealed ? HY_OK : HY_EBUSY;
}

static enum hy_err write_now(void *arg)
{
    struct store *s = arg;
    enum hy_err err = core_commit(&s->core);

    if (err != HY_OK)
        failed(s, err);
    return err;
}

static enum hy_err open_moves(struct store *s)
{
    struct moves_config config = {.core = &s->core,
                                  .loop = s->config.loop,
                                  .coord = s->config.coord,
                                  .shard = s->config.shard,
                                  .keep_s = s->config.moved_keep_s,
                                  .send = s->config.move,
                                  .ctx = s->config.ctx,
                                  .settle = settle,
                                  .write = write_now,
                                  .refresh = refresh,
                                  .store = s};
    enum hy_err err = moves_open(&config, &s->moves);

    if (err != HY_OK)
        return err;
    moves_map(s->moves, s->map);
    s->core.moves = s->moves;
    return HY_OK;
}

/* ---- requests about slots that are about to be another's: they wait a little, as it takes some
 * ms. Then they are answered here, or sent there ---- */

/* What was answered last is of no use: the request is to be asked elsewhere, or waits. */
static void turn_elsewhere(struct store *s, const struct request *req)
{
    if (s->core.frozen && !s->no_more_frozen && held_add(s->frozen, req, hy_steady_ms()) == HY_OK)
        answers_take_back(s->core.answers);
    else
        answers_misplaced(s->core.answers);
}

static void let_frozen_go(struct store *s)
{
    bool late;

    if (held_empty(s->frozen) || !decides(s) || blocked(s))
        return;
    late = hy_steady_ms() - held_since_ms(s->frozen) > FROZEN_MS;
    if (moves_frozen(s->moves) && !late)
        return;
    s->no_more_frozen = true; /* all of them: one that has just come as well is no harm */
    while (!blocked(s) && decides(s) && !held_empty(s->frozen)) {
        struct request *req = held_take(s->frozen);

        store_handle(s, req);
        held_free(req);
    }
    s->no_more_frozen = false;
    commit_if_worth(s);
}

/* ---- a turn ---- */

void store_turn(struct store *store)
{
    commit_if_worth(store);
    change_map(store);
    if (!held_empty(store->held) && !blocked(store)) { /* before what comes next */
        let_go(store);
        commit_if_worth(store);
    }
    give_up_held(store);
    let_bulk_go(store);
    if (store->moves != NULL && decides(store) && !blocked(store))
        moves_turn(store->moves);
    let_frozen_go(store);
    if (decides(store) && !blocked(store)) /* it tells what is durable */
        outbox_tick(&store->core, hy_steady_ms());
    tellings_tick(store->core.tellings, hy_steady_ms());
    if (store->full_ms == 0)
        readers_go(store->readers);
    replica_turn(store->replica);
}

/* ---- failures ---- */

/* After a failed write nobody knows what is on the disk, and the replica ends the reign. A long
 * stall or a lack of memory is over with its batch. */
static void failed(struct store *s, enum hy_err err)
{
    if (err == HY_EBUSY || err == HY_ENOMEM) {
        s->core.failure = HY_OK;
        return;
    }
    set_state(s, FAILED, db_why(s->core.db));
}

static void measure_follower(void *arg, const struct replica_follower *follower)
{
    (void)arg;
    metric_follower(follower->node, follower->behind, follower->behind_ms);
}

static void look_at_copies(struct store *s)
{
    struct replica_view view;

    replica_look(s->replica, &view);
    s->streams = view.streaming;
    if (s->core.db == NULL && s->open != NULL)
        retention_tick(&s->retention, s->open, apps_owner(s->map) == s->config.shard, &view,
                       core_now(&s->core));
    metric_replica(&view, s->core.db != NULL);
    metric_no_followers();
    replica_each_follower(s->replica, measure_follower, s);
}

static void look_at_room(struct store *s, uint64_t free_bytes)
{
    uint64_t spare =
        free_bytes > s->config.reserve_bytes ? free_bytes - s->config.reserve_bytes : 0;
    enum db_room before = s->room;

    if (s->open == NULL)
        return;
    s->room = db_room(s->open, spare);
    metric_room(s->room);
    if (s->room == DB_ROOM_NONE && before != DB_ROOM_NONE)
        hy_log_warn("store.merges_wait",
                    "free_mb=%lu why=\"files are merged when there is room for a second copy of "
                    "them: give the disk more room, move slots to other shards, or set "
                    "store.levels\"",
                    free_bytes >> 20);
}

void store_tick(struct store *store)
{
    struct disk_space space;
    bool full;

    replica_tick(store->replica);
    if (disk_look(store->config.data_dir, &space) != HY_OK)
        return;
    metric_disk(space.used_bytes, space.capacity_bytes);
    metric_outbox(outbox_count(store->core.outbox));
    metric_gate(gate_batches(store->core.gate));
    look_at_copies(store);
    look_at_room(store, space.free_bytes);
    if (!decides(store))
        return;
    metric_db(store->core.db);
    full = disk_refuses(store->state == FULL, space.free_bytes, store->config.reserve_bytes);
    set_state(store, full ? FULL : GOOD,
              full ? "free space is below the reserve" : "there is room");
}

/* ---- copies ---- */

void store_coordinated(struct store *store, const struct hy_coord_value *value)
{
    if (store->moves != NULL)
        moves_value(store->moves, value);
    replica_coordinated(store->replica, value);
}

void store_lease_lost(struct store *store)
{
    replica_lease_lost(store->replica);
}

bool store_record(struct store *store, struct hy_peer *peer, const struct hy_record *record)
{
    return replica_record(store->replica, peer, record);
}

enum hy_err store_hand_over(struct store *store, const char *to, bool leaving)
{
    if (decides(store) && (batch_waits(store) || answers_count(store->core.answers) > 0))
        commit(store);
    return store->core.sealed ? HY_EBUSY : replica_hand_over(store->replica, to, leaving);
}

void store_look(const struct store *store, struct replica_view *view)
{
    replica_look(store->replica, view);
}

void store_each_follower(const struct store *store, replica_follower_fn *fn, void *arg)
{
    replica_each_follower(store->replica, fn, arg);
}

const char *store_ready(const struct store *store)
{
    enum state state = store->state;

    switch (state) {
    case GOOD:
        return NULL;
    case FOLLOWS:
        return store->streams ? NULL : "it does not stream from a leader yet";
    case FULL:
        return "the disk is full";
    default:
        return "the database is closed after a failed write";
    }
}

/* ---- the rest ---- */

void store_backup(struct store *store, const Hy__BackupReq *req, Hy__BackupRes *res)
{
    struct outbox *outbox = store->core.outbox;
    struct replica_view view;

    if (req->op == HY__BACKUP_REQ__OP__HOLD)
        outbox_hold(outbox, hy_steady_ms() + req->hold_ms);
    if (req->op == HY__BACKUP_REQ__OP__RELEASE || req->op == HY__BACKUP_REQ__OP__STOP)
        outbox_hold(outbox, 0);
    backup_handle(store->backup, req, res);
    store_look(store, &view);
    res->leads = decides(store);
    res->held = res->leads && outbox_quiet(outbox);
    res->reign = view.epoch;
    res->latest = view.latest;
}

bool store_leads(const struct store *store)
{
    return store->core.db != NULL;
}

void store_effects_answered(struct store *store, uint32_t shard, uint64_t token, bool done)
{
    if (decides(store))
        outbox_answered(&store->core, shard, token, done, hy_steady_ms());
}

void store_move_answered(struct store *store, uint64_t token, enum hy_err err, const void *payload,
                         size_t len)
{
    if (decides(store))
        moves_answered(store->moves, token, err, payload, len);
}

void store_apps_learned(struct store *store, const uint8_t *payload, size_t len)
{
    Hy__AppsRes *res = NULL;

    if (decides(store) && !store->core.sealed)
        res = hy__apps_res__unpack(&store->core.arena.pb, len, payload);
    if (res != NULL && apps_learn(&store->core, res) != HY_OK)
        hy_log_warn("store.apps_not_learned", "why=\"%s\"", hy_err_text(HY_ENOMEM));
    hy_arena_reset(&store->core.arena);
}

uint64_t store_apps_version(const struct store *store)
{
    return store->core.db == NULL ? 0 : hy_apps_version(store->core.apps);
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
                                       "rocksdb.num-running-flushes",
                                       "rocksdb.num-running-compactions"};

    for (size_t i = 0; i < sizeof busy / sizeof *busy && store->core.db != NULL; i++)
        if (db_property(store->core.db, busy[i]) > 0)
            return false;
    return true;
}

void store_set_fault(struct store *store, enum hy_err (*fault)(void *arg), void *arg)
{
    replica_set_fault(store->replica, fault, arg);
}

void store_set_behind(struct store *store, bool (*behind)(struct db *db))
{
    store->behind = behind;
}
