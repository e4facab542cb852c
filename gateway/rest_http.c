#include "gateway/rest_http.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/metrics.h"

enum { SWEEP_MS = 250, ACCEPTS = 64, READ_BYTES = 4096, KEPT_BYTES = 64 * 1024, DATE_SIZE = 40 };

/* HEAD and BODY read, BUSY waits for rest_http_answer(), WRITING for the client to take the answer.
 * LINGERING has said all, and reads what still comes until the client closes, too: closing first
 * could cost the client our last answer. */
enum state { HEAD, BODY, BUSY, WRITING, LINGERING };

struct rest_request {
    struct rest_http *http;
    TAILQ_ENTRY(rest_request) link;
    enum state state;
    int fd; /* -1: gone, while a request is being worked on */
    struct hy_watch *watch;
    uint64_t since_ms; /* waiting for a whole request, or for its answer to be taken, since */
    struct hy_buf in, out;
    size_t sent; /* of out */
    struct rest_head head;
    struct rest_chunks chunks;
    bool last;            /* the connection ends with this answer */
    bool advancing;       /* advance() is running: nobody else frees the connection */
    struct in6_addr peer; /* IPv4 as ::ffff:a.b.c.d */
};

/* A connection has one request under way at most, so the two are one thing with two names. */
typedef struct rest_request connection;

struct rest_http {
    struct hy_loop *loop;
    int listener;
    struct hy_watch *accepting;
    struct hy_timer *sweep;
    TAILQ_HEAD(, rest_request) connections;
    size_t count, most;
    size_t most_body;
    uint64_t timeout_ms;
    rest_http_fn *fn;
    void *ctx;
    bool draining;
    uint64_t date_s; /* of date */
    char date[DATE_SIZE];
    struct hy_metric *open_connections, *refused;
};

/* ---------------------------------------------------------------- ends of connections */

static void disconnect(connection *c)
{
    hy_watch_close(&c->watch);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void forget(connection *c)
{
    TAILQ_REMOVE(&c->http->connections, c, link);
    c->http->count--;
    hy_add(c->http->open_connections, -1);
    disconnect(c);
    hy_buf_free(&c->in);
    hy_buf_free(&c->out);
    free(c);
}

/* Who is working on the request still has it, and tells when it is done. */
static void drop(connection *c)
{
    if (c->state == BUSY || c->advancing)
        disconnect(c);
    else
        forget(c);
}

static void sweep(void *arg)
{
    struct rest_http *http = arg;
    uint64_t now_ms = hy_loop_now_ms(http->loop);

    for (connection *c = TAILQ_FIRST(&http->connections), *next; c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->state != BUSY && now_ms - c->since_ms > http->timeout_ms)
            drop(c);
    }
    if (http->accepting != NULL && !http->draining)
        (void)!hy_watch_set(http->accepting, HY_READ); /* again, after a lack of descriptors */
}

/* ---------------------------------------------------------------- answers */

static const struct {
    int status;
    const char *line;
} lines[] = {
    {200, "HTTP/1.1 200 OK\r\n"},
    {400, "HTTP/1.1 400 Bad Request\r\n"},
    {404, "HTTP/1.1 404 Not Found\r\n"},
    {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    {413, "HTTP/1.1 413 Content Too Large\r\n"},
    {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    {501, "HTTP/1.1 501 Not Implemented\r\n"},
    {503, "HTTP/1.1 503 Service Unavailable\r\n"},
    {505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

static const char *line_of(int status)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].status == status)
            return lines[i].line;
    return "HTTP/1.1 500 Internal Server Error\r\n";
}

/* "Date: Thu, 26 Nov 2026 11:05:11 GMT\r\n", made once a second. */
static const char *date_line(struct rest_http *http)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(hy_wall_ms() / 1000);
    struct tm tm;

    if (http->date_s == (uint64_t)now || gmtime_r(&now, &tm) == NULL)
        return http->date;
    http->date_s = (uint64_t)now;
    snprintf(http->date, sizeof http->date, "Date: %s, %02u %s %04u %02u:%02u:%02u GMT\r\n",
             days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 32, months[tm.tm_mon % 12],
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 24,
             (unsigned)tm.tm_min % 60, (unsigned)tm.tm_sec % 61);
    return http->date;
}

static bool put(connection *c, const char *text)
{
    return hy_buf_put(&c->out, text, strlen(text)) == HY_OK;
}

static bool put_head(connection *c, int status, const char *type, size_t len)
{
    bool preflight = c->head.method == REST_OPTIONS;
    char number[48];

    snprintf(number, sizeof number, "Content-Length: %zu\r\n\r\n", len);
    return put(c, line_of(status)) && put(c, "Server: hongyan\r\n") && put(c, date_line(c->http)) &&
           (type == NULL || (put(c, "Content-Type: ") && put(c, type) && put(c, "\r\n"))) &&
           put(c, "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Methods: POST\r\n") &&
           put(c, preflight ? "Access-Control-Allow-Headers: X-Requested-With, Content-Type\r\n"
                            : "Access-Control-Allow-Headers: X-Requested-With\r\n") &&
           (status != 405 || put(c, "Allow: POST, OPTIONS\r\n")) &&
           (!c->last || put(c, "Connection: close\r\n")) &&
           (c->last || !c->head.old || put(c, "Connection: keep-alive\r\n")) && put(c, number);
}

/* The memory of a large request or answer is not kept for the next. */
static void tidy(struct hy_buf *buf)
{
    if (buf->len == 0 && buf->cap > KEPT_BYTES)
        hy_buf_free(buf);
}

/* The answer has left: on to the next request, or to the end. */
static void answered(connection *c)
{
    c->out.len = c->sent = 0;
    tidy(&c->out);
    c->state = c->last ? LINGERING : HEAD;
    if (c->last)
        shutdown(c->fd, SHUT_WR);
    if (hy_watch_set(c->watch, HY_READ) != HY_OK)
        disconnect(c);
}

/* Send what is left of the answer; the connection may be disconnected after. */
static void flush(connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

        if (n > 0) {
            c->sent += (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (hy_watch_set(c->watch, HY_WRITE) != HY_OK)
                disconnect(c);
            return;
        } else if (n == 0 || errno != EINTR) {
            disconnect(c);
            return;
        }
    }
    answered(c);
}

/* The request at hand is done with. */
static void consume(connection *c)
{
    size_t body = c->head.chunked ? c->chunks.at : (size_t)c->head.body_len;

    hy_buf_drop(&c->in, c->head.used + body);
    tidy(&c->in);
}

static void reply(connection *c, int status, const char *type, const void *body, size_t len)
{
    c->state = WRITING;
    c->since_ms = hy_loop_now_ms(c->http->loop);
    c->last |= !c->head.keep_alive || c->http->draining;
    if (put_head(c, status, type, len) &&
        (c->head.head_only || len == 0 || hy_buf_put(&c->out, body, len) == HY_OK))
        flush(c);
    else
        disconnect(c); /* no memory */
}

/* A request that cannot be read: say so, and believe nothing that follows it. */
static void refuse(connection *c, uint16_t status)
{
    c->last = true;
    reply(c, status, NULL, NULL, 0);
}

/* ---------------------------------------------------------------- requests */

static void hand_over(connection *c)
{
    char *target = (char *)(uintptr_t)c->head.target;

    target[c->head.target_len] = '\0'; /* the blank before the version */
    c->state = BUSY;
    c->http->fn(c->http->ctx, c);
}

/* Clients with large bodies wait for this word, though not for long. */
static void say_continue(connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (c->head.expects && !c->head.old && c->in.len == c->head.used &&
        send(c->fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0)
        disconnect(c);
}

/* False: more must come first. */
static bool take_head(connection *c)
{
    size_t blank = 0;

    while (c->in.len - blank >= 2 && memcmp(c->in.data + blank, "\r\n", 2) == 0)
        blank += 2; /* empty lines before a request are let pass (RFC 9112, 2.2) */
    hy_buf_drop(&c->in, blank);
    c->chunks = (struct rest_chunks){0};
    switch (rest_head_parse((char *)c->in.data, c->in.len, &c->head)) {
    case REST_MORE:
        return false;
    case REST_WRONG:
        refuse(c, c->head.status);
        return true;
    case REST_WHOLE:
        break;
    }
    if (!c->head.chunked && c->head.body_len > c->http->most_body) {
        refuse(c, 413);
        return true;
    }
    c->state = BODY;
    if (c->head.chunked || c->head.body_len > 0)
        say_continue(c);
    return true;
}

static bool take_body(connection *c)
{
    size_t here = c->in.len - c->head.used;

    /* The buffer may have moved since the head was read. */
    c->head.target = memchr(c->in.data, ' ', c->head.used);
    c->head.target++;
    if (!c->head.chunked) {
        if (here < c->head.body_len)
            return false;
        hand_over(c);
        return true;
    }
    switch (
        rest_chunks_take(&c->chunks, (char *)c->in.data + c->head.used, here, c->http->most_body)) {
    case REST_MORE:
        return false;
    case REST_WRONG:
        refuse(c, c->chunks.status);
        return true;
    case REST_WHOLE:
        hand_over(c);
        return true;
    }
    return false;
}

/* Work on what has come, until something must be waited for. Frees a connection that is gone. */
static void advance(connection *c)
{
    bool more = true;

    c->advancing = true;
    while (more && c->fd >= 0 && c->in.len > 0 && (c->state == HEAD || c->state == BODY))
        more = c->state == HEAD ? take_head(c) : take_body(c);
    c->advancing = false;
    if (c->fd < 0)
        drop(c);
}

static bool read_some(connection *c)
{
    size_t want = READ_BYTES;
    ssize_t n;

    /* A large body comes in large pieces. */
    if (c->state == BODY && !c->head.chunked && c->head.body_len > READ_BYTES)
        want = KEPT_BYTES;
    if (hy_buf_reserve(&c->in, want) != HY_OK)
        return false;
    n = recv(c->fd, c->in.data + c->in.len, c->in.cap - c->in.len, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (n == 0)
        return false;
    c->in.len += (size_t)n;
    return true;
}

static void on_ready(int fd, unsigned ready, void *arg)
{
    connection *c = arg;
    bool good = true;

    (void)fd;
    (void)ready;
    switch (c->state) {
    case BUSY: /* the next request already, or the end: it has time until this one is answered */
        good = hy_watch_set(c->watch, 0) == HY_OK;
        break;
    case WRITING:
        flush(c);
        break;
    case LINGERING:
        good = read_some(c);
        c->in.len = 0;
        break;
    case HEAD:
    case BODY:
        good = read_some(c);
        break;
    }
    if (!good)
        drop(c);
    else
        advance(c);
}

enum rest_method rest_request_method(const struct rest_request *request)
{
    return request->head.method;
}

const char *rest_request_target(const struct rest_request *request)
{
    return request->head.target;
}

char *rest_request_body(struct rest_request *request, size_t *len)
{
    *len = request->head.chunked ? request->chunks.len : (size_t)request->head.body_len;
    return (char *)request->in.data + request->head.used;
}

const struct in6_addr *rest_request_peer(const struct rest_request *request)
{
    return &request->peer;
}

void rest_http_answer(struct rest_request **request, int status, const char *type, const void *body,
                      size_t len)
{
    connection *c = *request;

    *request = NULL;
    if (c->fd >= 0)
        reply(c, status, type, body, len);
    else
        c->state = LINGERING;
    consume(c);
    if (!c->advancing)
        advance(c);
}

/* ---------------------------------------------------------------- connecting */

static struct in6_addr peer_of(const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    struct in6_addr peer = {.s6_addr = {[10] = 0xFF, 0xFF}};

    if (from->ss_family == AF_INET6)
        return v6->sin6_addr;
    memcpy(&peer.s6_addr[12], &v4->sin_addr, sizeof v4->sin_addr);
    return peer;
}

static void welcome(struct rest_http *http, int fd, const struct sockaddr_storage *from)
{
    static const int on = 1;
    connection *c = calloc(1, sizeof *c);

    if (c == NULL || hy_watch_open(http->loop, fd, HY_READ, on_ready, c, &c->watch) != HY_OK) {
        free(c);
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->http = http;
    c->fd = fd;
    c->since_ms = hy_loop_now_ms(http->loop);
    c->peer = peer_of(from);
    TAILQ_INSERT_HEAD(&http->connections, c, link);
    http->count++;
    hy_add(http->open_connections, 1);
}

static void on_connection(int listener, unsigned ready, void *arg)
{
    struct rest_http *http = arg;

    (void)ready;
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                (void)!hy_watch_set(http->accepting, 0); /* until the next sweep */
            return;
        }
        if (http->count >= http->most) {
            hy_add(http->refused, 1);
            close(fd);
        } else {
            welcome(http, fd, &from);
        }
    }
}

/* ---------------------------------------------------------------- the server */

enum hy_err rest_http_open(struct hy_loop *loop, int listener,
                           const struct rest_http_settings *settings, rest_http_fn *fn, void *ctx,
                           struct rest_http **http)
{
    enum hy_err err = HY_ENOMEM;
    struct rest_http *h = calloc(1, sizeof *h);

    if (h == NULL) {
        close(listener);
        return err;
    }
    *h = (struct rest_http){.loop = loop,
                            .listener = listener,
                            .fn = fn,
                            .ctx = ctx,
                            .most = settings->max_connections,
                            .most_body = settings->max_body_bytes,
                            .timeout_ms = settings->timeout_s * 1000ull};
    TAILQ_INIT(&h->connections);
    h->open_connections =
        hy_gauge("hongyan_gateway_rest_connections", "", "HTTP connections that are open.");
    h->refused = hy_counter("hongyan_gateway_rest_connections_refused_total", "",
                            "HTTP connections closed because there were too many.");
    err = hy_timer_open(loop, sweep, h, &h->sweep);
    if (err == HY_OK)
        err = hy_watch_open(loop, listener, HY_READ, on_connection, h, &h->accepting);
    if (err != HY_OK) {
        rest_http_close(&h);
        return err;
    }
    hy_timer_every(h->sweep, SWEEP_MS);
    *http = h;
    return HY_OK;
}

static void stop_accepting(struct rest_http *http)
{
    hy_watch_close(&http->accepting);
    if (http->listener >= 0)
        close(http->listener);
    http->listener = -1;
}

void rest_http_close(struct rest_http **http)
{
    struct rest_http *h = *http;

    if (h == NULL)
        return;
    *http = NULL;
    stop_accepting(h);
    hy_timer_close(&h->sweep);
    for (connection *c = TAILQ_FIRST(&h->connections), *next; c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        forget(c);
    }
    free(h);
}

void rest_http_drain(struct rest_http *http)
{
    http->draining = true;
    stop_accepting(http);
}
