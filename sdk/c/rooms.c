#include <stdlib.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/grouptype.h"
#include "sdk/c/client.h"

enum { RETRY_MS = 1000 };

/* An answer that belongs to a room. Conversations live as long as the client. */
struct room_try {
    struct hongyan_client *client;
    struct conv *conv;
};

static void try_later(struct hongyan_client *c)
{
    c->rooms_ms = client_now(c) + 1 + hy_random64() % RETRY_MS;
    client_wake(c, c->rooms_ms);
}

static void on_again(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct room_try *attempt = arg;
    struct hongyan_client *c = attempt->client;
    struct conv *conv = attempt->conv;

    (void)info;
    free(attempt);
    if (c->closed)
        return;
    conv->entering = false;
    if (call_is_temporary(code)) {
        try_later(c);
        return;
    }
    conv->absent = false;
    conv->seated = conv->seated && code == 0;
    for (size_t i = 0; code == 0 && i < answer->group_join_res->n_recent && !c->closed; i++)
        sync_message(c, answer->group_join_res->recent[i]); /* what was missed, as far as it goes */
}

static void enter(void *arg, struct conv *conv)
{
    struct hongyan_client *c = arg;
    struct room_try *attempt = NULL;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq req = HY__GROUP_JOIN_REQ__INIT;

    if (!conv->absent || conv->entering)
        return;
    attempt = malloc(sizeof *attempt);
    req.group = conv->peer;
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &req;
    if (attempt != NULL)
        *attempt = (struct room_try){c, conv};
    if (attempt == NULL || hongyan_request(c, &frame, on_again, attempt) != HY_OK) {
        free(attempt);
        try_later(c);
        return;
    }
    conv->entering = true;
}

static void miss(void *arg, struct conv *conv)
{
    struct hongyan_client *c = arg;

    conv->absent = conv->seated;
    if (conv->seated)
        c->rooms_ms = client_now(c);
}

void rooms_lost(struct hongyan_client *c)
{
    convs_each(&c->convs, miss, c);
    client_wake(c, c->rooms_ms);
}

void rooms_tick(struct hongyan_client *c, uint64_t now_ms, uint64_t *next_ms)
{
    if (!c->signed_in)
        return;
    if (c->rooms_ms <= now_ms) {
        c->rooms_ms = UINT64_MAX;
        convs_each(&c->convs, enter, c);
    }
    if (c->rooms_ms < *next_ms)
        *next_ms = c->rooms_ms;
}

/* ---- who sits where ---- */

static void joined(struct hongyan_client *c, const struct call *call, const Hy__GroupJoinRes *res)
{
    struct conv *conv = NULL;

    sync_live(c, res->group->group, res->group->type);
    conv = convs_find(&c->convs, HY__CONV_TYPE__CONV_GROUP, res->group->group);
    if (conv == NULL || !conv->order.live || call->done.answer == on_again)
        return;
    conv->seated = true;
    conv->absent = false;
    if (res->n_recent > 0) /* the caller has them */
        order_settle(&conv->order, res->recent[res->n_recent - 1]->seq);
}

void rooms_left(struct hongyan_client *c, const char *group)
{
    struct conv *conv = convs_find(&c->convs, HY__CONV_TYPE__CONV_GROUP, group);

    if (conv != NULL)
        conv->seated = conv->absent = false;
}

void rooms_learn(struct hongyan_client *c, const struct call *call, const Hy__Frame *answer)
{
    const Hy__Frame *asked = NULL;

    if (answer->body_case == HY__FRAME__BODY_GROUP_JOIN_RES &&
        answer->group_join_res->group != NULL)
        joined(c, call, answer->group_join_res);
    if (answer->body_case != HY__FRAME__BODY_OK)
        return;
    asked = hy__frame__unpack(&c->pump->arena.pb, call->len, call->frame);
    if (asked != NULL && asked->body_case == HY__FRAME__BODY_GROUP_QUIT)
        rooms_left(c, asked->group_quit->group);
}
