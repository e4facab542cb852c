#include "store/retention.h"

#include "common/log.h"
#include "store/apps.h"

void retention_end(struct retention *r)
{
    hy_apps_close(&r->read);
    r->read_ms = 0;
}

/* All that the leader is known to have committed is here. */
static bool has_all(const struct replica_view *view)
{
    return view->streaming && view->latest >= view->commit;
}

static void read_now(struct retention *r, struct db *db, bool owns, const struct replica_view *view,
                     uint64_t now_ms)
{
    enum hy_err err = hy_apps_open(&r->read);

    r->read_ms = now_ms;
    r->latest = view->latest;
    r->epoch = view->epoch;
    if (err == HY_OK)
        err = apps_read(db, owns, r->read);
    if (err == HY_OK)
        return;
    hy_log_warn("store.apps_not_read", "why=\"%s\"", hy_err_text(err));
    hy_apps_close(&r->read);
}

/* Rows that were not committed may be taken back, and others written in their places. */
static void take_or_drop(struct retention *r, const struct replica_view *view)
{
    enum hy_err err = HY_OK;

    if (view->epoch == r->epoch && view->streaming && view->commit < r->latest)
        return; /* not yet */
    if (view->epoch == r->epoch && view->streaming)
        err = appset_learn_then(r->set, r->read, r->read_ms - RETENTION_LAG_MS);
    if (err != HY_OK)
        hy_log_warn("store.apps_not_kept", "why=\"%s\"", hy_err_text(err));
    hy_apps_close(&r->read);
}

void retention_tick(struct retention *r, struct db *db, bool owns, const struct replica_view *view,
                    uint64_t now_ms)
{
    if (r->read != NULL)
        take_or_drop(r, view);
    else if (has_all(view) && now_ms > RETENTION_LAG_MS &&
             (now_ms < r->read_ms || now_ms - r->read_ms >= RETENTION_EVERY_MS))
        read_now(r, db, owns, view, now_ms);
}
