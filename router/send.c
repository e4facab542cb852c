#include "router/send.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/codes.h"
#include "common/slot.h"
#include "router/applist.h"
#include "router/memory.h"
#include "router/send_core.h"

enum {
    SENDS_SPARE = 1024,
    BUF_KEPT = 64 * 1024, /* a larger buffer is given back after use */
};

enum { RESULT_OK, RESULT_REFUSED, RESULT_DROPPED, RESULT_UNKNOWN };

enum hy_err sends_open(struct sends **sends)
{
    static const char *const labels[2][4] = {
        {"chat=\"c2c\",result=\"ok\"", "chat=\"c2c\",result=\"refused\"",
         "chat=\"c2c\",result=\"dropped\"", "chat=\"c2c\",result=\"timeout\""},
        {"chat=\"group\",result=\"ok\"", "chat=\"group\",result=\"refused\"",
         "chat=\"group\",result=\"dropped\"", "chat=\"group\",result=\"timeout\""},
    };
    struct sends *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HY_ENOMEM;
    for (int chat = 0; chat < 2; chat++)
        for (int result = 0; result < 4; result++)
            s->results[chat][result] = hy_counter("hongyan_router_messages_total",
                                                  labels[chat][result], "Messages by outcome");
    s->inflight = hy_gauge("hongyan_router_inflight_requests", "peer=\"store\"",
                           "Requests under way, by what is waited for");
    s->store_us = hy_histogram_us("hongyan_router_route_duration_seconds", "stage=\"store\"",
                                  "How long a stage of a message takes");
    s->c2c_fanout = hy_histogram_count("hongyan_router_fanout_recipients", "chat=\"c2c\"",
                                       "Links that one message was pushed to");
    *sends = s;
    return HY_OK;
}

/* ---- the pool ---- */

static void send_free(struct send *send)
{
    hy_arena_free(&send->arena);
    hy_buf_free(&send->bytes);
    free(send);
}

void sends_close(struct sends **sends)
{
    struct sends *s = *sends;

    if (s == NULL)
        return;
    *sends = NULL;
    for (struct send *send = s->running, *next; send != NULL; send = next) {
        next = send->next;
        users_release(send->parts->users, &send->from);
        users_release(send->parts->users, &send->to);
        send_free(send);
    }
    for (struct send *send = s->spare, *next; send != NULL; send = next) {
        next = send->next;
        send_free(send);
    }
    hy_buf_free(&s->frame);
    free(s);
}

static struct send *send_take(struct parts *parts)
{
    struct sends *sends = parts->sends;
    struct send *send = sends->spare;

    if (send != NULL) {
        sends->spare = send->next;
        sends->spare_count--;
    } else {
        send = memory_get(sizeof *send);
        hy_arena_init(&send->arena);
    }
    send->parts = parts;
    send->prev = NULL;
    send->next = sends->running;
    if (send->next != NULL)
        send->next->prev = send;
    sends->running = send;
    send->from.user = send->to.user = NULL;
    send->bytes.len = 0;
    return send;
}

static void send_give(struct send *send)
{
    struct sends *sends = send->parts->sends;

    users_release(send->parts->users, &send->from);
    users_release(send->parts->users, &send->to);
    *(send->prev != NULL ? &send->prev->next : &sends->running) = send->next;
    if (send->next != NULL)
        send->next->prev = send->prev;
    if (sends->spare_count == SENDS_SPARE) {
        send_free(send);
        return;
    }
    if (send->bytes.cap > BUF_KEPT)
        hy_buf_free(&send->bytes);
    hy_arena_reset(&send->arena);
    send->next = sends->spare;
    sends->spare = send;
    sends->spare_count++;
}

/* ---- answers ---- */

bool sends_idle(const struct sends *sends)
{
    return sends->running == NULL;
}

static void count(struct send *send, int result)
{
    hy_add(send->parts->sends->results[send_to_group(send)][result], 1);
}

static void answer(struct send *send)
{
    Hy__SendAnswer res = HY__SEND_ANSWER__INIT;
    Hy__SendResult **list = memory_from(&send->arena, send->call->n_items * sizeof *list + 1);

    for (size_t i = 0; i < send->call->n_items; i++)
        list[i] = &send->results[i];
    res.n_results = send->call->n_items;
    res.results = list;
    hy_bus_reply_pb(&send->reply, &res.base);
    send_give(send);
}

static void refuse_item(struct send *send, size_t i, uint32_t code, const char *info)
{
    send->results[i].code = code;
    send->results[i].info =
        info != NULL && info[0] != '\0' ? (char *)info : (char *)hy_code_text(code);
}

/* Refuse the whole call. */
static void refuse(struct send *send, uint32_t code)
{
    for (size_t i = 0; i < send->call->n_items; i++) {
        refuse_item(send, i, code, NULL);
        count(send, RESULT_REFUSED);
    }
    answer(send);
}

/* ---- storing ---- */

/* Refused, but another try of the call may yet be taken: nobody knows. Who asks again learns it. */
static void in_doubt(struct send *send, size_t i)
{
    push_skip(send->parts->push);
    refuse_item(send, i, HY_CODE_TIMEOUT, NULL);
    count(send, RESULT_UNKNOWN);
}

static void take_result(struct send *send, size_t i, const Hy__AppendRes *res,
                        const Hy__AppendResult *result)
{
    const Hy__SendCall *call = send->call;
    struct msgbytes_tail tail = {result->name_card, result->seq, result->time_ms};
    uint64_t key;
    bool again;

    if (result->code != HY_CODE_OK) {
        refuse_item(send, i, result->code, result->info);
        count(send, RESULT_REFUSED);
        return;
    }
    send->results[i].seq = result->seq;
    send->results[i].time_ms = result->time_ms;
    count(send, result->dropped ? RESULT_DROPPED : RESULT_OK);
    if (result->dropped)
        return;
    key = told_key(call->caller->app, call->conv_type, call->caller->user, call->to, result->seq);
    again = result->seq != 0 && told_again(&send->parts->sends->told, key);
    if (!(result->duplicate && again))
        send_tell(send, i, res, &tail);
}

/* Before anybody is told, who is to be told. */
static void take_members(struct send *send, const Hy__AppendRes *res)
{
    struct routes_list list = {res->member_version, res->hearing.data, res->deaf.data,
                               res->hearing.len, res->deaf.len};

    if (list.hearing_len + list.deaf_len > 0)
        routes_offer(send->parts->routes, send->call->caller->app, send->call->to, &list);
}

static void take_results(struct send *send, const Hy__AppendRes *res, bool doubtful)
{
    take_members(send, res);
    for (size_t i = 0, k = 0; i < send->call->n_items; i++) {
        if (!send->pieces[i].stored)
            continue;
        if (doubtful && !hy_code_certain(res->results[k]->code))
            in_doubt(send, i);
        else
            take_result(send, i, res, res->results[k]);
        k++;
    }
}

static size_t stored_count(const struct send *send)
{
    size_t stored = 0;

    for (size_t i = 0; i < send->call->n_items; i++)
        stored += send->pieces[i].stored;
    return stored;
}

/* The store did not answer: each message may be there or not. */
static void outcome_unknown(struct send *send, enum hy_err err)
{
    uint16_t slot = hy_slot_conv(send->call->caller->app, send->call->conv_type,
                                 send->call->caller->user, send->call->to);
    bool up = hy_stores_up(send->parts->stores, hy_stores_shard(send->parts->stores, slot));
    uint32_t code = HY_CODE_TIMEOUT;

    if (err == HY_EBUSY)
        code = HY_CODE_BUSY; /* nothing was sent */
    else if (!up)
        code = HY_CODE_UNAVAILABLE;
    if (err != HY_EBUSY)
        push_skip(send->parts->push);
    for (size_t i = 0; i < send->call->n_items; i++) {
        if (!send->pieces[i].stored)
            continue;
        refuse_item(send, i, code, NULL);
        count(send, RESULT_UNKNOWN);
    }
}

static void on_appended(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct send *send = arg;
    Hy__AppendRes *res = NULL;

    hy_add(send->parts->sends->inflight, -1);
    hy_observe_us(send->parts->sends->store_us, hy_steady_us() - send->asked_us);
    if (err == HY_OK)
        res = hy__append_res__unpack(&send->arena.pb, record->len, record->payload);
    if (res == NULL || res->n_results != stored_count(send))
        outcome_unknown(send, err);
    else
        take_results(send, res, record->doubtful);
    answer(send);
}

static void store(struct send *send)
{
    const Hy__SendCall *call = send->call;
    struct hy_stores *stores = send->parts->stores;
    uint16_t slot = hy_slot_conv(call->caller->app, call->conv_type, call->caller->user, call->to);
    struct hy_stores_call ask = {
        .kind = HY__BUS_KIND__STORE_APPEND,
        .where = hy_stores_at_slot(slot),
        .deadline_ms = send->parts->call_deadline_ms,
        .done = on_appended,
        .arg = send,
    };

    send->asked_us = hy_steady_us();
    hy_add(send->parts->sends->inflight, 1);
    hy_stores_ask(stores, &ask, send->bytes.data, send->bytes.len);
}

/* ---- only to who is online ---- */

static void tell_unstored(struct send *send)
{
    struct msgbytes_tail tail = {"", 0, hy_wall_ms()};

    for (size_t i = 0; i < send->call->n_items; i++) {
        if (send->pieces[i].stored)
            continue;
        if (!send_encode_piece(send, i)) {
            refuse_item(send, i, HY_CODE_BUSY, NULL);
            continue;
        }
        send->results[i].time_ms = tail.time_ms;
        count(send, RESULT_OK);
        send_tell(send, i, &send->group, &tail);
    }
}

/* ---- beginning ---- */

/* Who is missing, said as this caller's interface says it (REST v4 6.1, 12.15). */
static uint32_t check_people(const struct send *send)
{
    const Hy__Caller *caller = send->call->caller;
    const Hy__App *app = applist_find(send->parts->applist, caller->app);
    bool admin = caller->admin;

    if (app == NULL)
        return applist_refusal(send->parts->applist);
    if (send->from.code != HY_CODE_OK)
        return send->from.code;
    /* Administrators may send without ever having been imported. */
    if (!send->from.user->exists && !hy_app_admin(app, caller->user)) {
        if (send_to_group(send))
            return HY_CODE_GROUP_ACCOUNT;
        return admin ? HY_CODE_REST_ACCOUNT : HY_CODE_C2C_ACCOUNT;
    }
    if (send_to_group(send))
        return HY_CODE_OK;
    if (send->to.code != HY_CODE_OK)
        return send->to.code;
    if (!send->to.user->exists && !hy_app_admin(app, send->call->to))
        return admin ? HY_CODE_REST_TO_UNKNOWN : HY_CODE_C2C_ACCOUNT;
    return HY_CODE_OK;
}

/* The last hurdles are taken: store what is to be stored, tell the rest. */
static void proceed(struct send *send)
{
    size_t unstored = send_sort(send);

    if (unstored < send->call->n_items && !send_encode(send)) {
        refuse(send, HY_CODE_BUSY);
        return;
    }
    if (unstored < send->call->n_items)
        store(send);
    if (unstored > 0)
        tell_unstored(send);
    if (unstored == send->call->n_items)
        answer(send);
}

static void on_group(struct send *send, uint32_t code)
{
    if (code != HY_CODE_OK)
        refuse(send, code);
    else
        proceed(send);
}

static void go(struct send *send)
{
    uint32_t code = check_people(send);

    if (code != HY_CODE_OK)
        refuse(send, code);
    else if (send_to_group(send) && send_sort(send) > 0)
        send_ask_group(send, on_group);
    else
        proceed(send);
}

static void on_user(void *arg)
{
    struct send *send = arg;

    if (--send->waits == 0)
        go(send);
}

static void want_people(struct send *send)
{
    const Hy__SendCall *call = send->call;
    struct users *users = send->parts->users;
    unsigned need = USER_RECORD | USER_PLACES;

    send->waits = 1; /* this function */
    send->from.ready = send->to.ready = on_user;
    send->from.arg = send->to.arg = send;
    if (!users_want(users, call->caller->app, call->caller->user, need, &send->from))
        send->waits++;
    if (!send_to_group(send) && !users_want(users, call->caller->app, call->to, need, &send->to))
        send->waits++;
    on_user(send);
}

static bool well_formed(const Hy__SendCall *call)
{
    if (call == NULL || call->caller == NULL || call->caller->user[0] == '\0' ||
        call->to[0] == '\0' || call->n_items == 0 ||
        (call->conv_type != HY__CONV_TYPE__CONV_C2C &&
         call->conv_type != HY__CONV_TYPE__CONV_GROUP))
        return false;
    for (size_t i = 0; i < call->n_items; i++)
        if (call->items[i]->req == NULL)
            return false;
    return true;
}

void send_begin(struct parts *parts, struct hy_peer *peer, const struct hy_record *record)
{
    struct send *send = send_take(parts);
    Hy__SendCall *call = hy__send_call__unpack(&send->arena.pb, record->len, record->payload);

    send->reply = hy_bus_reply_to(peer, record);
    if (!well_formed(call)) {
        /* Only a gateway of another version says this; it must not wait for ever. */
        Hy__SendAnswer none = HY__SEND_ANSWER__INIT;

        hy_bus_reply_pb(&send->reply, &none.base);
        send_give(send);
        return;
    }
    send->call = call;
    send->pieces = memory_from(&send->arena, call->n_items * sizeof *send->pieces);
    send->results = memory_from(&send->arena, call->n_items * sizeof *send->results);
    for (size_t i = 0; i < call->n_items; i++)
        hy__send_result__init(&send->results[i]);
    want_people(send);
}
