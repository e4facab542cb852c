#include "store/core_parts.h"

#include <stdlib.h>

#include "store/apps.h"
#include "store/online.h"
#include "store/pair.h"
#include "store/recent.h"
#include "store/runs.h"
#include "store/telling.h"
#include "store/totals.h"

enum { RECENT_LIVE = 1 << 16 };

enum hy_err core_open(struct core *core, const struct core_config *config)
{
    enum hy_err err = gate_open(&config->gate, &core->gate);

    hy_arena_init(&core->arena);
    core->now_ms = config->now_ms;
    core->now_arg = config->now_arg;
    core->shard = config->shard;
    core_use_map(core, config->map);
    core->batch_number = 1;
    if (err == HY_OK)
        err = answers_open(core->gate, &core->answers);
    if (err == HY_OK)
        err = appset_open(&core->appset);
    if (err == HY_OK)
        err = outbox_open(&core->outbox);
    if (err == HY_OK)
        err = tellings_open(config->gate.answer, config->gate.ctx, &core->tellings);
    if (err == HY_OK)
        err = totals_open(&core->totals);
    if (err == HY_OK)
        err = runs_open(config->history_cache_bytes, &core->runs);
    return err;
}

void core_close(struct core *core)
{
    runs_close(&core->runs);
    answers_close(&core->answers);
    outbox_close(&core->outbox);
    gate_close(&core->gate);
    if (core->tellings != NULL)
        tellings_close(&core->tellings); /* after those that hold some */
    totals_close(&core->totals);
    appset_close(&core->appset);
    hy_arena_free(&core->arena);
    hy_buf_free(&core->scratch);
    hearers_free(&core->hearers);
    free(core->pairs);
}

/* ---- reigns ---- */

static void forget(struct core *core)
{
    runs_settle(core->runs);
    runs_clear(core->runs);
    pair_forget(core);
    outbox_forget(core->outbox);
    rows_close(&core->rows);
    batch_close(&core->batch);
    recent_close(&core->recent);
    online_close(&core->online);
    hy_apps_close(&core->apps);
    appset_forget(core->appset); /* another leads: nothing may be dropped by what is true no more */
    core->db = NULL;
    core->messages = 0;
    core->members_changed = core->sealed = false;
    core->batch_number++; /* of the notes of rows none is of a batch to come */
    core->failure = HY_OK;
}

static enum hy_err load(struct core *core)
{
    enum hy_err err = totals_load(core);

    return err == HY_OK ? outbox_load(core) : err;
}

enum hy_err core_lead(struct core *core, struct db *db, struct replica *replica, size_t cache_rows)
{
    enum hy_err err = batch_open(db, replica, &core->batch);

    gate_use(core->gate, replica);
    core->db = db;
    if (err == HY_OK)
        err = rows_open(db, cache_rows, &core->rows);
    if (err == HY_OK)
        err = recent_open(RECENT_LIVE, &core->recent);
    if (err == HY_OK)
        err = online_open(&core->online);
    if (err == HY_OK)
        err = load(core);
    if (err == HY_OK)
        err = apps_load(core);
    if (err != HY_OK)
        forget(core);
    return err;
}

void core_follow(struct core *core)
{
    if (core->db == NULL)
        return;
    answers_drop(core->answers);
    gate_drop(core->gate);
    tellings_tick(core->tellings, UINT64_MAX); /* those had passed */
    forget(core);
}

enum hy_err core_remap(struct core *core, bool gained)
{
    enum hy_err err;

    if (gained) {
        rows_clear(core->rows);
        runs_clear(core->runs);
    }
    err = load(core);
    return err == HY_OK ? apps_remap(core) : err;
}
