#include "gateway/send.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/app.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/slot.h"
#include "gateway/audience.h"
#include "gateway/sendcheck.h"
#include "gateway/session.h"
#include "gateway/worker.h"

enum {
    BATCH_MAX = 256,             /* messages in one record */
    WAITING_BYTES_MAX = 1 << 18, /* of one conversation of one session */
    QUEUES_MAX = 256,            /* conversations of one session under way */
    TAG_ITEMS = 4 << 3 | 2,      /* SendCall.items */
};

/* A message that has an answer to come. */
struct sent {
    uint64_t frame_id;
    uint64_t at_us;
};

/* Encoded SendCall.items and who asked, in the same order. */
struct batch {
    struct hy_buf items;
    struct sent *sent;
    uint32_t count, cap;
};

/* One conversation of one session. */
struct send_queue {
    struct send_queue *next;
    struct send_queue *next_due; /* in worker->sends_due */
    struct worker *worker;
    struct session *session;
    uint64_t call; /* in flight; 0: none */
    struct batch flying, waiting;
    uint16_t slot;
    uint8_t conv_type;
    bool due; /* to be launched at the end of this turn */
    char to[];
};

static void batch_free(struct batch *batch)
{
    hy_buf_free(&batch->items);
    free(batch->sent);
    *batch = (struct batch){0};
}

/* ---- answers ---- */

/* Whom to answer; not the queue, which goes when an answer finds no room. */
struct asker {
    struct worker *worker;
    uint64_t link;
    bool group;
};

static struct asker asker_of(const struct send_queue *queue)
{
    return (struct asker){queue->worker, queue->session->link,
                          queue->conv_type == HY__CONV_TYPE__CONV_GROUP};
}

static void answer(const struct asker *asker, const struct sent *sent, uint32_t code,
                   const char *info, const Hy__SendRes *res)
{
    struct link *link = links_find(asker->worker->links, asker->link);
    struct parcel *parcel;

    if (link == NULL)
        return;
    if (code != 0 && info[0] == '\0')
        info = hy_code_text(code);
    parcel = parcel_frame(sent->frame_id, code, code == 0 ? NULL : info, HY__FRAME__BODY_SEND_RES,
                          code == 0 ? &res->base : NULL);
    hy_observe_us(asker->worker->metrics->ack_duration[asker->group], hy_steady_us() - sent->at_us);
    link_send(link, &parcel);
}

/* code is for those that answers does not speak of. doubtful: another router was asked as well, and
 * may yet store what this one says is refused. */
static void answer_all(const struct asker *asker, const struct batch *batch,
                       const Hy__SendAnswer *answers, uint32_t code, bool doubtful)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        Hy__SendRes res = HY__SEND_RES__INIT;
        const Hy__SendResult *result =
            answers != NULL && i < answers->n_results ? answers->results[i] : NULL;

        if (result == NULL) {
            answer(asker, &batch->sent[i], code, "", NULL);
            continue;
        }
        if (doubtful && !hy_code_certain(result->code)) {
            answer(asker, &batch->sent[i], HY_CODE_TIMEOUT, "", NULL);
            continue;
        }
        res.seq = result->seq;
        res.time_ms = result->time_ms;
        answer(asker, &batch->sent[i], result->code, result->info, &res);
    }
}

/* ---- the queue ---- */

static void on_sent(void *arg, enum hy_err err, const struct hy_record *record);

/* Everything but the items is encoded now; the items lie ready (fields may come in pieces). */
static enum hy_err encode(const struct send_queue *queue, struct hy_buf *payload)
{
    const struct worker *worker = queue->worker;
    const struct link *link = links_find(worker->links, queue->session->link);
    bool in_room = queue->conv_type == HY__CONV_TYPE__CONV_GROUP &&
                   audience_has(worker->audience, queue->session, queue->to);
    Hy__Caller caller;
    Hy__SendCall msg = HY__SEND_CALL__INIT;
    enum hy_err err;

    session_caller(queue->session, link, in_room, &caller);
    msg.caller = &caller;
    msg.conv_type = (Hy__ConvType)queue->conv_type;
    msg.to = (char *)(uintptr_t)queue->to;
    err = hy_buf_put_pb(payload, &msg.base);
    if (err == HY_OK)
        err = hy_buf_put(payload, queue->flying.items.data, queue->flying.items.len);
    return err;
}

static void launch(struct send_queue *queue)
{
    struct hy_buf payload = {0};

    queue->flying = queue->waiting;
    queue->waiting = (struct batch){0};
    if (encode(queue, &payload) == HY_OK) {
        queue->call =
            upstream_router_bytes(queue->worker->upstream, queue->slot, HY__BUS_KIND__ROUTER_SEND,
                                  payload.data, payload.len, on_sent, queue);
        hy_buf_free(&queue->flying.items); /* the bus has its copy */
    } else {
        struct asker asker = asker_of(queue);
        struct batch lost = queue->flying;

        queue->flying = (struct batch){0};
        answer_all(&asker, &lost, NULL, HY_CODE_BUSY, false);
        batch_free(&lost);
    }
    hy_buf_free(&payload);
}

/* Messages that come in one turn go together. */
static void make_due(struct send_queue *queue)
{
    if (queue->due || queue->call != 0)
        return;
    queue->due = true;
    queue->next_due = queue->worker->sends_due;
    queue->worker->sends_due = queue;
}

void send_turn(void *arg)
{
    struct worker *worker = arg;

    while (worker->sends_due != NULL) {
        struct send_queue *queue = worker->sends_due;

        worker->sends_due = queue->next_due;
        queue->due = false;
        launch(queue);
    }
}

static void forget_due(struct send_queue *queue)
{
    struct send_queue **at = &queue->worker->sends_due;

    while (queue->due && *at != queue)
        at = &(*at)->next_due;
    if (queue->due)
        *at = queue->next_due;
}

/* Free what is no longer in its session's list. */
static void bury(struct send_queue *queue)
{
    forget_due(queue);
    if (queue->call != 0)
        hy_bus_cancel(upstream_bus(queue->worker->upstream), queue->call);
    batch_free(&queue->flying);
    batch_free(&queue->waiting);
    free(queue);
}

static void free_queue(struct send_queue *queue)
{
    struct send_queue **at = &queue->session->sends;

    while (*at != queue)
        at = &(*at)->next;
    *at = queue->next;
    bury(queue);
}

static void on_sent(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct send_queue *queue = arg;
    struct worker *worker = queue->worker;
    struct asker asker = asker_of(queue);
    struct batch done = queue->flying;
    const Hy__SendAnswer *answers = NULL;

    queue->call = 0;
    queue->flying = (struct batch){0};
    if (err == HY_OK)
        answers = hy__send_answer__unpack(&worker->arena.pb, record->len, record->payload);
    answer_all(&asker, &done, answers, err == HY_OK ? HY_CODE_UNAVAILABLE : upstream_code(err),
               err == HY_OK && record->doubtful);
    batch_free(&done);
    hy_arena_reset(&worker->arena);
    if (links_find(worker->links, asker.link) == NULL)
        return; /* an answer found no room: the link has ended, and this queue with it */
    if (queue->waiting.count == 0) {
        free_queue(queue);
        return;
    }
    make_due(queue);
    if (err != HY_OK)
        hy_loop_again(worker->loop); /* a deadline is found out at the end of a turn */
}

static struct send_queue *find_queue(const struct session *session, const Hy__SendReq *req)
{
    struct send_queue *queue = session->sends;

    while (queue != NULL && (queue->conv_type != req->conv_type || strcmp(queue->to, req->to) != 0))
        queue = queue->next;
    return queue;
}

static bool too_many(const struct session *session)
{
    size_t n = 0;

    for (const struct send_queue *queue = session->sends; queue != NULL; queue = queue->next)
        n++;
    return n >= QUEUES_MAX;
}

/* NULL: no memory, or too much under way. */
static struct send_queue *make_queue(struct worker *worker, struct session *session,
                                     const Hy__SendReq *req)
{
    struct send_queue *queue = NULL;

    if (!too_many(session))
        queue = calloc(1, sizeof *queue + strlen(req->to) + 1);
    if (queue == NULL)
        return NULL;
    queue->worker = worker;
    queue->session = session;
    queue->conv_type = (uint8_t)req->conv_type;
    queue->slot = hy_slot_conv(session->app, (int)req->conv_type, session->user, req->to);
    memcpy(queue->to, req->to, strlen(req->to) + 1);
    queue->next = session->sends;
    session->sends = queue;
    return queue;
}

static enum hy_err batch_room(struct batch *batch)
{
    uint32_t cap = batch->cap == 0 ? 1 : batch->cap * 4;
    struct sent *sent;

    if (batch->count < batch->cap)
        return HY_OK;
    sent = realloc(batch->sent, cap * sizeof *sent);
    if (sent == NULL)
        return HY_ENOMEM;
    batch->sent = sent;
    batch->cap = cap;
    return HY_OK;
}

/* Tag, length and the encoded item. */
static enum hy_err put_item(struct hy_buf *items, const Hy__SendItem *item)
{
    size_t len = hy__send_item__get_packed_size(item), size = len;
    uint8_t *out;

    if (hy_buf_reserve(items, len + 11) != HY_OK)
        return HY_ENOMEM;
    out = items->data + items->len;
    *out++ = TAG_ITEMS;
    for (; size >= 128; size >>= 7)
        *out++ = (uint8_t)(size | 128);
    *out++ = (uint8_t)size;
    out += hy__send_item__pack(item, out);
    items->len = (size_t)(out - items->data);
    return HY_OK;
}

static enum hy_err append(struct batch *batch, const Hy__SendReq *req, uint64_t frame_id)
{
    Hy__SendItem item = HY__SEND_ITEM__INIT;
    Hy__SendReq bare = *req;
    enum hy_err err;

    if (batch->count >= BATCH_MAX || batch->items.len >= WAITING_BYTES_MAX)
        return HY_EBUSY;
    bare.conv_type = HY__CONV_TYPE__CONV_NONE; /* said once, in the call */
    bare.to = (char *)(uintptr_t)protobuf_c_empty_string;
    item.req = &bare;
    err = batch_room(batch);
    if (err == HY_OK)
        err = put_item(&batch->items, &item);
    if (err == HY_OK)
        batch->sent[batch->count++] = (struct sent){frame_id, hy_steady_us()};
    return err;
}

static uint32_t submit(struct worker *worker, struct session *session, const Hy__Frame *frame)
{
    const Hy__SendReq *req = frame->send;
    const Hy__App *app = hy_apps_find(upstream_apps(worker->upstream), session->app);
    uint32_t code = app == NULL       ? HY_CODE_APP_UNKNOWN
                    : app->state != 0 ? HY_CODE_APP_DISABLED
                                      : send_check(req, app->max_message_bytes);
    struct send_queue *queue;

    if (code != 0)
        return code;
    queue = find_queue(session, req);
    if (queue == NULL)
        queue = make_queue(worker, session, req);
    if (queue == NULL)
        return HY_CODE_BUSY;
    if (append(&queue->waiting, req, frame->id) != HY_OK)
        code = HY_CODE_BUSY;
    if (queue->waiting.count > 0)
        make_due(queue);
    else if (queue->call == 0)
        free_queue(queue);
    return code;
}

void send_submit(struct worker *worker, struct link *link, const Hy__Frame *frame)
{
    uint32_t code = submit(worker, link_session(link), frame);
    struct parcel *parcel;

    if (code == 0)
        return;
    parcel = parcel_frame(frame->id, code, hy_code_text(code), HY__FRAME__BODY_SEND_RES, NULL);
    link_send(link, &parcel);
}

void send_free(struct session *session)
{
    while (session->sends != NULL) {
        struct send_queue *queue = session->sends;

        session->sends = queue->next;
        bury(queue);
    }
}
