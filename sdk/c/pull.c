#include <stdlib.h>

#include "common/codes.h"
#include "sdk/c/client.h"

enum {
    PULLS = 4,         /* under way at a time */
    WAIT_MS = 10,      /* what is missing may be on its way */
    OWN_WAIT_MS = 300, /* and more likely so while our own sends are */
    RETRY_MS = 200,
    PAUSES = 5, /* RETRY_MS longer each */
    STUCK = 5,  /* pages without what is known to be there until that is taken as never to come */
};

/* ---- what is missing ---- */

static bool wants_pull(const struct conv *conv)
{
    if (conv->order.live)
        return false;
    return conv->order.known ? conv->check || order_hungry(&conv->order) : conv->order.target > 0;
}

void pull_queue(struct hongyan_client *c, struct conv *conv, uint64_t wait_ms)
{
    if (conv->queued || conv->pulling || !c->began || !wants_pull(conv))
        return;
    conv->queued = true;
    conv->next_hungry = NULL;
    conv->pull_ms = client_now(c) + wait_ms;
    if (c->hungry_last != NULL)
        c->hungry_last->next_hungry = conv;
    else
        c->hungry = conv;
    c->hungry_last = conv;
    client_wake(c, conv->pull_ms);
}

void pull_look(struct hongyan_client *c, struct conv *conv)
{
    if (!c->closed)
        pull_queue(c, conv, conv->under_way > 0 ? OWN_WAIT_MS : WAIT_MS);
}

/* ---- answers ---- */

/* An answer that belongs to a conversation. Conversations live as long as the client. */
struct pull {
    struct hongyan_client *client;
    struct conv *conv;
    uint64_t target; /* what was known to be there when it was asked */
    uint8_t life;
};

/* Free the pull. False: its answer is about nothing any more. */
static bool ended(struct pull *pull)
{
    struct hongyan_client *c = pull->client;
    struct conv *conv = pull->conv;
    bool current = pull->life == conv->life;

    free(pull);
    if (c->closed)
        return false;
    conv->pulling = false;
    c->pulls--;
    if (c->hungry != NULL)
        client_wake(c, client_now(c));
    if (!current)
        pull_look(c, conv);
    return current;
}

static void again(struct hongyan_client *c, struct conv *conv)
{
    if (conv->pauses < PAUSES)
        conv->pauses++;
    pull_queue(c, conv, (uint64_t)RETRY_MS * conv->pauses);
}

/* Nobody tells us what is missing: go on with what there is. */
static void skip(struct hongyan_client *c, struct conv *conv)
{
    conv->stuck = conv->pauses = 0;
    conv->check = false;
    order_skip(&conv->order);
    sync_drain(c, conv);
    pull_look(c, conv);
}

/* Does it say that there is nothing for us (any more)? Code 0: an answer without the conversation.
 */
static bool is_final(uint32_t code)
{
    return code == 0 || code == HY_CODE_GROUP_UNKNOWN || code == HY_CODE_GROUP_DENIED ||
           code == HY_CODE_GROUP_NO_HISTORY || code == HY_CODE_C2C_ACCOUNT;
}

/* The pull was refused. What is skipped is never shown, so only a word about this conversation
 * counts: whatever else is wrong may pass. */
static void refused(struct hongyan_client *c, struct conv *conv, uint32_t code)
{
    if (!is_final(code)) {
        again(c, conv);
        return;
    }
    if (code == HY_CODE_GROUP_NO_HISTORY)
        conv->order.live = true;
    skip(c, conv);
    if (code == HY_CODE_GROUP_UNKNOWN) /* a new group of that name begins with 1 */
        sync_forget(c, conv->peer);
}

/* A message of a page. */
static void take(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg)
{
    bool shown = sync_is_shown(c, conv, msg);

    if (msg->seq <= conv->order.last)
        return;
    order_settle(&conv->order, msg->seq); /* a page leaves nothing out between two messages */
    if (shown)
        sync_show(c, msg);
}

/* Where a stream begins that was not there at the start: with the oldest of the page, or what was
 * pushed before. */
static void begin_by_page(struct conv *conv, const Hy__HistoryRes *res)
{
    uint64_t end = res->complete ? res->last_seq + 1 : res->next_seq;
    uint64_t first = res->n_msgs > 0 ? res->msgs[0]->seq : end;
    uint64_t early = order_first_early(&conv->order);

    if (early > 0 && early < first)
        first = early;
    order_begin(&conv->order, first > 0 ? first - 1 : 0);
}

static void take_page(struct hongyan_client *c, struct conv *conv, const Hy__HistoryRes *res)
{
    if (!conv->order.known)
        begin_by_page(conv, res);
    for (size_t i = 0; i < res->n_msgs && !c->closed; i++)
        take(c, conv, res->msgs[i]);
    if (res->first_seq > 0)
        order_settle(&conv->order, res->first_seq - 1);
    if (res->complete)
        order_settle(&conv->order, res->last_seq);
    else if (res->next_seq > 0) /* what lies before it is not ours */
        order_settle(&conv->order, res->next_seq - 1);
    conv->check = conv->check && !res->complete;
    sync_drain(c, conv);
}

/* A page brought nothing: no wonder if it was asked for before anything was known to be missing. */
static void brought_nothing(struct hongyan_client *c, struct conv *conv, uint64_t target)
{
    if (target > conv->order.last)
        conv->stuck++;
    if (conv->stuck > STUCK)
        skip(c, conv);
    else
        again(c, conv);
}

static void on_page(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct pull *pull = arg;
    struct hongyan_client *c = pull->client;
    struct conv *conv = pull->conv;
    uint64_t before = conv->order.last, target = pull->target;

    (void)info;
    if (!ended(pull))
        return;
    if (code != 0 || answer->body_case != HY__FRAME__BODY_HISTORY_RES) {
        refused(c, conv, code);
        return;
    }
    take_page(c, conv, answer->history_res);
    if (c->closed)
        return;
    if (conv->order.last > before) {
        conv->stuck = conv->pauses = 0;
        pull_queue(c, conv, 0);
    } else {
        brought_nothing(c, conv, target);
    }
}

static void on_conv_info(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct pull *pull = arg;
    struct hongyan_client *c = pull->client;
    struct conv *conv = pull->conv;
    const Hy__ConvListRes *res = answer != NULL ? answer->conv_list_res : NULL;

    (void)info;
    if (!ended(pull))
        return;
    if (code != 0 || res == NULL || answer->body_case != HY__FRAME__BODY_CONV_LIST_RES ||
        res->n_convs == 0) {
        refused(c, conv, code);
        return;
    }
    sync_begin(c, conv, res->convs[0]);
    sync_drain(c, conv);
    if (conv->order.live) /* what was kept is all there will be */
        skip(c, conv);
    else if (!c->closed)
        pull_queue(c, conv, 0);
}

static void fill_history(const struct hongyan_client *c, const struct conv *conv,
                         Hy__HistoryReq *req)
{
    req->conv_type = conv->type;
    req->peer = (char *)conv->peer;
    req->newer = true;
    if (conv->order.known)
        req->from_seq = conv->order.last + 1;
    else
        req->time_ms = conv->since_ms > 0 ? conv->since_ms : c->since_ms;
}

static void pull_one(struct hongyan_client *c, struct conv *conv)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__HistoryReq history = HY__HISTORY_REQ__INIT;
    Hy__ConvGetReq get = HY__CONV_GET_REQ__INIT;
    struct pull *pull = malloc(sizeof *pull);
    /* A group's beginning depends on when we came; a pair's only on when we signed in. */
    bool ask_first =
        !conv->order.known && conv->since_ms == 0 &&
        (conv->type == HY__CONV_TYPE__CONV_GROUP || c->config.backlog != HONGYAN_FROM_NOW);
    enum hy_err err = HY_ENOMEM;

    if (ask_first) {
        get.type = conv->type;
        get.peer = conv->peer;
        frame.body_case = HY__FRAME__BODY_CONV_GET;
        frame.conv_get = &get;
    } else {
        fill_history(c, conv, &history);
        frame.body_case = HY__FRAME__BODY_HISTORY;
        frame.history = &history;
    }
    if (pull != NULL) {
        *pull = (struct pull){c, conv, conv->order.target, conv->life};
        err = hongyan_request(c, &frame, ask_first ? on_conv_info : on_page, pull);
    }
    if (err != HY_OK) {
        free(pull);
        again(c, conv);
        return;
    }
    conv->pulling = true;
    c->pulls++;
}

void pull_due(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms)
{
    struct conv **at = &c->hungry, *last = NULL;

    while (*at != NULL && c->pulls < PULLS) {
        struct conv *conv = *at;

        if (conv->pull_ms > now_ms) {
            if (conv->pull_ms < *next_ms)
                *next_ms = conv->pull_ms;
            last = conv;
            at = &conv->next_hungry;
            continue;
        }
        *at = conv->next_hungry;
        if (*at == NULL)
            c->hungry_last = last;
        conv->queued = false;
        if (wants_pull(conv))
            pull_one(c, conv);
    }
}
