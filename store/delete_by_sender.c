/* delete_by_sender - one sender's messages among the newest of a group become places: seq, time and
 * sender stay, the content goes. */

#include "store/group.h"
#include "store/handlers.h"
#include "store/runs.h"

enum { NEWEST = 1000 };

static bool is_meant(const struct value_log *row, const char *sender)
{
    return (row->flags & (HY__MSG_FLAG__MSG_DELETED | HY__MSG_FLAG__MSG_SYSTEM)) == 0 &&
           value_log_from(row, sender);
}

static enum hy_err blank(struct core *core, const struct convlog *log,
                         const struct convlog_walk *walk)
{
    struct key key;
    enum hy_err err;

    core->scratch.len = 0;
    err = value_put_place(&core->scratch, &walk->row);
    if (err != HY_OK)
        return err;
    convlog_key(log, walk->seq, &key);
    batch_put(core->batch, FAMILY_LOG, &key, core->scratch.data, core->scratch.len);
    return HY_OK;
}

static enum hy_err blank_all(struct core *core, const struct group_ref *ref, const char *sender)
{
    uint64_t last = ref->group->last_seq, low = last > NEWEST ? last - NEWEST + 1 : 1;
    struct convlog log = group_log(ref);
    struct convlog_walk walk;
    enum hy_err err;

    if (last == 0)
        return HY_OK;
    err = convlog_open(core->db, &log, low, last, &walk);
    if (err != HY_OK)
        return err;
    runs_blanked(core->runs, &log);
    for (convlog_seek(&walk, low); walk.valid && err == HY_OK; convlog_next(&walk))
        if (is_meant(&walk.row, sender))
            err = blank(core, &log, &walk);
    if (err == HY_OK)
        err = db_scan_err(walk.scan);
    convlog_close(&walk);
    return err;
}

void delete_by_sender_handle(struct core *core, const struct request *req)
{
    const Hy__StoreDeleteReq *in = core_decode(core, req, &hy__store_delete_req__descriptor);
    Hy__StoreRes res = HY__STORE_RES__INIT;
    struct group_ref ref;
    enum hy_err err;

    if (in == NULL)
        return;
    err = core_settle(core);
    if (err != HY_OK) {
        core_broken(core, req, err);
        return;
    }
    if (!group_need(core, req, in->app, in->group, &ref))
        return;
    if (!ref.type->live) /* live rooms keep nothing: success without effect (12.24) */
        err = blank_all(core, &ref, in->sender);
    if (err != HY_OK)
        core_broken(core, req, err); /* blanking some is no harm: it is asked again */
    else
        core_answer(core, req, &res.base);
}
