/* A shard with one copy: it leads whenever its database is open, and what is written has passed. */

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/disk.h"
#include "store/epoch.h"
#include "store/replica_int.h"

static enum hy_err open_db(struct replica *r, char why[static 256])
{
    enum hy_err err = db_open(&r->config.db, &r->db, why);

    if (err == HY_OK)
        replica_tell_open(r);
    return err;
}

enum hy_err alone_open(struct replica *r, char why[static 256])
{
    enum hy_err err = open_db(r, why);

    if (err != HY_EFULL)
        return err;
    replica_await_disk(r, err, why);
    return HY_OK;
}

static void close_db(struct replica *r)
{
    replica_tell_closing(r);
    db_close(&r->db);
}

static enum hy_err lead(struct replica *r, char why[static 256])
{
    uint64_t last;
    enum hy_err err = epoch_last(r->db, &last);

    if (err == HY_OK)
        err = replica_put_reign(r, r->epoch = last + 1);
    if (err == HY_OK)
        err = r->events.lead(r->ctx, r->db, r->epoch);
    if (err != HY_OK)
        snprintf(why, 256, "%s", hy_err_text(err));
    return err;
}

enum hy_err alone_start(struct replica *r, char why[static 256])
{
    return r->db == NULL ? HY_OK : lead(r, why); /* else when there is room */
}

/* After a failed write nobody knows what is on the disk, and RocksDB never heals a failed WAL:
 * close, and open again when the disk may have room. */
void alone_turn(struct replica *r)
{
    if (r->db == NULL || r->failure == HY_OK)
        return;
    r->events.follow(r->ctx, "");
    close_db(r);
    r->retry_ms = hy_steady_ms() + REOPEN_MS;
}

static enum hy_err open_again(struct replica *r, char why[static 256])
{
    enum hy_err err = open_db(r, why);

    if (err == HY_OK)
        err = lead(r, why);
    if (err != HY_OK)
        close_db(r);
    return err;
}

bool replica_has_room(struct replica *r)
{
    struct disk_space space;

    return disk_look(r->config.db.dir, &space) == HY_OK &&
           !disk_refuses(true, space.free_bytes, r->config.reserve_bytes);
}

void alone_tick(struct replica *r)
{
    enum hy_err err;
    char why[256];

    alone_turn(r);
    if (r->db != NULL || hy_steady_ms() < r->retry_ms || !replica_has_room(r))
        return;
    r->retry_ms = hy_steady_ms() + REOPEN_MS;
    err = open_again(r, why);
    if (err == HY_OK)
        r->failure = HY_OK;
    else
        hy_log_error("store.reopen_failed", "why=\"%s\" detail=\"%s\"", hy_err_text(err), why);
}
