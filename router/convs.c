#include "router/convs.h"

#include "router/calls.h"
#include "router/convlist.h"
#include "router/heads.h"
#include "router/notices.h"

static uint16_t conv_slot(const struct op *op, Hy__ConvType type, const char *peer)
{
    return hy_slot_conv(op->caller->app, (int)type, op->caller->user, peer);
}

static bool names_conv(Hy__ConvType type, const char *peer)
{
    return peer[0] != '\0' &&
           (type == HY__CONV_TYPE__CONV_C2C || type == HY__CONV_TYPE__CONV_GROUP);
}

/* ---- history ---- */

static void on_history(struct op *op)
{
    const struct op_ask *ask = op->work;

    if (!op_failed(op, ask))
        call_answer_raw(op, ask);
}

void history_begin(struct op *op)
{
    const Hy__HistoryReq *body = call_body(op);
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;

    if (!names_conv(body->conv_type, body->peer)) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    req.app = op->caller->app;
    req.user = op->caller->user;
    req.admin = op->caller->admin;
    req.keep_places = op->caller->admin; /* REST v4 12.18 shows holes */
    req.req = (Hy__HistoryReq *)body;
    op->work = op_store_raw(op, conv_slot(op, body->conv_type, body->peer),
                            HY__BUS_KIND__STORE_HISTORY, &req.base, &hy__history_res__descriptor);
    op_then(op, on_history);
}

/* ---- read marks ---- */

struct read {
    const Hy__ReadReq *body;
    const struct op_ask *ask;
    const struct op_user *self, *peer; /* peer of a one-to-one conversation, else NULL */
};

static void tell_read(struct op *op, const struct read *read, const Hy__StoreReadRes *res)
{
    Hy__ReadNotice told = HY__READ_NOTICE__INIT;
    Hy__Frame frame = HY__FRAME__INIT;

    told.conv_type = read->body->conv_type;
    told.reader = op->caller->user;
    told.peer = read->body->peer;
    told.read_seq = res->read_seq;
    told.unread = res->unread;
    frame.body_case = HY__FRAME__BODY_READ_NOTICE;
    frame.read_notice = &told;
    notices_to(op->parts, read->self->wait.user, op->caller->session_id);
    notices_push(op->parts, &frame);
    if (read->peer == NULL || read->peer->wait.user == read->self->wait.user)
        return;
    told.unread = 0; /* how much is left is the reader's own affair */
    notices_to(op->parts, read->peer->wait.user, 0);
    notices_push(op->parts, &frame);
}

static void on_read(struct op *op)
{
    const struct read *read = op->work;
    const Hy__StoreReadRes *res = read->ask->answer;
    Hy__ReadRes answer = HY__READ_RES__INIT;

    if (op_failed(op, read->ask))
        return;
    if (res->changed)
        tell_read(op, read, res);
    answer.unread = res->unread;
    answer.read_seq = res->read_seq;
    call_answer(op, &answer.base);
}

void read_begin(struct op *op)
{
    const Hy__ReadReq *body = call_body(op);
    struct read *read = op_get(op, sizeof *read);
    Hy__StoreReadReq req = HY__STORE_READ_REQ__INIT;

    if (!names_conv(body->conv_type, body->peer)) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    op->work = read;
    read->body = body;
    req.app = op->caller->app;
    req.conv_type = body->conv_type;
    req.user = op->caller->user;
    req.peer = body->peer;
    req.seq = body->seq;
    read->ask = op_store(op, conv_slot(op, body->conv_type, body->peer), HY__BUS_KIND__STORE_READ,
                         &req.base, &hy__store_read_res__descriptor);
    read->self = op_user(op, op->caller->user, USER_PLACES);
    if (body->conv_type == HY__CONV_TYPE__CONV_C2C)
        read->peer = op_user(op, body->peer, USER_PLACES);
    op_then(op, on_read);
}

/* ---- the caller's view ---- */

struct set {
    const Hy__ConvSetReq *body;
    const struct op_ask *ask;
    const struct op_user *self;
    struct convlist_item item; /* to hide: up to which message */
    struct heads *heads;
};

static void on_set(struct op *op)
{
    const struct set *set = op->work;

    if (op_failed(op, set->ask))
        return;
    notices_to(op->parts, set->self->wait.user, op->caller->session_id);
    notices_conv(op->parts, set->body->type, set->body->peer,
                 set->body->op == HY__CONV_SET_REQ__OP__HIDE);
    call_ok(op);
}

static void store_set(struct op *op, struct set *set, uint64_t last_seq)
{
    Hy__StoreConvSetReq req = HY__STORE_CONV_SET_REQ__INIT;
    uint16_t slot = set->body->op == HY__CONV_SET_REQ__OP__CLEAR
                        ? conv_slot(op, set->body->type, set->body->peer)
                        : hy_slot_user(op->caller->app, op->caller->user);

    req.app = op->caller->app;
    req.user = op->caller->user;
    req.req = (Hy__ConvSetReq *)set->body;
    req.last_seq = last_seq;
    set->ask =
        op_store(op, slot, HY__BUS_KIND__STORE_CONV_SET, &req.base, &hy__store_res__descriptor);
    op_then(op, on_set);
}

static void on_head(struct op *op)
{
    struct set *set = op->work;

    if (!heads_take(op, set->heads, on_head))
        return;
    store_set(op, set, set->item.conv == NULL ? 0 : set->item.conv->last_seq);
}

static void ask_head(struct op *op, struct set *set)
{
    Hy__IndexEntry *entry = op_get(op, sizeof *entry);

    hy__index_entry__init(entry);
    entry->type = set->body->type;
    entry->peer = set->body->peer;
    set->item.entry = entry;
    set->heads = heads_ask(op, &set->item, 1, true);
    op_then(op, on_head);
}

static void on_flag(struct op *op)
{
    struct set *set = op->work;

    if (!op_failed(op, set->ask)) {
        routes_forget(op->parts->routes, op->caller->app, set->body->peer);
        on_set(op);
    }
}

/* How a group is to be heard is part of the membership. */
static void set_flag(struct op *op, struct set *set)
{
    Hy__StoreMemberSetReq req = HY__STORE_MEMBER_SET_REQ__INIT;
    Hy__Field field = HY__FIELD__INIT, *fields[] = {&field};
    char *users[] = {op->caller->user};

    field.name = (char *)"MsgFlag";
    field.num = set->body->value;
    req.app = op->caller->app;
    req.op_id = (char *)op->op_id;
    req.operator_id = op->caller->user;
    req.admin = op->caller->admin;
    req.group = set->body->peer;
    req.n_users = 1;
    req.users = users;
    req.n_fields = 1;
    req.fields = fields;
    set->ask = op_store(op, hy_slot_group(req.app, req.group), HY__BUS_KIND__STORE_MEMBER_SET,
                        &req.base, &hy__store_members_res__descriptor);
    op_then(op, on_flag);
}

void conv_set_begin(struct op *op)
{
    const Hy__ConvSetReq *body = call_body(op);
    struct set *set = op_get(op, sizeof *set);

    if (!names_conv(body->type, body->peer) || body->op == HY__CONV_SET_REQ__OP__NONE ||
        body->op > HY__CONV_SET_REQ__OP__CLEAR || body->value > 2) {
        op_refuse(op, HY_CODE_PARAM);
        return;
    }
    op->work = set;
    set->body = body;
    set->self = op_user(op, op->caller->user, USER_PLACES);
    if (body->op == HY__CONV_SET_REQ__OP__HIDE)
        ask_head(op, set);
    else if (body->op == HY__CONV_SET_REQ__OP__REMIND && body->type == HY__CONV_TYPE__CONV_GROUP)
        set_flag(op, set);
    else
        store_set(op, set, 0);
}
