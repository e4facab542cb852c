#include "common/status.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/settings.h"

enum {
    CHECKS = 32,
    STUCK_MS = 30000,
    REQUEST_S = 10, /* a connection lives this long: one request, however slowly it comes */
    HEADER_BYTES = 8192,
    BODY_BYTES = 1024, /* nobody needs to send us one */
    CONNECTIONS = 256,
};

struct ready_check {
    const char *name;
    hy_ready_fn *fn;
    void *arg;
};

struct live_check {
    const char *name;
    const struct hy_loop *loop;
};

/* Cuts a connection off when its time is over: evhttp's own timeouts begin anew with each byte. */
struct guard {
    struct guard *prev, *next;
    struct hy_status *status;
    struct bufferevent *bev; /* we hold a reference */
    struct event timer;
};

struct hy_status {
    struct hy_loop *loop;
    struct evhttp *http;
    uint16_t port;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of the checks: they are registered while the thread serves */
    struct ready_check ready[CHECKS];
    struct live_check live[CHECKS];
    size_t ready_count, live_count;
    struct guard *guards;
    size_t guard_count;
};

/* ---- connections ---- */

static void guard_free(struct guard *guard)
{
    struct hy_status *status = guard->status;

    if (guard->prev != NULL)
        guard->prev->next = guard->next;
    else
        status->guards = guard->next;
    if (guard->next != NULL)
        guard->next->prev = guard->prev;
    status->guard_count--;
    event_del(&guard->timer);
    bufferevent_decref(guard->bev);
    free(guard);
}

static void on_time_over(evutil_socket_t fd, short what, void *arg)
{
    struct guard *guard = arg;
    evutil_socket_t connection = bufferevent_getfd(guard->bev);

    (void)fd;
    (void)what;
    if (connection >= 0)
        shutdown(connection, SHUT_RDWR); /* evhttp sees its end and cleans up */
    guard_free(guard);
}

/* evhttp asks for each new connection. One too many is cut off at once. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct hy_status *status = arg;
    struct guard *guard = calloc(1, sizeof *guard);
    struct timeval life = {.tv_sec = status->guard_count < CONNECTIONS ? REQUEST_S : 0};

    if (guard == NULL)
        return NULL;
    guard->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (guard->bev == NULL) {
        free(guard);
        return NULL;
    }
    bufferevent_incref(guard->bev);
    guard->status = status;
    guard->next = status->guards;
    if (guard->next != NULL)
        guard->next->prev = guard;
    status->guards = guard;
    status->guard_count++;
    event_assign(&guard->timer, base, -1, 0, on_time_over, guard);
    event_add(&guard->timer, &life);
    return guard->bev;
}

static void on_closed(struct evhttp_connection *connection, void *arg)
{
    struct hy_status *status = arg;
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

    for (struct guard *guard = status->guards; guard != NULL; guard = guard->next) {
        if (guard->bev == bev) {
            guard_free(guard);
            return;
        }
    }
}

/* ---- answers ---- */

static void answer(struct hy_status *status, struct evhttp_request *request, int code,
                   const char *type, struct evbuffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_closed, status);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_send_reply(request, code, code == 200 ? "OK" : "Service Unavailable", body);
}

static bool is_verbose(struct evhttp_request *request)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));

    return query != NULL && strncmp(query, "verbose", 7) == 0;
}

/* Reasons are literals of ours: nothing in them needs escaping. */
static void answer_checked(struct hy_status *status, struct evhttp_request *request,
                           struct evbuffer *lines, const char *bad_check, const char *bad_reason)
{
    struct evbuffer *body = evbuffer_new();
    int code = bad_check == NULL ? 200 : 503;

    if (body == NULL) {
        evhttp_send_error(request, 500, NULL);
    } else if (is_verbose(request)) {
        answer(status, request, code, "text/plain; charset=utf-8", lines);
    } else {
        if (bad_check == NULL)
            evbuffer_add_printf(body, "{\"status\":\"ok\"}\n");
        else
            evbuffer_add_printf(body,
                                "{\"status\":\"unavailable\",\"check\":\"%s\",\"reason\":\"%s\"}\n",
                                bad_check, bad_reason);
        answer(status, request, code, "application/json", body);
    }
    if (body != NULL)
        evbuffer_free(body);
}

static void on_ready(struct evhttp_request *request, void *arg)
{
    struct hy_status *status = arg;
    struct evbuffer *lines = evbuffer_new();
    const char *bad_check = NULL, *bad_reason = NULL;

    if (lines == NULL) {
        evhttp_send_error(request, 500, NULL);
        return;
    }
    pthread_mutex_lock(&status->lock);
    for (size_t i = 0; i < status->ready_count; i++) {
        const struct ready_check *check = &status->ready[i];
        const char *reason = check->fn(check->arg);

        evbuffer_add_printf(lines, reason == NULL ? "[+] %s ok\n" : "[-] %s failed: %s\n",
                            check->name, reason);
        if (reason != NULL && bad_check == NULL) {
            bad_check = check->name;
            bad_reason = reason;
        }
    }
    pthread_mutex_unlock(&status->lock);
    evbuffer_add_printf(lines, "%s\n", bad_check == NULL ? "ready" : "not ready");
    answer_checked(status, request, lines, bad_check, bad_reason);
    evbuffer_free(lines);
}

static void on_live(struct evhttp_request *request, void *arg)
{
    struct hy_status *status = arg;
    struct evbuffer *lines = evbuffer_new();
    const char *stuck = NULL;
    uint64_t now_ms = hy_steady_ms();

    if (lines == NULL) {
        evhttp_send_error(request, 500, NULL);
        return;
    }
    pthread_mutex_lock(&status->lock);
    for (size_t i = 0; i < status->live_count; i++) {
        const struct live_check *check = &status->live[i];
        uint64_t beat_ms = hy_loop_beat_ms(check->loop);
        uint64_t age_ms = now_ms > beat_ms ? now_ms - beat_ms : 0;

        evbuffer_add_printf(lines, "[%c] %s turned %llu ms ago\n", age_ms < STUCK_MS ? '+' : '-',
                            check->name, (unsigned long long)age_ms);
        if (age_ms >= STUCK_MS && stuck == NULL)
            stuck = check->name;
    }
    pthread_mutex_unlock(&status->lock);
    evbuffer_add_printf(lines, "%s\n", stuck == NULL ? "live" : "stuck");
    answer_checked(status, request, lines, stuck, "the loop has not turned for 30 s");
    evbuffer_free(lines);
}

static void on_metrics(struct evhttp_request *request, void *arg)
{
    struct hy_buf text = {0};
    struct evbuffer *body = evbuffer_new();

    if (body != NULL && hy_metrics_write(&text) == HY_OK &&
        evbuffer_add(body, text.data, text.len) == 0)
        answer(arg, request, 200, "text/plain; version=0.0.4; charset=utf-8", body);
    else
        evhttp_send_error(request, 500, NULL);
    if (body != NULL)
        evbuffer_free(body);
    hy_buf_free(&text);
}

static void on_other(struct evhttp_request *request, void *arg)
{
    (void)arg;
    evhttp_send_error(request, HTTP_NOTFOUND, NULL);
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct hy_status *status = arg;

    hy_loop_run(status->loop);
    return NULL;
}

static enum hy_err start_thread(struct hy_status *status)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&status->thread, NULL, run, status);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    status->running = failed == 0;
    return failed == 0 ? HY_OK : HY_ENOMEM;
}

static uint16_t port_of(struct evhttp_bound_socket *bound)
{
    struct sockaddr_in6 address = {0}; /* an IPv4 address has its port in the same place */
    socklen_t len = sizeof address;

    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.sin6_port);
}

static enum hy_err serve(struct hy_status *status, const char *host, uint16_t port)
{
    static const struct {
        const char *path;
        void (*handle)(struct evhttp_request *request, void *arg);
    } pages[] = {{"/livez", on_live}, {"/readyz", on_ready}, {"/metrics", on_metrics}};
    struct evhttp_bound_socket *bound = NULL;

    status->http = evhttp_new(hy_loop_base(status->loop));
    if (status->http == NULL)
        return HY_ENOMEM;
    evhttp_set_timeout(status->http, REQUEST_S);
    evhttp_set_bevcb(status->http, on_connection, status);
    evhttp_set_max_headers_size(status->http, HEADER_BYTES);
    evhttp_set_max_body_size(status->http, BODY_BYTES);
    evhttp_set_allowed_methods(status->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        evhttp_set_cb(status->http, pages[i].path, pages[i].handle, status);
    evhttp_set_gencb(status->http, on_other, NULL);
    bound = evhttp_bind_socket_with_handle(status->http, host, port);
    if (bound == NULL)
        return HY_EIO;
    status->port = port_of(bound);
    return HY_OK;
}

enum hy_err hy_status_open(const char *listen, struct hy_status **status)
{
    char host[64];
    uint16_t port;
    enum hy_err err = HY_ENOMEM;
    struct hy_status *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HY_ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    err = hy_settings_address(listen, host, &port);
    if (err == HY_OK)
        err = hy_loop_open(&s->loop);
    if (err == HY_OK)
        err = serve(s, host, port);
    if (err == HY_OK)
        err = start_thread(s);
    if (err != HY_OK) {
        hy_status_close(&s);
        return err;
    }
    *status = s;
    return HY_OK;
}

void hy_status_close(struct hy_status **status)
{
    struct hy_status *s = *status;

    if (s == NULL)
        return;
    *status = NULL;
    if (s->running) {
        hy_loop_stop(s->loop);
        pthread_join(s->thread, NULL);
    }
    if (s->http != NULL)
        evhttp_free(s->http);
    while (s->guards != NULL)
        guard_free(s->guards); /* unlinks itself. NOLINT(clang-analyzer-unix.Malloc) */
    hy_loop_close(&s->loop);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t hy_status_port(const struct hy_status *status)
{
    return status->port;
}

void hy_status_ready(struct hy_status *status, const char *check, hy_ready_fn *fn, void *arg)
{
    pthread_mutex_lock(&status->lock);
    if (status->ready_count < CHECKS)
        status->ready[status->ready_count++] = (struct ready_check){check, fn, arg};
    pthread_mutex_unlock(&status->lock);
}

void hy_status_live(struct hy_status *status, const char *name, const struct hy_loop *loop)
{
    pthread_mutex_lock(&status->lock);
    if (status->live_count < CHECKS)
        status->live[status->live_count++] = (struct live_check){name, loop};
    pthread_mutex_unlock(&status->lock);
}
