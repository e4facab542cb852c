#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "sdk/c/client.h"

enum { RETRY_BASE_MS = 50, RETRY_CAP_MS = 2000, DOUBT_MS = 15000 };

/* ---- into the lane ---- */

static void fill_request(struct hongyan_client *c, Hy__SendReq *req,
                         const struct hongyan_message *message, char *client_id)
{
    req->conv_type = message->conv_type;
    req->to = (char *)message->to;
    req->client_id = client_id;
    req->random = message->random != 0 ? message->random : (uint32_t)pump_random(c->pump);
    req->body = (ProtobufCBinaryData){message->body_len, (uint8_t *)message->body};
    req->flags = message->flags;
    req->priority = message->priority;
    req->cloud_custom_data = (ProtobufCBinaryData){message->cloud_custom_data_len,
                                                   (uint8_t *)message->cloud_custom_data};
    req->client_time_s = (uint32_t)(hy_wall_ms() / 1000);
}

static uint64_t deadline(const struct hongyan_client *c)
{
    return c->config.send_ms == UINT32_MAX ? UINT64_MAX : client_now(c) + c->config.send_ms;
}

static enum hy_err queue(struct hongyan_client *c, const struct hongyan_message *message,
                         hongyan_sent_fn *done, void *arg)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__SendReq req = HY__SEND_REQ__INIT;
    char client_id[sizeof(((struct call *)0)->client_id)];
    struct conv *conv = convs_get(&c->convs, message->conv_type, message->to);
    struct call *call = NULL;

    if (message->client_id != NULL && message->client_id[0] != '\0')
        snprintf(client_id, sizeof client_id, "%s", message->client_id);
    else
        snprintf(client_id, sizeof client_id, "%016llx", (unsigned long long)pump_random(c->pump));
    fill_request(c, &req, message, client_id);
    frame.id = ++c->next_id;
    frame.body_case = HY__FRAME__BODY_SEND;
    frame.send = &req;
    call = conv != NULL ? calls_add(&c->calls, &frame) : NULL;
    if (call == NULL)
        return HY_ENOMEM;
    memcpy(call->client_id, client_id, sizeof client_id);
    call->done.told = done;
    call->arg = arg;
    call->deadline_ms = deadline(c);
    lane_add(conv, call);
    sender_pump(c, conv);
    client_wake(c, client_now(c) + CLIENT_TICK_MS);
    return HY_OK;
}

enum hy_err hongyan_send(struct hongyan_client *client, const struct hongyan_message *message,
                         hongyan_sent_fn *done, void *arg)
{
    struct hongyan_message mine = *message;
    uint8_t *body = NULL;
    size_t len = 0;
    enum hy_err err = HY_OK;

    if (client->state == HONGYAN_KICKED)
        return HY_ECLOSED;
    if (message->client_id != NULL && strlen(message->client_id) > 64)
        return HY_ETOOBIG;
    if (client->calls.count >= client->config.max_queued)
        return HY_EBUSY;
    if (message->body != NULL || message->text == NULL)
        return queue(client, message, done, arg);
    len = strlen(message->text);
    body = malloc(len + 32);
    if (body == NULL)
        return HY_ENOMEM;
    mine.body = body;
    mine.body_len = hongyan_text_body(message->text, len, body, len + 32);
    err = queue(client, &mine, done, arg);
    free(body);
    return err;
}

enum hy_err hongyan_send_text(struct hongyan_client *client, Hy__ConvType conv_type, const char *to,
                              const char *text, hongyan_sent_fn *done, void *arg)
{
    return hongyan_send(client,
                        &(struct hongyan_message){.conv_type = conv_type, .to = to, .text = text},
                        done, arg);
}

/* ---- out of the lane ---- */

void sender_pump(struct hongyan_client *c, struct conv *conv)
{
    uint64_t retry_ms = UINT64_MAX;
    struct call *call = NULL;

    if (!c->signed_in)
        return;
    while ((call = lane_next(conv, c->config.send_window, client_now(c), &retry_ms)) != NULL) {
        if (wire_send(c->wire, call->frame, call->len) != HY_OK) {
            lane_again(conv, call, client_now(c) + RETRY_CAP_MS);
            retry_ms = call->retry_ms;
            break;
        }
        lane_sent(conv, call);
    }
    if (retry_ms < c->retry_ms) {
        c->retry_ms = retry_ms;
        client_wake(c, retry_ms);
    }
}

static void finish(struct hongyan_client *c, struct call *call, const struct hongyan_sent *sent)
{
    struct conv *conv = call->lane;

    lane_remove(conv, call);
    calls_remove(&c->calls, call);
    if (call->done.told != NULL)
        call->done.told(call->arg, sent);
    free(call);
    if (!c->closed)
        sender_pump(c, conv);
}

void sender_gave_up(struct hongyan_client *c, struct call *call)
{
    struct hongyan_sent sent = {.code = HY_CODE_TIMEOUT,
                                .info = hy_code_text(HY_CODE_TIMEOUT),
                                .client_id = call->client_id};

    finish(c, call, &sent);
}

/* The message as it was stored, as far as the sender knows. */
static void own_message(struct hongyan_client *c, const struct call *call, const Hy__Frame *answer)
{
    Hy__Frame *frame = hy__frame__unpack(&c->pump->arena.pb, call->len, call->frame);
    Hy__Msg msg = HY__MSG__INIT;

    if (frame == NULL || frame->send == NULL)
        return; /* out of memory: the place stays open and is pulled */
    msg.conv_type = frame->send->conv_type;
    msg.from = (char *)c->config.identifier;
    msg.to = frame->send->to;
    msg.client_id = frame->send->client_id;
    msg.random = frame->send->random;
    msg.body = frame->send->body;
    msg.flags = frame->send->flags;
    msg.cloud_custom_data = frame->send->cloud_custom_data;
    msg.priority = frame->send->priority;
    msg.client_time_s = frame->send->client_time_s;
    msg.seq = answer->send_res->seq;
    msg.time_ms = answer->send_res->time_ms;
    sync_own(c, call->lane, &msg);
}

static void again(struct hongyan_client *c, struct call *call)
{
    uint64_t now_ms = client_now(c);

    call->tries++;
    lane_again(call->lane, call,
               now_ms + call_jitter_ms(call->tries, RETRY_BASE_MS, RETRY_CAP_MS, hy_random64()));
    sender_pump(c, call->lane);
}

/* Refused, but an earlier try was never answered, and what delayed it may yet let it through: it is
 * asked for again, as who is asked after that knows; and at last the outcome is not known. */
static void refused_in_doubt(struct hongyan_client *c, struct call *call)
{
    if (call->doubt_ms == 0)
        call->doubt_ms = client_now(c);
    if (client_now(c) - call->doubt_ms < DOUBT_MS)
        again(c, call);
    else
        sender_gave_up(c, call);
}

void sender_answered(struct hongyan_client *c, struct call *call, const Hy__Frame *frame)
{
    struct hongyan_sent sent = {
        .code = frame->code, .info = frame->info, .client_id = call->client_id};

    call->doubt = call->doubt || call_is_unknown(frame->code);
    if (call_is_temporary(frame->code)) {
        again(c, call);
        return;
    }
    if (call->doubt && !hy_code_certain(frame->code)) {
        refused_in_doubt(c, call);
        return;
    }
    if (frame->code == 0 && frame->send_res != NULL) {
        sent.seq = frame->send_res->seq;
        sent.time_ms = frame->send_res->time_ms;
    }
    if (sent.seq > 0 && !c->config.raw && frame->body_case == HY__FRAME__BODY_SEND_RES)
        own_message(c, call, frame);
    if (!c->closed)
        finish(c, call, &sent);
}
