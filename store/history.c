/* history - a page of a conversation, put together from the rows as they lie. */

#include <string.h>

#include "common/codes.h"
#include "store/answers.h"
#include "store/value.h"
#include "store/view.h"

enum {
    PAGE = 20,
    PAGE_MOST = 1000,
    PAGE_BYTES = 1 << 20,
    WALK_LEAST = 16, /* places at a time */
    WALK_MOST = 64,
    RES_MSGS = 1,       /* of HistoryRes; runs hold such fields */
    MEMORY_MOST = 256,  /* places looked at in memory; who needs more may take longer */
    PASSED_MOST = 1000, /* messages that are not shown: so much work is one page's, and no more */
};

/* One page under way. */
struct page {
    struct view *view;
    struct span span;
    uint64_t low, high; /* where to look */
    size_t want, have, passed;
    size_t bytes;
    struct convlog_place next; /* where the page after this one begins, unless it is complete */
    bool newer, places, complete;
    bool fields;               /* msgs are fields of the answer already */
    ProtobufCBinaryData *msgs; /* want of them; older pages fill from the end */
};

/* Rows one behind the other, copied into the arena. */
struct stretch {
    struct convlog_place places[WALK_MOST];
    ProtobufCBinaryData rows[WALK_MOST]; /* data NULL: it is not shown */
    size_t count;
};

/* Times bound the walk; places are found by halving. */
static enum hy_err bound(struct page *p, const Hy__StoreHistoryReq *in)
{
    const Hy__HistoryReq *r = in->req;
    uint64_t from = r->from_seq == 0 ? r->time_ms : 0;
    uint64_t least = in->min_time_ms, most = in->max_time_ms;
    struct convlog_place place;
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
        err = convlog_since(p->view->db, &p->span.log, p->low, p->high, least, &place);
        p->low = place.seq;
    }
    if (err == HY_OK && most != 0 && p->low <= p->high) {
        err = convlog_since(p->view->db, &p->span.log, p->low, p->high, most + 1, &place);
        p->high = place.seq - 1;
    }
    return err;
}

/* Copy places bottom..top, ascending. */
static enum hy_err copy(struct page *p, struct convlog_walk *walk, uint64_t bottom, uint64_t top,
                        struct stretch *run)
{
    run->count = 0;
    for (convlog_seek(walk, bottom); walk->valid && walk->seq <= top; convlog_next(walk)) {
        ProtobufCBinaryData *row = &run->rows[run->count];

        *row = (ProtobufCBinaryData){0};
        run->places[run->count++] = (struct convlog_place){walk->seq, walk->row.time_ms};
        if (!span_shows(&p->span, &walk->row, p->places))
            continue;
        row->len = walk->row.msg_len;
        row->data = hy_arena_alloc(&p->view->arena, row->len + 1);
        if (row->data == NULL)
            return HY_ENOMEM;
        memcpy(row->data, walk->row.msg, row->len);
    }
    return db_scan_err(walk->scan);
}

/* Put a message where it belongs, or (data NULL) pass it over. False: the page ends before it. */
static bool take(struct page *p, struct convlog_place place, const ProtobufCBinaryData *msg)
{
    bool shown = msg->data != NULL;

    if (shown ? p->have == p->want || p->bytes > PAGE_BYTES : p->passed == PASSED_MOST) {
        p->complete = false;
        p->next = place;
        return false;
    }
    if (!shown) {
        p->passed++;
        return true;
    }
    p->msgs[p->newer ? p->have : p->want - 1 - p->have] = *msg;
    p->bytes += msg->len;
    p->have++;
    return true;
}

/* How many places to look at next: mostly all of them are shown, and one more tells that the page
 * is not the last. Where many are not, many more may not be. */
static uint64_t stride(const struct page *p)
{
    size_t missing = p->want - p->have + 1 + p->passed;

    return missing < WALK_LEAST ? WALK_LEAST : missing > WALK_MOST ? WALK_MOST : missing;
}

static enum hy_err collect_newer(struct page *p, struct convlog_walk *walk, struct stretch *run)
{
    uint64_t bottom = p->low;
    enum hy_err err = HY_OK;

    while (err == HY_OK && p->complete && bottom <= p->high) {
        uint64_t top = bottom + stride(p) - 1;

        err = copy(p, walk, bottom, top < p->high ? top : p->high, run);
        for (size_t i = 0; i < run->count && take(p, run->places[i], &run->rows[i]); i++)
            ;
        if (!walk->valid)
            break;
        bottom = walk->seq;
    }
    return err;
}

/* Backwards in runs, each walked forwards: a step back costs RocksDB a search in each memtable. */
static enum hy_err collect_older(struct page *p, struct convlog_walk *walk, struct stretch *run)
{
    uint64_t top = p->high;
    enum hy_err err = HY_OK;

    while (err == HY_OK && p->complete) {
        uint64_t n = stride(p), bottom = top - p->low < n ? p->low : top - n + 1;

        err = copy(p, walk, bottom, top, run);
        for (size_t i = run->count; i > 0 && take(p, run->places[i - 1], &run->rows[i - 1]); i--)
            ;
        if (bottom == p->low)
            break;
        top = bottom - 1;
        if (run->count > 0)
            continue;
        convlog_seek_back(walk, top); /* over a hole */
        if (!walk->valid)
            break;
        top = walk->seq;
    }
    return err;
}

static enum hy_err collect_rows(struct page *p)
{
    struct stretch run;
    struct convlog_walk walk;
    enum hy_err err = convlog_open(p->view->db, &p->span.log, p->low, p->high, &walk);

    if (err != HY_OK)
        return err;
    err = p->newer ? collect_newer(p, &walk, &run) : collect_older(p, &walk, &run);
    convlog_close(&walk);
    return err;
}

/* How far the rest of the page will go from there, if all is shown. */
static uint64_t ahead(const struct page *p, uint64_t seq)
{
    uint64_t more = p->want - p->have;

    if (p->newer)
        return p->high - seq < more ? p->high : seq + more;
    return seq - p->low < more ? p->low : seq - more;
}

/* The same out of the runs in memory. HY_EBUSY: not everything is there. */
static enum hy_err collect_runs(struct page *p)
{
    uint64_t seq = p->newer ? p->low : p->high;
    const struct run *run = NULL;
    ProtobufCBinaryData field;
    struct value_log row;
    int looks = MEMORY_MOST;

    p->fields = true;
    for (; seq >= p->low && seq <= p->high; seq = p->newer ? seq + 1 : seq - 1) {
        enum hy_err err = HY_OK;

        if (looks-- == 0)
            return HY_EBUSY;
        if (run == NULL || !run_holds(run, seq))
            err = runs_get(p->view->runs, p->view->db,
                           &(struct runs_place){&p->span.log, seq, p->span.last, ahead(p, seq)},
                           &run);
        if (err != HY_OK)
            return err;
        if (!run_row(run, seq, &row, &field))
            continue;
        if (!span_shows(&p->span, &row, p->places))
            field = (ProtobufCBinaryData){0};
        if (!take(p, (struct convlog_place){seq, row.time_ms}, &field))
            break;
    }
    return HY_OK;
}

static enum hy_err collect(struct page *p)
{
    p->complete = true;
    if (p->low > p->high)
        return HY_OK;
    p->msgs = hy_arena_alloc(&p->view->arena, p->want * sizeof *p->msgs);
    if (p->msgs == NULL)
        return HY_ENOMEM;
    if (p->view->runs != NULL) {
        enum hy_err err = collect_runs(p);

        if (err != HY_EBUSY || p->view->rows != NULL) /* the loop leaves it to a thread */
            return err;
        p->complete = true;
        p->fields = false;
        p->have = p->bytes = p->passed = 0;
    }
    return collect_rows(p);
}

/* HistoryRes, by hand: the messages are encoded already. */
static enum hy_err put_page(const struct page *p, struct hy_buf *out)
{
    const ProtobufCBinaryData *msgs = p->newer ? p->msgs : p->msgs + (p->want - p->have);
    enum hy_err err = hy_buf_reserve(out, p->bytes + (p->have + 6) * 16);

    for (size_t i = 0; i < p->have && err == HY_OK; i++)
        err = p->fields ? hy_buf_put(out, msgs[i].data, msgs[i].len)
                        : value_put_field(out, RES_MSGS, msgs[i].data, msgs[i].len);
    if (err == HY_OK)
        err = value_put_varint(out, 2, p->complete);
    if (err == HY_OK)
        err = value_put_varint(out, 3, p->span.first);
    if (err == HY_OK)
        err = value_put_varint(out, 4, p->span.last);
    if (err == HY_OK && !p->complete)
        err = value_put_varint(out, 6, p->next.seq);
    if (err == HY_OK && !p->complete)
        err = value_put_varint(out, 7, p->next.time_ms);
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
