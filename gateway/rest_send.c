#include "gateway/rest_send.h"

#include <stdio.h>
#include <string.h>

#include "common/body.h"
#include "gateway/rest_body.h"
#include "gateway/rest_json.h"

enum { MOST_PUSH_BYTES = 8192, DEFAULT_MESSAGE_BYTES = 9216 };

/* ---------------------------------------------------------------- push info */

static bool texts_ok(const struct rest_value *object, const char *const *names)
{
    char *text;

    for (; *names != NULL; names++)
        if (rest_text(object, *names, &text) == REST_BAD)
            return false;
    return true;
}

static bool push_info_ok(const struct rest_value *info)
{
    static const char *const texts[] = {"Title", "Desc", "Ext", NULL};
    static const char *const sounds[] = {"Sound", NULL};
    static const char *const apns[] = {"Sound", "Title", "SubTitle", "Image", NULL};
    const struct rest_value *android = rest_field(info, "AndroidInfo");
    const struct rest_value *apple = rest_field(info, "ApnsInfo");
    int64_t number;

    return rest_is_object(info) && texts_ok(info, texts) &&
           rest_int(info, "PushFlag", 0, 1, &number) != REST_BAD &&
           (android == NULL || (rest_is_object(android) && texts_ok(android, sounds))) &&
           (apple == NULL ||
            (rest_is_object(apple) && texts_ok(apple, apns) &&
             rest_int(apple, "BadgeMode", INT32_MIN, INT32_MAX, &number) != REST_BAD));
}

static bool read_push_info(struct rest_call *call, Hy__SendReq *req)
{
    const struct rest_value *info = rest_field(call->body, "OfflinePushInfo");

    if (info == NULL)
        return true;
    if (!push_info_ok(info))
        return rest_fail(call, HY_CODE_REST_PUSH_INFO,
                         "OfflinePushInfo must be an object; see its fields' types");
    if (rest_flag(info, "PushFlag"))
        req->flags |= HY__MSG_FLAG__MSG_NO_PUSH;
    if (!rest_json_keep(info, &call->arena, &req->offline_push))
        return rest_fail(call, call->family->internal, NULL);
    if (req->offline_push.len > MOST_PUSH_BYTES)
        return rest_fail(call, HY_CODE_REST_PUSH_INFO, "OfflinePushInfo is over 8 KB");
    return true;
}

/* ---------------------------------------------------------------- control */

static bool read_control(struct rest_call *call, Hy__SendReq *req)
{
    const struct rest_value *array = NULL;
    enum rest_got got = rest_array(call->body, "SendMsgControl", &array);

    if (got == REST_BAD || rest_array(call->body, "ForbidCallbackControl",
                                      &(const struct rest_value *){NULL}) == REST_BAD)
        return rest_fail(call, call->family->bad_param,
                         "SendMsgControl and ForbidCallbackControl must be arrays of strings");
    for (size_t i = 0; i < rest_count(array); i++) {
        const char *word = rest_string(rest_at(array, i));

        if (word != NULL && strcmp(word, "NoUnread") == 0)
            req->flags |= HY__MSG_FLAG__MSG_NO_UNREAD;
        else if (word != NULL && strcmp(word, "NoLastMsg") == 0)
            req->flags |= HY__MSG_FLAG__MSG_NO_LAST;
    }
    if (rest_flag(call->body, "IsNeedReadReceipt|NeedReadReceipt"))
        req->flags |= HY__MSG_FLAG__MSG_NEED_RECEIPT;
    return true;
}

/* ---------------------------------------------------------------- content */

static uint32_t pack_body(struct rest_call *call, const Hy__Body *body, size_t custom_bytes,
                          Hy__SendReq *req)
{
    const Hy__App *app = rest_app(call);
    uint32_t most =
        app != NULL && app->max_message_bytes > 0 ? app->max_message_bytes : DEFAULT_MESSAGE_BYTES;
    uint32_t code;

    if (custom_bytes > most)
        return HY_CODE_MSG_TOO_LONG;
    req->body.len = hy__body__get_packed_size(body);
    req->body.data = hy_arena_alloc(&call->arena, req->body.len + 1);
    if (req->body.data == NULL)
        return call->family->internal;
    hy__body__pack(body, req->body.data);
    code = hy_body_check(req->body.data, req->body.len, most - (uint32_t)custom_bytes);
    return code;
}

bool rest_send_content(struct rest_call *call, uint32_t too_long, Hy__SendReq *req)
{
    Hy__Body *body = NULL;
    const char *why = NULL;
    uint32_t code = rest_body_read(rest_field(call->body, "MsgBody"), &call->arena, &body, &why);

    if (code != HY_CODE_OK)
        return rest_fail(call, code, why);
    if (rest_bytes(call->body, "CloudCustomData", &req->cloud_custom_data) == REST_BAD)
        return rest_fail(call, call->family->bad_param, "CloudCustomData must be a string");
    code = pack_body(call, body, req->cloud_custom_data.len, req);
    if (code != HY_CODE_OK)
        return rest_fail(call, code == HY_CODE_MSG_TOO_LONG ? too_long : code, NULL);
    return read_push_info(call, req) && read_control(call, req);
}

void rest_msg_key(uint32_t msg_seq, uint32_t random, uint64_t time_s,
                  char key[static REST_MSG_KEY_SIZE])
{
    snprintf(key, REST_MSG_KEY_SIZE, "%u_%u_%llu", msg_seq, random, (unsigned long long)time_s);
}

uint32_t rest_msg_seq(const Hy__Msg *msg)
{
    return msg->rest_seq != 0 ? msg->rest_seq : (uint32_t)msg->seq;
}

bool rest_unknown_account(uint32_t code)
{
    switch (code) {
    case HY_CODE_C2C_ACCOUNT:
    case HY_CODE_ACCOUNT_UNKNOWN:
    case HY_CODE_PROFILE_UNKNOWN:
    case HY_CODE_GROUP_ACCOUNT:
    case HY_CODE_REST_ACCOUNT:
    case HY_CODE_REST_TO_UNKNOWN:
    case HY_CODE_REST_FROM:
        return true;
    default:
        return false;
    }
}
