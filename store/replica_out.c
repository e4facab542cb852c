/* What the steps of store/replica want done, done with the real things. */

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/replica_int.h"

static enum hy_err out_send(void *ctx, const char *node, const struct msg *msg)
{
    return replica_send(ctx, node, msg);
}

static void out_change(void *ctx, const struct copy_change *change)
{
    replica_ask_change(ctx, change);
}

static uint64_t out_trusted(void *ctx)
{
    return hy_coord_trusted_until_ms(((struct replica *)ctx)->config.coord);
}

/* ---- feeding ---- */

static enum hy_err out_read(void *ctx, const char *node, uint64_t first, struct batch_ref *batch)
{
    struct replica *r = ctx;
    struct link *link = replica_find_link(r, node);

    if (ring_find(r->ring, first, batch))
        return HY_OK;
    if (link == NULL || r->db == NULL)
        return HY_ENOTFOUND;
    return chase_read(link->chase, r->db, first, batch);
}

static bool out_reaches(void *ctx, uint64_t first)
{
    struct replica *r = ctx;
    struct batch_ref batch;
    struct db_log *log;

    if (ring_find(r->ring, first, &batch))
        return true;
    if (db_log_open(r->db, first, &log) != HY_OK)
        return false;
    db_log_close(&log);
    return true;
}

/* ---- applying ---- */

/* It goes on exactly where the log ends, or this copy is not what it seems. */
static enum hy_err apply(struct replica *r, const struct batch_ref *ref)
{
    struct db_batch *batch;
    enum hy_err err = db_batch_from(r->db, ref->bytes, ref->len, &batch);

    if (err != HY_OK)
        return err;
    err = db_write_early(r->db, batch);
    db_batch_close(&batch);
    if (err == HY_OK && db_latest(r->db) != batch_last(ref))
        return HY_ECORRUPT;
    return err;
}

static enum hy_err out_write(void *ctx, const struct batch_ref *batch)
{
    struct replica *r = ctx;
    enum hy_err err = r->failure;

    if (err == HY_OK && r->db == NULL)
        err = HY_EIO;
    else if (err == HY_OK)
        err = apply(r, batch);
    if (err == HY_OK) {
        r->latest = batch_last(batch);
        r->since_checkpoint += batch->len;
    } else if (err != HY_EBUSY && r->failure == HY_OK) {
        r->failure = err; /* the next turn closes it */
    }
    return err;
}

static void out_sync(void *ctx)
{
    struct replica *r = ctx;
    enum hy_err err;

    if (r->db == NULL || r->failure != HY_OK)
        return;
    err = db_sync(r->db);
    if (err == HY_OK)
        copy_synced(r->copy, hy_steady_ms(), r->latest);
    else
        r->failure = err;
}

/* ---- rebuilding: from the turn, when nobody is in the middle of anything ---- */

static void out_go_back(void *ctx, size_t checkpoint)
{
    struct replica *r = ctx;

    r->go_back = true;
    r->go_back_to = checkpoint;
}

static void out_fetch(void *ctx, const char *leader)
{
    struct replica *r = ctx;

    r->fetch = true;
    snprintf(r->fetch_from, sizeof r->fetch_from, "%s", leader);
}

static void out_whole(void *ctx)
{
    struct replica *r = ctx;
    char why[256];

    if (home_whole(&r->home, why) != HY_OK)
        hy_log_error("store.rebuilt", "why=\"%s\"", why);
    else
        hy_log_info("store.rebuilt", "latest=%lu", r->latest);
}

static void open_or_retry(struct replica *r)
{
    char why[256];

    if (replica_open_db(r, why) == HY_OK)
        return;
    hy_log_error("store.reopen_failed", "why=\"%s\"", why);
    r->failure = HY_EIO;
    r->retry_ms = hy_steady_ms() + REOPEN_MS;
}

static void go_back(struct replica *r)
{
    char why[256];
    enum hy_err err = home_mark(&r->home, why);

    r->go_back = false;
    hy_log_info("store.goes_back", "from=%lu checkpoint=%zu", r->latest, r->go_back_to);
    replica_close_db(r);
    if (err == HY_OK)
        err = home_go_back(&r->home, r->go_back_to, why);
    if (err != HY_OK)
        hy_log_error("store.goes_back_failed", "why=\"%s\"", why);
    open_or_retry(r);
}

static void fetched(void *arg, enum hy_err err)
{
    struct replica *r = arg;
    char why[256];

    snprintf(why, sizeof why, "%s", hy_err_text(err));
    hy_log_info("store.copied", "bytes=%lu result=\"%s\"", haul_in_bytes(r->haul_in), why);
    haul_in_close(&r->haul_in);
    if (err == HY_OK)
        err = home_take_fetched(&r->home, why);
    if (err != HY_OK)
        hy_log_error("store.copy_not_taken", "why=\"%s\"", why);
    open_or_retry(r);
}

static void fetch(struct replica *r)
{
    struct link *link = replica_find_link(r, r->fetch_from);
    struct haul_in_config config = {.loop = r->config.loop,
                                    .bus = r->config.bus,
                                    .from = link == NULL ? NULL : link->peer,
                                    .worker = r->worker,
                                    .shard = r->config.shard,
                                    .dir = r->home.fetched,
                                    .bytes_per_second = r->config.copy_bytes_per_second,
                                    .done = fetched,
                                    .arg = r};
    char why[256];
    enum hy_err err = home_mark(&r->home, why);

    r->fetch = false;
    hy_log_info("store.copies", "from=%s", r->fetch_from);
    replica_close_db(r);
    if (err != HY_OK || config.from == NULL || haul_in_open(&config, &r->haul_in) != HY_OK)
        open_or_retry(r);
}

/* Who is copied from may be silent for long before it is given up, if it leads no more. */
static void fetch_from_another(struct replica *r)
{
    const char *leader = copy_leader(r->copy);

    if (*leader == '\0' || strcmp(leader, r->fetch_from) == 0)
        return;
    hy_log_info("store.copy_given_up", "from=%s leader=%s", r->fetch_from, leader);
    haul_in_close(&r->haul_in);
    open_or_retry(r);
}

void replica_rebuild(struct replica *r)
{
    if (r->haul_in != NULL)
        fetch_from_another(r);
    if (r->db == NULL)
        r->go_back = r->fetch = false; /* it failed meanwhile, and will join again */
    if (r->go_back)
        go_back(r);
    else if (r->fetch)
        fetch(r);
}

/* ---- leading ---- */

static enum hy_err out_lead(void *ctx, uint64_t epoch)
{
    struct replica *r = ctx;
    enum hy_err err = r->db == NULL ? HY_EIO : r->failure;

    if (err == HY_OK)
        err = replica_put_reign(r, epoch);
    if (err == HY_OK)
        err = r->events.lead(r->ctx, r->db, epoch);
    if (err != HY_OK && err != HY_EBUSY)
        r->failure = err;
    return err;
}

static void out_follow(void *ctx, const char *leader)
{
    struct replica *r = ctx;

    r->events.follow(r->ctx, leader);
}

static void out_passed(void *ctx, uint64_t mark)
{
    struct replica *r = ctx;

    r->events.passed(r->ctx, mark);
}

const struct copy_out replica_out = {
    .send = out_send,
    .change = out_change,
    .trusted_until_ms = out_trusted,
    .read = out_read,
    .reaches = out_reaches,
    .write = out_write,
    .sync = out_sync,
    .go_back = out_go_back,
    .fetch = out_fetch,
    .whole = out_whole,
    .lead = out_lead,
    .follow = out_follow,
    .passed = out_passed,
};
