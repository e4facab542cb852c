/* Local checkpoints: what a copy goes back to when its log and the leader's have parted. */

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "store/epoch.h"
#include "store/replica_int.h"

/* Where it ends is known only when it is opened. RocksDB ends the process when a log of its own
 * cannot be written, so that one goes where the others are. */
static void make_checkpoint(struct job *job)
{
    struct making *m = (struct making *)job;
    struct db_config config = m->replica->db_config;
    struct epochs table = {0};
    struct db *db = NULL;

    (void)hy_dir_remove(m->replica->home.making);
    m->err = db_checkpoint(m->replica->db, m->replica->home.making, m->why);
    config.dir = m->replica->home.making;
    config.drop = NULL;
    config.fault = NULL;
    config.block_cache_bytes = 1 << 20;
    config.wal_keep_bytes = 0;
    if (m->err == HY_OK)
        m->err = db_open(&config, &db, m->why);
    if (m->err == HY_OK)
        m->err = epoch_table(db, &table);
    if (m->err == HY_OK)
        m->place = (struct place){epochs_last(&table), db_latest(db)};
    db_close(&db);
    epochs_clear(&table);
}

static void checkpoint_made(struct job *job, bool ran)
{
    struct making *m = (struct making *)job;

    m->busy = false;
    if (!ran)
        return;
    if (m->err == HY_OK)
        m->err = home_keep(&m->replica->home, m->place, m->why);
    if (m->err != HY_OK)
        hy_log_warn("store.checkpoint_failed", "why=\"%s\"", m->why);
    else
        copy_checkpoint(m->replica->copy, m->place);
}

void replica_checkpoint_tick(struct replica *r, uint64_t now_ms)
{
    bool due = r->since_checkpoint >= r->config.checkpoint_bytes ||
               (r->since_checkpoint > 0 &&
                now_ms >= r->checkpoint_ms + (uint64_t)r->config.checkpoint_s * 1000);

    if (!due || r->making.busy || r->db == NULL || r->failure != HY_OK || r->home.rebuilding)
        return;
    r->since_checkpoint = 0;
    r->checkpoint_ms = now_ms;
    r->making = (struct making){
        .job = {.run = make_checkpoint, .done = checkpoint_made}, .replica = r, .busy = true};
    worker_do(r->worker, &r->making.job);
}
