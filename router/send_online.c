/* send_online - messages that nobody keeps: pushed to who is online, and that is all. */

#include "common/clock.h"
#include "common/codes.h"
#include "common/grouptype.h"
#include "common/slot.h"
#include "router/onlinerule.h"
#include "router/send_core.h"

static bool online_only(const struct send *send, size_t i)
{
    return (send->call->items[i]->req->flags & HY__MSG_FLAG__MSG_ONLINE_ONLY) != 0;
}

size_t send_sort(struct send *send)
{
    size_t unstored = 0;

    for (size_t i = 0; i < send->call->n_items; i++) {
        send->pieces[i].stored = !online_only(send, i);
        unstored += !send->pieces[i].stored;
    }
    return unstored;
}

/* In a live room nothing is kept anyhow: such messages are like the others (REST v4 12.15). */
static void make_ordinary(struct send *send)
{
    for (size_t i = 0; i < send->call->n_items; i++)
        send->call->items[i]->req->flags &= ~(uint32_t)HY__MSG_FLAG__MSG_ONLINE_ONLY;
}

static uint32_t take_group(struct send *send, const Hy__GroupRes *res)
{
    const struct hy_group_type *type;

    if (res == NULL)
        return HY_CODE_UNAVAILABLE;
    if (res->code != HY_CODE_OK)
        return res->code;
    if (res->group == NULL)
        return HY_CODE_GROUP_UNKNOWN;
    type = hy_group_type(res->group->type);
    if (type != NULL && type->live) {
        make_ordinary(send);
        return HY_CODE_OK;
    }
    hy__append_res__init(&send->group);
    send->group.member_version = res->member_version;
    send->group.group_type = res->group->type;
    send->group.group_name = res->group->name;
    return onlinerule(res->group, res->self, send->call->caller->admin, hy_wall_ms() / 1000);
}

static void on_group(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct send *send = arg;
    Hy__GroupRes *res = NULL;

    if (err == HY_OK)
        res = hy__group_res__unpack(&send->arena.pb, record->len, record->payload);
    send->on_group(send, err == HY_ETIMEOUT ? (uint32_t)HY_CODE_TIMEOUT : take_group(send, res));
}

void send_ask_group(struct send *send, void (*on_known)(struct send *send, uint32_t code))
{
    const Hy__SendCall *call = send->call;
    struct hy_stores *stores = send->parts->stores;
    struct hy_stores_call ask = {
        .kind = HY__BUS_KIND__STORE_GROUP_GET,
        .where = hy_stores_at_slot(hy_slot_group(call->caller->app, call->to)),
        .deadline_ms = send->parts->call_deadline_ms,
        .done = on_group,
        .arg = send,
    };
    Hy__GroupReq req = HY__GROUP_REQ__INIT;

    send->on_group = on_known;
    req.app = call->caller->app;
    req.group = call->to;
    req.user = call->caller->user;
    req.admin = true;
    hy_stores_ask_pb(stores, &ask, &req.base);
}
