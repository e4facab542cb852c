/* rest_roam - history between two accounts (reference 6.5), newest first. */

#include <stdio.h>
#include <string.h>

#include "common/slot.h"
#include "gateway/rest_body.h"
#include "gateway/rest_json.h"
#include "gateway/rest_openim.h"
#include "gateway/rest_send.h"

enum { MOST_MESSAGES = 100, MOST_PAGES = 50 };

struct roam {
    char *user, *peer;
    int64_t want, min_s, max_s;
    char *after_key; /* go on after this message; NULL once it has been passed */
    uint32_t after_time_s;
    uint64_t before_seq; /* of the next page from the router; 0: the newest */
    uint64_t next_s;     /* when its first message was sent */
    unsigned pages;
    uint64_t peer_read_seq;
    json_t *list;
    uint64_t last_time_s;
    char last_key[REST_MSG_KEY_SIZE];
    bool complete;
};

static void ask_page(struct rest_call *call, size_t index)
{
    const struct roam *roam = call->state;
    Hy__AdminCall question = HY__ADMIN_CALL__INIT;
    Hy__Roam op = HY__ROAM__INIT;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__ConvGetReq get = HY__CONV_GET_REQ__INIT;
    uint16_t slot = hy_slot_pair(call->app, roam->user, roam->peer);

    if (index == 1) { /* with the first page: how far the peer has read */
        get.type = HY__CONV_TYPE__CONV_C2C;
        get.peer = roam->peer;
        frame.body_case = HY__FRAME__BODY_CONV_GET;
        frame.conv_get = &get;
        rest_ask_frame(call, index, slot, roam->user, &frame);
        return;
    }
    op.user = roam->user;
    op.peer = roam->peer;
    op.max_count = roam->after_key != NULL ? MOST_MESSAGES : (uint32_t)roam->want;
    op.min_time_s = (uint64_t)roam->min_s;
    op.max_time_s = (uint64_t)roam->max_s;
    op.before_seq = roam->before_seq;
    question.op_case = HY__ADMIN_CALL__OP_ROAM;
    question.roam = &op;
    rest_ask_admin(call, index, slot, &question);
}

/* ---------------------------------------------------------------- pages */

static void key_of(const Hy__Msg *msg, char key[static REST_MSG_KEY_SIZE])
{
    rest_msg_key(rest_msg_seq(msg), msg->random, msg->time_ms / 1000, key);
}

/* Is this message among those that an earlier call gave? Messages come newest first. */
static bool passed_over(struct roam *roam, const Hy__Msg *msg, const char *key)
{
    if (roam->after_key == NULL)
        return false;
    if (msg->time_ms / 1000 < roam->after_time_s) {
        roam->after_key = NULL;
        return false;
    }
    if (strcmp(roam->after_key, key) == 0)
        roam->after_key = NULL;
    return true;
}

static json_t *write_msg(struct rest_call *call, const Hy__Msg *msg, const char *key)
{
    const struct roam *roam = call->state;
    bool recalled = (msg->flags & HY__MSG_FLAG__MSG_RECALLED) != 0;
    bool read = strcmp(msg->from, roam->user) == 0 && msg->seq <= roam->peer_read_seq;
    json_t *body = rest_body_write(msg->body.data, msg->body.len, &call->arena);
    json_t *out = json_object();

    json_object_set_new(out, "From_Account", rest_json_text(msg->from));
    json_object_set_new(out, "To_Account", rest_json_text(msg->to));
    json_object_set_new(out, "MsgSeq", json_integer(rest_msg_seq(msg)));
    json_object_set_new(out, "MsgRandom", json_integer(msg->random));
    json_object_set_new(out, "MsgTimeStamp", json_integer((json_int_t)(msg->time_ms / 1000)));
    json_object_set_new(out, "MsgFlagBits", json_integer(recalled ? 8 : 0));
    json_object_set_new(out, "IsPeerRead", json_integer(read));
    json_object_set_new(out, "MsgKey", json_string(key));
    json_object_set_new(out, "MsgBody", body);
    json_object_set_new(out, "CloudCustomData",
                        rest_json_bytes(msg->cloud_custom_data.data, msg->cloud_custom_data.len));
    return out;
}

/* Take what is wanted of a page. False: enough. */
static bool take_page(struct rest_call *call, const Hy__HistoryRes *page)
{
    struct roam *roam = call->state;
    char key[REST_MSG_KEY_SIZE];

    for (size_t i = page->n_msgs; i-- > 0;) {
        const Hy__Msg *msg = page->msgs[i];

        if ((msg->flags & HY__MSG_FLAG__MSG_DELETED) != 0)
            continue;
        key_of(msg, key);
        if (passed_over(roam, msg, key))
            continue;
        if (json_array_size(roam->list) == (size_t)roam->want)
            return false;
        json_array_append_new(roam->list, write_msg(call, msg, key));
        roam->last_time_s = msg->time_ms / 1000;
        memcpy(roam->last_key, key, sizeof key);
    }
    roam->complete = page->complete;
    if (!page->complete) { /* also past what the user does not see */
        roam->before_seq = page->next_seq + 1;
        roam->next_s = page->next_ms / 1000;
    }
    return !roam->complete && json_array_size(roam->list) < (size_t)roam->want;
}

static void finish(struct rest_call *call)
{
    struct roam *roam = call->state;
    json_t *fields = json_object();

    /* All of it is hidden, as far as one call looks: the next goes on at this time, without a key.
     */
    if (!roam->complete && json_array_size(roam->list) == 0)
        roam->last_time_s = roam->next_s;
    json_object_set_new(fields, "Complete", json_integer(roam->complete));
    json_object_set_new(fields, "MsgCnt", json_integer((json_int_t)json_array_size(roam->list)));
    json_object_set_new(fields, "LastMsgTime", json_integer((json_int_t)roam->last_time_s));
    json_object_set_new(fields, "LastMsgKey", json_string(roam->last_key));
    json_object_set_new(fields, "MsgList", json_incref(roam->list));
    rest_ok(call, fields);
}

static void on_page(struct rest_call *call)
{
    struct roam *roam = call->state;
    const struct rest_answer *answer = &call->gather.answers[0];
    const struct rest_answer *conv = call->gather.count > 1 ? &call->gather.answers[1] : NULL;

    if (answer->code != HY_CODE_OK || answer->admin->history == NULL) {
        uint32_t code = answer->code != HY_CODE_OK ? answer->code : HY_CODE_REST_INTERNAL;

        rest_fail(call, rest_unknown_account(code) ? HY_CODE_REST_TO_UNKNOWN : code, answer->info);
        return;
    }
    /* Without the conversation nothing is lost but a mark that is 0 then. */
    if (conv != NULL && conv->code == HY_CODE_OK &&
        conv->frame->body_case == HY__FRAME__BODY_CONV_LIST_RES &&
        conv->frame->conv_list_res->n_convs == 1)
        roam->peer_read_seq = conv->frame->conv_list_res->convs[0]->peer_read_seq;
    roam->pages++;
    if (take_page(call, answer->admin->history) && roam->pages < MOST_PAGES)
        rest_gather(call, 1, ask_page, on_page);
    else
        finish(call);
}

/* ---------------------------------------------------------------- the command */

/* "431_12873_1546300901" */
static bool read_key(struct roam *roam)
{
    unsigned seq, random, time_s;
    int used = -1;

    if (roam->after_key == NULL || *roam->after_key == '\0') {
        roam->after_key = NULL;
        return true;
    }
    if (strspn(roam->after_key, "0123456789_") != strlen(roam->after_key) ||
        sscanf(roam->after_key, "%10u_%10u_%10u%n", &seq, &random, &time_s, &used) != 3 ||
        roam->after_key[used] != '\0')
        return false;
    roam->after_time_s = time_s;
    return true;
}

void rest_admin_getroammsg(struct rest_call *call)
{
    struct roam *roam = rest_state(call, sizeof *roam);

    if (roam == NULL ||
        !rest_need_account(call, "Operator_Account|From_Account", HY_CODE_REST_FROM, &roam->user) ||
        !rest_need_account(call, "Peer_Account|To_Account", HY_CODE_REST_TO, &roam->peer))
        return;
    if (rest_int(call->body, "MaxCnt", 1, INT32_MAX, &roam->want) != REST_GOT ||
        rest_int(call->body, "MinTime", 0, UINT32_MAX, &roam->min_s) != REST_GOT ||
        rest_int(call->body, "MaxTime", 0, UINT32_MAX, &roam->max_s) != REST_GOT) {
        rest_fail(call, HY_CODE_REST_JSON,
                  "MaxCnt (1 or more), MinTime and MaxTime (seconds) must be integers");
        return;
    }
    if (roam->want > MOST_MESSAGES)
        roam->want = MOST_MESSAGES;
    if (rest_text(call->body, "LastMsgKey", &roam->after_key) == REST_BAD || !read_key(roam)) {
        rest_fail(call, HY_CODE_REST_MSG_KEY, "LastMsgKey must be one of an earlier answer");
        return;
    }
    roam->list = json_array();
    /* Goes with the body, whatever the end of the call. */
    call->kept = roam->list;
    rest_gather(call, 2, ask_page, on_page);
}
