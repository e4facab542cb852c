#include "router/op.h"

#include <stdlib.h>
#include <string.h>

#include "router/applist.h"
#include "router/memory.h"
#include "router/wire.h"

enum { OPS_SPARE = 1024 };

struct ops {
    struct op *running;
    struct op *spare; /* ended, with their arenas, for the next */
    unsigned spare_count;
    struct hy_metric *inflight;
};

enum hy_err ops_open(struct ops **ops)
{
    struct ops *o = calloc(1, sizeof *o);

    if (o == NULL)
        return HY_ENOMEM;
    o->inflight = hy_gauge("hongyan_router_inflight_requests", "peer=\"op\"",
                           "Requests under way, by what is waited for");
    *ops = o;
    return HY_OK;
}

static void op_free(struct op *op)
{
    hy_arena_free(&op->arena);
    free(op);
}

void ops_close(struct ops **ops)
{
    struct ops *o = *ops;

    if (o == NULL)
        return;
    *ops = NULL;
    while (o->running != NULL) {
        struct op *op = o->running;

        o->running = op->next_op;
        for (struct op_user *user = op->users; user != NULL; user = user->next)
            users_release(op->parts->users, &user->wait);
        op_free(op);
    }
    while (o->spare != NULL) {
        struct op *op = o->spare;

        o->spare = op->next_op;
        op_free(op);
    }
    free(o);
}

bool ops_idle(const struct ops *ops)
{
    return ops->running == NULL;
}

static struct op *fresh(struct ops *ops)
{
    struct op *op = ops->spare;

    if (op == NULL) {
        op = memory_get(sizeof *op);
        hy_arena_init(&op->arena);
        return op;
    }
    ops->spare = op->next_op;
    ops->spare_count--;
    return op;
}

struct op *op_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct ops *ops = parts->ops;
    struct op *op = fresh(ops);
    struct hy_arena arena = op->arena;

    *op = (struct op){
        .parts = parts,
        .arena = arena,
        .reply = hy_bus_reply_to(peer, record),
        .op_id = "",
    };
    op->asker = memory_text(&op->arena, hy_peer_name(peer));
    op->next_op = ops->running;
    if (op->next_op != NULL)
        op->next_op->prev_op = op;
    ops->running = op;
    hy_add(ops->inflight, 1);
    return op;
}

void op_end(struct op *op)
{
    struct ops *ops = op->parts->ops;

    for (struct op_user *user = op->users; user != NULL; user = user->next)
        users_release(op->parts->users, &user->wait);
    for (struct op_ask *ask = op->asks; ask != NULL; ask = ask->next)
        if (ask->call != 0)
            hy_bus_cancel(op->parts->bus, ask->call);
    *(op->prev_op != NULL ? &op->prev_op->next_op : &ops->running) = op->next_op;
    if (op->next_op != NULL)
        op->next_op->prev_op = op->prev_op;
    hy_add(ops->inflight, -1);
    if (ops->spare_count == OPS_SPARE) {
        op_free(op);
        return;
    }
    hy_arena_reset(&op->arena);
    op->next_op = ops->spare;
    ops->spare = op;
    ops->spare_count++;
}

void *op_get(struct op *op, size_t bytes)
{
    return memory_from(&op->arena, bytes);
}

/* ---- asking ---- */

static void step_done(struct op *op)
{
    op_fn *next = op->next;

    if (--op->pending > 0 || next == NULL)
        return;
    op->next = NULL;
    next(op);
}

static uint32_t code_of_way(const struct op_ask *ask, enum hy_err err)
{
    if (err == HY_OK)
        return HY_CODE_OK;
    if (err == HY_EBUSY)
        return HY_CODE_BUSY;
    if (ask->shard >= 0 && !hy_stores_up(ask->op->parts->stores, (uint32_t)ask->shard))
        return HY_CODE_UNAVAILABLE;
    return HY_CODE_TIMEOUT;
}

/* The number that a field of an answer holds, 0 when it is not there. False: these bytes are not an
 * encoded message. */
static bool raw_number(const ProtobufCMessageDescriptor *type, const char *name,
                       const struct hy_record *answer, uint64_t *number)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(type, name);

    return wire_find_number(answer->payload, answer->len, field->id, number);
}

/* Take the answer as it came; its code is all that is looked at. */
static void take_raw(struct op_ask *ask, const struct hy_record *answer)
{
    uint64_t code;

    if (!raw_number(ask->type, "code", answer, &code))
        code = HY_CODE_UNAVAILABLE;
    ask->raw = answer;
    ask->code = (uint32_t)code;
}

static void on_answer(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct op_ask *ask = arg;
    struct op *op = ask->op;

    ask->call = 0;
    ask->code = code_of_way(ask, err);
    if (err == HY_OK && ask->is_raw) {
        take_raw(ask, answer);
    } else if (err == HY_OK && ask->type != NULL) {
        ask->answer =
            protobuf_c_message_unpack(ask->type, &op->arena.pb, answer->len, answer->payload);
        if (ask->answer == NULL)
            ask->code = HY_CODE_UNAVAILABLE;
    }
    /* What was not answered may have been done, and members have not been told. */
    if (ask->changes && ask->code != HY_CODE_OK && err != HY_EBUSY)
        push_skip(op->parts->push);
    step_done(op);
}

static struct op_ask *new_ask(struct op *op, const ProtobufCMessageDescriptor *type)
{
    struct op_ask *ask = op_get(op, sizeof *ask);

    ask->op = op;
    ask->type = type;
    ask->shard = -1;
    ask->next = op->asks;
    op->asks = ask;
    op->pending++;
    return ask;
}

/* Commands that may append to a conversation. */
static bool tells_members(uint16_t kind)
{
    return kind == HY__BUS_KIND__STORE_APPEND || kind == HY__BUS_KIND__STORE_READ ||
           (kind >= HY__BUS_KIND__STORE_GROUP_CREATE && kind <= HY__BUS_KIND__STORE_MEMBER_SET &&
            kind != HY__BUS_KIND__STORE_GROUP_GET && kind != HY__BUS_KIND__STORE_MEMBERS_GET);
}

/* shard: the one that is asked as far as is known now. */
static struct op_ask *ask_at(struct op *op, uint32_t where, uint32_t shard, uint16_t kind,
                             const ProtobufCMessage *req, const ProtobufCMessageDescriptor *type)
{
    struct op_ask *ask = new_ask(op, type);
    struct hy_stores_call call = {
        .kind = kind,
        .where = where,
        .deadline_ms = op->parts->call_deadline_ms,
        .done = on_answer,
        .arg = ask,
    };

    ask->shard = (int)shard;
    ask->changes = tells_members(kind);
    ask->call = hy_stores_ask_pb(op->parts->stores, &call, req);
    return ask;
}

struct op_ask *op_shard(struct op *op, uint32_t shard, uint16_t kind, const ProtobufCMessage *req,
                        const ProtobufCMessageDescriptor *type)
{
    return ask_at(op, hy_stores_at_shard(shard), shard, kind, req, type);
}

struct op_ask *op_store(struct op *op, uint16_t slot, uint16_t kind, const ProtobufCMessage *req,
                        const ProtobufCMessageDescriptor *type)
{
    return ask_at(op, hy_stores_at_slot(slot), hy_stores_shard(op->parts->stores, slot), kind, req,
                  type);
}

struct op_ask *op_store_raw(struct op *op, uint16_t slot, uint16_t kind,
                            const ProtobufCMessage *req, const ProtobufCMessageDescriptor *type)
{
    struct op_ask *ask = op_store(op, slot, kind, req, type);

    ask->is_raw = true; /* answers never come from inside the call */
    return ask;
}

void op_reply_raw(struct op *op, const struct op_ask *ask, const uint8_t *head, size_t len)
{
    hy_bus_reply_parts(&op->reply, head, len, ask->raw->payload, ask->raw->len);
}

struct op_ask *op_presence(struct op *op, int index, uint16_t kind, const ProtobufCMessage *req,
                           const ProtobufCMessageDescriptor *type)
{
    struct op_ask *ask = new_ask(op, type);
    struct presences_call call = {
        .kind = kind,
        .index = index,
        .deadline_ms = op->parts->call_deadline_ms,
        .done = on_answer,
        .arg = ask,
    };

    ask->call = presences_ask(op->parts->presences, &call, req);
    return ask;
}

static void on_user(void *arg)
{
    step_done(arg);
}

const struct op_user *op_user(struct op *op, const char *name, unsigned need)
{
    struct op_user *user = op_get(op, sizeof *user);

    user->next = op->users;
    op->users = user;
    user->wait.ready = on_user;
    user->wait.arg = op;
    if (!users_want(op->parts->users, op->caller->app, name, need, &user->wait))
        op->pending++;
    return user;
}

void op_then(struct op *op, op_fn *next)
{
    op->next = next;
    op->pending++;
    step_done(op);
}

/* ---- codes ---- */

/* Answers that can fail have a code, and most an info. */
static const void *member(const struct op_ask *ask, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(ask->type, name);

    return field == NULL ? NULL : (const char *)ask->answer + field->offset;
}

uint32_t op_code(const struct op_ask *ask, const char **info)
{
    const uint32_t *code;
    char *const *text;

    if (ask->is_raw && ask->code == HY_CODE_OK)
        return HY_CODE_OK;
    if (ask->code != HY_CODE_OK || ask->answer == NULL) {
        *info = hy_code_text(ask->code);
        return ask->code;
    }
    code = member(ask, "code");
    text = member(ask, "info");
    if (code == NULL || *code == HY_CODE_OK)
        return HY_CODE_OK;
    *info = text != NULL && (*text)[0] != '\0' ? *text : hy_code_text(*code);
    return *code;
}

bool op_failed(struct op *op, const struct op_ask *ask)
{
    const char *info = "";
    uint32_t code = op_code(ask, &info);

    if (code == HY_CODE_OK)
        return false;
    op->refuse(op, code, info);
    return true;
}

void op_refuse(struct op *op, uint32_t code)
{
    op->refuse(op, code, hy_code_text(code));
}

const Hy__App *op_app(const struct op *op)
{
    return applist_find(op->parts->applist, op->caller->app);
}
