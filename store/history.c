/* history - a page of a conversation, put together from the rows as they lie. */

#include <string.h>

#include "common/codes.h"
#include "store/answers.h"
#include "store/value.h"
#include "store/view.h"

enum { PAGE = 20, PAGE_MOST = 1000, PAGE_BYTES = 1 << 20 };

/* One page under way. Rows are copied, since a walk backwards finds them in the wrong order. */
struct page {
    struct view *view;
    struct span span;
    uint64_t low, high; /* where to look */
    size_t want, have;
    size_t bytes;
    bool newer, places, complete;
    ProtobufCBinaryData *msgs;
};

/* Times bound the walk; places are found by halving. */
static enum hy_err bound(struct page *p, const Hy__StoreHistoryReq *in)
{
    const Hy__HistoryReq *r = in->req;
    uint64_t from = r->from_seq == 0 ? r->time_ms : 0, seq;
    uint64_t least = in->min_time_ms, most = in->max_time_ms;
    enum hy_err err = HY_OK;

    p->low = p->span.first;
    p->high = p->span.last;
    if (r->newer && r->from_seq > p->low)
        p->low = r->from_seq;
    if (!r->newer && r->from_seq != 0 && r->from_seq < p->high)
        p->high = r->from_seq;
    if (r->newer && from > least)
        least = from;
    if (!r->newer && from != 0 && (most == 0 || from < most))
        most = from;
    if (least != 0 && p->low <= p->high) {
        err = convlog_since(p->view->db, &p->span.log, p->low, p->high, least, &seq);
        p->low = seq;
    }
    if (err == HY_OK && most != 0 && p->low <= p->high) {
        err = convlog_since(p->view->db, &p->span.log, p->low, p->high, most + 1, &seq);
        p->high = seq - 1;
    }
    return err;
}

static enum hy_err take(struct page *p, const struct convlog_walk *walk)
{
    ProtobufCBinaryData *m = &p->msgs[p->have];

    m->len = walk->row.msg_len;
    m->data = hy_arena_alloc(&p->view->arena, m->len + 1);
    if (m->data == NULL)
        return HY_ENOMEM;
    memcpy(m->data, walk->row.msg, m->len);
    p->bytes += m->len;
    p->have++;
    return HY_OK;
}

static enum hy_err collect(struct page *p)
{
    void (*step)(struct convlog_walk * walk) = p->newer ? convlog_next : convlog_prev;
    struct convlog_walk walk;
    enum hy_err err;

    p->complete = true;
    if (p->low > p->high)
        return HY_OK;
    p->msgs = hy_arena_alloc(&p->view->arena, p->want * sizeof *p->msgs);
    if (p->msgs == NULL)
        return HY_ENOMEM;
    err = convlog_open(p->view->db, &p->span.log, p->low, p->high, &walk);
    if (err != HY_OK)
        return err;
    if (p->newer)
        convlog_seek(&walk, p->low);
    else
        convlog_seek_back(&walk, p->high);
    for (; walk.valid && err == HY_OK; step(&walk)) {
        if (!span_shows(&p->span, &walk.row, p->places))
            continue;
        if (p->have == p->want || p->bytes > PAGE_BYTES) { /* there is one more */
            p->complete = false;
            break;
        }
        err = take(p, &walk);
    }
    if (err == HY_OK)
        err = db_scan_err(walk.scan);
    convlog_close(&walk);
    return err;
}

/* HistoryRes, by hand: the messages are encoded already. */
static enum hy_err put_page(const struct page *p, struct hy_buf *out)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < p->have && err == HY_OK; i++) {
        const ProtobufCBinaryData *m = &p->msgs[p->newer ? i : p->have - 1 - i];

        err = value_put_field(out, 1, m->data, m->len);
    }
    if (err == HY_OK)
        err = value_put_varint(out, 2, p->complete);
    if (err == HY_OK)
        err = value_put_varint(out, 3, p->span.first);
    if (err == HY_OK)
        err = value_put_varint(out, 4, p->span.last);
    return err;
}

static size_t wanted(const Hy__StoreHistoryReq *in)
{
    size_t most = in->max_count == 0 ? PAGE : in->max_count;

    if (most > PAGE_MOST)
        most = PAGE_MOST;
    return in->req->count == 0 || in->req->count > most ? most : in->req->count;
}

enum hy_err history_read(struct view *view, const uint8_t *payload, size_t len, struct hy_buf *out)
{
    Hy__StoreHistoryReq *in = hy__store_history_req__unpack(&view->arena.pb, len, payload);
    struct page p = {.view = view};
    enum hy_err err;

    if (in == NULL || in->req == NULL)
        return answer_refusal(HY__BUS_KIND__STORE_HISTORY, 0, HY_CODE_PARAM, out);
    err = span_open(view, in->app, (int)in->req->conv_type, in->user, in->req->peer, in->admin,
                    &p.span);
    if (err != HY_OK)
        return err;
    if (p.span.code == HY_CODE_OK && p.span.type != NULL && !p.span.type->stores)
        p.span.code = HY_CODE_GROUP_NO_HISTORY;
    if (p.span.code != HY_CODE_OK)
        return answer_refusal(HY__BUS_KIND__STORE_HISTORY, 0, p.span.code, out);
    p.newer = in->req->newer;
    p.places = in->keep_places;
    p.want = wanted(in);
    err = bound(&p, in);
    if (err == HY_OK)
        err = collect(&p);
    return err == HY_OK ? put_page(&p, out) : err;
}
