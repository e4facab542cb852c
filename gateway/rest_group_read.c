/* rest_group_read - what is asked about groups and members (reference 12.3, 12.4, 12.12). */

#include <string.h>

#include "common/body.h"
#include "common/grouptype.h"
#include "common/slot.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum { MOST_MEMBERS = 10000, MOST_INFO = 50, MOST_ROLES = 500 };

/* ---------------------------------------------------------------- get_group_info */

struct info {
    char **all, **good; /* as asked; those that can be groups */
    size_t count, good_count;
    const Hy__GroupInfo **found; /* of all; NULL: there is none */
    size_t *question;            /* of all: which answer has its members */
    size_t *asked;               /* the other way round */
    size_t asked_count;
    struct rest_filters filters;
};

static void ask_groups(struct rest_call *call, size_t index)
{
    const struct info *info = call->state;
    Hy__GroupGetReq req = HY__GROUP_GET_REQ__INIT;
    Hy__Frame question = HY__FRAME__INIT;

    req.groups = info->good;
    req.n_groups = info->good_count;
    question.body_case = HY__FRAME__BODY_GROUP_GET;
    question.group_get = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, info->good[0]), NULL, &question);
}

static void ask_members_of(struct rest_call *call, size_t index)
{
    const struct info *info = call->state;
    const char *group = info->all[info->asked[index]];
    Hy__Frame question = HY__FRAME__INIT;
    Hy__MembersGetReq req = HY__MEMBERS_GET_REQ__INIT;

    req.group = (char *)group;
    question.body_case = HY__FRAME__BODY_MEMBERS_GET;
    question.members_get = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, group), NULL, &question);
}

static json_t *show_members(struct rest_call *call, size_t index)
{
    const struct info *info = call->state;
    const Hy__Frame *frame = rest_group_frame(call, index, HY__FRAME__BODY_MEMBERS_GET_RES);
    json_t *list = json_array();

    for (size_t i = 0; frame != NULL && i < frame->members_get_res->n_members; i++)
        json_array_append_new(list, rest_member_show(frame->members_get_res->members[i],
                                                     call->wall_ms / 1000, &info->filters));
    return list;
}

static json_t *show_group(struct rest_call *call, size_t i)
{
    const struct info *info = call->state;
    const Hy__GroupInfo *group = info->found[i];
    uint32_t code = HY_CODE_OK;
    json_t *out = json_object();

    if (!hy_group_id_ok(info->all[i], false))
        code = HY_CODE_GROUP_ID_BAD;
    else if (group == NULL)
        code = HY_CODE_GROUP_UNKNOWN;
    else
        code = rest_code(call->family, group->code);
    json_object_set_new(out, "GroupId", rest_json_text(info->all[i]));
    json_object_set_new(out, "ErrorCode", json_integer(code));
    json_object_set_new(out, "ErrorInfo", json_string(hy_code_text(code)));
    if (code != HY_CODE_OK)
        return out;
    rest_group_show(out, call->app, group, &info->filters);
    if (info->question[i] != SIZE_MAX)
        json_object_set_new(out, "MemberList", show_members(call, info->question[i]));
    return out;
}

static void on_members_of(struct rest_call *call)
{
    const struct info *info = call->state;
    json_t *list, *fields;

    if (rest_group_failed(call))
        return;
    list = json_array();
    for (size_t i = 0; i < info->count; i++)
        json_array_append_new(list, show_group(call, i));
    fields = json_object();
    json_object_set_new(fields, "GroupInfo", list);
    rest_ok(call, fields);
}

/* Members are listed unless a filter says that nothing of them is wanted; broadcast rooms have
 * none. */
static bool members_wanted(const struct info *info, const Hy__GroupInfo *group)
{
    const struct rest_value *filter = info->filters.member;

    return group != NULL && group->code == HY_CODE_OK &&
           (filter == NULL || rest_count(filter) > 0) && strcmp(group->type, "BChatRoom") != 0;
}

static void on_groups(struct rest_call *call)
{
    struct info *info = call->state;
    const Hy__Frame *frame;

    if (rest_group_failed(call))
        return;
    frame =
        call->gather.count > 0 ? rest_group_frame(call, 0, HY__FRAME__BODY_GROUP_GET_RES) : NULL;
    for (size_t i = 0, good = 0; i < info->count; i++) {
        info->question[i] = SIZE_MAX;
        if (!hy_group_id_ok(info->all[i], false))
            continue;
        if (frame != NULL && good < frame->group_get_res->n_groups)
            info->found[i] = frame->group_get_res->groups[good];
        good++;
        if (!members_wanted(info, info->found[i]))
            continue;
        info->question[i] = info->asked_count;
        info->asked[info->asked_count++] = i;
    }
    rest_gather(call, info->asked_count, ask_members_of, on_members_of);
}

static bool new_info(struct rest_call *call, size_t count, struct info *info)
{
    info->count = count;
    info->good = hy_arena_zalloc(&call->arena, (count + 1) * sizeof *info->good);
    info->found = hy_arena_zalloc(&call->arena, count * sizeof(Hy__GroupInfo *));
    info->question = hy_arena_zalloc(&call->arena, count * sizeof *info->question);
    info->asked = hy_arena_zalloc(&call->arena, count * sizeof *info->asked);
    if (info->good == NULL || info->found == NULL || info->question == NULL || info->asked == NULL)
        return rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
    for (size_t i = 0; i < count; i++)
        if (hy_group_id_ok(info->all[i], false))
            info->good[info->good_count++] = info->all[i];
    return true;
}

void rest_get_group_info(struct rest_call *call)
{
    struct info *info = rest_state(call, sizeof *info);
    const struct rest_value *array = NULL;

    if (info == NULL)
        return;
    if (rest_array(call->body, "GroupIdList", &array) != REST_GOT || rest_count(array) == 0 ||
        rest_count(array) > MOST_INFO || !rest_texts(array, &call->arena, &info->all)) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "GroupIdList must be an array of 1 to 50 group ids");
        return;
    }
    if (new_info(call, rest_count(array), info) &&
        rest_group_read_filters(call, rest_field(call->body, "ResponseFilter"), &info->filters))
        rest_gather(call, info->good_count > 0, ask_groups, on_groups);
}

/* ---------------------------------------------------------------- get_group_member_info,
 * get_role_in_group */

struct members {
    Hy__MembersGetReq req;
    struct rest_filters filters;
    struct rest_users users;
};

static void ask_members(struct rest_call *call, size_t index)
{
    struct members *members = call->state;
    Hy__Frame question = HY__FRAME__INIT;

    question.body_case = HY__FRAME__BODY_MEMBERS_GET;
    question.members_get = &members->req;
    rest_ask_frame(call, index, hy_slot_group(call->app, members->req.group), NULL, &question);
}

static void on_members(struct rest_call *call)
{
    const struct members *members = call->state;
    const Hy__Frame *frame;
    json_t *list, *fields;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_MEMBERS_GET_RES);
    if (frame == NULL) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < frame->members_get_res->n_members; i++)
        json_array_append_new(list, rest_member_show(frame->members_get_res->members[i],
                                                     call->wall_ms / 1000, &members->filters));
    fields = json_object();
    json_object_set_new(fields, "MemberNum", json_integer(frame->members_get_res->total));
    json_object_set_new(fields, "MemberList", list);
    rest_ok(call, fields);
}

static bool read_roles(struct rest_call *call, Hy__MembersGetReq *req)
{
    const struct rest_value *array = NULL;

    if (rest_array(call->body, "MemberRoleFilter", &array) == REST_BAD)
        return rest_fail(call, HY_CODE_GROUP_PARAM, "MemberRoleFilter must be an array of roles");
    req->roles = hy_arena_zalloc(&call->arena, (rest_count(array) + 1) * sizeof *req->roles);
    for (size_t i = 0; req->roles != NULL && i < rest_count(array); i++) {
        const char *word = rest_string(rest_at(array, i));
        Hy__Role role = HY__ROLE__ROLE_MEMBER;

        while (role <= HY__ROLE__ROLE_OWNER && word != NULL &&
               strcmp(rest_role_word(role), word) != 0)
            role++;
        if (word == NULL || role > HY__ROLE__ROLE_OWNER)
            return rest_fail(call, HY_CODE_GROUP_PARAM,
                             "MemberRoleFilter takes Owner, Admin and Member");
        req->roles[req->n_roles++] = role;
    }
    return true;
}

void rest_get_group_member_info(struct rest_call *call)
{
    struct members *members = rest_state(call, sizeof *members);
    int64_t limit = 0, offset = 0;

    if (members == NULL)
        return;
    hy__members_get_req__init(&members->req);
    if (!rest_need_group(call, &members->req.group))
        return;
    if (rest_int(call->body, "Limit", 0, UINT32_MAX, &limit) == REST_BAD ||
        rest_int(call->body, "Offset", 0, UINT32_MAX, &offset) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Limit and Offset must be integers");
        return;
    }
    members->req.limit = (uint32_t)(limit < MOST_MEMBERS ? limit : MOST_MEMBERS);
    members->req.offset = (uint32_t)offset;
    if (read_roles(call, &members->req) &&
        rest_group_read_filters(call, call->body, &members->filters))
        rest_gather(call, 1, ask_members, on_members);
}

/* With the members, the group: a live room has an audience instead. */
static void ask_roles(struct rest_call *call, size_t index)
{
    struct members *members = call->state;
    Hy__Frame question = HY__FRAME__INIT;
    Hy__GroupGetReq req = HY__GROUP_GET_REQ__INIT;

    if (index == 0) {
        ask_members(call, index);
        return;
    }
    req.groups = &members->req.group;
    req.n_groups = 1;
    question.body_case = HY__FRAME__BODY_GROUP_GET;
    question.group_get = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, members->req.group), NULL, &question);
}

static bool is_live(const Hy__Frame *frame)
{
    const struct hy_group_type *type = frame != NULL && frame->group_get_res->n_groups == 1
                                           ? hy_group_type(frame->group_get_res->groups[0]->type)
                                           : NULL;

    return type != NULL && type->live;
}

static const char *role_in(const Hy__MembersGetRes *res, const char *user)
{
    for (size_t i = 0; i < res->n_members; i++)
        if (strcmp(res->members[i]->user, user) == 0)
            return rest_role_word(res->members[i]->role);
    return rest_role_word(HY__ROLE__ROLE_NONE);
}

static void on_roles(struct rest_call *call)
{
    static const Hy__MembersGetRes nobody = HY__MEMBERS_GET_RES__INIT;
    const struct members *members = call->state;
    const Hy__Frame *frame;
    json_t *list, *fields;

    if (is_live(rest_group_frame(call, 1, HY__FRAME__BODY_GROUP_GET_RES))) {
        rest_fail(call, HY_CODE_GROUP_DENIED, NULL);
        return;
    }
    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_MEMBERS_GET_RES);
    list = json_array();
    for (size_t i = 0; i < members->users.count; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "Member_Account",
                                        rest_json_text(members->users.all[i]), "Role",
                                        role_in(frame != NULL ? frame->members_get_res : &nobody,
                                                members->users.all[i])));
    fields = json_object();
    json_object_set_new(fields, "UserIdList", list);
    rest_ok(call, fields);
}

void rest_get_role_in_group(struct rest_call *call)
{
    static const struct rest_list_codes codes = {HY_CODE_GROUP_PARAM, HY_CODE_GROUP_PARAM,
                                                 HY_CODE_GROUP_TOO_MANY, HY_CODE_GROUP_PARAM};
    struct members *members = rest_state(call, sizeof *members);

    if (members == NULL)
        return;
    hy__members_get_req__init(&members->req);
    if (!rest_need_group(call, &members->req.group) ||
        !rest_need_accounts(call, "User_Account", MOST_ROLES, &codes, &members->users))
        return;
    members->req.users = members->users.good;
    members->req.n_users = members->users.good_count;
    if (members->users.good_count == 0)
        rest_fail(call, HY_CODE_GROUP_PARAM, "User_Account has no well-formed account");
    else
        rest_gather(call, 2, ask_roles, on_roles);
}
