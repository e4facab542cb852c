#include "router/online.h"

/* A report that does not reach a store is made good by the next one, a few seconds later: there is
 * nothing to refuse. */
static void refuse(struct op *op, uint32_t code, const char *info)
{
    (void)code;
    (void)info;
    hy_bus_reply(&op->reply, NULL, 0);
    op_end(op);
}

static void on_stored(struct op *op)
{
    hy_bus_reply(&op->reply, NULL, 0);
    op_end(op);
}

void online_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    const Hy__OnlineReport *report =
        hy__online_report__unpack(&op->arena.pb, record->len, record->payload);

    op->refuse = refuse;
    for (size_t i = 0; report != NULL && i < report->n_apps; i++) {
        Hy__OnlineReport one = HY__ONLINE_REPORT__INIT;

        one.presence = report->presence;
        one.at_s = report->at_s;
        one.n_apps = 1;
        one.apps = &report->apps[i];
        op_store(op, hy_slot(report->apps[i]->app, HY_KIND_APP, "", 0), HY__BUS_KIND__STORE_ONLINE,
                 &one.base, &hy__store_res__descriptor);
    }
    op_then(op, on_stored);
}
