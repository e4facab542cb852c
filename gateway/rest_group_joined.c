/* rest_group_joined - the groups of one account (reference 12.11), and who is in a live room. */

#include <string.h>

#include "common/grouptype.h"
#include "common/slot.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum { MOST_JOINED = 5000 };

struct joined {
    char *user;
    Hy__GroupListReq req;
    struct rest_filters filters;
};

static void ask_joined(struct rest_call *call, size_t index)
{
    struct joined *joined = call->state;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__AdminCall who = HY__ADMIN_CALL__INIT;
    Hy__UsersGet get = HY__USERS_GET__INIT;
    uint16_t slot = hy_slot_user(call->app, joined->user);

    if (index == 0) {
        frame.body_case = HY__FRAME__BODY_GROUP_LIST;
        frame.group_list = &joined->req;
        rest_ask_frame(call, index, slot, joined->user, &frame);
        return;
    }
    get.users = &joined->user;
    get.n_users = 1;
    who.op_case = HY__ADMIN_CALL__OP_USERS_GET;
    who.users_get = &get;
    rest_ask_admin(call, index, slot, &who);
}

static json_t *show(const struct rest_call *call, const Hy__GroupInfo *info,
                    const Hy__MemberInfo *self)
{
    const struct joined *joined = call->state;
    json_t *out = json_object();

    json_object_set_new(out, "GroupId", rest_json_text(info->group));
    if (joined->filters.base != NULL)
        rest_group_show(out, call->app, info, &joined->filters);
    else
        json_object_set_new(out, "Type", rest_json_text(info->type));
    if (self != NULL && rest_count(joined->filters.self) > 0)
        json_object_set_new(out, "SelfInfo", rest_self_show(self, joined->filters.self));
    return out;
}

static void on_joined(struct rest_call *call)
{
    const Hy__Frame *frame;
    const Hy__GroupListRes *res;
    const Hy__UsersGetRes *who;
    json_t *list, *fields;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_GROUP_LIST_RES);
    who = call->gather.answers[1].admin->users;
    if (frame == NULL || who == NULL || who->n_users != 1) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return;
    }
    if (who->users[0]->created_s == 0) {
        rest_fail(call, HY_CODE_GROUP_ACCOUNT, NULL);
        return;
    }
    res = frame->group_list_res;
    list = json_array();
    for (size_t i = 0; i < res->n_groups; i++)
        json_array_append_new(
            list, show(call, res->groups[i], i < res->n_selves ? res->selves[i] : NULL));
    fields = json_object();
    json_object_set_new(fields, "TotalCount", json_integer(res->total));
    json_object_set_new(fields, "GroupIdList", list);
    rest_ok(call, fields);
}

void rest_get_joined_group_list(struct rest_call *call)
{
    struct joined *joined = rest_state(call, sizeof *joined);
    int64_t limit = 0, offset = 0;

    if (joined == NULL)
        return;
    hy__group_list_req__init(&joined->req);
    if (!rest_need_account(call, "Member_Account", HY_CODE_GROUP_PARAM, &joined->user) ||
        !rest_group_read_type(call, &joined->req.type) ||
        !rest_group_read_filters(call, rest_field(call->body, "ResponseFilter"), &joined->filters))
        return;
    if (rest_int(call->body, "Limit", 0, UINT32_MAX, &limit) == REST_BAD ||
        rest_int(call->body, "Offset", 0, UINT32_MAX, &offset) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Limit and Offset must be integers");
        return;
    }
    joined->req.limit = (uint32_t)(limit < MOST_JOINED ? limit : MOST_JOINED);
    joined->req.offset = (uint32_t)offset;
    rest_gather(call, 2, ask_joined, on_joined);
}

/* ---------------------------------------------------------------- get_online_member_num */

static void ask_online(struct rest_call *call, size_t index)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupOnlineReq req = HY__GROUP_ONLINE_REQ__INIT;

    req.group = call->state;
    frame.body_case = HY__FRAME__BODY_GROUP_ONLINE;
    frame.group_online = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, req.group), NULL, &frame);
}

static void on_online(struct rest_call *call)
{
    const Hy__Frame *frame;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_GROUP_ONLINE_RES);
    if (frame == NULL)
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
    else
        rest_ok(call,
                json_pack("{s:I}", "OnlineMemberNum", (json_int_t)frame->group_online_res->count));
}

void rest_get_online_member_num(struct rest_call *call)
{
    char *group;

    if (!rest_need_group(call, &group))
        return;
    call->state = group;
    rest_gather(call, 1, ask_online, on_online);
}
