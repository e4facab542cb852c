/* rest_group_test - group_open_http_svc: groups, members, messages. */

#include "rest_fake.h"

#define SVC "group_open_http_svc/"
#define BODY "'MsgBody':[{'MsgType':'TIMTextElem','MsgContent':{'Text':'hi'}}]"

/* ---------------------------------------------------------------- a small world */

static Hy__GroupInfo *group_info(const char *id)
{
    Hy__GroupInfo *info = fake_get(sizeof *info);

    hy__group_info__init(info);
    info->group = fake_text("%s", id);
    if (!fake_exists(id)) {
        info->code = HY_CODE_GROUP_UNKNOWN;
        return info;
    }
    info->type = (char *)(strncmp(id, "b", 1) == 0 ? "BChatRoom" : "Public");
    info->name = fake_text("Name of %s", id);
    info->owner = (char *)"ann";
    info->create_time_s = 1000;
    info->next_msg_seq = 8;
    info->member_num = 2;
    info->max_member_num = 2000;
    info->apply_join = (char *)"NeedPermission";
    info->mute_all = true;
    info->n_custom = 1;
    info->custom = fake_get(sizeof(Hy__Field *));
    info->custom[0] = fake_get(sizeof(Hy__Field));
    hy__field__init(info->custom[0]);
    info->custom[0]->name = (char *)"Color";
    info->custom[0]->str = (ProtobufCBinaryData){4, (uint8_t *)"blue"};
    return info;
}

static Hy__MemberInfo *member(const char *user, Hy__Role role)
{
    Hy__MemberInfo *m = fake_get(sizeof *m);

    hy__member_info__init(m);
    m->user = fake_text("%s", user);
    m->role = role;
    m->join_time_s = 1001;
    m->read_seq = 3;
    m->msg_flag = 1;
    m->name_card = (char *)"card";
    m->mute_until_s = UINT32_MAX;
    m->unread = 4;
    return m;
}

static void answer_members(const Hy__MembersGetReq *req, Hy__Frame *answer)
{
    Hy__MembersGetRes *res = fake_get(sizeof *res);

    hy__members_get_res__init(res);
    res->total = 2;
    res->members = fake_get((req->n_users + 2) * sizeof(Hy__MemberInfo *));
    if (req->n_users == 0) {
        res->members[res->n_members++] = member("ann", HY__ROLE__ROLE_OWNER);
        res->members[res->n_members++] = member("ben", HY__ROLE__ROLE_MEMBER);
    }
    for (size_t i = 0; i < req->n_users; i++)
        res->members[res->n_members++] =
            member(req->users[i], strcmp(req->users[i], "ann") == 0   ? HY__ROLE__ROLE_OWNER
                                  : strcmp(req->users[i], "ben") == 0 ? HY__ROLE__ROLE_ADMIN
                                                                      : HY__ROLE__ROLE_NONE);
    answer->body_case = HY__FRAME__BODY_MEMBERS_GET_RES;
    answer->members_get_res = res;
}

static void answer_groups(const Hy__GroupGetReq *req, Hy__Frame *answer)
{
    Hy__GroupGetRes *res = fake_get(sizeof *res);

    hy__group_get_res__init(res);
    res->n_groups = req->n_groups;
    res->groups = fake_get(req->n_groups * sizeof(Hy__GroupInfo *));
    for (size_t i = 0; i < req->n_groups; i++)
        res->groups[i] = group_info(req->groups[i]);
    answer->body_case = HY__FRAME__BODY_GROUP_GET_RES;
    answer->group_get_res = res;
}

static void answer_list(Hy__Frame *answer)
{
    Hy__GroupListRes *res = fake_get(sizeof *res);

    hy__group_list_res__init(res);
    res->total = 9;
    res->n_groups = res->n_selves = 1;
    res->groups = fake_get(sizeof(Hy__GroupInfo *));
    res->groups[0] = group_info("walk");
    res->selves = fake_get(sizeof(Hy__MemberInfo *));
    res->selves[0] = member("ann", HY__ROLE__ROLE_OWNER);
    answer->body_case = HY__FRAME__BODY_GROUP_LIST_RES;
    answer->group_list_res = res;
}

static void answer_added(const Hy__MembersAddReq *req, Hy__Frame *answer)
{
    Hy__MembersAddRes *res = fake_get(sizeof *res);

    hy__members_add_res__init(res);
    res->n_results = req->n_users;
    res->results = fake_get(req->n_users * sizeof(Hy__MemberResult *));
    for (size_t i = 0; i < req->n_users; i++) {
        res->results[i] = fake_get(sizeof(Hy__MemberResult));
        hy__member_result__init(res->results[i]);
        res->results[i]->user = req->users[i];
        res->results[i]->result = strcmp(req->group, "full") == 0 ? 4 : fake_exists(req->users[i]);
    }
    answer->body_case = HY__FRAME__BODY_MEMBERS_ADD_RES;
    answer->members_add_res = res;
}

/* Messages 3, 4 and 6 of 7 are there; 5 was deleted, 1 and 2 have expired. */
static void answer_history(const Hy__HistoryReq *req, Hy__Frame *answer)
{
    Hy__HistoryRes *res = fake_get(sizeof *res);
    uint64_t top = req->from_seq != 0 && req->from_seq < 7 ? req->from_seq : 7;

    hy__history_res__init(res);
    res->first_seq = 3;
    res->last_seq = 7;
    res->msgs = fake_get(8 * sizeof(Hy__Msg *));
    for (uint64_t seq = 3; seq <= top; seq++) {
        Hy__Msg *m = fake_get(sizeof *m);

        if (seq == 5 || seq + req->count <= top)
            continue;
        hy__msg__init(m);
        m->seq = seq;
        m->from = (char *)"ann";
        m->time_ms = 1000000;
        m->flags = seq == 6 ? HY__MSG_FLAG__MSG_RECALLED : 0;
        m->body = (ProtobufCBinaryData){8, (uint8_t *)"\x0a\x06\x0a\x04\x0a\x02hi"};
        res->msgs[res->n_msgs++] = m;
    }
    answer->body_case = HY__FRAME__BODY_HISTORY_RES;
    answer->history_res = res;
}

static bool world(const Hy__Frame *question, Hy__Frame *answer)
{
    switch (question->body_case) {
    case HY__FRAME__BODY_GROUP_GET:
        answer_groups(question->group_get, answer);
        return true;
    case HY__FRAME__BODY_MEMBERS_GET:
        answer_members(question->members_get, answer);
        return true;
    case HY__FRAME__BODY_GROUP_LIST:
        answer_list(answer);
        return true;
    case HY__FRAME__BODY_MEMBERS_ADD:
        answer_added(question->members_add, answer);
        return true;
    case HY__FRAME__BODY_HISTORY:
        answer_history(question->history, answer);
        return true;
    case HY__FRAME__BODY_GROUP_ONLINE:
        answer->body_case = HY__FRAME__BODY_GROUP_ONLINE_RES;
        answer->group_online_res = fake_get(sizeof(Hy__GroupOnlineRes));
        hy__group_online_res__init(answer->group_online_res);
        answer->group_online_res->count = 12;
        return true;
    case HY__FRAME__BODY_GROUP_CREATE:
        answer->body_case = HY__FRAME__BODY_GROUP_CREATE_RES;
        answer->group_create_res = fake_get(sizeof(Hy__GroupCreateRes));
        hy__group_create_res__init(answer->group_create_res);
        answer->group_create_res->group = question->group_create->info->group[0] != '\0'
                                              ? question->group_create->info->group
                                              : (char *)"@TGS#1";
        if (!fake_exists(question->group_create->info->owner))
            answer->code = HY_CODE_ACCOUNT_UNKNOWN;
        return true;
    case HY__FRAME__BODY_GROUP_DESTROY:
        if (fake_exists(question->group_destroy->group))
            return false;
        answer->code = HY_CODE_GROUP_UNKNOWN;
        return true;
    default:
        return false;
    }
}

static int start(void **state)
{
    fake_start(state);
    fake.frame = world;
    return 0;
}

/* ---------------------------------------------------------------- groups */

static void a_group_is_made_of_its_fields(void **state)
{
    const Hy__GroupCreateReq *req;

    (void)state;
    assert_int_equal(
        fake_call(SVC "create_group",
                  "{'Owner_Account':'ann','Type':'Meeting','Name':'Walkers','GroupId':'walk1',"
                  "'Introduction':'i','Notification':'n','FaceUrl':'f','MaxMemberNum':'500',"
                  "'ApplyJoinOption':'FreeAccess','InviteJoinOption':'','MuteAllMember':'On',"
                  "'AppDefinedData':[{'Key':'Color','Value':'blue'}],'Unknown':[1],'MemberList':["
                  "{'Member_Account':'ben','Role':'Admin','ShutUpUntil':0},"
                  "{'Member_Account':'ann'},"
                  "{'Member_Account':'cy','Role':'',"
                  "'AppMemberDefinedData':{'Key':'k','Value':'v'}}]}"),
        0);
    assert_string_equal(fake_string("GroupId"), "walk1");
    assert_string_equal(fake_string("Type"), "ChatRoom");
    req = fake_last_frame()->group_create;
    assert_int_equal(fake_last()->slot, hy_slot_group(FAKE_APP, "walk1"));
    assert_string_equal(req->info->type, "ChatRoom");
    assert_string_equal(req->info->name, "Walkers");
    assert_string_equal(req->info->owner, "ann");
    assert_string_equal(req->info->introduction, "i");
    assert_string_equal(req->info->notification, "n");
    assert_string_equal(req->info->face, "f");
    assert_string_equal(req->info->apply_join, "FreeAccess");
    assert_string_equal(req->info->invite_join, "");
    assert_int_equal(req->info->max_member_num, 500);
    assert_true(req->info->mute_all);
    assert_int_equal(req->info->n_custom, 1);
    assert_string_equal(req->info->custom[0]->name, "Color");
    assert_int_equal(req->n_members, 2);
    assert_string_equal(req->members[0]->user, "ben");
    assert_int_equal(req->members[0]->role, HY__ROLE__ROLE_ADMIN);
    assert_int_equal(req->members[1]->role, HY__ROLE__ROLE_MEMBER);
    assert_int_equal(req->members[1]->n_custom, 1);
}

static void one_member_may_stand_for_a_list_and_the_id_may_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "create_group", "{'Type':'Private','Name':'x','GroupId':'',"
                                                   "'MemberList':{'Member_Account':'ben'}}"),
                     0);
    assert_string_equal(fake_string("GroupId"), "@TGS#1");
    assert_int_equal(fake_last_frame()->group_create->n_members, 1);
    assert_string_equal(fake_last_frame()->group_create->info->owner, "");
}

static void wrong_groups_are_not_made(void **state)
{
    static const struct {
        uint32_t code;
        const char *body;
    } rows[] = {
        {10004, "{'Name':'x'}"},
        {10004, "{'Type':'Public'}"},
        {10004, "{'Type':'Community','Name':'x'}"},
        {10004, "{'Type':'Public','Name':'1234567890123456789012345678901'}"},
        {10004, "{'Type':'Public','Name':'x','ApplyJoinOption':'Maybe'}"},
        {10004, "{'Type':'Public','Name':'x','MaxMemberCount':'many'}"},
        {10004, "{'Type':'Public','Name':'x','AppDefinedData':[{'Key':'no good','Value':''}]}"},
        {10015, "{'Type':'Public','Name':'x','GroupId':'@TGS#1'}"},
        {10007, "{'Type':'AVChatRoom','Name':'x','MemberList':[{'Member_Account':'ben'}]}"},
        {10019, "{'Type':'Public','Name':'x','Owner_Account':'nobody'}"},
        {10004, "{'Type':'Public','Name':'x','MemberList':[{'Member_Account':5}]}"},
        {10004, "{'Type':'Public','Name':'x','MemberList':['ben']}"},
        {10004,
         "{'Type':'Public','Name':'x','MemberList':[{'Member_Account':'b','Role':'Owner'}]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code = fake_call(SVC "create_group", "%s", rows[i].body);

        if (code != rows[i].code)
            print_error("%s\n", rows[i].body);
        assert_int_equal(code, rows[i].code);
    }
}

static void group_info_is_filtered_by_kind(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "get_group_info", "{'GroupIdList':['walk','none','%s','bcast']}",
                               "1234567890123456789012345678901234567890123456789"),
                     0);
    assert_int_equal(json_array_size(fake_at("GroupInfo")), 4);
    assert_string_equal(fake_string("GroupInfo.0.GroupId"), "walk");
    assert_int_equal(fake_int("GroupInfo.0.ErrorCode"), 0);
    assert_string_equal(fake_string("GroupInfo.0.Name"), "Name of walk");
    assert_string_equal(fake_string("GroupInfo.0.ShutUpAllMember"), "On");
    assert_int_equal(fake_int("GroupInfo.0.NextMsgSeq"), 8);
    assert_int_equal(fake_int("GroupInfo.0.Appid"), FAKE_APP);
    assert_string_equal(fake_string("GroupInfo.0.AppDefinedData.0.Key"), "Color");
    assert_int_equal(json_array_size(fake_at("GroupInfo.0.MemberList")), 2);
    assert_string_equal(fake_string("GroupInfo.0.MemberList.0.Role"), "Owner");
    assert_string_equal(fake_string("GroupInfo.0.MemberList.0.MsgFlag"), "AcceptNotNotify");
    assert_int_equal(fake_int("GroupInfo.0.MemberList.0.ShutUpUntil"), UINT32_MAX);
    assert_int_equal(fake_int("GroupInfo.1.ErrorCode"), 10010);
    assert_int_equal(json_object_size(fake_at("GroupInfo.1")), 3);
    assert_int_equal(fake_int("GroupInfo.2.ErrorCode"), 10015);
    assert_int_equal(fake_int("GroupInfo.3.ErrorCode"), 0);
    assert_null(fake_at("GroupInfo.3.MemberList"));
    assert_int_equal(fake_call(SVC "get_group_info", "{'GroupIdList':['walk'],'ResponseFilter':{"
                                                     "'GroupBaseInfoFilter':['Name','MemberCount'],"
                                                     "'MemberInfoFilter':['Account','Role'],"
                                                     "'AppDefinedDataFilter_Group':['Other']}}"),
                     0);
    assert_int_equal(json_object_size(fake_at("GroupInfo.0")), 7);
    assert_int_equal(fake_int("GroupInfo.0.MemberCount"), 2);
    assert_int_equal(json_array_size(fake_at("GroupInfo.0.AppDefinedData")), 0);
    assert_int_equal(json_object_size(fake_at("GroupInfo.0.MemberList.0")), 2);
    assert_int_equal(fake_call(SVC "get_group_info",
                               "{'GroupIdList':['walk'],'ResponseFilter':{"
                               "'GroupBaseInfoFilter':[],'MemberInfoFilter':[],"
                               "'AppDefinedDataFilter_Group':null}}"),
                     0);
    assert_null(fake_at("GroupInfo.0.Name"));
    assert_null(fake_at("GroupInfo.0.MemberList"));
    assert_int_equal(fake_call(SVC "get_group_info",
                               "{'GroupIdList':['walk'],'ResponseFilter':{"
                               "'GroupBaseInfoFilter':['Name'],'MemberInfoFilter':null}}"),
                     0);
    assert_int_equal(json_array_size(fake_at("GroupInfo.0.MemberList")), 2);
    assert_int_equal(fake_call(SVC "get_group_info", "{'GroupIdList':[]}"), 10004);
    assert_int_equal(fake_call(SVC "get_group_info", "{}"), 10004);
}

static bool scan(const Hy__AdminCall *call, Hy__AdminAnswer *answer)
{
    Hy__GroupScanRes *res;
    uint64_t at;

    if (call->op_case != HY__ADMIN_CALL__OP_GROUP_SCAN)
        return false;
    res = fake_get(sizeof *res);
    hy__group_scan_res__init(res);
    res->total = 10;
    at = call->group_scan->cursor;
    res->groups = fake_get(3 * sizeof(char *));
    while (at < 10 && res->n_groups < 3 && res->n_groups < call->group_scan->limit)
        res->groups[res->n_groups++] = fake_text("g%u", (unsigned)at++);
    res->cursor = at < 10 ? at : 0;
    answer->res_case = HY__ADMIN_ANSWER__RES_GROUP_SCAN;
    answer->group_scan = res;
    return true;
}

static void the_apps_groups_are_listed_in_pages(void **state)
{
    (void)state;
    fake.admin = scan;
    assert_int_equal(fake_call(SVC "get_appid_group_list", "{}"), 0);
    assert_int_equal(fake_int("TotalCount"), 10);
    assert_int_equal(json_array_size(fake_at("GroupIdList")), 10);
    assert_int_equal(fake_int("Next"), 0);
    assert_int_equal(fake_call(SVC "get_appid_group_list", "{'Limit':4,'Next':0}"), 0);
    assert_int_equal(json_array_size(fake_at("GroupIdList")), 4);
    assert_int_equal(fake_int("Next"), 4);
    assert_int_equal(
        fake_call(SVC "get_appid_group_list", "{'Limit':10,'Next':4,'Type':'Meeting'}"), 0);
    assert_string_equal(fake_string("GroupIdList.0.GroupId"), "g4");
    assert_int_equal(json_array_size(fake_at("GroupIdList")), 6);
    assert_int_equal(fake_int("Next"), 0);
    assert_string_equal(fake_last_admin()->group_scan->type, "ChatRoom");
    assert_int_equal(fake_call(SVC "get_appid_group_list", "{'Offset':5,'Limit':2}"), 0);
    assert_string_equal(fake_string("GroupIdList.0.GroupId"), "g5");
    assert_int_equal(json_array_size(fake_at("GroupIdList")), 2);
    assert_int_equal(fake_call(SVC "get_appid_group_list", "{'GroupType':''}"), 0);
    assert_int_equal(fake_call(SVC "get_appid_group_list", "{'GroupType':'X'}"), 10004);
}

static const Hy__Field *set_field(const char *name)
{
    const Hy__GroupSetReq *req = fake_last_frame()->group_set;

    for (size_t i = 0; i < req->n_fields; i++)
        if (strcmp(req->fields[i]->name, name) == 0)
            return req->fields[i];
    return NULL;
}

static void a_change_holds_only_what_was_given(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "modify_group_base_info",
                               "{'GroupId':'walk','Name':'New','MaxMemberCount':300,"
                               "'ShutUpAllMember':'Off','ApplyJoinOption':'','Notification':null,"
                               "'AppDefinedData':[{'Key':'Color','Value':''}]}"),
                     0);
    assert_int_equal(fake_last_frame()->group_set->n_fields, 4);
    assert_memory_equal(set_field("Name")->str.data, "New", 3);
    assert_int_equal(set_field("MaxMemberNum")->num, 300);
    assert_int_equal(set_field("MuteAllMember")->num, 0);
    assert_int_equal(set_field("Custom.Color")->str.len, 0);
    assert_int_equal(
        fake_call(SVC "modify_group_base_info", "{'GroupId':'walk','MuteAllMember':'Perhaps'}"),
        10004);
    assert_int_equal(fake_call(SVC "modify_group_base_info", "{'Name':'x'}"), 10004);
}

static void destroying_what_is_not_there_fails(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "destroy_group", "{'GroupId':'walk'}"), 0);
    assert_int_equal(fake_call(SVC "destroy_group", "{'GroupId':'none'}"), 10010);
    assert_int_equal(fake_call(SVC "destroy_group", "{}"), 10004);
    assert_int_equal(fake_call(SVC "destroy_group", "{'GroupId':'\\u00e4'}"), 10015);
}

/* ---------------------------------------------------------------- members */

static void members_are_listed_by_role_and_page(void **state)
{
    (void)state;
    assert_int_equal(
        fake_call(SVC "get_group_member_info",
                  "{'GroupId':'walk','Limit':100,'Offset':'10',"
                  "'MemberRoleFilter':['Owner','Member'],'MemberInfoFilter':['Role']}"),
        0);
    assert_int_equal(fake_int("MemberNum"), 2);
    assert_int_equal(json_object_size(fake_at("MemberList.0")), 2);
    assert_int_equal(fake_last_frame()->members_get->limit, 100);
    assert_int_equal(fake_last_frame()->members_get->offset, 10);
    assert_int_equal(fake_last_frame()->members_get->n_roles, 2);
    assert_int_equal(fake_call(SVC "get_group_member_info", "{'GroupId':'walk',"
                                                            "'MemberInfoFilter':null}"),
                     0);
    assert_string_equal(fake_string("MemberList.0.NameCard"), "card");
    assert_int_equal(
        fake_call(SVC "get_group_member_info", "{'GroupId':'walk','MemberRoleFilter':['King']}"),
        10004);
}

static void added_members_have_a_result_each(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "add_group_member",
                               "{'GroupId':'walk','Silence':1,'MemberList':["
                               "{'Member_Account':'ben'},{'Member_Account':'nobody'},"
                               "{'Member_Account':''}]}"),
                     0);
    assert_true(fake_last_frame()->members_add->silent);
    assert_int_equal(fake_last_frame()->members_add->n_users, 2);
    assert_int_equal(fake_int("MemberList.0.Result"), 1);
    assert_int_equal(fake_int("MemberList.1.Result"), 0);
    assert_int_equal(fake_int("MemberList.2.Result"), 0);
    assert_int_equal(fake_call(SVC "add_group_member",
                               "{'GroupId':'full','MemberList':{'Member_Account':'ben'}}"),
                     10014);
    assert_int_equal(fake_call(SVC "add_group_member", "{'GroupId':'walk','MemberList':[]}"),
                     10004);
}

static void members_are_removed_changed_and_muted(void **state)
{
    const Hy__MemberSetReq *req;

    (void)state;
    assert_int_equal(fake_call(SVC "delete_group_member",
                               "{'GroupId':'walk','MemberToDel_Account':['ben'],'Reason':'r'}"),
                     0);
    assert_string_equal(fake_last_frame()->members_remove->reason, "r");
    assert_int_equal(fake_call(SVC "modify_group_member_info",
                               "{'GroupId':'walk','Member_Account':'ben','Role':'Admin',"
                               "'MsgFlag':'Discard','NameCard':'c','MuteTime':'60'}"),
                     0);
    req = fake_last_frame()->member_set;
    assert_string_equal(req->users[0], "ben");
    assert_int_equal(req->n_fields, 4);
    assert_int_equal(req->fields[0]->num, HY__ROLE__ROLE_ADMIN);
    assert_int_equal(req->fields[1]->num, 2);
    assert_int_equal(req->fields[3]->num, 60);
    assert_int_equal(fake_call(SVC "modify_group_member_info",
                               "{'GroupId':'walk','Member_Account':'ben','ShutUpUntil':1}"),
                     0);
    assert_int_equal(fake_last_frame()->member_set->fields[0]->num, 0);
    assert_int_equal(fake_call(SVC "modify_group_member_info",
                               "{'GroupId':'walk','Member_Account':'ben','Role':'Owner'}"),
                     10004);
    assert_int_equal(
        fake_call(SVC "modify_group_member_info", "{'GroupId':'walk','Member_Account':'ben'}"),
        10004);
    assert_int_equal(fake_call(SVC "forbid_send_msg",
                               "{'GroupId':'walk','Members_Account':['ben','cy'],"
                               "'ShutUpTime':4294967295}"),
                     0);
    assert_int_equal(fake_last_frame()->member_set->n_users, 2);
    assert_int_equal(fake_last_frame()->member_set->fields[0]->num, UINT32_MAX);
    assert_int_equal(
        fake_call(SVC "forbid_send_msg", "{'GroupId':'walk','Members_Account':['ben']}"), 10004);
}

static void roles_are_told_also_of_strangers(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "get_role_in_group",
                               "{'GroupId':'walk','User_Account':['ann','ben','cy','']}"),
                     0);
    assert_string_equal(fake_string("UserIdList.0.Role"), "Owner");
    assert_string_equal(fake_string("UserIdList.1.Role"), "Admin");
    assert_string_equal(fake_string("UserIdList.2.Role"), "NotMember");
    assert_string_equal(fake_string("UserIdList.3.Role"), "NotMember");
    assert_int_equal(
        fake_call(SVC "get_role_in_group", "{'GroupId':'broadcast','User_Account':['ann']}"),
        10007);
}

static void joined_groups_show_what_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "get_joined_group_list", "{'Member_Account':'ann'}"), 0);
    assert_int_equal(fake_int("TotalCount"), 9);
    assert_int_equal(json_object_size(fake_at("GroupIdList.0")), 2);
    assert_string_equal(fake_string("GroupIdList.0.Type"), "Public");
    assert_int_equal(fake_call(SVC "get_joined_group_list",
                               "{'Member_Account':'ann','GroupType':'Work','Limit':5,'Offset':1,"
                               "'ResponseFilter':{'GroupBaseInfoFilter':['Name'],"
                               "'SelfInfoFilter':['Role','UnreadMsgNum']}}"),
                     0);
    assert_int_equal(json_object_size(fake_at("GroupIdList.0")), 4);
    assert_string_equal(fake_string("GroupIdList.0.SelfInfo.Role"), "Owner");
    assert_int_equal(fake_int("GroupIdList.0.SelfInfo.UnreadMsgNum"), 4);
    assert_int_equal(fake_call(SVC "get_joined_group_list", "{'Member_Account':'nobody'}"), 10019);
    assert_int_equal(fake_call(SVC "get_joined_group_list", "{}"), 10004);
}

static void a_live_rooms_audience_is_counted(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "get_online_member_num", "{'GroupId':'live'}"), 0);
    assert_int_equal(fake_int("OnlineMemberNum"), 12);
}

/* ---------------------------------------------------------------- messages */

static void a_group_message_is_named_by_random_and_content(void **state)
{
    char first[65];

    (void)state;
    assert_int_equal(fake_call(SVC "send_group_msg",
                               "{'GroupId':'walk','Random':7,'From_Account':'ann',"
                               "'MsgPriority':'High','MsgOnlineOnlyFlag':1,"
                               "'GroupAtInfo':[{'GroupAtAllFlag':0,'GroupAt_Account':'ben'},"
                               "{'GroupAtAllFlag':1}]," BODY "}"),
                     0);
    assert_int_equal(fake_int("MsgSeq"), 7);
    assert_int_equal(fake_int("MsgTime"), FAKE_TIME_S);
    assert_int_equal(fake_last_send()->conv_type, HY__CONV_TYPE__CONV_GROUP);
    assert_string_equal(fake_last_send()->caller->user, "ann");
    assert_int_equal(fake_last_send()->items[0]->req->priority, 1);
    assert_int_equal(fake_last_send()->items[0]->req->flags, HY__MSG_FLAG__MSG_ONLINE_ONLY);
    assert_int_equal(fake_last_send()->items[0]->req->n_at_users, 2);
    snprintf(first, sizeof first, "%s", fake_last_send()->items[0]->req->client_id);
    assert_int_equal(fake_call(SVC "send_group_msg", "{'GroupId':'walk','MsgRandom':'7'," BODY "}"),
                     0);
    assert_string_equal(fake_last_send()->items[0]->req->client_id, first);
    assert_string_equal(fake_last_send()->caller->user, "administrator");
    assert_int_equal(fake_call(SVC "send_group_msg",
                               "{'GroupId':'walk','Random':7,'MsgBody':[{'MsgType':'TIMTextElem',"
                               "'MsgContent':{'Text':'ho'}}]}"),
                     0);
    assert_string_not_equal(fake_last_send()->items[0]->req->client_id, first);
}

static void wrong_group_messages_are_refused(void **state)
{
    static const struct {
        uint32_t code;
        const char *body;
    } rows[] = {
        {10004, "{'Random':7," BODY "}"},
        {10004, "{'GroupId':'walk'," BODY "}"},
        {10004, "{'GroupId':'walk','Random':'x'," BODY "}"},
        {10004, "{'GroupId':'walk','Random':7}"},
        {10004, "{'GroupId':'walk','Random':7,'MsgBody':[]}"},
        {10004, "{'GroupId':'walk','Random':7,'MsgBody':{}}"},
        {10004, "{'GroupId':'walk','Random':7,'MsgBody':[{'MsgType':'X','MsgContent':{}}]}"},
        {10004, "{'GroupId':'walk','Random':7,'MsgPriority':'Urgent'," BODY "}"},
        {10004, "{'GroupId':'walk','Random':7,'OfflinePushInfo':5," BODY "}"},
        {10007, "{'GroupId':'walk','Random':7,'To_Account':['ben']," BODY "}"},
        {10004, "{'GroupId':'walk','Random':7,'MsgBody':[{'MsgType':'TIMTextElem',"
                "'MsgContent':{'Text':''}}]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code = fake_call(SVC "send_group_msg", "%s", rows[i].body);

        if (code != rows[i].code)
            print_error("%s\n", rows[i].body);
        assert_int_equal(code, rows[i].code);
    }
}

static void notices_go_to_all_or_some(void **state)
{
    (void)state;
    assert_int_equal(
        fake_call(SVC "send_group_system_notification", "{'GroupId':'walk','Content':'hello'}"), 0);
    assert_int_equal(fake_last_admin()->system_notify->n_users, 0);
    assert_int_equal(fake_call(SVC "send_group_system_notification",
                               "{'GroupId':'walk','Content':'hello','ToMembers_Account':['ben']}"),
                     0);
    assert_int_equal(fake_last_admin()->system_notify->n_users, 1);
    assert_int_equal(fake_call(SVC "send_group_system_notification", "{'GroupId':'walk'}"), 10004);
}

static void history_descends_and_shows_its_holes(void **state)
{
    static const struct {
        const char *seq_path;
        json_int_t seq, place;
    } rows[] = {{"0", 7, 0}, {"1", 6, 2}, {"2", 5, 1}, {"3", 4, 0}};

    (void)state;
    assert_int_equal(fake_call(SVC "group_msg_get_simple", "{'GroupId':'walk','ReqMsgNumber':4}"),
                     0);
    assert_int_equal(fake_int("IsFinished"), 1);
    assert_int_equal(json_array_size(fake_at("RspMsgList")), 4);
    for (int i = 0; i < 4; i++) {
        char path[64];

        snprintf(path, sizeof path, "RspMsgList.%d.MsgSeq", i);
        assert_int_equal(fake_int(path), rows[i].seq);
        snprintf(path, sizeof path, "RspMsgList.%d.IsPlaceMsg", i);
        assert_int_equal(fake_int(path), rows[i].place);
    }
    assert_string_equal(fake_string("RspMsgList.0.MsgBody.0.MsgContent.Text"), "hi");
    assert_int_equal(json_array_size(fake_at("RspMsgList.1.MsgBody")), 0);
    assert_int_equal(fake_int("RspMsgList.0.MsgPriority"), 2);
    assert_int_equal(fake_int("RspMsgList.0.MsgTimeStamp"), 1000);
    assert_int_equal(fake_call(SVC "group_msg_get_simple",
                               "{'GroupId':'walk','ReqMsgNumber':100,'ReqMsgSeq':4}"),
                     0);
    assert_int_equal(fake_int("IsFinished"), 0);
    assert_int_equal(
        fake_call(SVC "group_msg_get_simple", "{'GroupId':'walk','ReqMsgNumber':2,'ReqMsgSeq':2}"),
        0);
    assert_int_equal(fake_int("IsFinished"), 2);
    assert_int_equal(json_array_size(fake_at("RspMsgList")), 0);
    assert_int_equal(fake_call(SVC "group_msg_get_simple", "{'GroupId':'walk'}"), 10004);
}

static void a_senders_messages_are_deleted(void **state)
{
    (void)state;
    assert_int_equal(
        fake_call(SVC "delete_group_msg_by_sender", "{'GroupId':'walk','Sender_Account':'ben'}"),
        0);
    assert_string_equal(fake_last_admin()->delete_by_sender->sender, "ben");
    assert_int_equal(fake_call(SVC "delete_group_msg_by_sender", "{'GroupId':'walk'}"), 10004);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, fake_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_made_of_its_fields),
        TEST(one_member_may_stand_for_a_list_and_the_id_may_be_left_out),
        TEST(wrong_groups_are_not_made),
        TEST(group_info_is_filtered_by_kind),
        TEST(the_apps_groups_are_listed_in_pages),
        TEST(a_change_holds_only_what_was_given),
        TEST(destroying_what_is_not_there_fails),
        TEST(members_are_listed_by_role_and_page),
        TEST(added_members_have_a_result_each),
        TEST(members_are_removed_changed_and_muted),
        TEST(roles_are_told_also_of_strangers),
        TEST(joined_groups_show_what_is_asked_for),
        TEST(a_live_rooms_audience_is_counted),
        TEST(a_group_message_is_named_by_random_and_content),
        TEST(wrong_group_messages_are_refused),
        TEST(notices_go_to_all_or_some),
        TEST(history_descends_and_shows_its_holes),
        TEST(a_senders_messages_are_deleted),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    json_decref(fake_json);
    return failed;
}
