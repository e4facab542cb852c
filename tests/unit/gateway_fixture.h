/* gateway_fixture - a gateway worker with clients, a fake router and a fake presence process on the
 * real bus, all in one loop: a test turns it until what it waits for is there. */

#ifndef TESTS_GATEWAY_FIXTURE_H
#define TESTS_GATEWAY_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/usersig.h"
#include "gateway/link.h"
#include "gateway/listener.h"
#include "gateway/request.h"
#include "gateway/worker.h"

#define UNUSED __attribute__((unused))
#define APP_ID 1400000001u
#define APP_KEY "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"

enum { WAIT_MS = 5000, KEPT = 64 };

/* A record as it came, decoded by who looks at it. */
struct seen {
    uint16_t kind;
    uint8_t *payload;
    size_t len;
};

struct fake {
    struct fixture *fixture;
    struct hy_bus *bus;
    struct hy_peer *gateway; /* the worker, once it has dialled */
    struct seen seen[KEPT];
    size_t count;
    bool silent;        /* answers nothing */
    uint32_t open_code; /* presence: code of SessionOpened */
    uint64_t seq;       /* router: of messages */
    uint64_t push_seq;
};

struct fixture {
    char dir[64];
    char endpoint[2][128];
    struct worker *worker;
    struct fake router, presence;
    uint16_t ports[GATEWAY_TRANSPORTS];
    struct hy_arena arena;
};

struct client {
    struct fixture *fixture;
    int fd;
    bool ws;
    bool closed;
    uint8_t in[1 << 20];
    size_t len;
    uint16_t close_code; /* WebSocket */
};

/* ---- the loop ---- */

static UNUSED void turn(struct fixture *f)
{
    hy_loop_turn(f->worker->loop, 5);
}

/* Turn until the condition holds; fail when it does not come true. */
#define UNTIL(f, condition)                                                                        \
    do {                                                                                           \
        uint64_t end_ = hy_steady_ms() + WAIT_MS;                                                  \
        while (!(condition)) {                                                                     \
            if (hy_steady_ms() > end_)                                                             \
                fail_msg("never came true: %s", #condition);                                       \
            turn(f);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the fakes ---- */

static UNUSED size_t seen_count(const struct fake *fake, uint16_t kind)
{
    size_t n = 0;

    for (size_t i = 0; i < fake->count; i++)
        n += fake->seen[i].kind == kind;
    return n;
}

/* The newest record of a kind. */
static UNUSED const struct seen *seen_last(const struct fake *fake, uint16_t kind)
{
    for (size_t i = fake->count; i-- > 0;)
        if (fake->seen[i].kind == kind)
            return &fake->seen[i];
    return NULL;
}

static UNUSED void seen_forget(struct fake *fake)
{
    while (fake->count > 0)
        free(fake->seen[--fake->count].payload);
}

static void keep(struct fake *fake, const struct hy_record *record)
{
    struct seen *seen = &fake->seen[fake->count];

    if (record->kind == HY__BUS_KIND__ROUTER_APPS)
        return;
    if (fake->count == KEPT) { /* the oldest goes */
        free(fake->seen[0].payload);
        memmove(fake->seen, fake->seen + 1, (KEPT - 1) * sizeof fake->seen[0]);
        fake->count--;
        seen = &fake->seen[fake->count];
    }
    *seen = (struct seen){record->kind, malloc(record->len + 1), record->len};
    memcpy(seen->payload, record->payload, record->len);
    fake->count++;
}

static void answer_apps(struct hy_peer *peer, const struct hy_record *record)
{
    static char *keys[] = {(char *)APP_KEY};
    Hy__AppsRes res = HY__APPS_RES__INIT;
    Hy__App app = HY__APP__INIT, suspended = HY__APP__INIT;
    Hy__App *apps[] = {&app, &suspended};

    app.sdkappid = APP_ID;
    app.keys = suspended.keys = keys;
    app.n_keys = suspended.n_keys = 1;
    app.version = suspended.version = 1;
    hy_app_defaults(&app);
    suspended.sdkappid = APP_ID + 1;
    suspended.state = 1;
    res.version = 1;
    res.n_apps = 2;
    res.apps = apps;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void answer_send(struct fake *fake, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SendCall *call = hy__send_call__unpack(NULL, record->len, record->payload);
    Hy__SendResult results[256], *list[256];
    Hy__SendAnswer res = HY__SEND_ANSWER__INIT;

    assert_non_null(call);
    for (size_t i = 0; i < call->n_items; i++) {
        hy__send_result__init(&results[i]);
        results[i].seq = ++fake->seq;
        results[i].time_ms = 1700000000000;
        list[i] = &results[i];
    }
    res.n_results = call->n_items;
    res.results = list;
    hy__send_call__free_unpacked(call, NULL);
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

/* Joins are answered with a live room, all else with Ok. */
static void answer_call(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__RouterCall *call = hy__router_call__unpack(NULL, record->len, record->payload);
    Hy__Frame *asked = hy__frame__unpack(NULL, call->frame.len, call->frame.data);
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ok ok = HY__OK__INIT;
    Hy__GroupJoinRes join = HY__GROUP_JOIN_RES__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    uint8_t bytes[512];

    frame.id = asked->id;
    frame.body_case = HY__FRAME__BODY_OK;
    frame.ok = &ok;
    if (asked->body_case == HY__FRAME__BODY_GROUP_JOIN) {
        info.group = asked->group_join->group;
        info.type = (char *)"AVChatRoom";
        join.status = 1;
        join.group = &info;
        frame.body_case = HY__FRAME__BODY_GROUP_JOIN_RES;
        frame.group_join_res = &join;
    }
    hy_bus_answer(peer, record->kind, record->id, bytes, hy__frame__pack(&frame, bytes));
    hy__frame__free_unpacked(asked, NULL);
    hy__router_call__free_unpacked(call, NULL);
}

static void on_router_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct fake *fake = ctx;
    Hy__SignInAnswer account = HY__SIGN_IN_ANSWER__INIT;

    fake->gateway = peer;
    keep(fake, record);
    if (record->kind == HY__BUS_KIND__ROUTER_APPS) {
        answer_apps(peer, record);
    } else if (fake->silent) {
        return;
    } else if (record->kind == HY__BUS_KIND__ROUTER_SIGN_IN) {
        account.nick = (char *)"Nick";
        hy_bus_answer_pb(peer, record->kind, record->id, &account.base);
    } else if (record->kind == HY__BUS_KIND__ROUTER_SEND) {
        answer_send(fake, peer, record);
    } else if (record->kind == HY__BUS_KIND__ROUTER_CALL) {
        answer_call(peer, record);
    }
}

static void on_presence_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct fake *fake = ctx;
    Hy__SessionOpened opened = HY__SESSION_OPENED__INIT;

    fake->gateway = peer;
    keep(fake, record);
    if (fake->silent)
        return;
    opened.code = fake->open_code;
    if (record->kind == HY__BUS_KIND__PRESENCE_OPEN)
        hy_bus_answer_pb(peer, record->kind, record->id, &opened.base);
    else if (record->kind == HY__BUS_KIND__PRESENCE_CLOSE ||
             record->kind == HY__BUS_KIND__PRESENCE_REGISTER)
        hy_bus_answer(peer, record->kind, record->id, NULL, 0);
}

static void fake_open(struct fixture *f, struct fake *fake, const char *component,
                      const char *endpoint,
                      void (*record)(void *, struct hy_peer *, const struct hy_record *))
{
    struct hy_bus_handler handler = {record, NULL};
    char name[32];
    struct hy_bus_config config = {
        .name = name, .component = component, .cluster_id = "test", .bind = endpoint};

    snprintf(name, sizeof name, "%s-0", component);
    fake->fixture = f;
    assert_int_equal(hy_bus_open(f->worker->loop, &config, &handler, fake, &fake->bus), HY_OK);
}

static UNUSED void presence_open(struct fixture *f)
{
    fake_open(f, &f->presence, "presence", f->endpoint[1], on_presence_record);
}

static UNUSED void fake_close(struct fake *fake)
{
    hy_bus_close(&fake->bus);
    seen_forget(fake);
    fake->gateway = NULL;
}

/* Push an encoded frame to a link or a room; skip tells of lost ones. */
static UNUSED void push_bytes(struct fixture *f, uint8_t *bytes, size_t len, uint64_t link,
                              const char *room, uint64_t skip)
{
    Hy__Push msg = HY__PUSH__INIT;
    Hy__PushItem item = HY__PUSH_ITEM__INIT, *items[] = {&item};
    Hy__Room at = HY__ROOM__INIT;

    item.frame = (ProtobufCBinaryData){len, bytes};
    item.links = &link;
    item.n_links = link != 0;
    at.app = APP_ID;
    at.group = (char *)(uintptr_t)room;
    item.room = room == NULL ? NULL : &at;
    f->router.push_seq += 1 + skip;
    msg.seq = f->router.push_seq;
    msg.n_items = 1;
    msg.items = items;
    assert_int_equal(hy_bus_send_pb(f->router.gateway, HY__BUS_KIND__GATEWAY_PUSH, 0, &msg.base),
                     HY_OK);
}

static UNUSED void push(struct fixture *f, uint64_t link, const char *room, uint64_t skip)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvNotice notice = HY__CONV_NOTICE__INIT;
    uint8_t bytes[64];

    notice.peer = (char *)"pushed";
    frame.body_case = HY__FRAME__BODY_CONV_NOTICE;
    frame.conv_notice = &notice;
    push_bytes(f, bytes, hy__frame__pack(&frame, bytes), link, room, skip);
}

/* ---- the worker ---- */

static struct gateway_settings fixture_settings(void)
{
    return (struct gateway_settings){.heartbeat_ms = 30000,
                                     .sign_in_ms = 10000,
                                     .resume_grace_ms = 60000,
                                     .drain_ms = 300,
                                     .max_frame_bytes = 65536,
                                     .outbox_bytes = 65536,
                                     .request_rate = 10000,
                                     .request_burst = 10000,
                                     .sign_in_tries = 3,
                                     .connect_rate = 10000,
                                     .max_connections = 20000};
}

/* What the fleet tells the worker. */
static UNUSED void fixture_node(struct fixture *f, const char *component, const char *name,
                                const char *endpoint, enum hy_node_state state)
{
    struct hy_node node = {.component = component,
                           .name = name,
                           .endpoint = endpoint,
                           .version = "",
                           .state = state};

    assert_int_equal(worker_node(f->worker, &node), HY_OK);
}

static UNUSED struct fixture *fixture_open(const struct gateway_settings *settings)
{
    static const uint8_t secret[TOKEN_SECRET] = {7};
    struct fixture *f = calloc(1, sizeof *f);
    struct hy_common_settings common = {
        .name = (char *)"gateway-0", .cluster_id = (char *)"test", .curve_dir = (char *)""};
    struct gateway_settings own = settings != NULL ? *settings : fixture_settings();
    struct limits limits;
    struct ssl_ctx_st *tls = NULL;
    int fds[GATEWAY_TRANSPORTS] = {-1, -1, -1, -1};

    assert_non_null(f);
    hy_log_set_level(HY_LOG_ERROR);
    strcpy(f->dir, "/tmp/hy_gateway_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->endpoint[0], sizeof f->endpoint[0], "ipc://%s/router", f->dir);
    snprintf(f->endpoint[1], sizeof f->endpoint[1], "ipc://%s/presence", f->dir);
    assert_int_equal(limits_make(&own, 1, &limits), HY_OK);
    assert_int_equal(listener_bind("127.0.0.1:0", &f->ports[GATEWAY_TCP], &fds[GATEWAY_TCP]),
                     HY_OK);
    assert_int_equal(listener_bind("127.0.0.1:0", &f->ports[GATEWAY_WS], &fds[GATEWAY_WS]), HY_OK);
    request_metrics();
    assert_int_equal(worker_open(&(struct worker_config){.name = "gateway-0/0",
                                                         .common = &common,
                                                         .limits = &limits,
                                                         .tls = &tls,
                                                         .secret = secret,
                                                         .listeners = fds,
                                                         .rest = -1},
                                 &f->worker),
                     HY_OK);
    fixture_node(f, "router", "router-0", f->endpoint[0], HY_NODE_SERVING);
    fixture_node(f, "presence", "presence-0", f->endpoint[1], HY_NODE_SERVING);
    hy_arena_init(&f->arena);
    fake_open(f, &f->router, "router", f->endpoint[0], on_router_record);
    presence_open(f);
    UNTIL(f, upstream_ready(f->worker->upstream) && f->presence.gateway != NULL);
    return f;
}

static UNUSED void fixture_close(struct fixture *f)
{
    char path[96];

    hy_arena_free(&f->arena);
    fake_close(&f->router);
    fake_close(&f->presence);
    worker_close(&f->worker);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, i == 0 ? "router" : "presence");
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
}

/* ---- clients ---- */

static void client_write(struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0) {
        ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            turn(c->fixture);
            continue;
        }
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static void client_read(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, sizeof c->in - c->len, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN))
        c->closed = true;
    else if (n > 0)
        c->len += (size_t)n;
}

static void client_upgrade(struct client *c)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const char *end = NULL;

    client_write(c, request, sizeof request - 1);
    UNTIL(c->fixture,
          (client_read(c), end = memmem(c->in, c->len, "\r\n\r\n", 4)) != NULL || c->closed);
    assert_memory_equal(c->in, "HTTP/1.1 101", 12);
    c->len -= (size_t)(end + 4 - (const char *)c->in);
    memmove(c->in, end + 4, c->len);
}

static UNUSED struct client *client_open(struct fixture *f, bool ws)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(f->ports[ws ? GATEWAY_WS : GATEWAY_TCP]),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct client *c = calloc(1, sizeof *c);

    assert_non_null(c);
    c->fixture = f;
    c->ws = ws;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&at, sizeof at), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    if (ws)
        client_upgrade(c);
    return c;
}

static UNUSED void client_close(struct client *c)
{
    close(c->fd);
    free(c);
}

/* A frame of a client's, framed for its transport, appended to out. Returns its length. */
static UNUSED size_t client_pack(const struct client *c, const Hy__Frame *frame, uint8_t *out)
{
    size_t len = hy__frame__get_packed_size(frame), n = 0;

    if (c->ws) {
        out[n++] = 0x82;
        out[n++] = len < 126 ? (uint8_t)(0x80 | len) : 0x80 | 126;
        if (len >= 126) {
            out[n++] = (uint8_t)(len >> 8);
            out[n++] = (uint8_t)len;
        }
        memset(out + n, 0, 4); /* a mask of zeros is a mask */
        n += 4;
    } else {
        for (int i = 3; i >= 0; i--)
            out[n++] = (uint8_t)(len >> (8 * i));
    }
    return n + hy__frame__pack(frame, out + n);
}

static UNUSED void client_send(struct client *c, const Hy__Frame *frame)
{
    static uint8_t bytes[70000];

    client_write(c, bytes, client_pack(c, frame, bytes));
}

/* Take one frame out of what was read: 0 not whole, else its bytes; *payload is NULL for control.
 */
static size_t client_split(struct client *c, const uint8_t **payload, size_t *len)
{
    size_t head = 4;

    *payload = NULL;
    if (!c->ws) {
        if (c->len < 4)
            return 0;
        *len = (size_t)c->in[0] << 24 | (size_t)c->in[1] << 16 | (size_t)c->in[2] << 8 | c->in[3];
    } else {
        if (c->len < 4 && (c->len < 2 || c->in[1] > c->len - 2))
            return 0;
        head = c->in[1] < 126 ? 2 : 4;
        *len = c->in[1] < 126 ? c->in[1] : (size_t)c->in[2] << 8 | c->in[3];
    }
    if (c->len < head + *len)
        return 0;
    if (!c->ws || c->in[0] == 0x82)
        *payload = c->in + head;
    else if (c->in[0] == 0x88 && *len >= 2)
        c->close_code = (uint16_t)(c->in[2] << 8 | c->in[3]);
    return head + *len;
}

/* The next frame, lent until the fixture closes; NULL when the link closed instead. */
static UNUSED const Hy__Frame *client_next(struct client *c)
{
    uint64_t end_ms = hy_steady_ms() + WAIT_MS;

    for (;;) {
        const uint8_t *payload = NULL;
        const Hy__Frame *frame = NULL;
        size_t len = 0, used = client_split(c, &payload, &len);

        if (payload != NULL) {
            frame = hy__frame__unpack(&c->fixture->arena.pb, len, payload);
            assert_non_null(frame);
        }
        memmove(c->in, c->in + used, c->len - used);
        c->len -= used;
        if (frame != NULL)
            return frame;
        if (used == 0 && c->closed)
            return NULL;
        if (used == 0 && hy_steady_ms() > end_ms)
            fail_msg("no frame came");
        if (used == 0) {
            turn(c->fixture);
            client_read(c);
        }
    }
}

static UNUSED Hy__SignInReq sign_in_req(const char *user, char sig[static HY_USERSIG_MAX])
{
    Hy__SignInReq req = HY__SIGN_IN_REQ__INIT;

    assert_int_equal(hy_usersig_issue(APP_ID, user, APP_KEY, hy_wall_ms() / 1000, 86400, sig),
                     HY_OK);
    req.sdkappid = APP_ID;
    req.identifier = (char *)(uintptr_t)user;
    req.usersig = sig;
    req.platform = HY__PLATFORM__PLATFORM_WEB;
    req.device_id = (char *)"device";
    return req;
}

static UNUSED const Hy__SignInRes *client_sign_in(struct client *c, const char *user)
{
    char sig[HY_USERSIG_MAX];
    Hy__SignInReq req = sign_in_req(user, sig);
    Hy__Frame frame = HY__FRAME__INIT;
    const Hy__Frame *res;

    frame.id = 1;
    frame.body_case = HY__FRAME__BODY_SIGN_IN;
    frame.sign_in = &req;
    client_send(c, &frame);
    res = client_next(c);
    assert_non_null(res);
    assert_int_equal(res->code, 0);
    assert_int_equal(res->body_case, HY__FRAME__BODY_SIGN_IN_RES);
    return res->sign_in_res;
}

/* Handle of the link that signed in last, as presence was told. */
static UNUSED uint64_t last_link(const struct fixture *f)
{
    const struct seen *seen = seen_last(&f->presence, HY__BUS_KIND__PRESENCE_OPEN);
    Hy__SessionOpen *open = hy__session_open__unpack(NULL, seen->len, seen->payload);
    uint64_t link = open->session->link;

    hy__session_open__free_unpacked(open, NULL);
    return link;
}

static UNUSED const Hy__Frame *client_ping(struct client *c, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__Ping ping = HY__PING__INIT;

    frame.id = id;
    frame.body_case = HY__FRAME__BODY_PING;
    frame.ping = &ping;
    client_send(c, &frame);
    return client_next(c);
}

#endif
