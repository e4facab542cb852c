#include "sdk/c/wire.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/settings.h"

enum { HEAD = 4, KEEP_CAP = 1024 };

enum stage { CONNECTING, HANDSHAKE, UP, DEAD };

struct wire {
    struct pump *pump;
    const struct wire_events *events;
    void *ctx;
    SSL *ssl; /* NULL: plain */
    struct hy_watch *watch;
    struct hy_buf in, out; /* an unfinished frame; what has yet to go */
    uint64_t heard_ms;
    struct wire *next_dirty;
    int fd;
    unsigned interest;
    unsigned depth; /* callbacks under way: free later */
    enum stage stage;
    bool is_dirty, paused;
    bool tls_wants_write; /* a TLS read or handshake waits for room to write */
};

/* ---- opening ---- */

static enum hy_err resolve(const char *host, uint16_t port, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[8];

    snprintf(service, sizeof service, "%u", port);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    if (getaddrinfo(host, service, &hints, list) == 0)
        return HY_OK;
    hints.ai_flags = AI_NUMERICSERV;
    return getaddrinfo(host, service, &hints, list) == 0 ? HY_OK : HY_ECONFIG;
}

static enum hy_err connect_to(struct wire *w, const struct addrinfo *to)
{
    int on = 1;

    w->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return HY_EIO;
    if (setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return HY_EIO;
    if (connect(w->fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS)
        return HY_EIO;
    return HY_OK;
}

/* The certificate must be for the host that was asked for, be it a name or a number. */
static enum hy_err start_tls(struct wire *w, SSL_CTX *context, const char *host, bool insecure)
{
    bool numeric = false;

    w->ssl = SSL_new(context);
    if (w->ssl == NULL || SSL_set_fd(w->ssl, w->fd) != 1)
        return HY_ENOMEM;
    SSL_set_connect_state(w->ssl);
    numeric = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(w->ssl), host) == 1;
    if (numeric)
        return HY_OK;
    if (SSL_set_tlsext_host_name(w->ssl, host) != 1 || (!insecure && SSL_set1_host(w->ssl, host) != 1))
        return HY_ENOMEM;
    return HY_OK;
}

static void on_ready(int fd, unsigned ready, void *arg);

enum hy_err wire_open(struct pump *pump, const char *address, SSL_CTX *context, bool insecure,
                      const struct wire_events *events, void *ctx, struct wire **wire)
{
    struct addrinfo *list = NULL;
    char host[64];
    uint16_t port = 0;
    struct wire *w = calloc(1, sizeof *w);
    enum hy_err err = HY_ENOMEM;

    if (w == NULL)
        return err;
    *w = (struct wire){.pump = pump, .events = events, .ctx = ctx, .fd = -1, .interest = HY_WRITE};
    w->stage = CONNECTING;
    w->heard_ms = hy_loop_now_ms(pump->loop);
    err = hy_settings_address(address, host, &port);
    if (err == HY_OK)
        err = resolve(host, port, &list);
    if (err == HY_OK)
        err = connect_to(w, list);
    if (err == HY_OK && context != NULL)
        err = start_tls(w, context, host, insecure);
    if (err == HY_OK)
        err = hy_watch_open(pump->loop, w->fd, HY_WRITE, on_ready, w, &w->watch);
    if (list != NULL)
        freeaddrinfo(list);
    if (err != HY_OK) {
        wire_close(&w);
        return err;
    }
    *wire = w;
    return HY_OK;
}

static void unlist(struct wire *w)
{
    struct wire **at = &w->pump->dirty;

    if (!w->is_dirty)
        return;
    while (*at != w)
        at = &(*at)->next_dirty;
    *at = w->next_dirty;
    w->is_dirty = false;
}

static void release(struct wire *w)
{
    if (w->stage == DEAD && w->depth == 0)
        free(w);
}

void wire_close(struct wire **wire)
{
    struct wire *w = *wire;

    if (w == NULL)
        return;
    *wire = NULL;
    unlist(w);
    hy_watch_close(&w->watch);
    if (w->ssl != NULL)
        SSL_free(w->ssl);
    w->ssl = NULL;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    hy_buf_free(&w->in);
    hy_buf_free(&w->out);
    w->stage = DEAD;
    release(w);
}

/* ---- telling ---- */

/* The owner closes the wire in here. */
static void tell_down(struct wire *w, const char *why)
{
    if (w->stage == DEAD)
        return;
    w->depth++;
    w->events->down(w->ctx, why);
    w->depth--;
    release(w);
}

static void tell_up(struct wire *w)
{
    w->stage = UP;
    w->depth++;
    w->events->up(w->ctx);
    w->depth--;
}

/* ---- interest ---- */

static void watch_what_matters(struct wire *w)
{
    bool write = w->stage == CONNECTING || w->tls_wants_write || (w->stage == UP && w->out.len > 0);
    bool read = w->stage == HANDSHAKE || (w->stage == UP && !w->paused);
    unsigned interest = (read ? HY_READ : 0u) | (write ? HY_WRITE : 0u);
    enum hy_err err = HY_OK;

    if (w->stage == DEAD || interest == w->interest)
        return;
    w->interest = interest;
    err = hy_watch_set(w->watch, interest);
    if (err != HY_OK)
        tell_down(w, hy_err_text(err));
}

/* ---- writing ---- */

/* Write once. Returns bytes written, 0 to try later, -1 when the link is gone. */
static ssize_t push(struct wire *w)
{
    ssize_t n = 0;

    if (w->ssl == NULL) {
        n = send(w->fd, w->out.data, w->out.len, MSG_NOSIGNAL);
        return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    ERR_clear_error();
    n = SSL_write(w->ssl, w->out.data, w->out.len < INT32_MAX ? (int)w->out.len : INT32_MAX);
    if (n > 0)
        return n;
    switch (SSL_get_error(w->ssl, (int)n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    default:
        return -1;
    }
}

static void flush(struct wire *w)
{
    while (w->stage == UP && w->out.len > 0) {
        ssize_t n = push(w);

        if (n < 0) {
            tell_down(w, "the connection was reset");
            return;
        }
        if (n == 0)
            break;
        hy_buf_drop(&w->out, (size_t)n);
    }
    if (w->out.len == 0 && w->out.cap > KEEP_CAP)
        hy_buf_free(&w->out);
    watch_what_matters(w);
}

void wire_flush_all(struct pump *pump)
{
    while (pump->dirty != NULL) {
        struct wire *w = pump->dirty;

        unlist(w);
        flush(w);
    }
}

static void mark_dirty(struct wire *w)
{
    if (w->is_dirty)
        return;
    w->is_dirty = true;
    w->next_dirty = w->pump->dirty;
    w->pump->dirty = w;
}

static void put_head(uint8_t head[static HEAD], size_t len)
{
    for (int i = 0; i < HEAD; i++)
        head[i] = (uint8_t)(len >> (8 * (HEAD - 1 - i)));
}

enum hy_err wire_send(struct wire *wire, const uint8_t *bytes, size_t len)
{
    uint8_t head[HEAD];
    enum hy_err err = hy_buf_reserve(&wire->out, HEAD + len);

    put_head(head, len);
    if (err == HY_OK)
        err = hy_buf_put(&wire->out, head, HEAD);
    if (err == HY_OK)
        err = hy_buf_put(&wire->out, bytes, len);
    if (err == HY_OK)
        mark_dirty(wire);
    return err;
}

enum hy_err wire_send_frame(struct wire *wire, const Hy__Frame *frame)
{
    uint8_t head[HEAD];
    size_t len = hy__frame__get_packed_size(frame);
    enum hy_err err = hy_buf_reserve(&wire->out, HEAD + len);

    put_head(head, len);
    if (err == HY_OK)
        err = hy_buf_put(&wire->out, head, HEAD);
    if (err == HY_OK)
        err = hy_buf_put_pb(&wire->out, &frame->base);
    if (err == HY_OK)
        mark_dirty(wire);
    return err;
}

/* ---- reading ---- */

/* Hand out the whole frames in bytes. Returns how much they were; the wire may be dead then. */
static size_t take_frames(struct wire *w, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (w->stage == UP && len - at >= HEAD) {
        const uint8_t *p = bytes + at;
        size_t size = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

        if (size > WIRE_FRAME_MAX) {
            tell_down(w, "a frame of the gateway is too large");
            return len;
        }
        if (len - at - HEAD < size)
            break;
        w->depth++;
        w->events->frame(w->ctx, p + HEAD, size);
        w->depth--;
        at += HEAD + size;
    }
    return at;
}

/* Most reads hold whole frames only; then nothing is copied or kept. */
static void take_bytes(struct wire *w, const uint8_t *bytes, size_t len)
{
    enum hy_err err = HY_OK;
    size_t used = 0;

    if (w->in.len == 0) {
        used = take_frames(w, bytes, len);
        bytes += used;
        len -= used;
    }
    if (w->stage != UP || len == 0)
        return;
    err = hy_buf_put(&w->in, bytes, len);
    if (err != HY_OK) {
        tell_down(w, hy_err_text(err));
        return;
    }
    used = take_frames(w, w->in.data, w->in.len);
    if (w->stage != UP)
        return;
    hy_buf_drop(&w->in, used);
    if (w->in.len == 0)
        hy_buf_free(&w->in);
}

/* Read once. Returns bytes, 0 to try later, -1 when the link is gone. */
static ssize_t pull(struct wire *w)
{
    ssize_t n = 0;

    if (w->ssl == NULL) {
        n = recv(w->fd, w->pump->scratch, PUMP_SCRATCH, 0);
        return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    }
    ERR_clear_error();
    n = SSL_read(w->ssl, w->pump->scratch, PUMP_SCRATCH);
    w->tls_wants_write = false;
    if (n > 0)
        return n;
    switch (SSL_get_error(w->ssl, (int)n)) {
    case SSL_ERROR_WANT_WRITE:
        w->tls_wants_write = true;
        return 0;
    case SSL_ERROR_WANT_READ:
        return 0;
    default:
        return -1;
    }
}

/* One read a turn keeps many clients fair; what TLS has decoded already must be taken along, as
 * the socket will not tell of it. */
static void on_readable(struct wire *w)
{
    do {
        ssize_t n = pull(w);

        if (n < 0) {
            tell_down(w, "the connection was closed");
            return;
        }
        if (n == 0)
            return;
        w->heard_ms = hy_loop_now_ms(w->pump->loop);
        take_bytes(w, w->pump->scratch, (size_t)n);
    } while (w->stage == UP && w->ssl != NULL && SSL_pending(w->ssl) > 0);
}

static void shake_hands(struct wire *w)
{
    int n = 0;

    ERR_clear_error();
    n = SSL_do_handshake(w->ssl);
    w->tls_wants_write = false;
    if (n == 1) {
        tell_up(w);
        return;
    }
    switch (SSL_get_error(w->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return;
    case SSL_ERROR_WANT_WRITE:
        w->tls_wants_write = true;
        return;
    default:
        tell_down(w, SSL_get_verify_result(w->ssl) != X509_V_OK
                         ? "the gateway's certificate is not trusted"
                         : "the TLS handshake failed");
    }
}

static void on_connected(struct wire *w)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        tell_down(w, "the gateway cannot be reached");
        return;
    }
    if (w->ssl == NULL) {
        tell_up(w);
        return;
    }
    w->stage = HANDSHAKE;
    shake_hands(w);
}

static void on_ready(int fd, unsigned ready, void *arg)
{
    struct wire *w = arg;

    (void)fd;
    w->depth++;
    if (w->stage == CONNECTING)
        on_connected(w);
    else if (w->stage == HANDSHAKE)
        shake_hands(w);
    else if (w->stage == UP && ((ready & HY_READ) != 0 || w->tls_wants_write))
        on_readable(w);
    if (w->stage == UP && (ready & HY_WRITE) != 0)
        flush(w);
    watch_what_matters(w);
    w->depth--;
    release(w);
}

void wire_pause(struct wire *wire, bool paused)
{
    wire->paused = paused;
    wire->heard_ms = hy_loop_now_ms(wire->pump->loop); /* silence was ours, not the gateway's */
    watch_what_matters(wire);
}

uint64_t wire_heard_ms(const struct wire *wire)
{
    return wire->heard_ms;
}
