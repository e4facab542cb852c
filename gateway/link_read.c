/* Reading: one read a turn, frames handed on in place, the rest kept until more comes. */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "gateway/frame.h"
#include "gateway/link_inside.h"
#include "gateway/upgrade.h"

static void take_frame(struct link *link, const uint8_t *frame, size_t len)
{
    struct links *links = link->links;

    hy_loop_did(links->loop, 1);
    links->handler.frame(links->ctx, link, frame, len);
}

/* Bytes used; all of them when the link has ended. */
static size_t take_frames(struct link *link, const uint8_t *bytes, size_t len)
{
    struct links *links = link->links;
    size_t used = 0;

    while (link_live(link)) {
        const uint8_t *payload;
        size_t size;
        enum frame_result result =
            frame_next(bytes + used, len - used, links->limits->max_frame_bytes, &payload, &size);

        if (result == FRAME_MORE)
            return used;
        if (result == FRAME_TOO_BIG) {
            link_end(link, LINK_END_TOO_BIG, NULL);
            break;
        }
        used += FRAME_HEAD + size;
        take_frame(link, payload, size);
    }
    return len;
}

/* ---- WebSocket ---- */

static void answer_ping(struct link *link, const struct websocket_event *event)
{
    uint8_t pong[WEBSOCKET_HEAD_MAX + 125];
    size_t head = websocket_head(pong, WEBSOCKET_PONG, event->len);
    struct parcel *parcel;

    if (!link_allow(link))
        return; /* a flood of pings is not worth an answer each */
    memcpy(pong + head, event->data, event->len);
    parcel = parcel_raw(pong, head + event->len);
    link_send(link, &parcel);
}

static void answer_close(struct link *link, uint16_t code)
{
    uint8_t frame[4];
    struct parcel *parcel = parcel_raw(frame, websocket_close_frame(frame, code));

    link->close_sent = true;
    link_send(link, &parcel);
    link_end(link, LINK_END_CLIENT, NULL);
}

static void take_event(struct link *link, const struct websocket_event *event)
{
    switch (event->opcode) {
    case WEBSOCKET_BINARY:
        take_frame(link, event->data, event->len);
        break;
    case WEBSOCKET_TEXT:
        link_end(link, LINK_END_TEXT, NULL);
        break;
    case WEBSOCKET_PING:
        answer_ping(link, event);
        break;
    case WEBSOCKET_CLOSE:
        answer_close(link, event->code);
        break;
    default:
        break; /* a pong nobody asked for is allowed */
    }
}

static void refuse(struct link *link, uint16_t code)
{
    link_end(link,
             code == 1009   ? LINK_END_TOO_BIG
             : code == 1007 ? LINK_END_MALFORMED
             : code == 1011 ? LINK_END_MEMORY
                            : LINK_END_WEBSOCKET,
             NULL);
}

static size_t take_messages(struct link *link, uint8_t *bytes, size_t len)
{
    size_t used = 0;

    while (link_live(link)) {
        struct websocket_event event;
        enum websocket_result result = websocket_next(&link->ws, bytes + used, len - used,
                                                      link->links->limits->max_frame_bytes, &event);

        if (result == WEBSOCKET_MORE)
            return used;
        used += event.used;
        if (result == WEBSOCKET_WHOLE)
            take_event(link, &event);
        else if (result == WEBSOCKET_WRONG)
            refuse(link, event.code);
    }
    return len;
}

/* The end of the handshake, of TLS or of WebSocket (the last of the two). */
static void note_handshake(struct link *link)
{
    const struct gateway_metrics *metrics = link->links->metrics;
    uint64_t took_ms = hy_loop_now_ms(link->links->loop) - link->times.opened_ms;

    link->secured = true;
    hy_add(metrics->handshakes_ok[link->transport], 1);
    if (stream_resumed(&link->stream))
        hy_add(metrics->tls_resumed[link->transport], 1);
    hy_observe_us(metrics->handshake_duration, took_ms * 1000);
}

static size_t take_upgrade(struct link *link, const uint8_t *bytes, size_t len)
{
    struct upgrade upgrade;
    char answer[UPGRADE_ANSWER_MAX];
    struct parcel *parcel;
    enum upgrade_result result =
        upgrade_parse((const char *)bytes, len, &link->links->limits->ws_origins, &upgrade);

    if (result == UPGRADE_MORE)
        return 0;
    parcel = parcel_raw(answer, upgrade_answer(&upgrade, answer));
    link_send(link, &parcel);
    if (result == UPGRADE_BAD) {
        link_end(link, LINK_END_HANDSHAKE, NULL);
        return len;
    }
    link->state = LINK_OPEN;
    note_handshake(link);
    return upgrade.used;
}

static size_t take(struct link *link, uint8_t *bytes, size_t len)
{
    size_t used = 0;

    if (!link_ws(link))
        return take_frames(link, bytes, len);
    if (link->state == LINK_UPGRADING)
        used = take_upgrade(link, bytes, len);
    if (link->state == LINK_UPGRADING || !link_live(link))
        return used;
    used += take_messages(link, bytes + used, len - used);
    websocket_trim(&link->ws);
    return used;
}

/* ---- what is not whole ---- */

static void keep(struct link *link, const uint8_t *rest, size_t len, bool progress)
{
    uint8_t *part = NULL;
    bool pending = len > 0 || link->ws.opcode != 0;

    if (len > 0) {
        part = len == link->part_len ? link->part : realloc(link->part, len);
        if (part == NULL) {
            link_end(link, LINK_END_MEMORY, NULL);
            return;
        }
        memcpy(part, rest, len);
    } else {
        free(link->part);
    }
    link->part = part;
    link->part_len = (uint32_t)len;
    if (!pending) {
        link->times.part_ms = 0;
    } else if (link->times.part_ms == 0 || (progress && link->ws.opcode == 0)) {
        link->times.part_ms = link->times.heard_ms;
        link_arm(link);
    }
}

/* Bytes of a link that is closing: read to see the end, and drop them. */
static void discard(struct link *link)
{
    struct links *links = link->links;
    size_t got = 0;
    enum hy_err err = stream_read(&link->stream, links->buffer, links->buffer_size, &got);

    if (err != HY_OK && err != HY_EBUSY)
        link_drop(link);
}

static void read_some(struct link *link)
{
    struct links *links = link->links;
    uint8_t *buffer = links->buffer;
    size_t part = link->part_len, got = 0, used;
    enum hy_err err;

    if (part + LINK_READ_BYTES > links->buffer_size) {
        link_end(link, LINK_END_TOO_BIG, NULL);
        return;
    }
    if (part > 0)
        memcpy(buffer, link->part, part);
    err = stream_read(&link->stream, buffer + part, LINK_READ_BYTES, &got);
    if (err == HY_EBUSY)
        return;
    if (err != HY_OK) {
        link_end(link, err == HY_ECLOSED ? LINK_END_CLIENT : LINK_END_NETWORK, NULL);
        if (link->state == LINK_CLOSING)
            link_drop(link); /* nobody is there to read what is owed */
        return;
    }
    hy_add(links->metrics->received_bytes, (int64_t)got);
    link->times.heard_ms = hy_loop_now_ms(links->loop);
    used = take(link, buffer, part + got);
    if (link_live(link))
        keep(link, buffer + used, part + got - used, used > 0);
}

void link_on_ready(int fd, unsigned ready, void *arg)
{
    struct link *link = arg;
    bool tls = link_tls(link);

    (void)fd;
    if (link->state == LINK_CLOSING && (tls || (ready & HY_READ) != 0))
        discard(link);
    else if (link_live(link) && (tls || (ready & HY_READ) != 0))
        read_some(link);
    if (link->state == LINK_GONE)
        return;
    if (link->transport == GATEWAY_TLS && !link->secured && stream_secured(&link->stream))
        note_handshake(link);
    if (tls || (ready & HY_WRITE) != 0)
        link_mark(link); /* TLS may read to write and write to read */
}
