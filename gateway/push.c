#include "gateway/push.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/log.h"
#include "gateway/audience.h"
#include "gateway/lease.h"
#include "gateway/session.h"
#include "gateway/worker.h"

/* A router's count, kept as the peer's data. */
struct source {
    struct push_count count;
    struct source *next;
    bool ended; /* all that it had to say is here */
};

struct pushes {
    struct worker *worker;
    struct source *sources;
    uint64_t sampled_ms; /* when the time of a delivery was last looked at */
};

bool push_gap(struct push_count *count, uint64_t boot, uint64_t seq, bool mark)
{
    uint64_t want;
    bool gap;

    if (count->boot != boot)
        *count = (struct push_count){.boot = boot};
    want = mark ? count->seq : count->seq + 1;
    gap = seq > want;
    if (seq > count->seq)
        count->seq = seq;
    return gap;
}

enum hy_err pushes_open(struct worker *worker, struct pushes **pushes)
{
    struct pushes *p = calloc(1, sizeof *p);

    if (p == NULL)
        return HY_ENOMEM;
    p->worker = worker;
    *pushes = p;
    return HY_OK;
}

void pushes_close(struct pushes **pushes)
{
    struct pushes *p = *pushes;

    if (p == NULL)
        return;
    *pushes = NULL;
    while (p->sources != NULL) {
        struct source *source = p->sources;

        p->sources = source->next;
        free(source);
    }
    free(p);
}

void pushes_lost(struct pushes *pushes, const char *why)
{
    pushes->worker->epoch++;
    hy_add(pushes->worker->metrics->push_gaps, 1);
    hy_log_info("push.gap", "worker=%s epoch=%u why=\"%s\"", pushes->worker->name,
                pushes->worker->epoch, why);
}

static struct source *source_of(struct pushes *pushes, struct hy_peer *peer)
{
    struct source *source = hy_peer_data(peer);

    if (source != NULL)
        return source;
    source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->next = pushes->sources;
    pushes->sources = source;
    hy_peer_set_data(peer, source);
    return source;
}

bool pushes_ended(const struct hy_peer *router)
{
    const struct source *source = hy_peer_data(router);

    return source != NULL && source->ended && source->count.boot == hy_peer_boot(router);
}

static void note_seq(struct pushes *pushes, struct hy_peer *peer, uint64_t seq, bool mark)
{
    struct source *source = source_of(pushes, peer);

    if (source != NULL)
        source->ended = false;
    if (source == NULL || push_gap(&source->count, hy_peer_boot(peer), seq, mark))
        pushes_lost(pushes, "a number is missing");
}

/* ---- what a push says about rooms ---- */

/* The tag of Frame.system_notice, first in a notice: worth a look before decoding. */
static bool is_system_notice(const Hy__PushItem *item)
{
    enum { TAG = HY__FRAME__BODY_SYSTEM_NOTICE << 3 | 2 };
    static const uint8_t tag[] = {(TAG & 0x7f) | 0x80, TAG >> 7}; /* a varint */

    return item->frame.len > sizeof tag && memcmp(item->frame.data, tag, sizeof tag) == 0;
}

enum { KICKED = 4, DISMISSED = 5 };

/* Who was put out of a room, or whose room was dissolved, sits in it no more. */
static void empty_seats(struct worker *worker, const Hy__PushItem *item)
{
    const Hy__Frame *frame;
    const Hy__SystemNotice *notice;

    if (!is_system_notice(item))
        return;
    frame = hy__frame__unpack(&worker->arena.pb, item->frame.len, item->frame.data);
    if (frame == NULL || frame->body_case != HY__FRAME__BODY_SYSTEM_NOTICE)
        return;
    notice = frame->system_notice;
    if (notice->type != KICKED && notice->type != DISMISSED)
        return;
    if (item->room != NULL && notice->type == DISMISSED)
        audience_dissolve(worker->audience, item->room->app, item->room->group);
    for (size_t i = 0; i < item->n_links; i++) {
        struct link *link = links_find(worker->links, item->links[i]);

        if (link != NULL && link_session(link) != NULL)
            audience_leave(worker->audience, link_session(link), notice->group);
    }
}

/* ---- pushes ---- */

/* How long the first message of a push took to get here, a few times a second. */
static void sample(struct pushes *pushes, const Hy__PushItem *item)
{
    struct worker *worker = pushes->worker;
    uint64_t now = hy_wall_ms();
    const Hy__Frame *frame;
    const Hy__Msg *msg;

    if (now - pushes->sampled_ms < 50)
        return;
    pushes->sampled_ms = now;
    frame = hy__frame__unpack(&worker->arena.pb, item->frame.len, item->frame.data);
    if (frame == NULL || frame->body_case != HY__FRAME__BODY_MSG_NOTICE ||
        frame->msg_notice->n_msgs == 0)
        return;
    msg = frame->msg_notice->msgs[0];
    if (msg->time_ms != 0)
        hy_observe_us(
            worker->metrics->delivery_duration[msg->conv_type == HY__CONV_TYPE__CONV_GROUP],
            now > msg->time_ms ? (now - msg->time_ms) * 1000 : 0);
}

static void deliver(struct worker *worker, const Hy__PushItem *item)
{
    struct parcel *parcel = parcel_copy(item->frame.data, item->frame.len);

    if (parcel == NULL) {
        pushes_lost(worker->pushes, "out of memory");
        return;
    }
    for (size_t i = 0; i < item->n_links; i++) {
        struct link *link = links_find(worker->links, item->links[i]);
        struct parcel *mine;

        if (link == NULL || link_state(link) != LINK_READY)
            continue; /* it will sync once it is signed in */
        mine = parcel_ref(parcel);
        link_send(link, &mine);
    }
    if (item->room != NULL)
        audience_send(worker->audience, item->room->app, item->room->group, parcel,
                      item->except_session, item->priority);
    parcel_unref(&parcel);
}

static void take_push(struct pushes *pushes, struct hy_peer *peer, const struct hy_record *record)
{
    struct worker *worker = pushes->worker;
    const Hy__Push *push = hy__push__unpack(&worker->arena.pb, record->len, record->payload);

    if (push == NULL) {
        pushes_lost(pushes, "a push does not decode");
        return;
    }
    note_seq(pushes, peer, push->seq, false);
    for (size_t i = 0; i < push->n_items; i++) {
        deliver(worker, push->items[i]);
        empty_seats(worker, push->items[i]);
    }
    if (push->n_items > 0)
        sample(pushes, push->items[0]);
}

static void take_mark(struct pushes *pushes, struct hy_peer *peer, const struct hy_record *record)
{
    struct worker *worker = pushes->worker;
    const Hy__PushMark *mark =
        hy__push_mark__unpack(&worker->arena.pb, record->len, record->payload);

    struct source *source = source_of(pushes, peer);

    if (mark != NULL)
        note_seq(pushes, peer, mark->seq, true);
    if (mark != NULL && mark->last && source != NULL)
        source->ended = true; /* what was missing before has been noted */
}

/* Presence ends a link by TIMEOUT when its session was resumed on another: the session lives on. */
static bool moved_on(const Hy__KickedNotice *notice)
{
    return notice != NULL && notice->why == HY__KICKED_NOTICE__WHY__TIMEOUT;
}

static void take_kick(struct pushes *pushes, const struct hy_record *record)
{
    struct worker *worker = pushes->worker;
    const Hy__KickSession *kick =
        hy__kick_session__unpack(&worker->arena.pb, record->len, record->payload);
    struct link *link = kick == NULL ? NULL : links_find(worker->links, kick->link);

    if (link == NULL || link_session(link) == NULL || link_session(link)->id != kick->session_id)
        return;
    link_end(link, moved_on(kick->notice) ? LINK_END_RESUMED : LINK_END_KICKED, kick->notice);
}

void pushes_take(struct pushes *pushes, struct hy_peer *peer, const struct hy_record *record)
{
    switch (record->kind) {
    case HY__BUS_KIND__GATEWAY_PUSH:
        take_push(pushes, peer, record);
        break;
    case HY__BUS_KIND__GATEWAY_PUSH_MARK:
        take_mark(pushes, peer, record);
        break;
    case HY__BUS_KIND__GATEWAY_KICK:
        take_kick(pushes, record);
        break;
    case HY__BUS_KIND__GATEWAY_REGISTER:
        lease_register(pushes->worker->leases, peer);
        break;
    default:
        hy_log_debug("record.unknown", "kind=%u from=%s", record->kind, hy_peer_name(peer));
        break;
    }
    hy_arena_reset(&pushes->worker->arena);
}
