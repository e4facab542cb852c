#include "gateway/sendcheck.h"

#include <string.h>

#include "common/body.h"
#include "common/codes.h"

enum {
    CLIENT_ID_MAX = 64,
    AT_USERS_MAX = 100,
    SERVER_FLAGS =
        HY__MSG_FLAG__MSG_DELETED | HY__MSG_FLAG__MSG_RECALLED | HY__MSG_FLAG__MSG_SYSTEM,
};

static uint32_t check_to(const Hy__SendReq *req)
{
    size_t id_len = strlen(req->client_id);

    if (id_len < 1 || id_len > CLIENT_ID_MAX)
        return HY_CODE_PARAM;
    if (!hy_utf8(req->client_id, id_len))
        return HY_CODE_NOT_UTF8;
    if (req->conv_type == HY__CONV_TYPE__CONV_C2C)
        return hy_account_ok(req->to) ? 0 : HY_CODE_PARAM;
    if (req->conv_type != HY__CONV_TYPE__CONV_GROUP)
        return HY_CODE_PARAM;
    return hy_group_id_ok(req->to, false) ? 0 : HY_CODE_PARAM;
}

static uint32_t check_extras(const Hy__SendReq *req)
{
    if ((req->flags & (uint32_t)SERVER_FLAGS) != 0 || req->priority > 4 ||
        req->n_at_users > AT_USERS_MAX)
        return HY_CODE_PARAM;
    for (size_t i = 0; i < req->n_at_users; i++)
        if (!hy_account_ok(req->at_users[i]))
            return HY_CODE_PARAM;
    if (!hy_utf8((const char *)req->cloud_custom_data.data, req->cloud_custom_data.len) ||
        !hy_utf8((const char *)req->offline_push.data, req->offline_push.len))
        return HY_CODE_NOT_UTF8;
    return 0;
}

uint32_t send_check(const Hy__SendReq *req, uint32_t max_message_bytes)
{
    uint32_t code = check_to(req);

    if (code == 0)
        code = check_extras(req);
    if (code != 0)
        return code;
    if (req->cloud_custom_data.len > max_message_bytes || req->offline_push.len > max_message_bytes)
        return HY_CODE_MSG_TOO_LONG;
    return hy_body_check(req->body.data, req->body.len,
                         max_message_bytes - (uint32_t)req->cloud_custom_data.len);
}
