/* rest_group_members - members come, go, are changed and muted (reference 12.7 to 12.9, 12.13). */

#include <string.h>

#include "common/body.h"
#include "common/slot.h"
#include "gateway/rest_group.h"
#include "gateway/rest_json.h"

enum { MOST_MEMBERS = 500, MOST_NAME_CARD_BYTES = 50 };

static const struct rest_list_codes list_codes = {HY_CODE_GROUP_PARAM, HY_CODE_GROUP_PARAM,
                                                  HY_CODE_GROUP_TOO_MANY, HY_CODE_GROUP_PARAM};

/* ---------------------------------------------------------------- add_group_member */

struct add {
    char *group;
    struct rest_users users;
    bool silent;
};

static void ask_add(struct rest_call *call, size_t index)
{
    const struct add *add = call->state;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MembersAddReq req = HY__MEMBERS_ADD_REQ__INIT;

    req.group = add->group;
    req.users = add->users.good;
    req.n_users = add->users.good_count;
    req.silent = add->silent;
    frame.body_case = HY__FRAME__BODY_MEMBERS_ADD;
    frame.members_add = &req;
    rest_ask_frame(call, index, hy_slot_group(call->app, add->group), NULL, &frame);
}

enum { FAILED = 0, OVER_LIMIT = 4 };

static uint32_t result_of(const Hy__MembersAddRes *res, size_t place)
{
    return place < res->n_results ? res->results[place]->result : FAILED;
}

/* Nobody came in, and some only because there is no room. */
static bool full(const Hy__MembersAddRes *res)
{
    bool over = false;

    for (size_t i = 0; i < res->n_results; i++) {
        if (res->results[i]->result != FAILED && res->results[i]->result != OVER_LIMIT)
            return false;
        over = over || res->results[i]->result == OVER_LIMIT;
    }
    return over;
}

static void on_added(struct rest_call *call)
{
    const struct add *add = call->state;
    const Hy__Frame *frame;
    const Hy__MembersAddRes *res;
    json_t *list, *fields;

    if (rest_group_failed(call))
        return;
    frame = rest_group_frame(call, 0, HY__FRAME__BODY_MEMBERS_ADD_RES);
    if (frame == NULL || full(frame->members_add_res)) {
        rest_fail(call, frame == NULL ? HY_CODE_GROUP_INTERNAL : HY_CODE_GROUP_FULL, NULL);
        return;
    }
    res = frame->members_add_res;
    list = json_array();
    for (size_t i = 0; i < add->users.count; i++) {
        size_t place = add->users.place[i];
        uint32_t result = place == REST_NO_PLACE ? (uint32_t)FAILED : result_of(res, place);

        json_array_append_new(list, json_pack("{s:o, s:i}", "Member_Account",
                                              rest_json_text(add->users.all[i]), "Result",
                                              result == OVER_LIMIT ? FAILED : (int)result));
    }
    fields = json_object();
    json_object_set_new(fields, "MemberList", list);
    rest_ok(call, fields);
}

/* MemberList: objects with a Member_Account; repeats are answered once each, as asked. */
static bool read_list(struct rest_call *call, struct rest_users *users)
{
    const struct rest_value *array = NULL;
    char **all;

    if (rest_objects(call->body, "MemberList", &call->arena, &array) != REST_GOT ||
        rest_count(array) == 0)
        return rest_fail(call, HY_CODE_GROUP_PARAM,
                         "MemberList must be an array of {\"Member_Account\": ...}");
    if (rest_count(array) > MOST_MEMBERS)
        return rest_fail(call, HY_CODE_GROUP_TOO_MANY, "MemberList takes at most 500 accounts");
    all = hy_arena_zalloc(&call->arena, (rest_count(array) + 1) * sizeof *all);
    if (all == NULL)
        return rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
    for (size_t i = 0; i < rest_count(array); i++)
        if (rest_text(rest_at(array, i), "Member_Account", &all[i]) != REST_GOT)
            return rest_fail(call, HY_CODE_GROUP_PARAM,
                             "each item of MemberList needs a Member_Account that is a string");
    return rest_users_sort(call, all, rest_count(array), users);
}

void rest_add_group_member(struct rest_call *call)
{
    struct add *add = rest_state(call, sizeof *add);

    if (add == NULL || !rest_need_group(call, &add->group) || !read_list(call, &add->users))
        return;
    add->silent = rest_flag(call->body, "Silence");
    if (add->users.good_count == 0)
        rest_fail(call, HY_CODE_GROUP_ACCOUNT, NULL);
    else
        rest_gather(call, 1, ask_add, on_added);
}

/* ---------------------------------------------------------------- the others */

static void *new_body(struct rest_call *call, size_t bytes, Hy__Frame **frame)
{
    void *body = hy_arena_zalloc(&call->arena, bytes);

    *frame = hy_arena_zalloc(&call->arena, sizeof **frame);
    if (body == NULL || *frame == NULL) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return NULL;
    }
    hy__frame__init(*frame);
    return body;
}

void rest_delete_group_member(struct rest_call *call)
{
    Hy__Frame *frame;
    Hy__MembersRemoveReq *req = new_body(call, sizeof *req, &frame);
    struct rest_users users;

    if (req == NULL)
        return;
    hy__members_remove_req__init(req);
    if (!rest_need_group(call, &req->group) ||
        !rest_need_accounts(call, "MemberToDel_Account", MOST_MEMBERS, &list_codes, &users))
        return;
    if (rest_text(call->body, "Reason", &req->reason) == REST_BAD) {
        rest_fail(call, HY_CODE_GROUP_PARAM, "Reason must be a string");
        return;
    }
    req->silent = rest_flag(call->body, "Silence");
    req->users = users.good;
    req->n_users = users.good_count;
    frame->body_case = HY__FRAME__BODY_MEMBERS_REMOVE;
    frame->members_remove = req;
    if (users.good_count == 0)
        rest_fail(call, HY_CODE_GROUP_PARAM, "MemberToDel_Account has no well-formed account");
    else
        rest_group_do(call, req->group, NULL, frame);
}

/* Role, MsgFlag: a word of each has a number. False: another word, answered. */
static bool read_word(struct rest_call *call, const char *name, const char *const words[3],
                      uint32_t first, struct rest_fields *fields)
{
    char *word = NULL;
    enum rest_got got = rest_word(call->body, name, &word);

    if (got == REST_ABSENT)
        return true;
    for (uint32_t i = 0; got == REST_GOT && i < 3 && words[i] != NULL; i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        rest_fields_num(fields, &call->arena, name, first + i);
        return true;
    }
    return rest_failf(call, HY_CODE_GROUP_PARAM, "%s must be one of %s, %s%s%s", name, words[0],
                      words[1], words[2] != NULL ? ", " : "", words[2] != NULL ? words[2] : "");
}

static bool read_member_fields(struct rest_call *call, struct rest_fields *fields)
{
    static const char *const roles[3] = {"Member", "Admin", NULL};
    static const char *const flags[3] = {"AcceptAndNotify", "AcceptNotNotify", "Discard"};
    char *card = NULL;
    uint32_t seconds = 0;
    enum rest_got got;

    if (!read_word(call, "Role", roles, HY__ROLE__ROLE_MEMBER, fields) ||
        !read_word(call, "MsgFlag", flags, 0, fields))
        return false;
    got = rest_text(call->body, "NameCard", &card);
    if (got == REST_BAD || (got == REST_GOT && strlen(card) > MOST_NAME_CARD_BYTES))
        return rest_fail(call, HY_CODE_GROUP_PARAM,
                         "NameCard must be a string of 50 bytes at most");
    if (got == REST_GOT)
        rest_fields_text(fields, &call->arena, "NameCard", card, strlen(card));
    switch (rest_group_read_mute(call, &seconds)) {
    case REST_MUTE_WRONG:
        return false;
    case REST_MUTE_GIVEN:
        rest_fields_num(fields, &call->arena, "MuteTime", seconds);
        break;
    case REST_MUTE_ABSENT:
        break;
    }
    return rest_group_read_custom(call, call->body, &rest_member_custom, "Custom.", fields);
}

void rest_modify_group_member_info(struct rest_call *call)
{
    Hy__Frame *frame;
    Hy__MemberSetReq *req = new_body(call, sizeof *req, &frame);
    struct rest_fields fields;
    char **users;

    if (req == NULL)
        return;
    hy__member_set_req__init(req);
    users = hy_arena_zalloc(&call->arena, sizeof *users);
    if (users == NULL) {
        rest_fail(call, HY_CODE_GROUP_INTERNAL, NULL);
        return;
    }
    if (!rest_need_group(call, &req->group) ||
        !rest_need_account(call, "Member_Account", HY_CODE_GROUP_PARAM, users) ||
        !rest_fields_open(call, 16, &fields) || !read_member_fields(call, &fields))
        return;
    if (fields.count == 0) {
        rest_fail(call, HY_CODE_GROUP_PARAM,
                  "give at least one of Role, MsgFlag, NameCard, ShutUpTime, "
                  "AppMemberDefinedData");
        return;
    }
    req->users = users;
    req->n_users = 1;
    req->fields = fields.list;
    req->n_fields = fields.count;
    frame->body_case = HY__FRAME__BODY_MEMBER_SET;
    frame->member_set = req;
    rest_group_do(call, req->group, NULL, frame);
}

void rest_forbid_send_msg(struct rest_call *call)
{
    Hy__Frame *frame;
    Hy__MemberSetReq *req = new_body(call, sizeof *req, &frame);
    struct rest_fields fields;
    struct rest_users users;
    uint32_t seconds = 0;

    if (req == NULL)
        return;
    hy__member_set_req__init(req);
    if (!rest_need_group(call, &req->group) ||
        !rest_need_accounts(call, "Members_Account", MOST_MEMBERS, &list_codes, &users) ||
        !rest_fields_open(call, 1, &fields))
        return;
    switch (rest_group_read_mute(call, &seconds)) {
    case REST_MUTE_WRONG:
        return;
    case REST_MUTE_ABSENT:
        rest_fail(call, HY_CODE_GROUP_PARAM, "ShutUpTime is missing; 0 lifts");
        return;
    case REST_MUTE_GIVEN:
        rest_fields_num(&fields, &call->arena, "MuteTime", seconds);
        break;
    }
    if (users.good_count < users.count) {
        rest_fail(call, HY_CODE_GROUP_ACCOUNT, NULL);
        return;
    }
    req->users = users.good;
    req->n_users = users.good_count;
    req->fields = fields.list;
    req->n_fields = fields.count;
    frame->body_case = HY__FRAME__BODY_MEMBER_SET;
    frame->member_set = req;
    rest_group_do(call, req->group, NULL, frame);
}
