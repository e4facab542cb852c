#include "sdk/c/client.h"

#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/settings.h"

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
    size += config->source != NULL ? strlen(config->source) + 1 : 0;
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
    if (config->source != NULL)
        config->source = copy(&at, config->source);
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
    struct pump_trust trust = {NULL, config->insecure, config->tls_in_full};
    enum hy_err err = copy_texts(c);

    set_default(&config->request_ms, CLIENT_REQUEST_MS);
    set_default(&config->send_ms, CLIENT_SEND_MS);
    set_default(&config->send_window, 1);
    set_default(&config->max_queued, CLIENT_MAX_QUEUED);
    set_default(&config->backoff_ms, CLIENT_BACKOFF_MS);
    c->wake_ms = c->state_ms = c->retry_ms = c->list_ms = c->rooms_ms = UINT64_MAX;
    trust.ca_file = config->ca_file;
    c->address_at = (uint32_t)(hy_random64() % config->address_count);
    if (err == HY_OK)
        err = pump_take(loop, &c->pump);
    if (err == HY_OK && config->tls)
        err = pump_tls(c->pump, &trust, &c->tls);
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
    if (!c->closed)
        rooms_tick(c, now, &next);
    if (c->calls.first != NULL && now + CLIENT_TICK_MS < next)
        next = now + CLIENT_TICK_MS;
    if (c->state_ms < next)
        next = c->state_ms;
    if (c->signed_in && c->retry_ms < next)
        next = c->retry_ms;
    if (next != UINT64_MAX)
        client_wake(c, next);
    client_leave(c);
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
