#include "gateway/link.h"

#include <stdlib.h>
#include <string.h>

#include "common/codes.h"
#include "common/log.h"
#include "gateway/link_inside.h"

#define END_ROW(name, text, kicked, number, close) {text, kicked, number, close},
static const struct {
    const char *name;
    Hy__KickedNotice__Why why;
    uint32_t code;
    uint16_t close; /* WebSocket */
} ends[] = {LINK_ENDS(END_ROW)};

uint64_t link_handle(const struct link *link)
{
    return (uint64_t)link->generation << 32 | link->index;
}

enum link_state link_state(const struct link *link)
{
    return link->state;
}

struct session *link_session(const struct link *link)
{
    return link->session;
}

void link_set_session(struct link *link, struct session *session)
{
    link->session = session;
}

uint32_t link_epoch(const struct link *link)
{
    return link->epoch;
}

void link_set_epoch(struct link *link, uint32_t epoch)
{
    link->epoch = epoch;
}

bool link_allow(struct link *link)
{
    const struct links *links = link->links;

    return bucket_take(&link->requests, hy_loop_now_ms(links->loop), links->limits->request_rate,
                       links->limits->request_burst);
}

const struct in6_addr *link_ip(const struct link *link)
{
    return &link->ip;
}

void link_ready(struct link *link, uint64_t expires_ms, uint32_t epoch)
{
    link->state = LINK_READY;
    link->times.expires_ms = expires_ms;
    link->epoch = epoch;
    link_arm(link);
}

void link_arm(struct link *link)
{
    wheel_set(link->links->wheel, &link->wheel,
              deadline_due(link->state, &link->times, link->links->limits));
}

bool link_lags(const struct link *link)
{
    return link->outbox.bytes > link->links->limits->outbox_bytes / 2;
}

/* Queue, within limit bytes. False: there is no room or no memory. */
static bool queue(struct link *link, struct parcel **parcel, size_t limit)
{
    size_t before = link->outbox.bytes;

    if (*parcel == NULL || outbox_push(&link->outbox, parcel, limit) != HY_OK) {
        parcel_unref(parcel);
        return false;
    }
    link->links->queued += (int64_t)link->outbox.bytes - (int64_t)before;
    link->links->frames++;
    link_mark(link);
    return true;
}

void link_send(struct link *link, struct parcel **parcel)
{
    bool memory = *parcel != NULL;

    if (!link_live(link)) {
        parcel_unref(parcel);
        return;
    }
    if (link->outbox.bytes >= link->links->limits->outbox_bytes)
        link_flush(link); /* is it slow, or are these the answers of one turn? */
    if (!link_live(link)) {
        parcel_unref(parcel);
        return;
    }
    if (queue(link, parcel, link->links->limits->outbox_bytes))
        return;
    hy_add(link->links->metrics->slow_consumers, memory ? 1 : 0);
    link_end(link, memory ? LINK_END_SLOW : LINK_END_MEMORY, NULL);
}

/* The table's word, unless the caller has a notice of their own. */
static void queue_notice(struct link *link, enum link_end why, const Hy__KickedNotice *notice)
{
    Hy__KickedNotice own = HY__KICKED_NOTICE__INIT;
    struct parcel *parcel;

    if (notice == NULL && ends[why].code == 0)
        return;
    own.why = ends[why].why;
    own.code = ends[why].code;
    own.info = (char *)(uintptr_t)hy_code_text(own.code);
    parcel = parcel_frame(0, 0, NULL, HY__FRAME__BODY_KICKED,
                          notice != NULL ? &notice->base : &own.base);
    (void)!queue(link, &parcel, SIZE_MAX); /* a few bytes over the limit do no harm at the end */
}

static void queue_close(struct link *link, enum link_end why)
{
    uint8_t frame[4];
    struct parcel *parcel;

    if (!link_ws(link) || link->close_sent || ends[why].close == 0)
        return;
    parcel = parcel_raw(frame, websocket_close_frame(frame, ends[why].close));
    link->close_sent = true;
    (void)!queue(link, &parcel, SIZE_MAX);
}

/* Who cannot be talked to is not told. */
static bool can_tell(const struct link *link, enum link_end why)
{
    return link->state != LINK_UPGRADING && stream_secured(&link->stream) &&
           why != LINK_END_NETWORK;
}

void link_end(struct link *link, enum link_end why, const Hy__KickedNotice *notice)
{
    struct links *links = link->links;

    if (!link_live(link))
        return;
    if (why == LINK_END_SLOW) {
        links->queued -= link->outbox.bytes;
        outbox_cut(&link->outbox); /* make room for the reason: the client will sync */
        links->queued += link->outbox.bytes;
    }
    if (can_tell(link, why)) {
        queue_notice(link, why, notice);
        queue_close(link, why);
    }
    if (!link->secured)
        hy_add(links->metrics->handshakes_failed[link->transport], 1);
    hy_log_debug("link.ended", "link=%llu why=%s", (unsigned long long)link_handle(link),
                 ends[why].name);
    hy_add(links->metrics->closed[why], 1);
    link->state = LINK_CLOSING;
    links->handler.ended(links->ctx, link, why);
    link->session = NULL;
    link->times.closing_ms = hy_loop_now_ms(links->loop);
    if (why == LINK_END_NETWORK) {
        link_drop(link);
        return;
    }
    link_arm(link);
    link_mark(link); /* so that the socket is shut even when nothing is owed */
}

void link_drop(struct link *link)
{
    struct links *links = link->links;

    wheel_clear(&link->wheel);
    hy_watch_close(&link->watch);
    stream_close(&link->stream);
    links->queued -= link->outbox.bytes;
    outbox_free(&link->outbox);
    websocket_free(&link->ws);
    free(link->part);
    link->part = NULL;
    link->part_len = 0;
    link->session = NULL;
    link->state = LINK_GONE;
    links->count--;
    hy_add(links->metrics->connections[link->transport], -1);
    if (!link->dirty) { /* else links_flush() puts it there */
        link->next = links->gone;
        links->gone = link;
    }
}
