#include "router/calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "router/applist.h"
#include "router/convs.h"
#include "router/groups.h"
#include "router/members.h"
#include "router/people.h"
#include "router/profile.h"
#include "router/sync.h"
#include "router/wire.h"

enum { FRAME_ID = 1 };

#define ROW_OF(ask, answer, kind, handler, reads)                                                  \
    {                                                                                              \
        HY__FRAME__BODY_##ask, HY__FRAME__BODY_##answer, &hy__##kind##__descriptor, handler, reads \
    }
#define ROW(ask, answer, kind, handler) ROW_OF(ask, answer, kind, handler, false)
#define READS(ask, answer, kind, handler) ROW_OF(ask, answer, kind, handler, true)

/* Everything a client may ask of a router. */
static const struct row {
    Hy__Frame__BodyCase ask, answer;
    const ProtobufCMessageDescriptor *type; /* of the answer */
    op_fn *begin;
    bool reads; /* changes nothing: needs no op_id */
} rows[] = {
    READS(HISTORY, HISTORY_RES, history_res, history_begin),
    ROW(READ, READ_RES, read_res, read_begin),
    READS(CONV_LIST, CONV_LIST_RES, conv_list_res, conv_list_begin),
    READS(CONV_GET, CONV_LIST_RES, conv_list_res, conv_get_begin),
    ROW(CONV_SET, OK, ok, conv_set_begin),
    READS(PROFILE_GET, PROFILE_GET_RES, profile_get_res, profile_get_begin),
    ROW(PROFILE_SET, OK, ok, profile_set_begin),
    READS(STATE_GET, STATE_GET_RES, state_get_res, state_get_begin),
    ROW(GROUP_CREATE, GROUP_CREATE_RES, group_create_res, group_create_begin),
    READS(GROUP_GET, GROUP_GET_RES, group_get_res, group_get_begin),
    ROW(GROUP_SET, OK, ok, group_set_begin),
    ROW(GROUP_DESTROY, OK, ok, group_destroy_begin),
    READS(GROUP_LIST, GROUP_LIST_RES, group_list_res, group_list_begin),
    ROW(GROUP_OWNER, OK, ok, group_owner_begin),
    READS(GROUP_ONLINE, GROUP_ONLINE_RES, group_online_res, group_online_begin),
    ROW(GROUP_JOIN, GROUP_JOIN_RES, group_join_res, group_join_begin),
    ROW(GROUP_QUIT, OK, ok, group_quit_begin),
    READS(MEMBERS_GET, MEMBERS_GET_RES, members_get_res, members_get_begin),
    ROW(MEMBERS_ADD, MEMBERS_ADD_RES, members_add_res, members_add_begin),
    ROW(MEMBERS_REMOVE, OK, ok, members_remove_begin),
    ROW(MEMBER_SET, OK, ok, member_set_begin),
};

struct call {
    const Hy__Frame *frame;
    const struct row *row; /* NULL: nobody answers that */
};

static const struct row *find_row(Hy__Frame__BodyCase ask)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].ask == ask)
            return &rows[i];
    return NULL;
}

/* The bodies of a Frame are a union of pointers. */
static void set_body(Hy__Frame *frame, Hy__Frame__BodyCase kind, ProtobufCMessage *body)
{
    frame->body_case = kind;
    frame->ok = (Hy__Ok *)body;
}

const void *call_body(const struct op *op)
{
    const struct call *call = op->front;

    return call->frame->ok;
}

static void refuse(struct op *op, uint32_t code, const char *info)
{
    const struct call *call = op->front;
    Hy__Frame frame = HY__FRAME__INIT;

    if (call->row != NULL) {
        ProtobufCMessage *empty = op_get(op, call->row->type->sizeof_message);

        protobuf_c_message_init(call->row->type, empty);
        set_body(&frame, call->row->answer, empty);
    }
    frame.id = call->frame->id;
    frame.code = code;
    frame.info = (char *)info;
    hy_bus_reply_pb(&op->reply, &frame.base);
    op_end(op);
}

void call_reply(struct op *op, ProtobufCMessage *body)
{
    const struct call *call = op->front;
    Hy__Frame frame = HY__FRAME__INIT;

    frame.id = call->frame->id;
    set_body(&frame, call->row->answer, body);
    hy_bus_reply_pb(&op->reply, &frame.base);
}

void call_answer(struct op *op, ProtobufCMessage *body)
{
    call_reply(op, body);
    op_end(op);
}

void call_answer_raw(struct op *op, const struct op_ask *ask)
{
    const struct call *call = op->front;
    uint8_t head[WIRE_NUMBER_MAX + WIRE_HEAD_MAX], *end;

    end = wire_number(head, FRAME_ID, call->frame->id);
    end = wire_head(end, call->row->answer, ask->raw->len);
    op_reply_raw(op, ask, head, (size_t)(end - head));
    op_end(op);
}

void call_ok(struct op *op)
{
    Hy__Ok ok = HY__OK__INIT;

    call_answer(op, &ok.base);
}

/* The same for each try of one call, so that the store knows a retry. A client that asks again
 * after a lost answer uses the same frame id in the same session; for others it is the bus
 * record's. */
static void name_op(struct op *op, const struct hy_peer *peer, const struct hy_record *record,
                    const ProtobufCBinaryData *frame)
{
    const struct call *call = op->front;
    char *op_id = op_get(op, 128);

    if (op->caller->session_id != 0)
        snprintf(op_id, 128, "c%" PRIx64 "-%" PRIx64 "-%" PRIx64, op->caller->session_id,
                 call->frame->id, (uint64_t)XXH3_64bits(frame->data, frame->len));
    else
        snprintf(op_id, 128, "b%s-%" PRIx64 "-%" PRIx64, hy_peer_name(peer), hy_peer_boot(peer),
                 record->id);
    op->op_id = op_id;
}

void call_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct op *op = op_begin(parts, peer, record);
    Hy__RouterCall *asked = hy__router_call__unpack(&op->arena.pb, record->len, record->payload);
    struct call *call = op_get(op, sizeof *call);
    Hy__Frame nothing = HY__FRAME__INIT;

    op->front = call;
    op->refuse = refuse;
    call->frame = &nothing;
    if (asked != NULL && asked->caller != NULL)
        call->frame = hy__frame__unpack(&op->arena.pb, asked->frame.len, asked->frame.data);
    if (call->frame == NULL || call->frame == &nothing) {
        call->frame = &nothing;
        op_refuse(op, HY_CODE_FRAME_MALFORMED);
        return;
    }
    call->row = find_row(call->frame->body_case);
    op->caller = asked->caller;
    if (call->row == NULL) {
        op_refuse(op, HY_CODE_KIND_UNKNOWN);
        return;
    }
    if (op_app(op) == NULL) {
        op_refuse(op, applist_refusal(op->parts->applist));
        return;
    }
    if (!call->row->reads)
        name_op(op, peer, record, &asked->frame);
    call->row->begin(op);
}
