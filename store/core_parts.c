#include "store/core_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/apps.h"
#include "store/epoch.h"
#include "store/online.h"
#include "store/recent.h"
#include "store/runs.h"
#include "store/telling.h"
#include "store/totals.h"

enum { RECENT_LIVE = 1 << 16 };

enum hy_err core_open(struct core *core, const struct core_config *config)
{
    enum hy_err err = answers_open(config->answer, config->ctx, &core->answers);

    hy_arena_init(&core->arena);
    core->now_ms = config->now_ms;
    core->now_arg = config->now_arg;
    core->shard = config->shard;
    core->shards = config->shards;
    core->batch_number = 1;
    if (err == HY_OK)
        err = hy_apps_open(&core->apps);
    if (err == HY_OK)
        err = appset_open(&core->appset);
    if (err == HY_OK)
        err = outbox_open(core->shards, config->send, config->ctx, &core->outbox);
    if (err == HY_OK)
        err = tellings_open(config->answer, config->ctx, &core->tellings);
    if (err == HY_OK)
        err = recent_open(RECENT_LIVE, &core->recent);
    if (err == HY_OK)
        err = totals_open(&core->totals);
    if (err == HY_OK)
        err = online_open(&core->online);
    if (err == HY_OK)
        err = runs_open(config->history_cache_bytes, &core->runs);
    return err;
}

void core_close(struct core *core)
{
    runs_close(&core->runs);
    answers_close(&core->answers);
    outbox_close(&core->outbox);
    tellings_close(&core->tellings); /* after those that hold some */
    recent_close(&core->recent);
    totals_close(&core->totals);
    online_close(&core->online);
    appset_close(&core->appset);
    hy_apps_close(&core->apps);
    hy_arena_free(&core->arena);
    hy_buf_free(&core->scratch);
    roster_free(&core->roster);
    free(core->pairs);
}

/* ---- the database comes and goes ---- */

enum hy_err core_open_db(struct core *core, const struct db_config *config, size_t cache_rows,
                         char why[static 256])
{
    enum hy_err err = db_open(config, &core->db, why);

    if (err != HY_OK)
        return err;
    err = batch_open(core->db, &core->batch);
    if (err == HY_OK)
        err = rows_open(core->db, cache_rows, &core->rows);
    if (err == HY_OK)
        err = totals_load(core->totals, core->db);
    if (err == HY_OK)
        err = outbox_load(core->outbox, core->db);
    if (err == HY_OK)
        err = apps_load(core);
    if (err == HY_OK)
        err = epoch_begin(core);
    if (err != HY_OK) {
        snprintf(why, 256, "%s", hy_err_text(err));
        core_close_db(core);
        return err;
    }
    core->failure = HY_OK;
    return HY_OK;
}

void core_close_db(struct core *core)
{
    runs_clear(core->runs);
    rows_close(&core->rows);
    batch_close(&core->batch);
    db_close(&core->db);
}
