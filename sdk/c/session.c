#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "sdk/c/client.h"

enum {
    CONNECT_MS = 10000, /* connect, TLS and sign-in together */
    BACKOFF_BASE_MS = 200,
    FIRST_HEARTBEAT_MS = 30000, /* until the server says */
};

#ifndef HY_VERSION
#define HY_VERSION "dev"
#endif

void session_tell(struct hongyan_client *c, const struct hongyan_change *change)
{
    c->state = change->state;
    if (c->config.events.state != NULL && !c->closed)
        c->config.events.state(c->config.ctx, change);
}

static void stay_until(struct hongyan_client *c, uint64_t at_ms)
{
    c->state_ms = at_ms;
    client_wake(c, at_ms);
}

/* ---- connecting ---- */

static void on_up(void *ctx);
static void on_frame(void *ctx, const uint8_t *bytes, size_t len);
static void on_down(void *ctx, const char *why);

static const struct wire_events wire_events = {on_up, on_frame, on_down};

void session_start(struct hongyan_client *c)
{
    const struct wire_to to = {c->addresses[c->address_at++ % c->config.address_count],
                               c->config.source, c->tls, c->config.insecure};
    enum hy_err err = HY_OK;

    client_enter(c);
    stay_until(c, client_now(c) + CONNECT_MS);
    err = wire_open(c->pump, &to, &wire_events, c, &c->wire);
    if (err != HY_OK)
        session_lost(c, 0, hy_err_text(err), 0);
    else
        session_tell(c, &(struct hongyan_change){.state = HONGYAN_CONNECTING, .info = ""});
    client_leave(c);
}

/* Full jitter: many who lost the same gateway do not come back in the same moment. */
static uint64_t pause_ms(struct hongyan_client *c, uint64_t wait_ms)
{
    return wait_ms +
           call_jitter_ms(++c->tries, BACKOFF_BASE_MS, c->config.backoff_ms, hy_random64());
}

static void drop_link(struct hongyan_client *c)
{
    wire_close(&c->wire);
    c->signed_in = c->resumed = false;
    c->sign_in_id = 0;
    client_calls_lost(c);
}

void session_lost(struct hongyan_client *c, uint32_t code, const char *info, uint64_t wait_ms)
{
    drop_link(c);
    if (c->closed || c->state == HONGYAN_KICKED)
        return;
    if (c->config.no_reconnect)
        c->state_ms = UINT64_MAX;
    else
        stay_until(c, client_now(c) + pause_ms(c, wait_ms));
    session_tell(c, &(struct hongyan_change){.state = HONGYAN_OFFLINE, .code = code, .info = info});
}

/* Nothing is to be tried again. */
static void over(struct hongyan_client *c, Hy__KickedNotice__Why why, uint32_t code,
                 const char *info)
{
    c->state = HONGYAN_KICKED;
    c->state_ms = c->list_ms = UINT64_MAX;
    drop_link(c);
    client_calls_end(c);
    session_tell(c, &(struct hongyan_change){
                        .state = HONGYAN_KICKED, .why = why, .code = code, .info = info});
}

static void on_up(void *ctx)
{
    struct hongyan_client *c = ctx;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ResumeReq resume = HY__RESUME_REQ__INIT;
    Hy__SignInReq req = HY__SIGN_IN_REQ__INIT;

    if (c->paused)
        wire_pause(c->wire, true);
    frame.id = c->sign_in_id = ++c->next_id;
    if (c->token != NULL) {
        resume.resume_token = (ProtobufCBinaryData){c->token_len, c->token};
        frame.body_case = HY__FRAME__BODY_RESUME;
        frame.resume = &resume;
    } else {
        req.sdkappid = c->config.sdkappid;
        req.identifier = (char *)c->config.identifier;
        req.usersig = (char *)c->config.usersig;
        req.platform = c->config.platform;
        req.device_id = (char *)c->config.device_id;
        req.sdk_version = (char *)"c " HY_VERSION;
        frame.body_case = HY__FRAME__BODY_SIGN_IN;
        frame.sign_in = &req;
    }
    if (wire_send_frame(c->wire, &frame) != HY_OK)
        on_down(c, hy_err_text(HY_ENOMEM));
}

static void on_down(void *ctx, const char *why)
{
    struct hongyan_client *c = ctx;

    client_enter(c);
    session_lost(c, 0, why, 0);
    client_leave(c);
}

/* ---- signed in ---- */

static void keep_token(struct hongyan_client *c, const ProtobufCBinaryData *token)
{
    uint8_t *mine = token->len > 0 ? malloc(token->len) : NULL;

    free(c->token);
    c->token = mine;
    c->token_len = 0;
    if (mine == NULL)
        return; /* the next link signs in anew */
    memcpy(mine, token->data, token->len);
    c->token_len = token->len;
}

static void set_heartbeat(struct hongyan_client *c, uint32_t server_ms)
{
    c->server_heartbeat_ms = server_ms > 0 ? server_ms : FIRST_HEARTBEAT_MS;
    c->heartbeat_ms = c->server_heartbeat_ms;
    if (c->config.heartbeat_ms > 0 && c->config.heartbeat_ms < c->heartbeat_ms)
        c->heartbeat_ms = c->config.heartbeat_ms;
}

static void welcome(struct hongyan_client *c, const Hy__SignInRes *res)
{
    c->signed_in = true;
    c->resumed = res->resumed;
    c->sign_in_id = 0;
    c->tries = 0;
    c->session_id = res->session_id;
    if (c->since_ms == 0)
        c->since_ms = res->server_time_ms;
    keep_token(c, &res->resume_token);
    set_heartbeat(c, res->heartbeat_ms);
    /* The first beat comes after a random part, so that clients of one moment do not beat together.
     */
    stay_until(c, client_now(c) + 1 + hy_random64() % c->heartbeat_ms);
    client_send_waiting(c);
    if (!c->config.raw) {
        sync_start(c);
        rooms_lost(c);
    }
    if (c->began || c->config.raw)
        session_tell(c, &(struct hongyan_change){
                            .state = HONGYAN_ONLINE, .resumed = c->resumed, .info = ""});
}

static void on_sign_in_answer(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (frame->code == 0 && frame->body_case == HY__FRAME__BODY_SIGN_IN_RES) {
        welcome(c, frame->sign_in_res);
    } else if (call_is_temporary(frame->code) || frame->code == 0) {
        session_lost(c, frame->code, frame->info, 0);
    } else if (c->token != NULL) { /* it cannot be resumed: begin a new session, at once */
        keep_token(c, &(ProtobufCBinaryData){0, NULL});
        on_up(c);
    } else {
        over(c, HY__KICKED_NOTICE__WHY__UNKNOWN, frame->code, frame->info);
    }
}

/* After these the session may go on over another link. */
static bool may_come_back(Hy__KickedNotice__Why why)
{
    return why == HY__KICKED_NOTICE__WHY__SLOW || why == HY__KICKED_NOTICE__WHY__TIMEOUT;
}

static void on_kicked(struct hongyan_client *c, const Hy__Frame *frame)
{
    const Hy__KickedNotice *kicked = frame->kicked;

    if (may_come_back(kicked->why) || call_is_temporary(kicked->code))
        session_lost(c, kicked->code, kicked->info, 0);
    else
        over(c, kicked->why, kicked->code, kicked->info);
}

static void on_go_away(struct hongyan_client *c, const Hy__Frame *frame)
{
    session_lost(c, 0, frame->go_away->reason, frame->go_away->retry_after_ms);
}

static void on_pong(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (frame->pong->resync && !c->config.raw)
        sync_start(c);
}

static void on_messages(struct hongyan_client *c, const Hy__Frame *frame)
{
    const Hy__MsgNotice *notice = frame->msg_notice;

    for (size_t i = 0; i < notice->n_msgs && !c->closed; i++)
        sync_message(c, notice->msgs[i]);
}

static void on_read(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (c->config.events.read != NULL)
        c->config.events.read(c->config.ctx, frame->read_notice);
}

static void on_conv(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (c->config.events.conv != NULL)
        c->config.events.conv(c->config.ctx, frame->conv_notice);
}

static void on_profile(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (c->config.events.profile != NULL)
        c->config.events.profile(c->config.ctx, frame->profile_notice);
}

static void on_system(struct hongyan_client *c, const Hy__Frame *frame)
{
    enum { GROUP_KICKED = 4, GROUP_DISMISSED = 5 };
    const Hy__SystemNotice *notice = frame->system_notice;

    if (notice->type == GROUP_KICKED || notice->type == GROUP_DISMISSED)
        rooms_left(c, notice->group);
    if (notice->type == GROUP_DISMISSED && !c->config.raw)
        sync_forget(c, notice->group);
    if (c->config.events.system != NULL)
        c->config.events.system(c->config.ctx, frame->system_notice);
}

/* What comes without having been asked for. */
static const struct {
    Hy__Frame__BodyCase kind;
    void (*handle)(struct hongyan_client *c, const Hy__Frame *frame);
} notices[] = {
    {HY__FRAME__BODY_MSG_NOTICE, on_messages},  {HY__FRAME__BODY_PONG, on_pong},
    {HY__FRAME__BODY_READ_NOTICE, on_read},     {HY__FRAME__BODY_CONV_NOTICE, on_conv},
    {HY__FRAME__BODY_SYSTEM_NOTICE, on_system}, {HY__FRAME__BODY_PROFILE_NOTICE, on_profile},
    {HY__FRAME__BODY_KICKED, on_kicked},        {HY__FRAME__BODY_GO_AWAY, on_go_away},
};

bool session_frame(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (frame->id != 0 && frame->id == c->sign_in_id) {
        on_sign_in_answer(c, frame);
        return true;
    }
    for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++) {
        if (notices[i].kind == frame->body_case) {
            notices[i].handle(c, frame);
            return true;
        }
    }
    return frame->id == 0; /* a notice of a newer server */
}

static bool is_taken(struct hongyan_client *c, const uint8_t *bytes, size_t len)
{
    return c->config.raw && c->signed_in && c->config.raw_frame != NULL &&
           c->config.raw_frame(c->config.ctx, bytes, len);
}

static void on_frame(void *ctx, const uint8_t *bytes, size_t len)
{
    struct hongyan_client *c = ctx;
    const Hy__Frame *frame = NULL;

    client_enter(c);
    if (is_taken(c, bytes, len)) {
        client_leave(c);
        return;
    }
    frame = hy__frame__unpack(&c->pump->arena.pb, len, bytes);
    if (frame == NULL)
        session_lost(c, HY_CODE_FRAME_MALFORMED, "the gateway sent bytes that do not decode", 0);
    else if (!session_frame(c, frame))
        client_answer(c, frame);
    client_leave(c);
}

/* ---- beats ---- */

static void beat(struct hongyan_client *c, uint64_t now_ms)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ping ping = HY__PING__INIT;

    if (!c->paused && now_ms > wire_heard_ms(c->wire) + c->server_heartbeat_ms * 5 / 2) {
        session_lost(c, 0, "the gateway is silent", 0);
        return;
    }
    frame.id = ++c->next_id;
    frame.body_case = HY__FRAME__BODY_PING;
    frame.ping = &ping;
    stay_until(c, now_ms + c->heartbeat_ms);
    if (wire_send_frame(c->wire, &frame) != HY_OK)
        session_lost(c, 0, hy_err_text(HY_ENOMEM), 0);
}

void session_tick(struct hongyan_client *c, uint64_t now_ms)
{
    if (now_ms < c->state_ms)
        return;
    if (c->state == HONGYAN_OFFLINE)
        session_start(c);
    else if (c->signed_in)
        beat(c, now_ms);
    else if (c->state == HONGYAN_CONNECTING)
        session_lost(c, 0, "the gateway did not answer in time", 0);
}

static void on_signed_out(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct hongyan_client *c = arg;

    (void)answer;
    if (!c->closed)
        over(c, HY__KICKED_NOTICE__WHY__UNKNOWN, code, code == 0 ? "signed out" : info);
}

enum hy_err hongyan_sign_out(struct hongyan_client *client)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__SignOutReq req = HY__SIGN_OUT_REQ__INIT;

    frame.body_case = HY__FRAME__BODY_SIGN_OUT;
    frame.sign_out = &req;
    return hongyan_request(client, &frame, on_signed_out, client);
}
