#include <stdlib.h>

#include "common/codes.h"
#include "sdk/c/client.h"

/* ---- ending ---- */

static void finish(struct hongyan_client *c, struct call *call, uint32_t code, const char *info,
                   const Hy__Frame *answer)
{
    calls_remove(&c->calls, call);
    if (call->done.answer != NULL)
        call->done.answer(call->arg, code, info, answer);
    free(call);
}

static void give_up(struct hongyan_client *c, struct call *call)
{
    if (call->lane != NULL)
        sender_gave_up(c, call);
    else
        finish(c, call, HY_CODE_TIMEOUT, hy_code_text(HY_CODE_TIMEOUT), NULL);
}

void client_calls_end(struct hongyan_client *c)
{
    while (c->calls.first != NULL)
        give_up(c, c->calls.first);
}

static void pump_lane(void *arg, struct conv *conv)
{
    if (conv->unsent != NULL)
        sender_pump(arg, conv);
}

void client_calls_tick(struct hongyan_client *c, uint64_t now_ms)
{
    struct call *call = c->calls.first;

    while (call != NULL && !c->closed) {
        struct call *next = call->next;

        if (call->deadline_ms <= now_ms)
            give_up(c, call); /* its callback may ask more, at the end, or close us */
        call = c->closed ? NULL : next;
    }
    if (c->closed || c->retry_ms > now_ms)
        return;
    c->retry_ms = UINT64_MAX;
    convs_each(&c->convs, pump_lane, c);
}

/* ---- the link ---- */

static void send_call(struct hongyan_client *c, struct call *call)
{
    enum hy_err err = wire_send(c->wire, call->frame, call->len);

    call->sent = err == HY_OK; /* else its deadline ends it */
}

void client_send_waiting(struct hongyan_client *c)
{
    for (struct call *call = c->calls.first; call != NULL; call = call->next) {
        if (call->lane != NULL)
            sender_pump(c, call->lane);
        else if (!call->sent)
            send_call(c, call);
    }
}

void client_calls_lost(struct hongyan_client *c)
{
    struct call *call = c->calls.first, *last = c->calls.last;

    while (call != NULL && !c->closed) {
        struct call *next = call == last ? NULL : call->next;

        if (call->lane != NULL) {
            call->doubt = call->doubt || call->sent;
            if (call->sent)
                lane_again(call->lane, call, 0);
        } else if (call->sent && !call->safe) {
            give_up(c, call);
        } else {
            call->sent = false;
        }
        call = next;
    }
}

/* ---- asking ---- */

enum hy_err hongyan_request(struct hongyan_client *client, const Hy__Frame *frame,
                            hongyan_answer_fn *done, void *arg)
{
    struct call *call = NULL;
    Hy__Frame mine = *frame;
    uint64_t now = client_now(client);

    if (client->state == HONGYAN_KICKED)
        return HY_ECLOSED;
    if (client->calls.count >= client->config.max_queued)
        return HY_EBUSY;
    mine.id = ++client->next_id;
    call = calls_add(&client->calls, &mine);
    if (call == NULL)
        return HY_ENOMEM;
    call->done.answer = done;
    call->arg = arg;
    call->safe = call_is_safe(frame->body_case);
    call->deadline_ms = now + client->config.request_ms;
    if (client->signed_in)
        send_call(client, call);
    client_wake(client, now + CLIENT_TICK_MS);
    return HY_OK;
}

/* What the answer tells the streams, whoever asked. */
static void learn(struct hongyan_client *c, const struct call *call, const Hy__Frame *frame)
{
    if (frame->code != 0 || c->config.raw)
        return;
    rooms_learn(c, call, frame);
    if (frame->body_case == HY__FRAME__BODY_GROUP_CREATE_RES)
        sync_live(c, frame->group_create_res->group, frame->group_create_res->type);
}

void client_answer(struct hongyan_client *c, const Hy__Frame *frame)
{
    struct call *call = calls_find(&c->calls, frame->id);

    if (call == NULL)
        return; /* its deadline passed */
    if (call->lane != NULL) {
        sender_answered(c, call, frame);
        return;
    }
    learn(c, call, frame);
    finish(c, call, frame->code, frame->info, frame);
}

void hongyan_answered(struct hongyan_client *client, uint64_t id, uint32_t code)
{
    struct call *call = calls_find(&client->calls, id);

    if (call != NULL && call->lane == NULL)
        finish(client, call, code, hy_code_text(code), NULL);
}

enum hy_err hongyan_history(struct hongyan_client *client, Hy__ConvType conv_type, const char *peer,
                            uint64_t from_seq, bool newer, uint32_t count, hongyan_answer_fn *done,
                            void *arg)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__HistoryReq req = HY__HISTORY_REQ__INIT;

    req.conv_type = conv_type;
    req.peer = (char *)peer;
    req.from_seq = from_seq;
    req.newer = newer;
    req.count = count;
    frame.body_case = HY__FRAME__BODY_HISTORY;
    frame.history = &req;
    return hongyan_request(client, &frame, done, arg);
}

enum hy_err hongyan_conv_list(struct hongyan_client *client, hongyan_answer_fn *done, void *arg)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvListReq req = HY__CONV_LIST_REQ__INIT;

    frame.body_case = HY__FRAME__BODY_CONV_LIST;
    frame.conv_list = &req;
    return hongyan_request(client, &frame, done, arg);
}

enum hy_err hongyan_read(struct hongyan_client *client, Hy__ConvType conv_type, const char *peer,
                         uint64_t seq, hongyan_answer_fn *done, void *arg)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ReadReq req = HY__READ_REQ__INIT;

    req.conv_type = conv_type;
    req.peer = (char *)peer;
    req.seq = seq;
    frame.body_case = HY__FRAME__BODY_READ;
    frame.read = &req;
    return hongyan_request(client, &frame, done, arg);
}
