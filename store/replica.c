#include "store/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/epoch.h"
#include "store/replica/wire.h"
#include "store/replica_int.h"

enum { TICK_MS = 50, RING_BYTES = 64 << 20, CHECKPOINT_BYTES = 256 << 20, CHECKPOINT_S = 300 };
enum { FOLLOWER_MS = 2000, MIN_INSYNC = 2, REBOOT_WAIT_MS = 30000 };
enum { MISSING_MS = 5000, MISSING_AGAIN_MS = 60000 };
#define WAL_KEEP_BYTES ((size_t)1 << 30)

/* ---- the database ---- */

/* The row of a reign is a batch of its own (wire_reign()). */
enum hy_err replica_put_reign(struct replica *r, uint64_t epoch)
{
    struct db_batch *batch;
    enum hy_err err = db_batch_open(r->db, &batch);

    if (err != HY_OK)
        return err;
    epoch_put(r->db, batch, epoch);
    err = r->alone ? db_write(r->db, batch) : replica_write_here(r, batch);
    db_batch_close(&batch);
    return err;
}

enum hy_err replica_open_db(struct replica *r, char why[static 256])
{
    struct epochs table = {0};
    struct copy_disk disk = {.epochs = &table, .rebuilding = r->home.rebuilding};
    enum hy_err err;

    r->db_config = r->config.db;
    r->db_config.dir = r->home.db;
    if (r->db_config.wal_keep_bytes == 0)
        r->db_config.wal_keep_bytes = WAL_KEEP_BYTES;
    err = db_open(&r->db_config, &r->db, why);
    if (err != HY_OK)
        return err;
    err = epoch_table(r->db, &table);
    if (err == HY_OK) {
        r->failure = HY_OK;
        replica_tell_open(r);
        r->latest = disk.latest = db_latest(r->db);
        disk.place_count = home_places(&r->home, disk.places);
        copy_opened(r->copy, hy_steady_ms(), &disk);
        hy_log_info("store.copy_open", "latest=%lu epoch=%lu rebuilding=%d", disk.latest,
                    epochs_last(&table), disk.rebuilding);
    } else {
        snprintf(why, 256, "%s", hy_err_text(err));
        db_close(&r->db);
    }
    epochs_clear(&table);
    return err;
}

void replica_tell_open(struct replica *r)
{
    if (r->events.open != NULL)
        r->events.open(r->ctx, r->db);
}

void replica_tell_closing(struct replica *r)
{
    if (r->events.open != NULL)
        r->events.open(r->ctx, NULL);
}

/* Nobody reads: the store forgot it with follow(), the worker is waited for. */
void replica_close_db(struct replica *r)
{
    replica_tell_closing(r);
    worker_wait(r->worker);
    replica_rest_chases(r);
    ring_clear(r->ring);
    db_close(&r->db);
}

/* Written before it is sent, and sent before it is synced: what fails to be written is sent to
 * nobody, and followers sync at the same time. */
enum hy_err replica_write_here(struct replica *r, struct db_batch *batch)
{
    struct batch_ref ref = {.first = r->latest + 1, .count = (uint32_t)db_batch_count(batch)};
    enum hy_err err;

    if (ref.count == 0)
        return HY_OK;
    err = db_write_early(r->db, batch);
    if (err != HY_OK)
        return err;
    if (db_latest(r->db) != batch_last(&ref))
        return HY_ECORRUPT; /* somebody else wrote */
    r->latest = batch_last(&ref);
    ref.bytes = db_batch_data(batch, &ref.len);
    ref.reign = wire_reign(ref.bytes, ref.len);
    r->since_checkpoint += ref.len;
    if (ring_push(r->ring, &ref) != HY_OK)
        hy_log_warn("store.ring_full", "why=\"%s\"", hy_err_text(HY_ENOMEM));
    copy_wrote(r->copy, hy_steady_ms(), &ref);
    replica_flush(r);
    err = db_sync(r->db);
    if (err == HY_OK)
        copy_synced(r->copy, hy_steady_ms(), r->latest);
    return err;
}

/* Who starts on a full disk waits for room, as who fills it up while it runs. */
void replica_await_disk(struct replica *r, enum hy_err err, const char *why)
{
    hy_log_error("store.not_opened", "why=\"%s\"", why);
    r->failure = err;
    r->retry_ms = hy_steady_ms() + REOPEN_MS;
}

/* ---- life ---- */

static void on_timer(void *arg)
{
    struct replica *r = arg;

    if (!r->knows_state && hy_coord_whole(r->config.coord))
        replica_read_state(r);
    copy_tick(r->copy, hy_steady_ms());
    replica_tick(r);
}

static void fill_in(struct replica_config *config)
{
    if (config->min_insync == 0)
        config->min_insync = MIN_INSYNC;
    if (config->follower_timeout_ms == 0)
        config->follower_timeout_ms = FOLLOWER_MS;
    if (config->ring_bytes == 0)
        config->ring_bytes = RING_BYTES;
    if (config->checkpoint_bytes == 0)
        config->checkpoint_bytes = CHECKPOINT_BYTES;
    if (config->checkpoint_s == 0)
        config->checkpoint_s = CHECKPOINT_S;
}

static void read_boot(char boot[static COPY_DB])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file == NULL || fscanf(file, "%39s", boot) != 1)
        snprintf(boot, COPY_DB, "unknown");
    if (file != NULL)
        fclose(file);
}

static enum hy_err open_copy(struct replica *r)
{
    struct copy_config config = {.min_insync = r->config.min_insync,
                                 .follower_timeout_ms = r->config.follower_timeout_ms,
                                 .reboot_wait_ms = REBOOT_WAIT_MS,
                                 .number = hy_random64() >> 8};

    snprintf(config.me.node, sizeof config.me.node, "%s", r->config.name);
    snprintf(config.me.db, sizeof config.me.db, "%s", r->home.id);
    read_boot(config.me.boot);
    return copy_open(&config, &replica_out, r, &r->copy);
}

static enum hy_err open_shared(struct replica *r, char why[static 256])
{
    char hauls[600];
    enum hy_err err;

    fill_in(&r->config);
    snprintf(r->key_state, sizeof r->key_state, "shard/%u/state", r->config.shard);
    snprintf(r->key_leader, sizeof r->key_leader, "shard/%u/leader", r->config.shard);
    err = home_open(r->config.db.dir, &r->home, why);
    if (err == HY_OK)
        err = open_copy(r);
    if (err == HY_OK)
        err = ring_open(r->config.ring_bytes, &r->ring);
    if (err == HY_OK)
        err = worker_open(r->config.loop, &r->worker);
    snprintf(hauls, sizeof hauls, "%s/lent", r->home.dir);
    if (err == HY_OK)
        err = haul_out_open(r->worker, hauls, &r->haul_out);
    if (err == HY_OK)
        err = hy_timer_open(r->config.loop, on_timer, r, &r->timer);
    return err;
}

enum hy_err replica_open(const struct replica_config *config, const struct replica_events *events,
                         void *ctx, struct replica **replica, char why[static 256])
{
    struct replica *r = calloc(1, sizeof *r);
    enum hy_err err;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (r == NULL)
        return HY_ENOMEM;
    r->config = *config;
    r->events = *events;
    r->ctx = ctx;
    r->alone = config->coord == NULL || hy_coord_static(config->coord);
    err = r->alone ? alone_open(r, why) : open_shared(r, why);
    if (err != HY_OK)
        replica_close(&r);
    *replica = r;
    return err;
}

enum hy_err replica_start(struct replica *replica, char why[static 256])
{
    enum hy_err err;

    if (replica->alone)
        return alone_start(replica, why);
    err = replica_open_db(replica, why);
    if (err == HY_EFULL || err == HY_EIO) /* others lead meanwhile */
        replica_await_disk(replica, err, why);
    else if (err != HY_OK)
        return err;
    replica_read_nodes(replica);
    replica_read_state(replica);
    hy_timer_every(replica->timer, TICK_MS);
    return HY_OK;
}

void replica_close(struct replica **replica)
{
    struct replica *r = *replica;

    if (r == NULL)
        return;
    *replica = NULL;
    r->closing = true;
    hy_timer_close(&r->timer);
    haul_in_close(&r->haul_in);
    if (r->worker != NULL)
        haul_out_close(&r->haul_out);
    replica_unlink_all(r);
    worker_close(&r->worker);
    if (!r->alone)
        hy_coord_forget(r->config.coord, r);
    replica_tell_closing(r);
    db_close(&r->db);
    copy_close(&r->copy);
    ring_close(&r->ring);
    free(r);
}

/* ---- turns ---- */

static void close_failed(struct replica *r)
{
    hy_log_error("store.copy_failed", "why=\"%s\" detail=\"%s\"", hy_err_text(r->failure),
                 db_why(r->db));
    copy_closed(r->copy, hy_steady_ms()); /* follow() comes from here */
    replica_close_db(r);
    r->retry_ms = hy_steady_ms() + REOPEN_MS;
}

static void turn_shared(struct replica *r)
{
    if (r->db != NULL && r->failure != HY_OK)
        close_failed(r);
    replica_rebuild(r);
    copy_turn(r->copy, hy_steady_ms());
    replica_flush(r);
}

void replica_turn(struct replica *replica)
{
    if (replica->alone)
        alone_turn(replica);
    else
        turn_shared(replica);
}

/* A leader that acknowledges nothing says what it waits for. */
static void warn_tick(struct replica *r, uint64_t now_ms)
{
    struct copy_view view;

    copy_look(r->copy, &view);
    if (!copy_leads(r->copy) ||
        (view.insync >= r->config.min_insync && !copy_stalled(r->copy, now_ms))) {
        r->warn_ms = 0;
        return;
    }
    if (r->warn_ms == 0)
        r->warn_ms = now_ms + MISSING_MS;
    if (now_ms < r->warn_ms)
        return;
    r->warn_ms = now_ms + MISSING_AGAIN_MS;
    hy_log_warn("store.copies_missing",
                "shard=%u in_sync=%zu min_insync=%u hint=\"nothing is acknowledged until enough "
                "copies of the shard are here; start them, or lower store.min_insync\"",
                r->config.shard, view.insync, r->config.min_insync);
}

static void tick_shared(struct replica *r)
{
    uint64_t now_ms = hy_steady_ms();
    char why[256];

    turn_shared(r);
    warn_tick(r, now_ms);
    replica_checkpoint_tick(r, now_ms);
    haul_out_tick(r->haul_out, now_ms);
    if (r->db != NULL || r->failure == HY_OK || now_ms < r->retry_ms || !replica_has_room(r))
        return;
    r->retry_ms = now_ms + REOPEN_MS;
    if (replica_open_db(r, why) != HY_OK)
        hy_log_error("store.reopen_failed", "why=\"%s\"", why);
}

void replica_tick(struct replica *replica)
{
    if (replica->alone)
        alone_tick(replica);
    else
        tick_shared(replica);
}

/* ---- what the store asks ---- */

bool replica_leads(const struct replica *replica)
{
    if (replica->db == NULL || replica->failure != HY_OK)
        return false;
    return replica->alone || copy_leads(replica->copy);
}

const char *replica_leader(const struct replica *replica)
{
    return replica->alone ? "" : copy_leader(replica->copy);
}

uint64_t replica_epoch(const struct replica *replica)
{
    struct copy_view view;

    if (replica->alone)
        return replica->epoch;
    copy_look(replica->copy, &view);
    return view.epoch;
}

enum hy_err replica_broken(const struct replica *replica)
{
    return replica->alone ? replica->failure : HY_OK;
}

enum hy_err replica_write(struct replica *replica, struct db_batch *batch)
{
    enum hy_err err;

    if (replica->failure != HY_OK)
        return replica->failure;
    err = replica->alone ? db_write(replica->db, batch) : replica_write_here(replica, batch);
    if (err != HY_OK && err != HY_EBUSY)
        replica->failure = err;
    else
        replica->mark += err == HY_OK;
    return err;
}

uint64_t replica_mark(struct replica *replica)
{
    return replica->alone ? replica->mark : copy_mark(replica->copy, hy_steady_ms());
}

bool replica_passed(const struct replica *replica, uint64_t mark)
{
    return replica->alone ? replica_leads(replica) : copy_passed(replica->copy, mark);
}

bool replica_stalled(const struct replica *replica)
{
    return !replica->alone && copy_stalled(replica->copy, hy_steady_ms());
}

enum hy_err replica_hand_over(struct replica *replica, const char *to, bool leaving)
{
    if (replica->alone)
        return HY_EDENIED;
    return copy_hand_over(replica->copy, hy_steady_ms(), to, leaving);
}

void replica_look(const struct replica *replica, struct replica_view *view)
{
    struct copy_view v = {.role = "leading", .epoch = replica->epoch, .insync = 1};

    if (replica->alone)
        v.latest = v.durable = v.commit = replica->db == NULL ? 0 : db_latest(replica->db);
    else
        copy_look(replica->copy, &v);
    *view = (struct replica_view){v.role,   v.epoch,  v.latest,     v.durable,
                                  v.commit, v.insync, v.rebuilding, v.streaming};
}

void replica_each_follower(const struct replica *replica, replica_follower_fn *fn, void *arg)
{
    for (const struct link *link = replica->links; link != NULL; link = link->next) {
        struct replica_follower follower = {.node = link->node};
        uint64_t acked;

        if (!replica_leads(replica) ||
            !copy_follower(replica->copy, link->node, hy_steady_ms(), &acked, &follower.behind_ms))
            continue;
        follower.behind = replica->latest > acked ? replica->latest - acked : 0;
        fn(arg, &follower);
    }
}

void replica_lease_lost(struct replica *replica)
{
    if (!replica->alone)
        copy_lease_lost(replica->copy, hy_steady_ms());
}

void replica_set_fault(struct replica *replica, enum hy_err (*fault)(void *arg), void *arg)
{
    replica->config.db.fault = fault;
    replica->config.db.fault_arg = arg;
    if (replica->db != NULL)
        db_set_fault(replica->db, fault, arg);
}
