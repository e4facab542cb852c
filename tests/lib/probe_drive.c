#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/loop.h"
#include "sdk/c/hongyan.h"
#include "tests/lib/probe.h"

struct user {
    struct user *next;
    char name[64];
    struct hongyan_client *client;
};

static struct {
    struct hy_loop *loop;
    struct hy_buf in;
    struct user *users;
} own;

/* Who asked, and what to put into the answer. */
struct asked {
    json_t *id; /* may be NULL */
    char name[64];
};

/* ---- out ---- */

/* Takes event. */
static void tell(json_t *event)
{
    json_dumpf(event, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(event);
}

static json_t *event_of(const char *kind, const char *user)
{
    return json_pack("{s:s, s:s}", "ev", kind, "u", user);
}

static void tell_about(const char *kind, const char *user, const ProtobufCMessage *msg)
{
    json_t *event = event_of(kind, user), *fields = probe_to_json(msg);

    json_object_update(event, fields);
    json_decref(fields);
    tell(event);
}

static json_t *message_json(const Hy__Msg *msg)
{
    json_t *out = probe_to_json(&msg->base);
    char text[16384];

    hongyan_body_text(msg->body.data, msg->body.len, text, sizeof text);
    json_object_set_new(out, "text", json_string(text));
    return out;
}

static void refuse(const json_t *command, const char *why)
{
    json_t *event = json_pack("{s:s, s:i, s:s}", "ev", "answer", "code", -1, "info", why);

    if (json_object_get(command, "id") != NULL)
        json_object_set(event, "id", json_object_get(command, "id"));
    tell(event);
}

/* ---- events ---- */

static void on_state(void *ctx, const struct hongyan_change *change)
{
    static const char *const names[] = {"offline", "connecting", "online", "kicked"};
    struct user *user = ctx;
    json_t *event = event_of("state", user->name);

    json_object_set_new(event, "state", json_string(names[change->state]));
    json_object_set_new(event, "why", json_integer(change->why));
    json_object_set_new(event, "code", json_integer(change->code));
    json_object_set_new(event, "info", json_string(change->info));
    json_object_set_new(event, "resumed", json_boolean(change->resumed));
    tell(event);
}

static void on_message(void *ctx, const Hy__Msg *msg)
{
    struct user *user = ctx;
    json_t *event = event_of("message", user->name), *fields = message_json(msg);

    json_object_update(event, fields);
    json_decref(fields);
    tell(event);
}

static void on_read(void *ctx, const Hy__ReadNotice *notice)
{
    tell_about("read", ((struct user *)ctx)->name, &notice->base);
}

static void on_conv(void *ctx, const Hy__ConvNotice *notice)
{
    tell_about("conv", ((struct user *)ctx)->name, &notice->base);
}

static void on_profile(void *ctx, const Hy__ProfileNotice *notice)
{
    tell_about("profile", ((struct user *)ctx)->name, &notice->base);
}

static void on_system(void *ctx, const Hy__SystemNotice *notice)
{
    tell_about("system", ((struct user *)ctx)->name, &notice->base);
}

/* ---- answers ---- */

static struct asked *remember(const json_t *command, const struct user *user)
{
    struct asked *asked = calloc(1, sizeof *asked);

    if (asked == NULL)
        abort();
    asked->id = json_incref(json_object_get(command, "id"));
    snprintf(asked->name, sizeof asked->name, "%s", user->name);
    return asked;
}

static void answer(struct asked *asked, uint32_t code, const char *info, json_t *event)
{
    json_object_set_new(event, "code", json_integer(code));
    json_object_set_new(event, "info", json_string(info));
    if (asked->id != NULL)
        json_object_set_new(event, "id", asked->id);
    free(asked);
    tell(event);
}

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct asked *asked = arg;
    json_t *event = event_of("answer", asked->name);

    json_object_set_new(event, "client_id", json_string(sent->client_id));
    json_object_set_new(event, "seq", json_integer((json_int_t)sent->seq));
    json_object_set_new(event, "time_ms", json_integer((json_int_t)sent->time_ms));
    answer(asked, sent->code, sent->info, event);
}

static void on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *frame)
{
    struct asked *asked = arg;
    json_t *event = event_of("answer", asked->name);

    if (frame != NULL) {
        json_t *fields = probe_to_json(&frame->base);

        json_object_del(fields, "id");
        json_object_update(event, fields);
        json_decref(fields);
    }
    if (frame != NULL && frame->body_case == HY__FRAME__BODY_HISTORY_RES) {
        json_t *texts = json_array();

        for (size_t i = 0; i < frame->history_res->n_msgs; i++)
            json_array_append_new(texts, message_json(frame->history_res->msgs[i]));
        json_object_set_new(event, "msgs", texts);
    }
    answer(asked, code, info, event);
}

/* It could not be asked: the answer never comes. */
static void forget(const json_t *command, struct asked *asked, enum hy_err err)
{
    if (err == HY_OK)
        return;
    json_decref(asked->id);
    free(asked);
    refuse(command, hy_err_text(err));
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

static void do_connect(const json_t *command, struct user *user)
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
        .events = {on_state, on_message, on_read, on_conv, on_profile, on_system},
        .ctx = user,
    };
    enum hy_err err = HY_OK;

    hongyan_close(&user->client);
    err = hongyan_open(own.loop, &config, &user->client);
    if (err != HY_OK)
        refuse(command, hy_err_text(err));
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
        refuse(command, "body is not hex");
    } else {
        message.body = body.data;
        message.body_len = body.len;
        asked = remember(command, user);
        forget(command, asked, hongyan_send(user->client, &message, on_sent, asked));
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
                           (uint32_t)number(command, "count"), on_answer, asked));
}

static void do_conv_list(const json_t *command, struct user *user)
{
    struct asked *asked = remember(command, user);

    forget(command, asked, hongyan_conv_list(user->client, on_answer, asked));
}

static void do_read(const json_t *command, struct user *user)
{
    struct asked *asked = remember(command, user);

    forget(command, asked,
           hongyan_read(user->client, type_of(command),
                        text(command, "peer") != NULL ? text(command, "peer") : "",
                        number(command, "seq"), on_answer, asked));
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
        refuse(command, why);
    } else {
        struct asked *asked = remember(command, user);

        forget(command, asked, hongyan_request(user->client, (Hy__Frame *)frame, on_answer, asked));
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
        refuse(command, hy_err_text(err));
}

static void do_disconnect(const json_t *command, struct user *user)
{
    (void)command;
    hongyan_close(&user->client);
}

static const struct {
    const char *op;
    bool connected; /* needs a client */
    void (*run)(const json_t *command, struct user *user);
} ops[] = {
    {"connect", false, do_connect},   {"send", true, do_send},
    {"history", true, do_history},    {"conv_list", true, do_conv_list},
    {"read", true, do_read},          {"request", true, do_request},
    {"cut", true, do_cut},            {"sync", true, do_sync},
    {"pause", true, do_pause},        {"sign_out", true, do_sign_out},
    {"disconnect", true, do_disconnect},
};

static struct user *user_of(const char *name)
{
    struct user *user = own.users;

    while (user != NULL && strcmp(user->name, name) != 0)
        user = user->next;
    if (user != NULL)
        return user;
    user = calloc(1, sizeof *user);
    if (user == NULL)
        abort();
    snprintf(user->name, sizeof user->name, "%s", name);
    user->next = own.users;
    own.users = user;
    return user;
}

static void obey(const json_t *command)
{
    const char *op = text(command, "op"), *name = text(command, "u");

    for (size_t i = 0; op != NULL && name != NULL && i < sizeof ops / sizeof *ops; i++) {
        struct user *user = NULL;

        if (strcmp(ops[i].op, op) != 0)
            continue;
        user = user_of(name);
        if (ops[i].connected && user->client == NULL)
            refuse(command, "connect first");
        else
            ops[i].run(command, user);
        return;
    }
    refuse(command, "op or u is missing or unknown");
}

/* ---- in ---- */

static void take_lines(void)
{
    uint8_t *end = NULL;

    while (own.in.len > 0 && (end = memchr(own.in.data, '\n', own.in.len)) != NULL) {
        size_t len = (size_t)(end - own.in.data);
        json_t *command = json_loadb((const char *)own.in.data, len, 0, NULL);

        hy_buf_drop(&own.in, len + 1);
        if (command == NULL)
            refuse(NULL, "not JSON");
        else
            obey(command);
        json_decref(command);
    }
}

static void on_input(int fd, unsigned ready, void *arg)
{
    char bytes[65536];
    ssize_t n = read(fd, bytes, sizeof bytes);

    (void)ready;
    (void)arg;
    if (n <= 0 || hy_buf_put(&own.in, bytes, (size_t)n) != HY_OK)
        hy_loop_stop(own.loop);
    take_lines();
}

int probe_drive(void)
{
    struct hy_watch *watch = NULL;
    enum hy_err err = hy_loop_open(&own.loop);

    if (err == HY_OK)
        err = hy_watch_open(own.loop, STDIN_FILENO, HY_READ, on_input, NULL, &watch);
    if (err == HY_OK)
        hy_loop_run(own.loop);
    else
        fprintf(stderr, "hongyan-probe: stdin must be a pipe: %s\n", hy_err_text(err));
    hy_watch_close(&watch);
    while (own.users != NULL) {
        struct user *user = own.users;

        own.users = user->next;
        hongyan_close(&user->client);
        free(user);
    }
    hy_buf_free(&own.in);
    hy_loop_close(&own.loop);
    return err == HY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
