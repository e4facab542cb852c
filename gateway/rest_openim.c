/* rest_openim - openim (reference, section 6): sends to one and to many. */

#include "gateway/rest_openim.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/slot.h"
#include "gateway/rest_json.h"
#include "gateway/rest_send.h"

enum { MOST_TARGETS = 500, MOST_LIFE_S = 604800, CLIENT_ID_SIZE = 64 };

static const struct rest_family family = {
    .service = "openim",
    .bad_json = HY_CODE_REST_JSON,
    .bad_param = HY_CODE_REST_JSON,
    .no_account = HY_CODE_REST_ACCOUNT,
    .internal = HY_CODE_REST_INTERNAL,
};

/* A message to one or many; the same for all of them. */
struct send {
    char *from;
    bool from_given;
    struct rest_users to;
    bool batch;
    uint32_t msg_seq, random;
    char client_id[CLIENT_ID_SIZE];
    Hy__SendReq req;
    Hy__SendItem item;
    uint32_t *codes; /* what became of each of to.good */
    uint64_t time_ms;
};

/* ---------------------------------------------------------------- fields */

static bool read_from(struct rest_call *call, struct send *send)
{
    enum rest_got got = rest_text(call->body, "From_Account", &send->from);

    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_REST_FROM, "From_Account must be a string");
    send->from_given = got == REST_GOT && *send->from != '\0';
    if (!send->from_given)
        send->from = (char *)call->admin;
    return true;
}

/* MsgSeq, MsgRandom and MsgTimeStamp: together the sender's name of the message, so that the same
 * three again are the same message. */
static bool read_identity(struct rest_call *call, struct send *send)
{
    uint64_t now_s = call->wall_ms / 1000;
    int64_t seq = 0, random = 0, time_s = 0;

    if (rest_int(call->body, "MsgSeq", 0, UINT32_MAX, &seq) == REST_BAD)
        return rest_fail(call, HY_CODE_REST_MSG_SEQ, NULL);
    if (rest_int(call->body, "MsgRandom", 0, UINT32_MAX, &random) != REST_GOT)
        return rest_fail(call, HY_CODE_REST_MSG_RANDOM, NULL);
    if (!send->batch && rest_int(call->body, "MsgTimeStamp", 0, UINT32_MAX, &time_s) == REST_BAD)
        return rest_fail(call, HY_CODE_REST_TIMESTAMP, NULL);
    send->msg_seq = seq > 0 ? (uint32_t)seq : (uint32_t)(call->op % INT32_MAX) + 1;
    send->random = (uint32_t)random;
    send->req.random = send->random;
    send->req.client_time_s = time_s > 0 ? (uint32_t)time_s : (uint32_t)now_s;
    snprintf(send->client_id, sizeof send->client_id, "rest:%u_%u_%u", send->msg_seq, send->random,
             send->req.client_time_s);
    send->req.client_id = send->client_id;
    send->item.rest_seq = send->msg_seq;
    return true;
}

static bool read_life(struct rest_call *call, struct send *send)
{
    int64_t life_s = 0, sync = 0;

    switch (rest_int(call->body, "MsgLifeTime", 0, INT64_MAX, &life_s)) {
    case REST_BAD:
        return rest_fail(call, HY_CODE_REST_LIFE_TYPE, NULL);
    case REST_GOT:
        if (life_s > MOST_LIFE_S)
            return rest_fail(call, HY_CODE_REST_LIFE_BIG, NULL);
        send->item.life_s = (uint32_t)life_s;
        if (life_s == 0)
            send->req.flags |= HY__MSG_FLAG__MSG_ONLINE_ONLY;
        break;
    case REST_ABSENT:
        break;
    }
    if (rest_flag(call->body, "OnlineOnlyFlag|MsgOnlineOnlyFlag"))
        send->req.flags |= HY__MSG_FLAG__MSG_ONLINE_ONLY;
    if (rest_int(call->body, "SyncOtherMachine", INT32_MIN, INT32_MAX, &sync) == REST_BAD)
        return rest_fail(call, HY_CODE_REST_SYNC, NULL);
    send->item.sync_self = sync == 1;
    if (sync == 2)
        send->req.flags |= HY__MSG_FLAG__MSG_NO_SELF_SYNC;
    return true;
}

static struct send *new_send(struct rest_call *call, bool batch)
{
    struct send *send = rest_state(call, sizeof *send);

    if (send == NULL)
        return NULL;
    send->batch = batch;
    hy__send_req__init(&send->req);
    hy__send_item__init(&send->item);
    send->item.req = &send->req;
    return send;
}

static void ask_send(struct rest_call *call, size_t index)
{
    struct send *send = call->state;
    Hy__SendCall question = HY__SEND_CALL__INIT;
    Hy__SendItem *items[] = {&send->item};
    char *to = send->to.good[index];

    question.conv_type = HY__CONV_TYPE__CONV_C2C;
    question.to = to;
    question.n_items = 1;
    question.items = items;
    rest_ask_send(call, index, hy_slot_pair(call->app, send->from, to), send->from, &question);
}

/* The same three with another content are the same message to REST v4: the first one counts. */
static uint32_t code_of(const struct rest_answer *answer)
{
    return answer->code == HY_CODE_CLIENT_ID_REUSED ? (uint32_t)HY_CODE_OK : answer->code;
}

static json_t *message_key(const struct rest_call *call, const struct send *send)
{
    uint64_t time_ms = send->time_ms != 0 ? send->time_ms : call->wall_ms;
    char key[REST_MSG_KEY_SIZE];

    rest_msg_key(send->msg_seq, send->random, time_ms / 1000, key);
    return json_string(key);
}

/* ---------------------------------------------------------------- to one */

static void on_sent(struct rest_call *call)
{
    const struct send *send = call->state;
    const struct rest_answer *answer = &call->gather.answers[0];
    uint32_t code = code_of(answer);
    uint64_t time_ms =
        answer->sent != NULL && answer->sent->time_ms > 0 ? answer->sent->time_ms : call->wall_ms;

    char key[REST_MSG_KEY_SIZE];

    if (code != HY_CODE_OK) {
        rest_fail(call, code, answer->info);
        return;
    }
    rest_msg_key(send->msg_seq, send->random, time_ms / 1000, key);
    rest_okf(call, "\"MsgTime\":%llu,\"MsgKey\":\"%s\"", (unsigned long long)(time_ms / 1000), key);
}

void rest_sendmsg(struct rest_call *call)
{
    struct send *send = new_send(call, false);
    char **to;

    if (send == NULL)
        return;
    to = hy_arena_zalloc(&call->arena, 2 * sizeof *to);
    if (to == NULL) {
        rest_fail(call, HY_CODE_REST_INTERNAL, NULL);
        return;
    }
    if (!rest_need_account(call, "To_Account", HY_CODE_REST_TO, to) || !read_from(call, send) ||
        !read_identity(call, send) || !read_life(call, send) ||
        !rest_send_content(call, HY_CODE_MSG_TOO_LONG, &send->req) ||
        !rest_users_sort(call, to, 1, &send->to))
        return;
    rest_gather(call, 1, ask_send, on_sent);
}

/* ---------------------------------------------------------------- to many */

static void answer_batch(struct rest_call *call)
{
    const struct send *send = call->state;
    json_t *errors = json_array();

    for (size_t i = 0; i < send->to.count; i++) {
        size_t place = send->to.place[i];
        uint32_t code =
            place == REST_NO_PLACE ? (uint32_t)HY_CODE_ACCOUNT_UNKNOWN : send->codes[place];

        if (code != HY_CODE_OK)
            json_array_append_new(errors, json_pack("{s:o, s:i}", "To_Account",
                                                    rest_json_text(send->to.all[i]), "ErrorCode",
                                                    (int)code));
    }
    rest_ok(call, json_pack("{s:o, s:o}", "MsgKey", message_key(call, send), "ErrorList", errors));
}

/* All failed in the same way: it is the call that failed. */
static uint32_t common_failure(const struct send *send)
{
    if (send->to.good_count < send->to.count)
        return HY_CODE_OK;
    for (size_t i = 1; i < send->to.good_count; i++)
        if (send->codes[i] != send->codes[0])
            return HY_CODE_OK;
    return send->codes[0];
}

static void on_batch(struct rest_call *call)
{
    struct send *send = call->state;
    size_t unknown = send->to.count - send->to.good_count;
    uint32_t failure;

    for (size_t i = 0; i < send->to.good_count; i++) {
        const struct rest_answer *answer = &call->gather.answers[i];

        send->codes[i] = code_of(answer);
        if (send->codes[i] == HY_CODE_REST_TO_UNKNOWN) {
            send->codes[i] = HY_CODE_ACCOUNT_UNKNOWN;
            unknown++;
        }
        if (answer->sent != NULL && send->time_ms == 0)
            send->time_ms = answer->sent->time_ms;
    }
    failure = common_failure(send);
    if (unknown == send->to.count)
        rest_fail(call, HY_CODE_REST_TO_UNKNOWN, "no account of To_Account is registered");
    else if (failure != HY_CODE_OK)
        rest_fail(call, failure, NULL);
    else
        answer_batch(call);
}

void rest_batchsendmsg(struct rest_call *call)
{
    static const struct rest_list_codes codes = {HY_CODE_REST_TO_ARRAY, HY_CODE_REST_TO_EMPTY,
                                                 HY_CODE_REST_TARGETS, HY_CODE_ACCOUNT_NOT_TEXT};
    struct send *send = new_send(call, true);

    if (send == NULL || !rest_need_accounts(call, "To_Account", MOST_TARGETS, &codes, &send->to) ||
        !read_from(call, send) || !read_identity(call, send) || !read_life(call, send) ||
        !rest_send_content(call, HY_CODE_REST_BATCH_LONG, &send->req))
        return;
    send->codes = hy_arena_zalloc(&call->arena, (send->to.count + 1) * sizeof *send->codes);
    if (send->codes == NULL)
        rest_fail(call, HY_CODE_REST_INTERNAL, NULL);
    else
        rest_gather(call, send->to.good_count, ask_send, on_batch);
}

static const struct rest_command commands[] = {
    {"sendmsg", rest_sendmsg},
    {"batchsendmsg", rest_batchsendmsg},
    {"querystate", rest_querystate},
    {"query_online_status", rest_query_online_status},
    {"admin_getroammsg", rest_admin_getroammsg},
    {NULL, NULL},
};

const struct rest_service rest_openim_service = {&family, commands};
