#include "sdk/c/client.h"

#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/settings.h"

enum { TICK_MS = 500 }; /* deadlines are looked at this often */

/* ---- open and close ---- */

static const char *copy(char **at, const char *text)
{
    size_t len = strlen(text) + 1;
    char *mine = *at;

    memcpy(mine, text, len);
    *at += len;
    return mine;
}

static size_t text_size(const struct hongyan_config *config)
{
    size_t size = strlen(config->identifier) + strlen(config->usersig) + 2;

    size += config->device_id != NULL ? strlen(config->device_id) + 1 : 1;
    size += config->ca_file != NULL ? strlen(config->ca_file) + 1 : 0;
    for (size_t i = 0; i < config->address_count; i++)
        size += strlen(config->addresses[i]) + 1;
    return size;
}

static enum hy_err copy_texts(struct hongyan_client *c)
{
    struct hongyan_config *config = &c->config;
    char *at = c->text = malloc(text_size(config));

    c->addresses = calloc(config->address_count, sizeof *c->addresses);
    if (at == NULL || c->addresses == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < config->address_count; i++)
        c->addresses[i] = copy(&at, config->addresses[i]);
    config->addresses = c->addresses;
    config->identifier = copy(&at, config->identifier);
    config->usersig = copy(&at, config->usersig);
    config->device_id = copy(&at, config->device_id != NULL ? config->device_id : "");
    if (config->ca_file != NULL)
        config->ca_file = copy(&at, config->ca_file);
    return HY_OK;
}

static void set_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static enum hy_err check(const struct hongyan_config *config)
{
    char host[64];
    uint16_t port = 0;

    if (config->address_count == 0 || config->sdkappid == 0 || config->identifier == NULL ||
        config->identifier[0] == '\0' || config->usersig == NULL)
        return HY_ECONFIG;
    for (size_t i = 0; i < config->address_count; i++)
        if (hy_settings_address(config->addresses[i], host, &port) != HY_OK)
            return HY_ECONFIG;
    return HY_OK;
}

static void on_timer(void *arg);

static enum hy_err set_up(struct hongyan_client *c, struct hy_loop *loop)
{
    struct hongyan_config *config = &c->config;
    enum hy_err err = copy_texts(c);

    set_default(&config->request_ms, CLIENT_REQUEST_MS);
    set_default(&config->send_ms, CLIENT_SEND_MS);
    set_default(&config->send_window, 1);
    set_default(&config->max_queued, CLIENT_MAX_QUEUED);
    set_default(&config->backoff_ms, CLIENT_BACKOFF_MS);
    c->wake_ms = c->state_ms = c->retry_ms = c->list_ms = UINT64_MAX;
    c->address_at = (uint32_t)(hy_random64() % config->address_count);
    if (err == HY_OK)
        err = pump_take(loop, &c->pump);
    if (err == HY_OK && config->tls)
        err = pump_tls(c->pump, config->ca_file, config->insecure, &c->tls);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_timer, c, &c->timer);
    return err;
}

static void free_client(struct hongyan_client *c)
{
    hy_timer_close(&c->timer);
    pump_drop(&c->pump);
    convs_free(&c->convs);
    free(c->token);
    free(c->addresses);
    free(c->text);
    free(c);
}

enum hy_err hongyan_open(struct hy_loop *loop, const struct hongyan_config *config,
                         struct hongyan_client **client)
{
    enum hy_err err = check(config);
    struct hongyan_client *c = NULL;

    if (err != HY_OK)
        return err;
    c = calloc(1, sizeof *c);
    if (c == NULL)
        return HY_ENOMEM;
    c->config = *config;
    err = set_up(c, loop);
    if (err != HY_OK) {
        free_client(c);
        return err;
    }
    *client = c;
    c->state_ms = client_now(c);
    client_wake(c, c->state_ms);
    return HY_OK;
}

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

void hongyan_close(struct hongyan_client **client)
{
    struct hongyan_client *c = *client;

    if (c == NULL)
        return;
    *client = NULL;
    if (c->closed)
        return;
    client_enter(c);
    c->closed = true;
    wire_close(&c->wire);
    client_calls_end(c);
    client_leave(c);
}

void client_enter(struct hongyan_client *c)
{
    c->depth++;
    pump_enter(c->pump);
}

void client_leave(struct hongyan_client *c)
{
    pump_leave(c->pump);
    if (--c->depth == 0 && c->closed)
        free_client(c);
}

/* ---- time ---- */

uint64_t client_now(const struct hongyan_client *c)
{
    return hy_loop_now_ms(c->pump->loop);
}

void client_wake(struct hongyan_client *c, uint64_t at_ms)
{
    uint64_t now = client_now(c);

    if (at_ms >= c->wake_ms || c->closed)
        return;
    c->wake_ms = at_ms;
    hy_timer_set(c->timer, at_ms > now ? at_ms - now : 0);
}

static void on_timer(void *arg)
{
    struct hongyan_client *c = arg;
    uint64_t now = client_now(c), next = UINT64_MAX;

    client_enter(c);
    c->wake_ms = UINT64_MAX;
    session_tick(c, now);
    if (!c->closed)
        client_calls_tick(c, now);
    if (!c->closed)
        sync_tick(c, now, &next);
    if (c->calls.first != NULL && now + TICK_MS < next)
        next = now + TICK_MS;
    if (c->state_ms < next)
        next = c->state_ms;
    if (c->signed_in && c->retry_ms < next)
        next = c->retry_ms;
    if (next != UINT64_MAX)
        client_wake(c, next);
    client_leave(c);
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

/* ---- requests ---- */

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
    client_wake(client, now + TICK_MS);
    return HY_OK;
}

/* What the answer tells the streams, whoever asked. */
static void learn(struct hongyan_client *c, const Hy__Frame *frame)
{
    if (frame->code != 0 || c->config.raw)
        return;
    if (frame->body_case == HY__FRAME__BODY_GROUP_JOIN_RES && frame->group_join_res->group != NULL)
        sync_live(c, frame->group_join_res->group->group, frame->group_join_res->group->type);
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
    learn(c, frame);
    finish(c, call, frame->code, frame->info, frame);
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

/* ---- small things ---- */

enum hongyan_state hongyan_state(const struct hongyan_client *client)
{
    return client->state;
}

const char *hongyan_identifier(const struct hongyan_client *client)
{
    return client->config.identifier;
}

uint64_t hongyan_session_id(const struct hongyan_client *client)
{
    return client->session_id;
}

void hongyan_sync(struct hongyan_client *client)
{
    sync_start(client);
}

void hongyan_cut(struct hongyan_client *client)
{
    client_enter(client);
    if (client->wire != NULL)
        session_lost(client, 0, "cut on purpose", 0);
    client_leave(client);
}

void hongyan_pause(struct hongyan_client *client, bool paused)
{
    client_enter(client);
    client->paused = paused;
    if (client->wire != NULL)
        wire_pause(client->wire, paused);
    client_leave(client);
}
