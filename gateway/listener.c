#include "gateway/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/codes.h"
#include "common/log.h"
#include "common/settings.h"
#include "gateway/arrivals.h"
#include "gateway/link.h"
#include "gateway/tls.h"
#include "gateway/worker.h"

enum { BACKLOG = 4096, ACCEPTS = 64, PAUSE_MS = 100 };

struct listener {
    struct worker *worker;
    struct hy_watch *watch;
    struct hy_timer *pause; /* out of descriptors: try again later */
    int fd;
    enum gateway_transport transport;
};

static enum hy_err bind_to(const struct addrinfo *info, int *fd)
{
    static const int on = 1;
    int s = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (s < 0)
        return HY_EIO;
    (void)setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* what it accepts inherits it */
    if (setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
        bind(s, info->ai_addr, info->ai_addrlen) != 0 || listen(s, BACKLOG) != 0) {
        close(s);
        return HY_EIO;
    }
    *fd = s;
    return HY_OK;
}

static enum hy_err bound_port(int fd, uint16_t *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    socklen_t len = sizeof at;

    if (getsockname(fd, &at.any, &len) != 0)
        return HY_EIO;
    *port = ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
    return HY_OK;
}

enum hy_err listener_bind(const char *address, uint16_t *port, int *fd)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    char host[64], service[8];
    uint16_t own;
    enum hy_err err = hy_settings_address(address, host, &own);

    if (err != HY_OK)
        return err;
    snprintf(service, sizeof service, "%u", *port != 0 ? *port : own);
    if (getaddrinfo(host[0] != '\0' ? host : NULL, service, &hints, &info) != 0)
        return HY_ECONFIG;
    err = bind_to(info, fd);
    freeaddrinfo(info);
    if (err == HY_OK)
        err = bound_port(*fd, port);
    return err;
}

/* 0: may come in; else why not. */
static uint32_t check(struct worker *worker, const struct sockaddr *from)
{
    if (links_count(worker->links) >= worker->limits.max_connections) {
        hy_add(worker->metrics->rate_limited[GATEWAY_LIMIT_CONNECTIONS], 1);
        return HY_CODE_TOO_MANY_LINKS;
    }
    if (!arrivals_allow(worker->arrivals, from, hy_loop_now_ms(worker->loop),
                        worker->limits.connect_rate)) {
        hy_add(worker->metrics->rate_limited[GATEWAY_LIMIT_CONNECT], 1);
        return HY_CODE_CONNECT_RATE;
    }
    return 0;
}

/* A TCP client can be told at once; others would have to shake hands first, which is what we have
 * no time for. */
static void refuse(const struct listener *listener, int fd, uint32_t code)
{
    Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;
    struct iovec run[2];
    struct parcel *parcel;

    notice.why = HY__KICKED_NOTICE__WHY__PROTOCOL;
    notice.code = code;
    notice.info = (char *)(uintptr_t)hy_code_text(code);
    if (listener->transport == GATEWAY_TCP) {
        parcel = parcel_frame(0, 0, NULL, HY__FRAME__BODY_KICKED, &notice.base);
        if (parcel != NULL && parcel_wire(parcel, false, run) == 1)
            (void)!send(fd, run[0].iov_base, run[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        parcel_unref(&parcel);
    }
    close(fd);
}

static void welcome(struct listener *listener, int fd, const struct sockaddr *from)
{
    struct worker *worker = listener->worker;
    bool tls = listener->transport == GATEWAY_TLS || listener->transport == GATEWAY_WSS;
    uint32_t code = check(worker, from);
    struct ssl_st *ssl = NULL;

    if (code != 0) {
        refuse(listener, fd, code);
        return;
    }
    if (tls) {
        ssl = tls_accept(worker->tls, fd);
        if (ssl == NULL) {
            close(fd);
            return;
        }
    }
    if (link_open(worker->links, fd, ssl, listener->transport, from) != HY_OK)
        hy_log_error("link.refused", "why=\"out of memory\"");
}

/* Level-triggered, and accept() fails: do not spin. */
static void pause_accepting(struct listener *listener)
{
    hy_log_warn("listener.paused", "transport=%s errno=%d",
                gateway_transport_name(listener->transport), errno);
    (void)!hy_watch_set(listener->watch, 0);
    hy_timer_set(listener->pause, PAUSE_MS);
}

static void on_pause_over(void *arg)
{
    struct listener *listener = arg;

    if (hy_watch_set(listener->watch, HY_READ) != HY_OK)
        hy_timer_set(listener->pause, PAUSE_MS);
}

static void on_connections(int fd, unsigned ready, void *arg)
{
    struct listener *listener = arg;

    (void)ready;
    for (int i = 0; i < ACCEPTS; i++) {
        union {
            struct sockaddr any;
            struct sockaddr_storage room;
        } from;
        socklen_t len = sizeof from;
        int s = accept4(fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (s >= 0) {
            welcome(listener, s, &from.any);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(listener);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

enum hy_err listener_open(struct worker *worker, int fd, enum gateway_transport transport,
                          struct listener **listener)
{
    struct listener *l = calloc(1, sizeof *l);
    enum hy_err err = HY_ENOMEM;

    if (l == NULL) {
        close(fd);
        return err;
    }
    l->worker = worker;
    l->fd = fd;
    l->transport = transport;
    err = hy_timer_open(worker->loop, on_pause_over, l, &l->pause);
    if (err == HY_OK)
        err = hy_watch_open(worker->loop, fd, HY_READ, on_connections, l, &l->watch);
    if (err != HY_OK)
        listener_close(&l);
    *listener = l;
    return err;
}

void listener_close(struct listener **listener)
{
    struct listener *l = *listener;

    if (l == NULL)
        return;
    *listener = NULL;
    hy_watch_close(&l->watch);
    hy_timer_close(&l->pause);
    close(l->fd);
    free(l);
}
