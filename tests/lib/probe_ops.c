#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "tests/lib/probe.h"
#include "tests/lib/probe_users.h"

/* ---- asking ---- */

static struct asked *remember(const json_t *command, const struct user *user)
{
    struct asked *asked = calloc(1, sizeof *asked);

    if (asked == NULL)
        abort();
    asked->id = json_incref(json_object_get(command, "id"));
    snprintf(asked->name, sizeof asked->name, "%s", user->name);
    return asked;
}

/* It could not be asked: the answer never comes. */
static void forget(const json_t *command, struct asked *asked, enum hy_err err)
{
    if (err == HY_OK)
        return;
    json_decref(asked->id);
    free(asked);
    probe_refuse(command, hy_err_text(err));
}

/* ---- commands ---- */

static const char *text(const json_t *command, const char *key)
{
    return json_string_value(json_object_get(command, key));
}

static uint64_t number(const json_t *command, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(command, key));
}

static bool flag(const json_t *command, const char *key)
{
    return json_is_true(json_object_get(command, key));
}

static Hy__ConvType type_of(const json_t *command)
{
    return flag(command, "group") ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
}

static Hy__Platform platform_of(const char *name)
{
    static const char *const names[] = {"unknown", "android", "iphone", "ipad",        "windows",
                                        "mac",     "web",     "linux",  "mini_program"};

    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (Hy__Platform)i;
    return HY__PLATFORM__PLATFORM_LINUX;
}

static enum hongyan_backlog backlog_of(const char *name)
{
    if (name != NULL && strcmp(name, "unread") == 0)
        return HONGYAN_FROM_UNREAD;
    return name != NULL && strcmp(name, "first") == 0 ? HONGYAN_FROM_FIRST : HONGYAN_FROM_NOW;
}

static size_t addresses_of(const json_t *command, const char *out[static 16])
{
    const json_t *address = json_object_get(command, "addr");
    size_t n = json_array_size(address);

    if (json_is_string(address)) {
        out[0] = json_string_value(address);
        return 1;
    }
    for (size_t i = 0; i < n && i < 16; i++)
        out[i] = json_string_value(json_array_get(address, i));
    return n < 16 ? n : 16;
}

static void do_connect(struct hy_loop *loop, const json_t *command, struct user *user)
{
    const char *addresses[16];
    struct hongyan_config config = {
        .addresses = addresses,
        .address_count = addresses_of(command, addresses),
        .tls = flag(command, "tls"),
        .insecure = true,
        .sdkappid = (uint32_t)number(command, "sdkappid"),
        .identifier = text(command, "user") != NULL ? text(command, "user") : user->name,
        .usersig = text(command, "sig"),
        .platform = platform_of(text(command, "platform")),
        .device_id = text(command, "device"),
        .heartbeat_ms = (uint32_t)number(command, "heartbeat_ms"),
        .send_window = (uint32_t)number(command, "window"),
        .no_reconnect = json_is_false(json_object_get(command, "reconnect")),
        .raw = flag(command, "raw"),
        .deliver_own = flag(command, "own"),
        .backlog = backlog_of(text(command, "backlog")),
        .events = probe_events,
        .ctx = user,
    };
    enum hy_err err = HY_OK;

    hongyan_close(&user->client);
    err = hongyan_open(loop, &config, &user->client);
    if (err != HY_OK)
        probe_refuse(command, hy_err_text(err));
}

static void do_send(const json_t *command, struct user *user)
{
    struct hy_arena arena;
    ProtobufCBinaryData body = {0};
    struct hongyan_message message = {
        .conv_type = type_of(command),
        .to = text(command, "to") != NULL ? text(command, "to") : "",
        .text = text(command, "text"),
        .client_id = text(command, "client_id"),
        .flags = (uint32_t)number(command, "flags"),
        .priority = (uint32_t)number(command, "priority"),
    };
    struct asked *asked = NULL;

    hy_arena_init(&arena);
    if (text(command, "body") != NULL && !probe_unhex(text(command, "body"), &arena, &body)) {
        probe_refuse(command, "body is not hex");
    } else {
        message.body = body.data;
        message.body_len = body.len;
        asked = remember(command, user);
        forget(command, asked, hongyan_send(user->client, &message, probe_on_sent, asked));
    }
    hy_arena_free(&arena);
}

static void do_history(const json_t *command, struct user *user)
{
    struct asked *asked = remember(command, user);

    forget(command, asked,
           hongyan_history(user->client, type_of(command),
                           text(command, "peer") != NULL ? text(command, "peer") : "",
                           number(command, "from_seq"), flag(command, "newer"),
                           (uint32_t)number(command, "count"), probe_on_answer, asked));
}

static void do_conv_list(const json_t *command, struct user *user)
{
    struct asked *asked = remember(command, user);

    forget(command, asked, hongyan_conv_list(user->client, probe_on_answer, asked));
}

static void do_read(const json_t *command, struct user *user)
{
    struct asked *asked = remember(command, user);

    forget(command, asked,
           hongyan_read(user->client, type_of(command),
                        text(command, "peer") != NULL ? text(command, "peer") : "",
                        number(command, "seq"), probe_on_answer, asked));
}

/* The frame is {kind: body}, by the schema's names. */
static void do_request(const json_t *command, struct user *user)
{
    struct hy_arena arena;
    const char *why = "kind";
    json_t *body = json_object_get(command, "body");
    json_t *fields = text(command, "kind") == NULL
                         ? NULL
                         : json_pack("{s:o}", text(command, "kind"),
                                     body != NULL ? json_incref(body) : json_object());
    ProtobufCMessage *frame = NULL;

    hy_arena_init(&arena);
    if (fields != NULL)
        frame = probe_from_json(&hy__frame__descriptor, fields, &arena, &why);
    if (frame == NULL) {
        probe_refuse(command, why);
    } else {
        struct asked *asked = remember(command, user);

        forget(command, asked,
               hongyan_request(user->client, (Hy__Frame *)frame, probe_on_answer, asked));
    }
    json_decref(fields);
    hy_arena_free(&arena);
}

static void do_cut(const json_t *command, struct user *user)
{
    (void)command;
    hongyan_cut(user->client);
}

static void do_sync(const json_t *command, struct user *user)
{
    (void)command;
    hongyan_sync(user->client);
}

static void do_pause(const json_t *command, struct user *user)
{
    hongyan_pause(user->client, flag(command, "on"));
}

static void do_sign_out(const json_t *command, struct user *user)
{
    enum hy_err err = hongyan_sign_out(user->client);

    if (err != HY_OK)
        probe_refuse(command, hy_err_text(err));
}

static void do_disconnect(const json_t *command, struct user *user)
{
    (void)command;
    hongyan_close(&user->client);
}

/* All but connect need a client. */
static const struct {
    const char *op;
    void (*run)(const json_t *command, struct user *user);
} ops[] = {
    {"send", do_send},           {"history", do_history},
    {"conv_list", do_conv_list}, {"read", do_read},
    {"request", do_request},     {"cut", do_cut},
    {"sync", do_sync},           {"pause", do_pause},
    {"sign_out", do_sign_out},   {"disconnect", do_disconnect},
};

void probe_obey(struct hy_loop *loop, const json_t *command, struct user *user)
{
    const char *op = text(command, "op") != NULL ? text(command, "op") : "";

    if (strcmp(op, "connect") == 0) {
        do_connect(loop, command, user);
        return;
    }
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (strcmp(ops[i].op, op) != 0)
            continue;
        if (user->client == NULL)
            probe_refuse(command, "connect first");
        else
            ops[i].run(command, user);
        return;
    }
    probe_refuse(command, "op is missing or unknown");
}
