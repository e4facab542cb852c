#include "gateway/rest_http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/metrics.h"

enum { MAX_HEADER_BYTES = 16 * 1024, SWEEP_MS = 250 };

/* libevent tells nobody of a connection on which no request has come. So we keep a reference to
 * each connection's bufferevent: while it lives it can be asked whether evhttp still uses it. */
struct connection {
    TAILQ_ENTRY(connection) link;
    struct bufferevent *bev;
    uint64_t since_ms; /* waiting for a whole request since */
    int fd;            /* its place in by_fd, -1 before its first request */
    bool busy;         /* a request is being worked on */
    bool refused;      /* over the limit: to be closed at the end of this turn */
};

struct rest_http {
    struct hy_loop *loop;
    struct evhttp *evhttp;
    struct evhttp_bound_socket *bound;
    struct hy_timer *sweep;
    TAILQ_HEAD(, connection) connections;
    size_t count, most;
    struct connection **by_fd; /* those that have had a request */
    size_t by_fd_size;
    size_t to_refuse;
    uint64_t timeout_ms;
    rest_http_fn *fn;
    void *ctx;
    bool draining;
    struct hy_metric *open_connections, *refused;
};

struct rest_request {
    struct rest_http *http;
    struct evhttp_request *req; /* NULL: the client has gone */
    struct evhttp_connection *evcon;
    enum rest_method method;
    struct connection *connection; /* lives as long as req */
    const char *target;
    const char *body;
    size_t len;
    char peer[64];
};

/* ---------------------------------------------------------------- connections */

static void forget(struct rest_http *http, struct connection *c)
{
    TAILQ_REMOVE(&http->connections, c, link);
    if (c->fd >= 0 && http->by_fd[c->fd] == c)
        http->by_fd[c->fd] = NULL;
    http->count--;
    hy_add(http->open_connections, -1);
    bufferevent_decref(c->bev);
    free(c);
}

/* evhttp takes its callbacks off when it lets go of a connection. */
static bool let_go(const struct connection *c)
{
    bufferevent_event_cb on_event = NULL;

    bufferevent_getcb(c->bev, NULL, NULL, &on_event, NULL);
    return on_event == NULL;
}

static void sweep(void *arg)
{
    struct rest_http *http = arg;
    uint64_t now_ms = hy_loop_now_ms(http->loop);

    for (struct connection *c = TAILQ_FIRST(&http->connections), *next; c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (let_go(c))
            forget(http, c);
        else if (!c->busy && now_ms - c->since_ms > http->timeout_ms)
            shutdown(bufferevent_getfd(c->bev), SHUT_RDWR); /* evhttp sees the end and lets go */
    }
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct rest_http *http = arg;
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (c->bev == NULL) {
        free(c);
        return NULL;
    }
    bufferevent_incref(c->bev);
    c->fd = -1;
    c->since_ms = hy_loop_now_ms(http->loop);
    if (http->count >= http->most)
        sweep(http);
    c->refused = http->count >= http->most;
    http->to_refuse += c->refused;
    TAILQ_INSERT_HEAD(&http->connections, c, link);
    http->count++;
    hy_add(http->open_connections, 1);
    return c->bev;
}

/* Over the limit: the descriptor is known only after on_connection(). */
static void refuse(void *arg)
{
    struct rest_http *http = arg;
    struct connection *c;

    for (c = TAILQ_FIRST(&http->connections); c != NULL && http->to_refuse > 0;
         c = TAILQ_NEXT(c, link)) {
        if (!c->refused)
            continue;
        c->refused = false;
        http->to_refuse--;
        hy_add(http->refused, 1);
        if (!let_go(c))
            shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
    }
    http->to_refuse = 0;
}

static bool remember(struct rest_http *http, struct connection *c, int fd)
{
    size_t need = (size_t)fd + 1;
    struct connection **more;

    if (need > http->by_fd_size) {
        more = realloc(http->by_fd, need * 2 * sizeof(struct connection *));
        if (more == NULL)
            return false;
        memset(more + http->by_fd_size, 0,
               (need * 2 - http->by_fd_size) * sizeof(struct connection *));
        http->by_fd = more;
        http->by_fd_size = need * 2;
    }
    http->by_fd[fd] = c;
    c->fd = fd;
    return true;
}

/* The connection of a bufferevent; by its descriptor, except for its first request. */
static struct connection *find(struct rest_http *http, struct bufferevent *bev)
{
    int fd = bufferevent_getfd(bev);
    struct connection *c = NULL;

    if (fd < 0)
        return NULL;
    if ((size_t)fd < http->by_fd_size && http->by_fd[fd] != NULL && http->by_fd[fd]->bev == bev)
        return http->by_fd[fd];
    TAILQ_FOREACH(c, &http->connections, link)
    {
        if (c->bev == bev)
            break;
    }
    return c != NULL && remember(http, c, fd) ? c : NULL;
}

/* ---------------------------------------------------------------- requests */

static void on_client_gone(struct evhttp_connection *evcon, void *arg)
{
    struct rest_request *request = arg;

    (void)evcon;
    request->req = NULL;
}

static enum rest_method method_of(enum evhttp_cmd_type type)
{
    if (type == EVHTTP_REQ_POST)
        return REST_POST;
    return type == EVHTTP_REQ_OPTIONS ? REST_OPTIONS : REST_OTHER;
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct rest_http *http = arg;
    struct evhttp_connection *evcon = evhttp_request_get_connection(req);
    struct connection *c = find(http, evhttp_connection_get_bufferevent(evcon));
    struct evbuffer *input = evhttp_request_get_input_buffer(req);
    struct rest_request *request = calloc(1, sizeof *request);
    char *peer = NULL;
    ev_uint16_t port = 0;

    if (request == NULL || c == NULL) {
        free(request);
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    c->busy = true;
    evhttp_connection_get_peer(evcon, &peer, &port);
    request->connection = c;
    request->http = http;
    request->req = req;
    request->evcon = evcon;
    request->method = method_of(evhttp_request_get_command(req));
    request->target = evhttp_request_get_uri(req);
    request->len = evbuffer_get_length(input);
    request->body = request->len > 0 ? (const char *)evbuffer_pullup(input, -1) : "";
    strncat(request->peer, peer != NULL ? peer : "", sizeof request->peer - 1);
    evhttp_connection_set_closecb(evcon, on_client_gone, request);
    http->fn(http->ctx, request);
}

enum rest_method rest_request_method(const struct rest_request *request)
{
    return request->method;
}

const char *rest_request_target(const struct rest_request *request)
{
    return request->target;
}

const char *rest_request_body(const struct rest_request *request, size_t *len)
{
    *len = request->body != NULL ? request->len : 0;
    return request->body;
}

const char *rest_request_peer(const struct rest_request *request)
{
    return request->peer;
}

static void add_headers(const struct rest_request *request, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request->req);
    bool preflight = request->method == REST_OPTIONS;

    evhttp_add_header(headers, "Server", "hongyan");
    if (type != NULL)
        evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Access-Control-Allow-Origin", "*");
    evhttp_add_header(headers, "Access-Control-Allow-Methods", "POST");
    evhttp_add_header(headers, "Access-Control-Allow-Headers",
                      preflight ? "X-Requested-With, Content-Type" : "X-Requested-With");
    if (request->method == REST_OTHER)
        evhttp_add_header(headers, "Allow", "POST, OPTIONS");
    if (request->http->draining)
        evhttp_add_header(headers, "Connection", "close");
}

static const char *reason(int status)
{
    switch (status) {
    case HTTP_OK:
        return "OK";
    case HTTP_NOTFOUND:
        return "Not Found";
    case HTTP_BADMETHOD:
        return "Method Not Allowed";
    default:
        return "Error";
    }
}

static void send_answer(struct rest_request *request, int status, const char *type,
                        const void *body, size_t len)
{
    struct evbuffer *out = evbuffer_new();

    request->connection->busy = false;
    request->connection->since_ms = hy_loop_now_ms(request->http->loop);
    evhttp_connection_set_closecb(request->evcon, NULL, NULL);
    add_headers(request, type);
    if (out != NULL && len > 0)
        evbuffer_add(out, body, len);
    evhttp_send_reply(request->req, status, reason(status), out);
    if (out != NULL)
        evbuffer_free(out);
}

void rest_http_answer(struct rest_request **request, int status, const char *type, const void *body,
                      size_t len)
{
    if ((*request)->req != NULL)
        send_answer(*request, status, type, body, len);
    free(*request);
    *request = NULL;
}

/* ---------------------------------------------------------------- the server */

enum hy_err rest_http_open(struct hy_loop *loop, int listener,
                           const struct rest_http_settings *settings, rest_http_fn *fn, void *ctx,
                           struct rest_http **http)
{
    enum hy_err err = HY_ENOMEM;
    struct rest_http *h = calloc(1, sizeof *h);

    if (h == NULL)
        goto fail;
    *h = (struct rest_http){.loop = loop, .fn = fn, .ctx = ctx, .most = settings->max_connections};
    TAILQ_INIT(&h->connections);
    h->timeout_ms = settings->timeout_s * 1000ull;
    h->open_connections =
        hy_gauge("hongyan_gateway_rest_connections", "", "HTTP connections that are open.");
    h->refused = hy_counter("hongyan_gateway_rest_connections_refused_total", "",
                            "HTTP connections closed because there were too many.");
    h->evhttp = evhttp_new(hy_loop_base(loop));
    if (h->evhttp == NULL)
        goto fail;
    evhttp_set_max_body_size(h->evhttp, (ev_ssize_t)settings->max_body_bytes);
    evhttp_set_max_headers_size(h->evhttp, MAX_HEADER_BYTES);
    evhttp_set_timeout(h->evhttp, (int)settings->timeout_s);
    evhttp_set_allowed_methods(h->evhttp, 0xffff); /* answered with 405 by us */
    evhttp_set_bevcb(h->evhttp, on_connection, h);
    evhttp_set_gencb(h->evhttp, on_request, h);
    err = hy_timer_open(loop, sweep, h, &h->sweep);
    if (err != HY_OK)
        goto fail;
    hy_timer_every(h->sweep, SWEEP_MS);
    err = hy_loop_on_turn(loop, refuse, h);
    if (err != HY_OK)
        goto fail;
    err = HY_EIO;
    h->bound = evhttp_accept_socket_with_handle(h->evhttp, listener);
    if (h->bound == NULL)
        goto fail;
    *http = h;
    return HY_OK;

fail:
    if (h == NULL || h->bound == NULL)
        close(listener);
    rest_http_close(&h);
    return err;
}

void rest_http_close(struct rest_http **http)
{
    struct rest_http *h = *http;

    if (h == NULL)
        return;
    *http = NULL;
    hy_loop_off_turn(h->loop, refuse, h);
    hy_timer_close(&h->sweep);
    if (h->evhttp != NULL)
        evhttp_free(h->evhttp);
    for (struct connection *c = TAILQ_FIRST(&h->connections), *next; c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        forget(h, c);
    }
    free(h->by_fd);
    free(h);
}

void rest_http_drain(struct rest_http *http)
{
    http->draining = true;
    if (http->bound != NULL)
        evhttp_del_accept_socket(http->evhttp, http->bound);
    http->bound = NULL;
}
