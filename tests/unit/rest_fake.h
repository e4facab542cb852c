/* rest_fake - a REST front with a fake cluster behind it: what it asks is recorded, what it hears
 * is made by the test. Real HTTP on loopback, one loop, no waiting. */

#ifndef TESTS_UNIT_REST_FAKE_H
#define TESTS_UNIT_REST_FAKE_H

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/loop.h"
#include "common/slot.h"
#include "common/usersig.h"
#include "gateway/rest.h"
#include "gateway/upstream.h"

#define FAKE_KEY "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"
enum { FAKE_APP = 1400000001, FAKE_ASKED_MOST = 1024, FAKE_TIME_S = 1546300901 };

struct fake_question {
    uint16_t kind, slot;
    ProtobufCMessage *msg; /* decoded: RouterCall, SendCall, AdminCall, SignInCall */
    Hy__Frame *frame;      /* of a RouterCall */
    hy_call_fn *done;
    void *arg;
};

static struct {
    struct hy_loop *loop;
    struct hy_apps *apps;
    struct rest *rest;
    uint16_t port;
    bool unready;
    struct fake_question asked[FAKE_ASKED_MOST];
    size_t asked_count;
    size_t given;     /* how many have been answered */
    bool hold;        /* answer nothing for now */
    size_t most_open; /* most questions that were open at once */
    enum hy_err err;  /* fail every question */
    /* The test's own answers; NULL: the usual ones below. */
    bool (*admin)(const Hy__AdminCall *call, Hy__AdminAnswer *answer);
    bool (*frame)(const Hy__Frame *question, Hy__Frame *answer);
    bool (*send)(const Hy__SendCall *call, Hy__SendResult *result);
    uint32_t sign_in_code;
} fake;

/* ---- accounts: all exist whose names do not begin with "no" ---- */

static inline bool fake_exists(const char *user)
{
    return strncmp(user, "no", 2) != 0;
}

/* Memory for answers, given back by fake_stop(). */
static struct hy_arena fake_arena;

static inline void *fake_get(size_t bytes)
{
    return hy_arena_zalloc(&fake_arena, bytes);
}

static inline char *fake_text(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return hy_arena_strdup(&fake_arena, text, strlen(text));
}

static inline void fake_admin(const Hy__AdminCall *call, Hy__AdminAnswer *answer)
{
    Hy__UsersGetRes *users;

    if (call->op_case == HY__ADMIN_CALL__OP_USER_KICK && !fake_exists(call->user_kick->user))
        answer->code = HY_CODE_ACCOUNT_UNKNOWN;
    if (call->op_case == HY__ADMIN_CALL__OP_PROFILE_SET && !fake_exists(call->profile_set->user))
        answer->code = HY_CODE_ACCOUNT_UNKNOWN;
    if (call->op_case != HY__ADMIN_CALL__OP_USERS_GET)
        return;
    users = fake_get(sizeof *users);
    hy__users_get_res__init(users);
    users->n_users = call->users_get->n_users;
    users->users = fake_get(users->n_users * sizeof(Hy__User *) + 1);
    for (size_t i = 0; i < users->n_users; i++) {
        users->users[i] = fake_get(sizeof(Hy__User));
        hy__user__init(users->users[i]);
        users->users[i]->user = call->users_get->users[i];
        users->users[i]->created_s = fake_exists(call->users_get->users[i]) ? 1 : 0;
    }
    answer->res_case = HY__ADMIN_ANSWER__RES_USERS;
    answer->users = users;
}

/* ---- the fake upstream ---- */

static inline void fake_deliver_one(struct fake_question *q)
{
    Hy__AdminAnswer admin = HY__ADMIN_ANSWER__INIT;
    Hy__SignInAnswer sign_in = HY__SIGN_IN_ANSWER__INIT;
    Hy__SendAnswer send = HY__SEND_ANSWER__INIT;
    Hy__SendResult result = HY__SEND_RESULT__INIT, *results[] = {&result};
    Hy__Frame frame = HY__FRAME__INIT;
    const ProtobufCMessage *answer = &admin.base;
    struct hy_buf buf = {0};
    struct hy_record record = {.kind = (uint16_t)(q->kind | HY_BUS_ANSWER), .id = 1};

    switch (q->kind) {
    case HY__BUS_KIND__ROUTER_SIGN_IN:
        sign_in.code = fake.sign_in_code;
        answer = &sign_in.base;
        break;
    case HY__BUS_KIND__ROUTER_SEND:
        result.seq = 7;
        result.time_ms = FAKE_TIME_S * 1000ull + 123;
        if (fake.send != NULL)
            fake.send((const Hy__SendCall *)q->msg, &result);
        send.n_results = 1;
        send.results = results;
        answer = &send.base;
        break;
    case HY__BUS_KIND__ROUTER_CALL:
        frame.id = q->frame->id;
        if (fake.frame == NULL || !fake.frame(q->frame, &frame)) {
            frame.body_case = HY__FRAME__BODY_OK;
            frame.ok = fake_get(sizeof(Hy__Ok));
            hy__ok__init(frame.ok);
        }
        answer = &frame.base;
        break;
    default:
        if (fake.admin == NULL || !fake.admin((const Hy__AdminCall *)q->msg, &admin))
            fake_admin((const Hy__AdminCall *)q->msg, &admin);
        break;
    }
    if (fake.err != HY_OK) {
        q->done(q->arg, fake.err, NULL);
        return;
    }
    assert_int_equal(hy_buf_put_pb(&buf, answer), HY_OK);
    record.payload = buf.data;
    record.len = buf.len;
    q->done(q->arg, HY_OK, &record);
    hy_buf_free(&buf);
}

static inline void fake_deliver(void *arg)
{
    size_t until = fake.asked_count;

    (void)arg;
    while (!fake.hold && fake.given < until) {
        struct fake_question *q = &fake.asked[fake.given++];

        if (q->done != NULL)
            fake_deliver_one(q);
    }
    if (!fake.hold && fake.given < fake.asked_count)
        assert_int_equal(hy_loop_post(fake.loop, fake_deliver, NULL), HY_OK);
}

uint64_t upstream_router(struct upstream *upstream, uint16_t slot, uint16_t kind,
                         uint32_t deadline_ms, const ProtobufCMessage *msg, hy_call_fn *done,
                         void *arg)
{
    struct fake_question *q = &fake.asked[fake.asked_count++];
    struct hy_buf buf = {0};
    const Hy__RouterCall *call;

    (void)upstream;
    (void)deadline_ms;
    assert_true(fake.asked_count < FAKE_ASKED_MOST);
    *q = (struct fake_question){.kind = kind, .slot = slot, .done = done, .arg = arg};
    assert_int_equal(hy_buf_put_pb(&buf, msg), HY_OK);
    q->msg = protobuf_c_message_unpack(msg->descriptor, &fake_arena.pb, buf.len, buf.data);
    assert_non_null(q->msg);
    hy_buf_free(&buf);
    if (kind == HY__BUS_KIND__ROUTER_CALL) {
        call = (const Hy__RouterCall *)q->msg;
        q->frame = hy__frame__unpack(&fake_arena.pb, call->frame.len, call->frame.data);
        assert_non_null(q->frame);
    }
    if (fake.asked_count - fake.given > fake.most_open)
        fake.most_open = fake.asked_count - fake.given;
    assert_int_equal(hy_loop_post(fake.loop, fake_deliver, NULL), HY_OK);
    return fake.asked_count;
}

struct hy_bus *upstream_bus(struct upstream *upstream)
{
    (void)upstream;
    return NULL;
}

void hy_bus_cancel(struct hy_bus *bus, uint64_t id)
{
    (void)bus;
    fake.asked[id - 1].done = NULL;
}

const struct hy_apps *upstream_apps(const struct upstream *upstream)
{
    (void)upstream;
    return fake.apps;
}

bool upstream_ready(const struct upstream *upstream)
{
    (void)upstream;
    return !fake.unready;
}

/* ---- starting ---- */

static inline void fake_set_app(uint32_t state, uint64_t version)
{
    Hy__App app = HY__APP__INIT, *list[] = {&app};
    char *keys[] = {(char *)FAKE_KEY}, *admins[] = {(char *)"administrator", (char *)"boss"};

    app.sdkappid = FAKE_APP;
    app.state = state;
    app.keys = keys;
    app.n_keys = 1;
    app.admins = admins;
    app.n_admins = 2;
    app.version = version;
    hy_app_defaults(&app);
    assert_int_equal(hy_apps_merge(fake.apps, 1, list, version), HY_OK);
}

static inline void fake_start_with(const struct rest_settings *settings)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memset(&fake, 0, sizeof fake);
    hy_arena_init(&fake_arena);
    assert_int_equal(hy_loop_open(&fake.loop), HY_OK);
    assert_int_equal(hy_apps_open(&fake.apps), HY_OK);
    fake_set_app(0, 1);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 64), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    fake.port = ntohs(address.sin_port);
    assert_int_equal(rest_open(fake.loop, listener, settings, NULL, &fake.rest), HY_OK);
}

static inline int fake_start(void **state)
{
    const struct rest_settings settings = {
        .max_body_bytes = 128 * 1024, .timeout_s = 10, .max_connections = 100};

    (void)state;
    fake_start_with(&settings);
    return 0;
}

static inline int fake_stop(void **state)
{
    (void)state;
    rest_close(&fake.rest);
    hy_apps_close(&fake.apps);
    hy_loop_close(&fake.loop);
    hy_arena_free(&fake_arena);
    return 0;
}

/* ---- a client ---- */

static inline int fake_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(fake.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Write all, turning the loop meanwhile. */
static inline void fake_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0) {
            assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
            hy_loop_turn(fake.loop, 1);
            continue;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

/* Read one HTTP answer into text (cut at size); returns its status, 0 at the end of the connection.
 */
static inline int fake_read(int fd, char *text, size_t size)
{
    size_t len = 0;
    int turns = 0;

    for (;;) {
        ssize_t n = recv(fd, text + len, size - 1 - len, MSG_DONTWAIT);
        const char *head, *length;

        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return 0;
        if (n < 0) {
            assert_true(++turns < 20000);
            hy_loop_turn(fake.loop, 1);
            continue;
        }
        len += (size_t)n;
        text[len] = '\0';
        head = strstr(text, "\r\n\r\n");
        length = strcasestr(text, "Content-Length:");
        if (head != NULL && length != NULL && length < head &&
            len >= (size_t)(head + 4 - text) + strtoul(length + 15, NULL, 10))
            return atoi(text + 9);
    }
}

/* One request on a connection of its own; the answer, head and body, in a static buffer. */
static char fake_answer[4 << 20];
static inline int fake_request(const char *method, const char *target, const char *body, size_t len)
{
    char head[10240];
    int fd = fake_connect(), status;

    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", method,
             target, len);
    fake_write(fd, head, strlen(head));
    fake_write(fd, body, len);
    status = fake_read(fd, fake_answer, sizeof fake_answer);
    close(fd);
    return status;
}

static inline const char *fake_body(void)
{
    return strstr(fake_answer, "\r\n\r\n") + 4;
}

static inline const char *fake_ticket(const char *identifier)
{
    static char sig[HY_USERSIG_MAX];

    assert_int_equal(
        hy_usersig_issue(FAKE_APP, identifier, FAKE_KEY, hy_wall_ms() / 1000, 86400, sig), HY_OK);
    return sig;
}

static json_t *fake_json; /* of the last call */

/* Call a command as the administrator; returns ErrorCode. The body is a format in which ' stands
 * for a double quote. */
static inline uint32_t fake_call(const char *path, const char *format, ...)
{
    static char body[1 << 20];
    char target[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    for (char *p = body; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    snprintf(target, sizeof target,
             "/v4/%s?sdkappid=%u&identifier=administrator&usersig=%s&random=1&contenttype=json",
             path, FAKE_APP, fake_ticket("administrator"));
    json_decref(fake_json);
    assert_int_equal(fake_request("POST", target, body, strlen(body)), 200);
    fake_json = json_loads(fake_body(), 0, NULL);
    assert_non_null(fake_json);
    assert_string_equal(json_string_value(json_object_get(fake_json, "ActionStatus")),
                        json_integer_value(json_object_get(fake_json, "ErrorCode")) == 0 ? "OK"
                                                                                         : "FAIL");
    return (uint32_t)json_integer_value(json_object_get(fake_json, "ErrorCode"));
}

/* The value at "QueryResult.0.State" in the last answer, or NULL. */
static inline json_t *fake_at(const char *path)
{
    json_t *json = fake_json;
    char step[64];

    while (json != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");

        snprintf(step, sizeof step, "%.*s", (int)len, path);
        json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
                                   : json_object_get(json, step);
        path += len;
        path += *path == '.';
    }
    return json;
}

static inline const char *fake_string(const char *path)
{
    const char *text = json_string_value(fake_at(path));

    return text != NULL ? text : "(none)";
}

static inline json_int_t fake_int(const char *path)
{
    assert_true(json_is_integer(fake_at(path)));
    return json_integer_value(fake_at(path));
}

/* The last question that was asked. */
static inline struct fake_question *fake_last(void)
{
    assert_true(fake.asked_count > 0);
    return &fake.asked[fake.asked_count - 1];
}

static inline const Hy__AdminCall *fake_last_admin(void)
{
    assert_int_equal(fake_last()->kind, HY__BUS_KIND__ROUTER_ADMIN);
    return (const Hy__AdminCall *)fake_last()->msg;
}

static inline const Hy__SendCall *fake_last_send(void)
{
    assert_int_equal(fake_last()->kind, HY__BUS_KIND__ROUTER_SEND);
    return (const Hy__SendCall *)fake_last()->msg;
}

static inline const Hy__Frame *fake_last_frame(void)
{
    assert_int_equal(fake_last()->kind, HY__BUS_KIND__ROUTER_CALL);
    return fake_last()->frame;
}

#endif
