#include "sdk/c/wire.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "sdk/c/sock.h"

enum { HEAD = 4, KEEP_CAP = 1024 };

enum stage { CONNECTING, HANDSHAKE, UP, DEAD };

struct wire {
    struct pump *pump;
    const struct wire_events *events;
    void *ctx;
    struct sock sock;
    struct hy_watch *watch;
    struct hy_buf in, out; /* an unfinished frame; what has yet to go */
    uint64_t heard_ms;
    struct wire *next_dirty;
    unsigned interest;
    unsigned depth; /* callbacks under way: free later */
    enum stage stage;
    bool is_dirty, paused;
};

/* ---- opening ---- */

static void on_ready(int fd, unsigned ready, void *arg);

enum hy_err wire_open(struct pump *pump, const struct wire_to *to, const struct wire_events *events,
                      void *ctx, struct wire **wire)
{
    struct wire *w = calloc(1, sizeof *w);
    enum hy_err err = HY_ENOMEM;

    if (w == NULL)
        return err;
    *w = (struct wire){.pump = pump, .events = events, .ctx = ctx, .interest = HY_WRITE};
    w->stage = CONNECTING;
    w->heard_ms = hy_loop_now_ms(pump->loop);
    err = sock_open(&w->sock, to->address, to->source, to->context, to->insecure);
    if (err == HY_OK)
        err = hy_watch_open(pump->loop, w->sock.fd, HY_WRITE, on_ready, w, &w->watch);
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
    sock_close(&w->sock);
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

/* What was queued in this turn is about to be written: until that blocks there is nothing to wait
 * for, and asking cost two system calls a turn. */
static bool is_blocked(const struct wire *w)
{
    return w->stage == UP && w->out.len > 0 && (!w->is_dirty || (w->interest & HY_WRITE) != 0);
}

static void watch_what_matters(struct wire *w)
{
    bool write = w->stage == CONNECTING || w->sock.wants_write || is_blocked(w);
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

static void flush(struct wire *w)
{
    while (w->stage == UP && w->out.len > 0) {
        ssize_t n = sock_write(&w->sock, w->out.data, w->out.len);

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

/* One read a turn keeps many clients fair; what TLS has decoded already must be taken along, as
 * the socket will not tell of it. */
static void on_readable(struct wire *w)
{
    do {
        ssize_t n = sock_read(&w->sock, w->pump->scratch, PUMP_SCRATCH);

        if (n < 0) {
            tell_down(w, "the connection was closed");
            return;
        }
        if (n == 0)
            return;
        w->heard_ms = hy_loop_now_ms(w->pump->loop);
        take_bytes(w, w->pump->scratch, (size_t)n);
    } while (w->stage == UP && sock_holds_back(&w->sock));
}

static void shake_hands(struct wire *w)
{
    const char *why = "";
    int done = sock_shake(&w->sock, &why);

    if (done > 0)
        tell_up(w);
    else if (done < 0)
        tell_down(w, why);
}

static void on_connected(struct wire *w)
{
    if (!sock_connected(&w->sock)) {
        tell_down(w, "the gateway cannot be reached");
        return;
    }
    if (w->sock.ssl == NULL) {
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
    else if (w->stage == UP && ((ready & HY_READ) != 0 || w->sock.wants_write))
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
