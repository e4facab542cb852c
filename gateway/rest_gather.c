#include "gateway/rest_gather.h"

#include <string.h>

#include "common/buf.h"
#include "gateway/address.h"
#include "gateway/rest_call.h"
#include "gateway/rest_core.h"
#include "gateway/upstream.h"

struct rest_ask {
    struct rest_call *call;
    size_t index;
    uint64_t id; /* of the bus call; 0: not under way */
    uint16_t kind;
};

static void advance(struct rest_call *call)
{
    struct rest_gather *g = &call->gather;

    while (g->next < g->count && g->next + g->left < g->count + REST_WINDOW) {
        size_t index = g->next++;

        g->ask(call, index);
    }
}

void rest_gather(struct rest_call *call, size_t count, rest_ask_fn *ask, rest_done_fn *done)
{
    struct rest_gather *g = &call->gather;

    *g = (struct rest_gather){.ask = ask, .done = done, .count = count, .left = count};
    if (count == 0) {
        done(call);
        return;
    }
    g->answers = hy_arena_zalloc(&call->arena, count * sizeof *g->answers);
    g->asks = hy_arena_zalloc(&call->arena, count * sizeof *g->asks);
    if (g->answers == NULL || g->asks == NULL) {
        g->count = 0;
        rest_fail(call, call->family->internal, NULL);
        return;
    }
    advance(call);
}

/* ---------------------------------------------------------------- answers */

static uint32_t code_of_err(enum hy_err err)
{
    return err == HY_EBUSY || err == HY_ENOMEM ? HY_CODE_BUSY : HY_CODE_TIMEOUT;
}

static bool take(struct rest_call *call, struct rest_answer *a, uint16_t kind,
                 const struct hy_record *record)
{
    ProtobufCAllocator *pb = &call->arena.pb;
    const Hy__SendAnswer *send;

    switch (kind) {
    case HY__BUS_KIND__ROUTER_ADMIN:
        a->admin = hy__admin_answer__unpack(pb, record->len, record->payload);
        if (a->admin == NULL)
            return false;
        a->code = a->admin->code;
        a->info = a->admin->info;
        return true;
    case HY__BUS_KIND__ROUTER_CALL:
        a->frame = hy__frame__unpack(pb, record->len, record->payload);
        if (a->frame == NULL)
            return false;
        a->code = a->frame->code;
        a->info = a->frame->info;
        return true;
    case HY__BUS_KIND__ROUTER_SEND:
        send = hy__send_answer__unpack(pb, record->len, record->payload);
        if (send == NULL || send->n_results != 1)
            return false;
        a->sent = send->results[0];
        a->code = a->sent->code;
        a->info = a->sent->info;
        if (record->doubtful && !hy_code_certain(a->code)) { /* another router may yet store it */
            a->code = HY_CODE_TIMEOUT;
            a->info = (char *)hy_code_text(HY_CODE_TIMEOUT);
        }
        return true;
    case HY__BUS_KIND__ROUTER_SIGN_IN:
        a->sign_in = hy__sign_in_answer__unpack(pb, record->len, record->payload);
        if (a->sign_in == NULL)
            return false;
        a->code = a->sign_in->code;
        a->info = a->sign_in->info;
        return true;
    default:
        return false;
    }
}

static void on_answer(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct rest_ask *ask = arg;
    struct rest_call *call = ask->call;
    struct rest_gather *g = &call->gather;
    struct rest_answer *a = &g->answers[ask->index];

    ask->id = 0;
    if (err != HY_OK)
        a->code = code_of_err(err);
    else if (!take(call, a, ask->kind, record))
        a->code = call->family->internal;
    g->left--;
    if (g->left == 0)
        g->done(call);
    else
        advance(call);
}

const struct rest_answer *rest_gather_failed(const struct rest_call *call)
{
    for (size_t i = 0; i < call->gather.count; i++)
        if (call->gather.answers[i].code != HY_CODE_OK)
            return &call->gather.answers[i];
    return NULL;
}

void rest_gather_cancel(struct rest_call *call)
{
    struct rest_gather *g = &call->gather;

    for (size_t i = 0; i < g->count; i++)
        if (g->asks[i].id != 0)
            hy_bus_cancel(upstream_bus(rest_upstream(call->rest)), g->asks[i].id);
    g->count = 0;
}

/* ---------------------------------------------------------------- questions */

static void ask_router(struct rest_call *call, size_t index, uint16_t slot, uint16_t kind,
                       const ProtobufCMessage *question)
{
    struct rest_ask *ask = &call->gather.asks[index];

    *ask = (struct rest_ask){.call = call, .index = index, .kind = kind};
    ask->id = upstream_router(rest_upstream(call->rest), slot, kind, 0, question, on_answer, ask);
}

static Hy__Caller caller_of(const struct rest_call *call, const char *user)
{
    Hy__Caller caller = HY__CALLER__INIT;

    caller.app = call->app;
    caller.user = (char *)(user != NULL ? user : call->admin);
    caller.admin = true;
    caller.admin_user = (char *)call->admin;
    caller.client_ip = address_bytes(&call->client_ip);
    return caller;
}

void rest_ask_admin(struct rest_call *call, size_t index, uint16_t slot, Hy__AdminCall *question)
{
    Hy__Caller caller = caller_of(call, NULL);

    question->caller = &caller;
    question->op_id = rest_op_id(call, index);
    ask_router(call, index, slot, HY__BUS_KIND__ROUTER_ADMIN, &question->base);
}

void rest_ask_frame(struct rest_call *call, size_t index, uint16_t slot, const char *user,
                    Hy__Frame *question)
{
    Hy__Caller caller = caller_of(call, user);
    Hy__RouterCall router_call = HY__ROUTER_CALL__INIT;
    struct hy_buf frame = {0};

    /* Unlike 1 for each, this keeps two calls apart for a router that makes op ids of frame ids. */
    question->id = (call->op + index) % ((1ull << 53) - 1) + 1;
    router_call.caller = &caller;
    if (hy_buf_put_pb(&frame, &question->base) == HY_OK)
        router_call.frame = (ProtobufCBinaryData){frame.len, frame.data};
    ask_router(call, index, slot, HY__BUS_KIND__ROUTER_CALL, &router_call.base);
    hy_buf_free(&frame);
}

void rest_ask_send(struct rest_call *call, size_t index, uint16_t slot, const char *user,
                   Hy__SendCall *question)
{
    Hy__Caller caller = caller_of(call, user);

    question->caller = &caller;
    ask_router(call, index, slot, HY__BUS_KIND__ROUTER_SEND, &question->base);
}

void rest_ask_sign_in(struct rest_call *call, size_t index, uint16_t slot, Hy__SignInCall *question)
{
    ask_router(call, index, slot, HY__BUS_KIND__ROUTER_SIGN_IN, &question->base);
}
