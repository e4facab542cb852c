/* A shard with one copy: it leads whenever its database is open, and what is written has passed. */

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/disk.h"
#include "store/epoch.h"
#include "store/replica.h"

enum { REOPEN_MS = 1000 }; /* after a failure, try again so often */

struct replica {
    struct replica_config config;
    struct replica_events events;
    void *ctx;
    struct db *db; /* NULL: closed after a failure */
    uint64_t epoch;
    uint64_t mark;
    enum hy_err failure; /* why the database has to be closed, or is */
    uint64_t retry_ms;
};

static bool leads(const struct replica *r)
{
    return r->db != NULL && r->failure == HY_OK;
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
    err = db_open(&r->config.db, &r->db, why);
    if (err != HY_OK)
        replica_close(&r);
    *replica = r;
    return err;
}

void replica_close(struct replica **replica)
{
    if (*replica == NULL)
        return;
    db_close(&(*replica)->db);
    free(*replica);
    *replica = NULL;
}

/* ---- reigns ---- */

static enum hy_err begin_reign(struct replica *r)
{
    struct db_batch *batch;
    uint64_t last;
    enum hy_err err = epoch_last(r->db, &last);

    if (err == HY_OK)
        err = db_batch_open(r->db, &batch);
    if (err != HY_OK)
        return err;
    epoch_put(r->db, batch, last + 1);
    err = db_write(r->db, batch);
    db_batch_close(&batch);
    if (err == HY_OK)
        r->epoch = last + 1;
    return err;
}

static enum hy_err lead(struct replica *r, char why[static 256])
{
    enum hy_err err = begin_reign(r);

    if (err == HY_OK)
        err = r->events.lead(r->ctx, r->db, r->epoch);
    if (err != HY_OK)
        snprintf(why, 256, "%s", hy_err_text(err));
    return err;
}

enum hy_err replica_start(struct replica *replica, char why[static 256])
{
    return lead(replica, why);
}

/* After a failed write nobody knows what is on the disk, and RocksDB never heals a failed WAL:
 * close, and open again when the disk may have room. */
void replica_turn(struct replica *replica)
{
    if (replica->db == NULL || replica->failure == HY_OK)
        return;
    replica->events.follow(replica->ctx, "");
    db_close(&replica->db);
    replica->retry_ms = hy_steady_ms() + REOPEN_MS;
}

static enum hy_err open_again(struct replica *r, char why[static 256])
{
    enum hy_err err = db_open(&r->config.db, &r->db, why);

    if (err == HY_OK)
        err = lead(r, why);
    if (err != HY_OK)
        db_close(&r->db);
    return err;
}

void replica_tick(struct replica *replica)
{
    struct disk_space space;
    enum hy_err err;
    char why[256];

    replica_turn(replica);
    if (replica->db != NULL || hy_steady_ms() < replica->retry_ms ||
        disk_look(replica->config.db.dir, &space) != HY_OK ||
        disk_refuses(true, space.free_bytes, replica->config.reserve_bytes))
        return;
    replica->retry_ms = hy_steady_ms() + REOPEN_MS;
    err = open_again(replica, why);
    if (err == HY_OK)
        replica->failure = HY_OK;
    else
        hy_log_error("store.reopen_failed", "why=\"%s\" detail=\"%s\"", hy_err_text(err), why);
}

/* ---- the rest ---- */

bool replica_leads(const struct replica *replica)
{
    return leads(replica);
}

const char *replica_leader(const struct replica *replica)
{
    (void)replica;
    return "";
}

uint64_t replica_epoch(const struct replica *replica)
{
    return replica->epoch;
}

enum hy_err replica_broken(const struct replica *replica)
{
    return replica->failure;
}

enum hy_err replica_write(struct replica *replica, struct db_batch *batch)
{
    enum hy_err err = db_write(replica->db, batch);

    if (err != HY_OK && err != HY_EBUSY)
        replica->failure = err;
    else
        replica->mark += err == HY_OK;
    return err;
}

uint64_t replica_mark(struct replica *replica)
{
    return replica->mark;
}

bool replica_passed(const struct replica *replica, uint64_t mark)
{
    (void)mark;
    return leads(replica);
}

void replica_set_fault(struct replica *replica, enum hy_err (*fault)(void *arg), void *arg)
{
    replica->config.db.fault = fault;
    replica->config.db.fault_arg = arg;
    if (replica->db != NULL)
        db_set_fault(replica->db, fault, arg);
}
