/* rest_group_msg - messages of groups (reference 12.15, 12.16, 12.18, 12.24). */

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "common/body.h"
#include "common/slot.h"
#include "gateway/rest_body.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"
#include "gateway/rest_send.h"

enum { CLIENT_ID_SIZE = 64, MOST_AT = 30, MOST_PAGE = 20, MOST_NOTICE_BYTES = 9216 };

/* ---------------------------------------------------------------- send_group_msg */

struct send {
    char *group, *from;
    char client_id[CLIENT_ID_SIZE];
    Hy__SendReq req;
    Hy__SendItem item;
};

static bool read_sender(struct rest_call *call, struct send *send)
{
    enum rest_got got = rest_word(call->body, "From_Account", &send->from);

    if (got == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "From_Account must be a string");
    if (got == REST_GOT && !hy_account_ok(send->from))
        return rest_fail(call, HY_CODE_GROUP_ACCOUNT, "From_Account does not exist");
    if (got == REST_ABSENT)
        send->from = (char *)call->admin;
    return true;
}

static bool read_priority(struct rest_call *call, Hy__SendReq *req)
{
    static const char *const words[] = {"High", "Normal", "Low", "Lowest"};
    char *word = NULL;
    enum rest_got got = rest_word(call->body, "MsgPriority", &word);

    if (got == REST_ABSENT)
        return true;
    for (uint32_t i = 0; got == REST_GOT && i < 4; i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        req->priority = i + 1;
        return true;
    }
    return rest_fail(call, HY_CODE_GROUP_PARAM, "MsgPriority must be High, Normal, Low or Lowest");
}

static bool read_mentions(struct rest_call *call, Hy__SendReq *req)
{
    const struct rest_value *array = NULL;
    enum rest_got got = rest_objects(call->body, "GroupAtInfo", &call->arena, &array);
    size_t count = rest_count(array);

    if (got == REST_BAD || count > MOST_AT)
        return rest_fail(call, HY_CODE_GROUP_PARAM,
                         "GroupAtInfo must be an array of at most 30 objects");
    req->at_users = hy_arena_zalloc(&call->arena, (count + 1) * sizeof *req->at_users);
    for (size_t i = 0; req->at_users != NULL && i < count; i++) {
        const struct rest_value *item = rest_at(array, i);
        char *user = NULL;

        if (rest_flag(item, "GroupAtAllFlag"))
            user = (char *)"__kImSDK_MesssageAtALL__"; /* as SDKs spell it */
        else if (rest_text(item, "GroupAt_Account", &user) != REST_GOT || !hy_account_ok(user))
            return rest_fail(call, HY_CODE_GROUP_PARAM,
                             "an item of GroupAtInfo needs GroupAt_Account or GroupAtAllFlag 1");
        req->at_users[req->n_at_users++] = user;
    }
    return true;
}

/* The same Random with the same content is the same message, for as long as the store remembers. */
static void name_message(struct send *send)
{
    const Hy__SendReq *req = &send->req;
    XXH64_hash_t hash = XXH3_64bits_withSeed(
        req->body.data, req->body.len,
        XXH3_64bits(req->cloud_custom_data.len > 0 ? (void *)req->cloud_custom_data.data : "",
                    req->cloud_custom_data.len));

    snprintf(send->client_id, sizeof send->client_id, "r%u-%016llx", req->random,
             (unsigned long long)hash);
    send->req.client_id = send->client_id;
}

static void ask_send(struct rest_call *call, size_t index)
{
    struct send *send = call->state;
    Hy__SendCall question = HY__SEND_CALL__INIT;
    Hy__SendItem *items[] = {&send->item};

    question.conv_type = HY__CONV_TYPE__CONV_GROUP;
    question.to = send->group;
    question.n_items = 1;
    question.items = items;
    rest_ask_send(call, index, hy_slot_group(call->app, send->group), send->from, &question);
}

static void on_sent(struct rest_call *call)
{
    const Hy__SendResult *sent = call->gather.answers[0].sent;
    uint64_t time_ms = sent != NULL && sent->time_ms > 0 ? sent->time_ms : call->wall_ms;

    if (!rest_group_failed(call))
        rest_okf(call, "\"MsgTime\":%llu,\"MsgSeq\":%llu", (unsigned long long)(time_ms / 1000),
                 (unsigned long long)(sent != NULL ? sent->seq : 0));
}

void rest_send_group_msg(struct rest_call *call)
{
    struct send *send = rest_state(call, sizeof *send);
    int64_t random = 0;

    if (send == NULL)
        return;
    hy__send_req__init(&send->req);
    hy__send_item__init(&send->item);
    send->item.req = &send->req;
    if (!rest_need_group(call, &send->group) || !read_sender(call, send))
        return;
    if (rest_int(call->body, "Random|MsgRandom", 0, UINT32_MAX, &random) != REST_GOT) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Random is missing or not an integer of 32 bits");
        return;
    }
    if (rest_count(rest_field(call->body, "To_Account")) > 0) {
        rest_fail(call, HY_CODE_GROUP_DENIED,
                  "messages to chosen members (To_Account) are not supported");
        return;
    }
    send->req.random = (uint32_t)random;
    send->req.client_time_s = (uint32_t)(call->wall_ms / 1000);
    if (rest_flag(call->body, "OnlineOnlyFlag|MsgOnlineOnlyFlag"))
        send->req.flags |= HY__MSG_FLAG__MSG_ONLINE_ONLY;
    if (!read_priority(call, &send->req) || !read_mentions(call, &send->req) ||
        !rest_send_content(call, HY_CODE_MSG_TOO_LONG, &send->req))
        return;
    name_message(send);
    /* REST callers see what their sender's devices see. */
    send->item.sync_self = true;
    rest_gather(call, 1, ask_send, on_sent);
}

/* ---------------------------------------------------------------- send_group_system_notification
 */

struct notice {
    Hy__SystemNotify op;
};

static void ask_notice(struct rest_call *call, size_t index)
{
    struct notice *notice = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;

    question.op_case = HY__ADMIN_CALL__OP_SYSTEM_NOTIFY;
    question.system_notify = &notice->op;
    rest_ask_admin(call, index, hy_slot_group(call->app, notice->op.group), &question);
}

static void on_done(struct rest_call *call)
{
    if (!rest_group_failed(call))
        rest_ok(call, NULL);
}

void rest_send_group_system_notification(struct rest_call *call)
{
    struct notice *notice = rest_state(call, sizeof *notice);
    const struct rest_value *array = NULL;
    enum rest_got got;

    if (notice == NULL)
        return;
    hy__system_notify__init(&notice->op);
    if (!rest_need_group(call, &notice->op.group))
        return;
    if (rest_bytes(call->body, "Content", &notice->op.content) != REST_GOT ||
        notice->op.content.len == 0) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Content is missing, empty or not a string");
        return;
    }
    if (notice->op.content.len > MOST_NOTICE_BYTES) {
        rest_fail(call, HY_CODE_MSG_TOO_LONG, NULL);
        return;
    }
    got = rest_array(call->body, "ToMembers_Account", &array);
    if (got == REST_BAD || rest_count(array) > 500 ||
        (got == REST_GOT && !rest_texts(array, &call->arena, &notice->op.users))) {
        rest_fail(call, HY_CODE_GROUP_PARAM,
                  "ToMembers_Account must be an array of at most 500 accounts");
        return;
    }
    notice->op.n_users = rest_count(array);
    rest_gather(call, 1, ask_notice, on_done);
}

/* ---------------------------------------------------------------- delete_group_msg_by_sender */

static void ask_delete(struct rest_call *call, size_t index)
{
    Hy__DeleteBySender *op = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;

    question.op_case = HY__ADMIN_CALL__OP_DELETE_BY_SENDER;
    question.delete_by_sender = op;
    rest_ask_admin(call, index, hy_slot_group(call->app, op->group), &question);
}

void rest_delete_group_msg_by_sender(struct rest_call *call)
{
    Hy__DeleteBySender *op = rest_state(call, sizeof *op);

    if (op == NULL)
        return;
    hy__delete_by_sender__init(op);
    if (rest_need_group(call, &op->group) &&
        rest_need_account(call, "Sender_Account", HY_CODE_GROUP_PARAM, &op->sender))
        rest_gather(call, 1, ask_delete, on_done);
}

/* ---------------------------------------------------------------- group_msg_get_simple */

struct page {
    char *group;
    int64_t want, top;
    bool cut; /* more was asked for than one page holds */
};

static void ask_page(struct rest_call *call, size_t index)
{
    const struct page *page = call->state;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__HistoryReq req = HY__HISTORY_REQ__INIT;

    req.conv_type = HY__CONV_TYPE__CONV_GROUP;
    req.peer = page->group;
    req.from_seq = (uint64_t)page->top;
    req.count = (uint32_t)page->want;
    frame.body_case = HY__FRAME__BODY_HISTORY;
    frame.history = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, page->group), NULL, &frame);
}

static const Hy__Msg *msg_at(const Hy__HistoryRes *res, uint64_t seq)
{
    for (size_t i = 0; i < res->n_msgs; i++)
        if (res->msgs[i]->seq == seq)
            return res->msgs[i];
    return NULL;
}

/* 0 a message, 1 a place whose message is gone, 2 a recalled one. */
static int place_kind(const Hy__Msg *msg)
{
    if (msg != NULL && (msg->flags & HY__MSG_FLAG__MSG_RECALLED) != 0)
        return 2;
    return msg == NULL || (msg->flags & HY__MSG_FLAG__MSG_DELETED) != 0;
}

static json_t *show_msg(struct rest_call *call, const Hy__Msg *msg, uint64_t seq)
{
    static const Hy__Msg nothing = HY__MSG__INIT;
    int kind = place_kind(msg);
    json_t *out = json_object(), *body;

    if (msg == NULL)
        msg = &nothing;
    body = kind == 0 ? rest_body_write(msg->body.data, msg->body.len, &call->arena) : json_array();
    json_object_set_new(out, "From_Account", rest_json_text(msg->from));
    json_object_set_new(out, "IsPlaceMsg", json_integer(kind));
    json_object_set_new(out, "MsgBody", body);
    json_object_set_new(out, "MsgPriority", json_integer(msg->priority != 0 ? msg->priority : 2));
    json_object_set_new(out, "MsgRandom", json_integer(msg->random));
    json_object_set_new(out, "MsgSeq", json_integer((json_int_t)seq));
    json_object_set_new(out, "MsgTimeStamp", json_integer((json_int_t)(msg->time_ms / 1000)));
    if ((msg->flags & HY__MSG_FLAG__MSG_SYSTEM) != 0)
        json_object_set_new(out, "IsSystemMsg", json_integer(1));
    if (kind == 0 && msg->cloud_custom_data.len > 0)
        json_object_set_new(
            out, "CloudCustomData",
            rest_json_bytes(msg->cloud_custom_data.data, msg->cloud_custom_data.len));
    return out;
}

static void on_page(struct rest_call *call)
{
    const struct page *page = call->state;
    const Hy__Frame *frame;
    const Hy__HistoryRes *res;
    uint64_t top, low;
    bool expired;
    json_t *list, *fields;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_HISTORY_RES);
    if (frame == NULL) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return;
    }
    res = frame->history_res;
    top =
        page->top > 0 && (uint64_t)page->top < res->last_seq ? (uint64_t)page->top : res->last_seq;
    low = top > (uint64_t)page->want ? top - (uint64_t)page->want + 1 : 1;
    /* All of the range is older than what is kept. */
    expired = top > 0 && top < res->first_seq;
    list = json_array();
    for (uint64_t seq = top; !expired && seq >= low && seq > 0; seq--)
        json_array_append_new(list, show_msg(call, msg_at(res, seq), seq));
    fields = json_object();
    json_object_set_new(fields, "GroupId", rest_json_text(page->group));
    json_object_set_new(fields, "IsFinished", json_integer(expired ? 2 : !page->cut));
    json_object_set_new(fields, "RspMsgList", list);
    rest_ok(call, fields);
}

void rest_group_msg_get_simple(struct rest_call *call)
{
    struct page *page = rest_state(call, sizeof *page);

    if (page == NULL || !rest_need_group(call, &page->group))
        return;
    if (rest_int(call->body, "ReqMsgNumber", 1, UINT32_MAX, &page->want) != REST_GOT ||
        rest_int(call->body, "ReqMsgSeq", 0, INT64_MAX, &page->top) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM,
                  "ReqMsgNumber must be an integer of 1 to 20, ReqMsgSeq an integer");
        return;
    }
    page->cut = page->want > MOST_PAGE;
    if (page->cut)
        page->want = MOST_PAGE;
    rest_gather(call, 1, ask_page, on_page);
}
