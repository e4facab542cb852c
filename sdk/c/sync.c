#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/grouptype.h"
#include "sdk/c/client.h"

enum { RETRY_MS = 200 }; /* to ask for the list again, at first */

/* ---- telling ---- */

void sync_show(struct hongyan_client *c, const Hy__Msg *msg)
{
    if (c->config.events.message != NULL && !c->closed)
        c->config.events.message(c->config.ctx, msg);
}

/* What was kept and is next now. */
void sync_drain(struct hongyan_client *c, struct conv *conv)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    while (!c->closed && order_pop(&conv->order, &bytes, &len)) {
        Hy__Msg *msg = bytes != NULL ? hy__msg__unpack(&c->pump->arena.pb, len, bytes) : NULL;

        free(bytes);
        if (msg != NULL)
            sync_show(c, msg);
    }
}

/* What does not find room is pulled later. */
static void keep(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg, bool shown)
{
    size_t len = shown ? hy__msg__get_packed_size(msg) : 0;
    uint8_t *bytes = hy_arena_alloc(&c->pump->arena, len + 1);

    if (bytes == NULL)
        return;
    if (shown)
        hy__msg__pack(msg, bytes);
    if (order_keep(&conv->order, msg->seq, bytes, len) != HY_OK)
        return;
}

/* ---- what comes ---- */

static bool is_me(const struct hongyan_client *c, const char *user)
{
    return strcmp(user, c->config.identifier) == 0;
}

/* Does this tip say that we are in from here on? */
static bool is_my_join(const struct hongyan_client *c, const Hy__Msg *msg)
{
    const Hy__Body *body = NULL;

    if ((msg->flags & HY__MSG_FLAG__MSG_SYSTEM) == 0)
        return false;
    body = hy__body__unpack(&c->pump->arena.pb, msg->body.len, msg->body.data);
    for (size_t i = 0; body != NULL && i < body->n_elems; i++) {
        const Hy__TipElem *tip =
            body->elems[i]->kind_case == HY__ELEM__KIND_TIP ? body->elems[i]->tip : NULL;

        for (size_t k = 0; tip != NULL && tip->type == HY__TIP_TYPE__TIP_JOIN && k < tip->n_members;
             k++)
            if (is_me(c, tip->members[k]->user))
                return true;
    }
    return false;
}

/* The first message of all, or the one that tells that we came: the stream begins with it. */
static void begin_if_first(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg)
{
    if (conv->order.known || conv->order.live || !c->began || conv->pulling)
        return;
    if (msg->seq == 1 || is_my_join(c, msg))
        order_begin(&conv->order, msg->seq - 1);
}

static struct conv *conv_of(struct hongyan_client *c, const Hy__Msg *msg)
{
    bool peer_is_from = msg->conv_type == HY__CONV_TYPE__CONV_C2C && !is_me(c, msg->from);

    return convs_get(&c->convs, msg->conv_type, peer_is_from ? msg->from : msg->to);
}

/* One of ours has its place in the count, and is shown only if that is wanted. */
bool sync_is_shown(const struct hongyan_client *c, const struct conv *conv, const Hy__Msg *msg)
{
    return c->config.deliver_own || !is_me(c, msg->from) ||
           !(order_ours(&conv->order, msg->seq) || lane_has(conv, msg->client_id));
}

static void offer(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg)
{
    bool shown = sync_is_shown(c, conv, msg);

    begin_if_first(c, conv, msg);
    switch (order_offer(&conv->order, msg->seq)) {
    case ORDER_OLD:
        return;
    case ORDER_NEXT:
        if (shown)
            sync_show(c, msg);
        sync_drain(c, conv);
        break;
    case ORDER_EARLY:
        keep(c, conv, msg, shown);
        break;
    }
    pull_look(c, conv);
}

void sync_message(struct hongyan_client *c, const Hy__Msg *msg)
{
    struct conv *conv = NULL;

    if (c->config.raw || msg->seq == 0) {
        sync_show(c, msg);
        return;
    }
    conv = conv_of(c, msg);
    if (conv != NULL) /* else out of memory: the next sync finds it */
        offer(c, conv, msg);
}

void sync_own(struct hongyan_client *c, struct conv *conv, const Hy__Msg *msg)
{
    /* In a live room nothing is pulled: what others said before ours may still be on its way. */
    if (conv->order.live && !c->config.deliver_own)
        return;
    offer(c, conv, msg); /* its call is still in the lane, so it is known as ours */
}

void sync_forget(struct hongyan_client *c, const char *group)
{
    struct conv *conv = convs_find(&c->convs, HY__CONV_TYPE__CONV_GROUP, group);

    if (conv == NULL)
        return;
    order_reset(&conv->order);
    conv->since_ms = 0;
    conv->check = false;
    conv->life++;
}

void sync_live(struct hongyan_client *c, const char *group, const char *type)
{
    const struct hy_group_type *rules = hy_group_type(type);
    struct conv *conv = NULL;

    if (rules == NULL || rules->stores)
        return;
    conv = convs_get(&c->convs, HY__CONV_TYPE__CONV_GROUP, group);
    if (conv != NULL)
        conv->order.live = true;
}

/* Where the stream of a conversation begins that the client hears of only now. */
void sync_begin(struct hongyan_client *c, struct conv *conv, const Hy__Conv *info)
{
    uint64_t first = info->first_seq > 0 ? info->first_seq - 1 : 0;

    sync_live(c, info->type == HY__CONV_TYPE__CONV_GROUP ? conv->peer : "", info->group_type);
    if (conv->order.live)
        return;
    if (c->config.backlog == HONGYAN_FROM_FIRST)
        order_begin(&conv->order, first);
    else if (c->config.backlog == HONGYAN_FROM_UNREAD)
        order_begin(&conv->order, info->read_seq > first ? info->read_seq : first);
    else
        conv->since_ms = c->since_ms;
    if (info->self != NULL && info->self->join_time_s * 1000 > conv->since_ms)
        conv->since_ms = info->self->join_time_s * 1000;
}

/* ---- the list ---- */

static void unlist(void *arg, struct conv *conv)
{
    (void)arg;
    conv->listed = false;
}

/* The first time: streams of what there is begin here. What was pushed meanwhile is shown too. */
static void begin_listed(struct hongyan_client *c, struct conv *conv, const Hy__Conv *info)
{
    uint64_t early = order_first_early(&conv->order);
    uint64_t first = info->first_seq > 0 ? info->first_seq - 1 : 0;
    uint64_t last = info->last_seq;

    if (c->config.backlog != HONGYAN_FROM_NOW)
        last = c->config.backlog == HONGYAN_FROM_FIRST || info->read_seq < first ? first
                                                                                 : info->read_seq;
    if (early > 0 && early - 1 < last)
        last = early - 1;
    order_begin(&conv->order, last);
}

static void take_listed(struct hongyan_client *c, const Hy__Conv *info)
{
    struct conv *conv = convs_get(&c->convs, info->type, info->peer);

    if (conv == NULL || conv->order.live)
        return;
    conv->listed = true;
    if (!c->began && !conv->order.known)
        begin_listed(c, conv, info);
    else if (!conv->order.known && info->last_seq > 0 && conv->since_ms == 0 && !conv->pulling)
        sync_begin(c, conv, info);
    if (info->last_seq > conv->order.target)
        conv->order.target = info->last_seq;
    sync_drain(c, conv);
    if (conv->under_way > 0)
        pull_look(c, conv);
    else
        pull_queue(c, conv, 0);
}

/* Known, but not among the recent contacts now: its own history tells. */
static void take_unlisted(void *arg, struct conv *conv)
{
    struct hongyan_client *c = arg;

    if (conv->listed || !conv->order.known || conv->order.live)
        return;
    conv->check = true;
    pull_queue(c, conv, 0);
}

static void look_at(void *arg, struct conv *conv)
{
    pull_look(arg, conv);
}

static void begin_all(struct hongyan_client *c)
{
    c->began = true;
    convs_each(&c->convs, look_at, c);
    session_tell(
        c, &(struct hongyan_change){.state = HONGYAN_ONLINE, .resumed = c->resumed, .info = ""});
}

static void on_list(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct hongyan_client *c = arg;
    bool first = !c->began;

    (void)info;
    c->listing = false;
    if (c->closed || c->state == HONGYAN_KICKED)
        return;
    if (code != 0 || answer->body_case != HY__FRAME__BODY_CONV_LIST_RES) {
        c->list_ms = client_now(c) +
                     call_jitter_ms(++c->list_tries, RETRY_MS, CLIENT_BACKOFF_MS, hy_random64());
        client_wake(c, c->list_ms);
        return;
    }
    c->list_tries = 0;
    convs_each(&c->convs, unlist, NULL);
    for (size_t i = 0; i < answer->conv_list_res->n_convs && !c->closed; i++)
        take_listed(c, answer->conv_list_res->convs[i]);
    if (first && !c->closed)
        begin_all(c);
    else if (!c->closed)
        convs_each(&c->convs, take_unlisted, c);
    if (c->list_again && !c->closed)
        sync_start(c);
}

void sync_start(struct hongyan_client *c)
{
    if (c->listing) { /* it may have been answered before the loss */
        c->list_again = true;
        return;
    }
    c->list_again = false;
    c->list_ms = client_now(c);
    client_wake(c, c->list_ms);
}

static void ask_list(struct hongyan_client *c)
{
    c->list_ms = UINT64_MAX;
    c->listing = true;
    if (hongyan_conv_list(c, on_list, c) == HY_OK)
        return;
    c->listing = false;
    c->list_ms = client_now(c) + RETRY_MS;
}

void sync_tick(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms)
{
    if (!c->signed_in)
        return;
    if (c->list_ms <= now_ms)
        ask_list(c);
    if (c->list_ms < *next_ms)
        *next_ms = c->list_ms;
    pull_due(c, now_ms, next_ms);
}
