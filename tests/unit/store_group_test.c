#include "store_fixture.h"

#include "common/codes.h"
#include "common/names.h"

static const char *const two[] = {"ben", "cleo"};

static int setup(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct said say(struct fixture *f, const char *group, const char *from)
{
    return fixture_said(f, (struct say){.from = from, .to = group, .group = true});
}

static Hy__GroupRes *get(struct fixture *f, const char *group, const char *user, bool admin)
{
    Hy__GroupReq req = HY__GROUP_REQ__INIT;

    req.app = FIXTURE_APP;
    req.group = (char *)group;
    req.user = (char *)user;
    req.admin = admin;
    return ASK(f, GROUP_GET, req, Hy__GroupRes, hy__group_res);
}

static uint32_t destroy(struct fixture *f, const char *group, const char *user, bool admin,
                        size_t *affected)
{
    Hy__GroupReq req = HY__GROUP_REQ__INIT;
    Hy__GroupRes *res;
    uint32_t code;

    req.app = FIXTURE_APP;
    req.group = (char *)group;
    req.user = (char *)user;
    req.admin = admin;
    res = ASK(f, GROUP_DESTROY, req, Hy__GroupRes, hy__group_res);
    code = res->code;
    if (affected != NULL)
        *affected = res->n_affected;
    DROP(res);
    return code;
}

static uint32_t set_field(struct fixture *f, const char *group, const char *by, bool admin,
                          const char *name, const char *str, uint64_t num)
{
    Hy__StoreGroupSetReq req = HY__STORE_GROUP_SET_REQ__INIT;
    Hy__Field field = HY__FIELD__INIT, *fields[1] = {&field};
    Hy__GroupRes *res;
    uint32_t code;

    field.name = (char *)name;
    field.str = (ProtobufCBinaryData){strlen(str), (uint8_t *)str};
    field.num = num;
    req.app = FIXTURE_APP;
    req.group = (char *)group;
    req.operator_id = (char *)by;
    req.admin = admin;
    req.n_fields = 1;
    req.fields = fields;
    res = ASK(f, GROUP_SET, req, Hy__GroupRes, hy__group_res);
    code = res->code;
    DROP(res);
    return code;
}

static uint32_t set_member(struct fixture *f, const char *group, const char *by, bool admin,
                           const char *user, const char *name, const char *str, uint64_t num)
{
    Hy__StoreMemberSetReq req = HY__STORE_MEMBER_SET_REQ__INIT;
    Hy__Field field = HY__FIELD__INIT, *fields[1] = {&field};
    char *users[1] = {(char *)user};
    Hy__StoreMembersRes *res;
    uint32_t code;

    field.name = (char *)name;
    field.str = (ProtobufCBinaryData){strlen(str), (uint8_t *)str};
    field.num = num;
    req.app = FIXTURE_APP;
    req.group = (char *)group;
    req.operator_id = (char *)by;
    req.admin = admin;
    req.n_users = 1;
    req.users = users;
    req.n_fields = 1;
    req.fields = fields;
    res = ASK(f, MEMBER_SET, req, Hy__StoreMembersRes, hy__store_members_res);
    code = res->code;
    DROP(res);
    return code;
}

static Hy__StoreMembersGetRes *members(struct fixture *f, const char *group, uint32_t offset,
                                       uint32_t limit)
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq inner = HY__MEMBERS_GET_REQ__INIT;

    inner.group = (char *)group;
    inner.offset = offset;
    inner.limit = limit;
    req.app = FIXTURE_APP;
    req.admin = true;
    req.req = &inner;
    return ASK(f, MEMBERS_GET, req, Hy__StoreMembersGetRes, hy__store_members_get_res);
}

/* What comes of a list of names, with commas. */
static void assert_names(ProtobufCBinaryData list, const char *expected)
{
    char text[256] = "";

    for (const char *name = hy_names_first(list.data, list.len); name != NULL;
         name = hy_names_next(list.data, list.len, name)) {
        strcat(text, name);
        strcat(text, ",");
    }
    assert_string_equal(text, expected);
}

static uint64_t said_and_turned(struct fixture *f, struct say say)
{
    uint64_t id = fixture_say(f, say);

    store_turn(f->store);
    return id;
}

/* Say something and turn; whom is the answer to tell? */
static void assert_told_with(struct fixture *f, struct say say, const char *hearing,
                             const char *deaf)
{
    Hy__AppendRes *res = fixture_take(f, said_and_turned(f, say), &hy__append_res__descriptor);

    assert_int_equal(res->results[0]->code, 0);
    assert_names(res->hearing, hearing);
    assert_names(res->deaf, deaf);
    DROP(res);
}

static void members_come_with_a_message_where_they_are_wanted(void **state)
{
    struct fixture *f = *state;
    struct say say = {.from = "anna", .to = "g", .group = true, .wants_members = true};
    Hy__StoreMembersGetReq names = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq of = HY__MEMBERS_GET_REQ__INIT;
    Hy__StoreMembersReq gone = HY__STORE_MEMBERS_REQ__INIT;
    Hy__StoreMembersGetRes *list;
    Hy__AppendRes *refused;
    Hy__MemberInfo cleo = HY__MEMBER_INFO__INIT, *leaves[1] = {&cleo};

    assert_int_equal(fixture_group(f, "Public", "g", "anna", 2, two), 0);
    assert_told_with(f, say, "anna,ben,cleo,", "");
    assert_int_equal(set_member(f, "g", "ben", false, "ben", "MsgFlag", "", 2), 0);
    assert_told_with(f, say, "anna,cleo,", "ben,");
    of.group = (char *)"g";
    names.app = FIXTURE_APP;
    names.admin = true;
    names.names_only = true;
    names.req = &of;
    list = ASK(f, MEMBERS_GET, names, Hy__StoreMembersGetRes, hy__store_members_get_res);
    assert_names(list->hearing, "anna,cleo,");
    assert_names(list->deaf, "ben,");
    assert_int_equal(list->n_members, 0);
    DROP(list);

    /* Not of what waits to be written: the database does not know it yet. */
    gone.app = FIXTURE_APP;
    gone.group = (char *)"g";
    gone.operator_id = (char *)"anna";
    cleo.user = (char *)"cleo";
    gone.n_members = 1;
    gone.members = leaves;
    fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_REMOVE, &gone.base);
    assert_told_with(f, say, "", "");
    assert_told_with(f, say, "anna,", "ben,");

    fixture_restart(f); /* the sender's row is brought by the walk */
    assert_told_with(f, say, "anna,", "ben,");

    say.wants_members = false;
    assert_told_with(f, say, "", "");
    say.wants_members = true;
    say.from = "zoe";
    refused = fixture_take(f, said_and_turned(f, say), &hy__append_res__descriptor);
    assert_int_equal(refused->results[0]->code, HY_CODE_GROUP_DENIED);
    assert_names(refused->hearing, "");
    DROP(refused);
}

static void a_group_is_made_with_its_owner_and_members(void **state)
{
    struct fixture *f = *state;
    Hy__GroupRes *res;
    Hy__StoreMembersGetRes *list;
    Hy__IndexRes *index;

    assert_int_equal(fixture_group(f, "Work", "g", "anna", 2, two), 0);
    res = get(f, "g", "ben", false);
    assert_int_equal(res->code, 0);
    assert_string_equal(res->group->type, "Private");
    assert_string_equal(res->group->owner, "anna");
    assert_int_equal(res->group->member_num, 3);
    assert_int_equal(res->group->max_member_num, 200);
    assert_int_equal(res->group->next_msg_seq, 1);
    assert_int_equal(res->self->role, HY__ROLE__ROLE_MEMBER);
    DROP(res);
    list = members(f, "g", 1, 1);
    assert_int_equal(list->n_members, 1);
    assert_int_equal(list->total, 3);
    assert_string_equal(list->members[0]->user, "ben");
    DROP(list);
    index = fixture_index(f, "cleo");
    assert_int_equal(index->n_entries, 1);
    assert_true(index->entries[0]->row->joined);
    assert_string_equal(index->entries[0]->row->group_type, "Private");
    DROP(index);
    assert_int_equal(fixture_group(f, "Public", "g", "anna", 0, NULL), HY_CODE_GROUP_ID_OWN);
    assert_int_equal(fixture_group(f, "Public", "g", "dan", 0, NULL), HY_CODE_GROUP_ID_TAKEN);
    assert_int_equal(fixture_group(f, "Nonsense", "h", "anna", 0, NULL), HY_CODE_GROUP_PARAM);
    assert_int_equal(fixture_group(f, "AVChatRoom", "h", "anna", 1, two), HY_CODE_GROUP_DENIED);
}

static void strangers_see_and_say_nothing_in_a_private_group(void **state)
{
    struct fixture *f = *state;
    Hy__GroupRes *res;
    Hy__HistoryRes *page;

    fixture_group(f, "Private", "g", "anna", 2, two);
    assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(say(f, "none", "dan").code, HY_CODE_GROUP_UNKNOWN);
    res = get(f, "g", "dan", false);
    assert_int_equal(res->code, HY_CODE_GROUP_DENIED);
    DROP(res);
    page = fixture_page(f, (struct page){.user = "dan", .peer = "g", .group = true});
    assert_int_equal(page->code, HY_CODE_GROUP_DENIED);
    DROP(page);
    assert_int_equal(
        fixture_said(f, (struct say){.from = "dan", .to = "g", .group = true, .admin = true}).seq,
        1);
}

static void group_unread_is_exact_without_a_write_per_member(void **state)
{
    struct fixture *f = *state;
    uint32_t unread;

    fixture_group(f, "Public", "g", "anna", 2, two);
    for (int i = 0; i < 3; i++)
        say(f, "g", "anna");
    say(f, "g", "ben");
    fixture_said(
        f, (struct say){
               .from = "anna", .to = "g", .group = true, .flags = HY__MSG_FLAG__MSG_NO_UNREAD});
    assert_int_equal(fixture_unread(f, "anna", "g", true), 1);
    assert_int_equal(fixture_unread(f, "ben", "g", true), 3);
    assert_int_equal(fixture_unread(f, "cleo", "g", true), 4);
    /* 1..3 anna, 4 ben, 5 does not count */
    fixture_read(f, "cleo", "g", true, 2, &unread);
    assert_int_equal(unread, 2);
    fixture_read(f, "ben", "g", true, 2, &unread);
    assert_int_equal(unread, 1);
    say(f, "g", "anna");
    assert_int_equal(fixture_unread(f, "cleo", "g", true), 3);
    assert_int_equal(fixture_unread(f, "ben", "g", true), 2);
    fixture_restart(f);
    assert_int_equal(fixture_unread(f, "cleo", "g", true), 3);
    fixture_read(f, "cleo", "g", true, 0, &unread);
    assert_int_equal(unread, 0);
    assert_int_equal(fixture_unread(f, "cleo", "g", true), 0);
    fixture_moved(f, true, (struct move){.group = "g", .user = "dan", .admin = true});
    assert_int_equal(fixture_unread(f, "dan", "g", true), 0);
}

static void newcomers_see_the_past_only_where_the_type_says_so(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *type;
        size_t before; /* of 3 messages */
    } rows[] = {{"Private", 0}, {"Public", 0}, {"ChatRoom", 3}};
    Hy__HistoryRes *page;

    for (size_t i = 0; i < 3; i++) {
        char id[8];

        snprintf(id, sizeof id, "g%zu", i);
        fixture_group(f, rows[i].type, id, "anna", 0, NULL);
        for (int m = 0; m < 3; m++)
            say(f, id, "anna");
        fixture_moved(f, true,
                      (struct move){.group = id, .user = "dan", .admin = true, .silent = true});
        say(f, id, "anna");
        page = fixture_page(f, (struct page){.user = "dan", .peer = id, .group = true});
        assert_int_equal(page->n_msgs, rows[i].before + 1);
        assert_int_equal(page->first_seq, 4 - rows[i].before);
        DROP(page);
    }
}

static void joining_and_leaving_is_told_where_the_type_says_so(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersRes *res;
    Hy__HistoryRes *page;
    Hy__Body *body;

    fixture_group(f, "Public", "g", "anna", 0, NULL);
    res = fixture_move(f, true, (struct move){.group = "g", .user = "ben", .admin = true});
    assert_int_equal(res->results[0]->result, 1);
    assert_int_equal(res->n_tips, 1);
    assert_int_equal(res->tips[0]->seq, 1);
    DROP(res);
    res = fixture_move(f, true, (struct move){.group = "g", .user = "ben", .admin = true});
    assert_int_equal(res->results[0]->result, 2);
    assert_int_equal(res->n_tips, 0);
    DROP(res);
    page = fixture_page(f, (struct page){.user = "ben", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 1);
    assert_string_equal(page->msgs[0]->from, "@TIM#SYSTEM");
    body = hy__body__unpack(NULL, page->msgs[0]->body.len, page->msgs[0]->body.data);
    assert_int_equal(body->elems[0]->kind_case, HY__ELEM__KIND_TIP);
    assert_string_equal(body->elems[0]->tip->members[0]->user, "ben");
    DROP(body);
    DROP(page);
    assert_int_equal(fixture_unread(f, "ben", "g", true), 0);
    fixture_group(f, "ChatRoom", "c", "anna", 0, NULL);
    res = fixture_move(f, true, (struct move){.group = "c", .user = "ben", .join = true});
    assert_int_equal(res->code, 0);
    assert_int_equal(res->n_tips, 0);
    DROP(res);
}

static void who_may_come_and_go(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersRes *res;

    fixture_group(f, "Private", "p", "anna", 2, two);
    fixture_group(f, "Public", "u", "anna", 2, two);
    fixture_group(f, "AVChatRoom", "l", "anna", 0, NULL);
    /* joining */
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "p", .user = "dan", .join = true}),
        HY_CODE_GROUP_DENIED);
    res = fixture_move(f, true, (struct move){.group = "u", .user = "dan", .join = true});
    assert_int_equal(res->results[0]->result, 3);
    DROP(res);
    /* adding */
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "p", .by = "ben", .user = "dan"}), 0);
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "u", .by = "ben", .user = "dan"}),
        HY_CODE_GROUP_DENIED);
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "l", .user = "dan", .admin = true}),
        HY_CODE_GROUP_DENIED);
    /* taking out */
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "p", .by = "ben", .user = "dan"}),
        HY_CODE_GROUP_DENIED);
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "p", .by = "anna", .user = "dan"}), 0);
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "u", .user = "anna", .admin = true}),
        HY_CODE_GROUP_DENIED);
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "l", .user = "dan", .admin = true}),
        HY_CODE_GROUP_PARAM);
    /* quitting */
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "u", .user = "anna", .join = true}),
        HY_CODE_GROUP_OWNER_QUIT);
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "u", .user = "ben", .join = true}), 0);
    assert_int_equal(
        fixture_moved(f, false, (struct move){.group = "p", .user = "anna", .join = true}), 0);
    assert_int_equal(say(f, "u", "ben").code, HY_CODE_GROUP_DENIED);
}

static void a_full_group_takes_nobody(void **state)
{
    struct fixture *f = *state;

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_field(f, "g", "anna", false, "MaxMemberNum", "", 2), HY_CODE_GROUP_PARAM);
    assert_int_equal(set_field(f, "g", "anna", false, "MaxMemberNum", "", 3), 0);
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "g", .user = "dan", .admin = true}),
        HY_CODE_GROUP_FULL);
    fixture_moved(f, false, (struct move){.group = "g", .user = "ben", .admin = true});
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "g", .user = "dan", .admin = true}), 0);
}

static void a_group_made_again_is_another_group(void **state)
{
    struct fixture *f = *state;
    struct say retry = {.from = "anna", .to = "g", .group = true, .id = "x", .hash = 1};
    size_t affected;
    Hy__HistoryRes *page;
    Hy__IndexRes *index;

    fixture_group(f, "Public", "g", "anna", 2, two);
    fixture_said(f, retry);
    set_member(f, "g", "", true, "ben", "MuteTime", "", 3600);
    assert_int_equal(say(f, "g", "ben").code, HY_CODE_GROUP_MUTED);
    assert_int_equal(destroy(f, "g", "ben", false, NULL), HY_CODE_GROUP_DENIED);
    assert_int_equal(destroy(f, "g", "anna", false, &affected), 0);
    assert_int_equal(affected, 3);
    assert_int_equal(say(f, "g", "anna").code, HY_CODE_GROUP_UNKNOWN);
    index = fixture_index(f, "ben");
    assert_int_equal(index->n_entries, 0);
    DROP(index);
    assert_int_equal(fixture_group(f, "Public", "g", "dan", 1, two), 0);
    page = fixture_page(f, (struct page){.user = "ben", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 0);
    assert_int_equal(page->last_seq, 0);
    DROP(page);
    assert_int_equal(say(f, "g", "ben").seq, 1);
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_DENIED);
    retry.from = "dan";
    assert_false(fixture_said(f, retry).duplicate);
    index = fixture_index(f, "ben");
    assert_int_equal(index->n_entries, 1);
    DROP(index);
    fixture_restart(f);
    page = fixture_page(f, (struct page){.user = "ben", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 2);
    DROP(page);
}

static void a_retry_gets_the_first_answer_whatever_became_of_the_sender(void **state)
{
    struct fixture *f = *state;
    struct say first = {.from = "cleo", .to = "g", .group = true, .id = "x", .hash = 1};
    struct said was, again;

    fixture_group(f, "Public", "g", "anna", 2, two);
    was = fixture_said(f, first);
    assert_int_equal(was.code, 0);
    set_member(f, "g", "anna", false, "cleo", "MuteTime", "", 60);
    again = fixture_said(f, first);
    assert_true(again.duplicate && again.code == 0 && again.seq == was.seq);
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_MUTED);
    fixture_moved(f, false, (struct move){.group = "g", .user = "cleo", .admin = true});
    again = fixture_said(f, first);
    assert_true(again.duplicate && again.code == 0 && again.seq == was.seq);
    first.id = "y";
    assert_int_equal(fixture_said(f, first).code, HY_CODE_GROUP_DENIED);
}

static void mutes_outlive_membership_and_end(void **state)
{
    struct fixture *f = *state;

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_member(f, "g", "ben", false, "cleo", "MuteTime", "", 60),
                     HY_CODE_GROUP_DENIED);
    assert_int_equal(set_member(f, "g", "anna", false, "cleo", "MuteTime", "", 60), 0);
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_MUTED);
    fixture_restart(f);
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_MUTED);
    fixture_moved(f, false, (struct move){.group = "g", .user = "cleo", .admin = true});
    fixture_moved(f, true, (struct move){.group = "g", .user = "cleo", .admin = true});
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_MUTED);
    f->now_ms += 61 * 1000;
    assert_int_equal(say(f, "g", "cleo").code, 0);
    assert_int_equal(set_field(f, "g", "anna", false, "MuteAllMember", "", 1), 0);
    assert_int_equal(say(f, "g", "cleo").code, HY_CODE_GROUP_MUTED);
    assert_int_equal(say(f, "g", "anna").code, 0);
}

static void roles_are_the_owners_to_give(void **state)
{
    struct fixture *f = *state;
    Hy__StoreGroupOwnerReq req = HY__STORE_GROUP_OWNER_REQ__INIT;
    Hy__GroupRes *res;

    fixture_group(f, "Public", "g", "anna", 2, two);
    fixture_group(f, "Private", "p", "anna", 2, two);
    assert_int_equal(set_member(f, "g", "ben", false, "cleo", "Role", "", 2), HY_CODE_GROUP_DENIED);
    assert_int_equal(set_member(f, "g", "anna", false, "ben", "Role", "", 2), 0);
    assert_int_equal(set_member(f, "p", "anna", false, "ben", "Role", "", 2), HY_CODE_GROUP_DENIED);
    assert_int_equal(set_member(f, "g", "ben", false, "cleo", "MuteTime", "", 9), 0);
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.operator_id = (char *)"anna";
    req.new_owner = (char *)"dan";
    res = ASK(f, GROUP_OWNER, req, Hy__GroupRes, hy__group_res);
    assert_int_equal(res->code, HY_CODE_GROUP_PARAM);
    DROP(res);
    req.new_owner = (char *)"ben";
    res = ASK(f, GROUP_OWNER, req, Hy__GroupRes, hy__group_res);
    assert_int_equal(res->code, 0);
    assert_string_equal(res->group->owner, "ben");
    DROP(res);
    assert_int_equal(destroy(f, "g", "anna", false, NULL), HY_CODE_GROUP_DENIED);
    assert_int_equal(destroy(f, "g", "ben", false, NULL), 0);
}

static void fields_have_their_rules(void **state)
{
    struct fixture *f = *state;

    fixture_group(f, "Private", "p", "anna", 2, two);
    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_field(f, "p", "ben", false, "Name", "New", 0), 0);
    assert_int_equal(set_field(f, "p", "ben", false, "Custom.k", "v", 0), HY_CODE_GROUP_DENIED);
    assert_int_equal(set_field(f, "g", "ben", false, "Name", "New", 0), HY_CODE_GROUP_DENIED);
    assert_int_equal(
        set_field(f, "g", "anna", false, "Name", "a name that is far longer than thirty bytes", 0),
        HY_CODE_GROUP_PARAM);
    assert_int_equal(set_field(f, "g", "anna", false, "Custom.key_1", "v", 0), 0);
    assert_int_equal(set_field(f, "g", "anna", false, "Custom.bad-key", "v", 0),
                     HY_CODE_GROUP_PARAM);
    assert_int_equal(set_field(f, "g", "anna", false, "ApplyJoinOption", "Maybe", 0),
                     HY_CODE_GROUP_PARAM);
    assert_int_equal(set_field(f, "g", "anna", false, "ApplyJoinOption", "FreeAccess", 0), 0);
    assert_int_equal(
        fixture_moved(f, true, (struct move){.group = "g", .user = "dan", .join = true}), 0);
    assert_int_equal(set_field(f, "p", "", true, "MuteAllMember", "", 1), HY_CODE_GROUP_DENIED);
}

static void a_group_has_a_rate_and_some_are_above_it(void **state)
{
    struct fixture *f = *state;
    struct said last = {0};

    fixture_group(f, "Public", "g", "anna", 2, two);
    for (int i = 0; i < 41; i++)
        last = say(f, "g", "ben");
    assert_int_equal(last.code, HY_CODE_GROUP_MSG_RATE);
    last = fixture_said(f, (struct say){.from = "ben", .to = "g", .group = true, .admin = true});
    assert_int_equal(last.code, 0);
    assert_true(last.dropped);
    assert_int_equal(last.seq, 0);
    assert_int_equal(say(f, "g", "anna").code, 0);
    assert_int_equal(
        fixture_said(f, (struct say){.from = "ben", .to = "g", .group = true, .priority = 1}).seq,
        42);
    f->now_ms += 1000;
    assert_int_equal(say(f, "g", "ben").code, 0);
}

static void live_rooms_number_and_keep_nothing(void **state)
{
    struct fixture *f = *state;
    struct say live = {
        .from = "dan", .to = "l", .group = true, .in_room = true, .id = "1", .hash = 1};
    struct said said;
    Hy__HistoryRes *page;

    fixture_group(f, "AVChatRoom", "l", "anna", 0, NULL);
    fixture_group(f, "BChatRoom", "b", "anna", 0, NULL);
    assert_int_equal(say(f, "l", "dan").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(fixture_said(f, live).seq, 1);
    said = fixture_said(f, live);
    assert_int_equal(said.seq, 1);
    assert_true(said.duplicate);
    live.id = "2";
    assert_int_equal(fixture_said(f, live).seq, 2);
    page = fixture_page(f, (struct page){.user = "anna", .peer = "l", .group = true});
    assert_int_equal(page->code, HY_CODE_GROUP_NO_HISTORY);
    DROP(page);
    live.to = "b";
    assert_int_equal(fixture_said(f, live).code, HY_CODE_GROUP_DENIED);
    live.admin = true;
    assert_int_equal(fixture_said(f, live).seq, 1);
    fixture_restart(f);
    live.to = "l";
    live.id = "3";
    assert_true(fixture_said(f, live).seq > 2);
}

static void deleting_by_sender_leaves_places(void **state)
{
    struct fixture *f = *state;
    Hy__StoreDeleteReq req = HY__STORE_DELETE_REQ__INIT;
    Hy__StoreRes *res;
    Hy__HistoryRes *page;

    fixture_group(f, "Public", "g", "anna", 2, two);
    say(f, "g", "ben");
    say(f, "g", "anna");
    say(f, "g", "ben");
    page = fixture_page(f, (struct page){.user = "cleo", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 3); /* from now on in memory, too */
    DROP(page);
    req.app = FIXTURE_APP;
    req.group = (char *)"g";
    req.sender = (char *)"ben";
    res = ASK(f, DELETE_BY_SENDER, req, Hy__StoreRes, hy__store_res);
    assert_int_equal(res->code, 0);
    DROP(res);
    page = fixture_page(f, (struct page){.user = "cleo", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 1);
    assert_int_equal(page->msgs[0]->seq, 2);
    DROP(page);
    page = fixture_page(
        f, (struct page){.user = "", .peer = "g", .group = true, .admin = true, .places = true});
    assert_int_equal(page->n_msgs, 3);
    assert_int_equal(page->msgs[0]->seq, 1);
    assert_int_equal(page->msgs[0]->body.len, 0);
    assert_true((page->msgs[0]->flags & HY__MSG_FLAG__MSG_DELETED) != 0);
    assert_string_equal(page->msgs[0]->from, "ben");
    assert_int_equal(page->msgs[0]->time_ms, f->now_ms);
    DROP(page);
}

static void a_repeated_operation_gets_the_first_answer(void **state)
{
    struct fixture *f = *state;
    struct move move = {.group = "g", .user = "dan", .admin = true, .op_id = "op-1"};
    Hy__StoreMembersRes *a, *b;

    fixture_group(f, "Public", "g", "anna", 2, two);
    a = fixture_move(f, true, move);
    fixture_moved(f, false, (struct move){.group = "g", .user = "dan", .admin = true});
    b = fixture_move(f, true, move);
    assert_int_equal(b->results[0]->result, 1);
    assert_int_equal(b->tips[0]->seq, a->tips[0]->seq);
    DROP(a);
    DROP(b);
    assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED); /* it was not done again */
    fixture_restart(f);
    b = fixture_move(f, true, move);
    assert_int_equal(b->results[0]->result, 1);
    DROP(b);
    assert_int_equal(say(f, "g", "dan").code, HY_CODE_GROUP_DENIED);
}

/* Who is to leave which group: names, a NUL behind each. */
struct leavers {
    const char *group, *users;
    size_t len;
};
#define NAMES(text) text, sizeof(text)

static Hy__StoreSweepRes *sweep(struct fixture *f, size_t n, const struct leavers *leavers)
{
    Hy__StoreSweepReq req = HY__STORE_SWEEP_REQ__INIT;
    Hy__SweepGroup group[4], *groups[4];

    req.app = FIXTURE_APP;
    req.groups = groups;
    for (size_t i = 0; i < n; i++) {
        hy__sweep_group__init(&group[i]);
        group[i].group = (char *)leavers[i].group;
        group[i].users = (ProtobufCBinaryData){leavers[i].len, (uint8_t *)leavers[i].users};
        groups[req.n_groups++] = &group[i];
    }
    return ASK(f, SWEEP, req, Hy__StoreSweepRes, hy__store_sweep_res);
}

/* The groups that a user is to be swept from: "g h ". */
static void assert_list(struct fixture *f, const char *user, const char *expected)
{
    Hy__StoreSweepListReq req = HY__STORE_SWEEP_LIST_REQ__INIT;
    char *users[] = {(char *)user}, found[64] = "";
    Hy__StoreSweepListRes *res;

    req.app = FIXTURE_APP;
    req.users = users;
    req.n_users = 1;
    res = ASK(f, SWEEP_LIST, req, Hy__StoreSweepListRes, hy__store_sweep_list_res);
    assert_int_equal(res->n_groups, 1);
    for (size_t i = 0; i < res->groups[0].len; i++)
        found[i] = res->groups[0].data[i] == 0 ? ' ' : (char)res->groups[0].data[i];
    assert_string_equal(found, expected);
    DROP(res);
}

static void the_sweep_takes_out_members_where_it_is_on(void **state)
{
    struct fixture *f = *state;
    Hy__SweepScanReq scan = HY__SWEEP_SCAN_REQ__INIT;
    Hy__SweepScanRes *found;
    Hy__StoreSweepRes *res;

    fixture_group(f, "Public", "g", "anna", 2, two);
    fixture_group(f, "Public", "h", "dan", 0, NULL);
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("ben")}});
    assert_int_equal(res->code, 0);
    assert_int_equal(res->removed, 0); /* nobody asked for it */
    DROP(res);
    assert_list(f, "ben", "");
    assert_int_equal(set_field(f, "g", "", true, "Sweep", "", 1), 0);
    found = ASK(f, SWEEP_SCAN, scan, Hy__SweepScanRes, hy__sweep_scan_res);
    assert_int_equal(found->n_users, 3);
    assert_int_equal(found->cursor.len, 0);
    DROP(found);
    scan.limit = 1;
    for (int i = 0; i < 3; i++) {
        found = ASK(f, SWEEP_SCAN, scan, Hy__SweepScanRes, hy__sweep_scan_res);
        assert_int_equal(found->n_users, 1);
        free(i == 0 ? NULL : scan.cursor.data);
        scan.cursor.len = found->cursor.len;
        scan.cursor.data = malloc(found->cursor.len + 1);
        if (found->cursor.len > 0) /* the last page has none */
            memcpy(scan.cursor.data, found->cursor.data, found->cursor.len);
        DROP(found);
    }
    free(scan.cursor.data);
    assert_list(f, "ben", "g ");
    res = sweep(f, 2, (struct leavers[]){{"g", NAMES("anna\0ben\0zoe")}, {"h", NAMES("dan")}});
    assert_int_equal(res->code, 0);
    assert_int_equal(res->removed, 1);
    assert_int_equal(res->absent, 1); /* zoe; the owner stays */
    assert_int_equal(res->n_groups, 1);
    assert_string_equal(res->groups[0]->group, "g");
    assert_int_equal(res->groups[0]->gone.len, 4);
    assert_memory_equal(res->groups[0]->gone.data, "ben", 4);
    assert_int_equal(res->groups[0]->stayed.len, 10);
    assert_memory_equal(res->groups[0]->stayed.data, "anna\0cleo", 10);
    DROP(res);
    assert_list(f, "ben", "");
    assert_int_equal(say(f, "g", "ben").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(say(f, "g", "anna").code, 0);
}

/* Who is in the group, by name: "anna ben "; with the number that the group's head has. */
static uint32_t members_of(struct fixture *f, const char *group, char out[static 256])
{
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq which = HY__MEMBERS_GET_REQ__INIT;
    Hy__StoreMembersGetRes *res;
    uint32_t total;

    which.group = (char *)group;
    req.app = FIXTURE_APP;
    req.admin = true;
    req.req = &which;
    res = ASK(f, MEMBERS_GET, req, Hy__StoreMembersGetRes, hy__store_members_get_res);
    assert_int_equal(res->code, 0);
    out[0] = '\0';
    for (size_t i = 0; i < res->n_members; i++) {
        strcat(out, res->members[i]->user);
        strcat(out, " ");
    }
    total = res->total;
    DROP(res);
    return total;
}

static void assert_members(struct fixture *f, const char *group, uint32_t count, const char *names)
{
    char found[256];

    assert_int_equal(members_of(f, group, found), count);
    assert_string_equal(found, names);
}

/* A command that comes twice, as after a store was killed before its answer left: each member is
 * out once, with one tip and one new version, and the second answer says that something is amiss.
 */
static void a_sweep_that_comes_twice_is_done_once(void **state)
{
    struct fixture *f = *state;
    Hy__StoreSweepRes *res;
    Hy__HistoryRes *page;
    Hy__Body *body;
    uint64_t version;

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_field(f, "g", "", true, "Sweep", "", 1), 0);
    fixture_restart(f); /* the group is not in memory */
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("ben\0cleo")}});
    assert_int_equal(res->removed, 2);
    version = res->groups[0]->member_version;
    DROP(res);
    fixture_restart(f);
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("ben\0cleo")}});
    assert_int_equal(res->removed, 0);
    assert_int_equal(res->absent, 2);
    assert_int_equal(res->n_groups, 0);
    DROP(res);
    assert_members(f, "g", 1, "anna ");
    page = fixture_page(f, (struct page){.user = "anna", .peer = "g", .group = true});
    assert_int_equal(page->n_msgs, 2); /* the switch, and the sweep */
    body = hy__body__unpack(NULL, page->msgs[1]->body.len, page->msgs[1]->body.data);
    assert_string_equal(body->elems[0]->tip->reason, "sweep");
    assert_int_equal(body->elems[0]->tip->n_members, 2);
    assert_string_equal(body->elems[0]->tip->members[1]->user, "cleo");
    DROP(body);
    DROP(page);
    fixture_moved(f, true, (struct move){.group = "g", .user = "ben", .admin = true});
    assert_members(f, "g", 2, "anna ben ");
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("ben")}}); /* now it is in memory */
    assert_int_equal(res->removed, 1);
    assert_true(res->groups[0]->member_version > version);
    DROP(res);
    assert_members(f, "g", 1, "anna ");
    assert_int_equal(say(f, "g", "ben").code, HY_CODE_GROUP_DENIED);
}

/* What was decided just before, and is not written yet, counts. */
static void a_sweep_sees_what_waits_to_be_written(void **state)
{
    struct fixture *f = *state;
    Hy__StoreMembersReq add = HY__STORE_MEMBERS_REQ__INIT;
    Hy__MemberInfo dan = HY__MEMBER_INFO__INIT, *members[] = {&dan};
    Hy__StoreSweepRes *res;

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_field(f, "g", "", true, "Sweep", "", 1), 0);
    add.app = FIXTURE_APP;
    add.group = (char *)"g";
    add.admin = true;
    add.members = members;
    add.n_members = 1;
    dan.user = (char *)"dan";
    fixture_put(f, HY__BUS_KIND__STORE_MEMBERS_ADD, &add.base);
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("dan")}});
    assert_int_equal(res->removed, 1);
    DROP(res);
    assert_members(f, "g", 3, "anna ben cleo ");
}

/* Of a group that is not walked through the others are not named. */
/* Groups of one slot come in the order of their ids, and were made in another: all are found, by
 * steps from one to the next, and each loses whom it is to lose. */
static void a_sweep_of_many_groups_of_a_slot_finds_each(void **state)
{
    struct fixture *f = *state;
    char ids[4][16];
    struct leavers leavers[4];
    uint16_t slot = hy_slot_group(FIXTURE_APP, "n0");
    size_t found = 0;
    Hy__StoreSweepRes *res;

    for (unsigned n = 0; found < 4; n++) {
        snprintf(ids[found], sizeof ids[found], "n%07u", n);
        found += hy_slot_group(FIXTURE_APP, ids[found]) == slot;
    }
    for (size_t i = 4; i-- > 0;) {
        leavers[i] = (struct leavers){ids[i], NAMES("ben\0dan")};
        if (i == 2)
            continue; /* there is none such */
        fixture_group(f, "Public", ids[i], "anna", 2, two);
        assert_int_equal(set_field(f, ids[i], "", true, "Sweep", "", 1), 0);
    }
    fixture_restart(f);                               /* nothing is in memory */
    assert_int_equal(say(f, ids[1], "cleo").code, 0); /* but this one */
    res = sweep(f, 4, leavers);
    assert_int_equal(res->code, 0);
    assert_int_equal(res->removed, 3);
    assert_int_equal(res->absent, 3); /* dan is nowhere */
    assert_int_equal(res->n_groups, 3);
    DROP(res);
    for (size_t i = 0; i < 4; i++)
        if (i != 2)
            assert_members(f, ids[i], 2, "anna cleo ");
    res = sweep(f, 4, leavers);
    assert_int_equal(res->removed, 0);
    DROP(res);
    fixture_restart(f);
    for (size_t i = 0; i < 4; i++)
        if (i != 2)
            assert_members(f, ids[i], 2, "anna cleo ");
}

/* More deleted rows lie before a user's group than a walk over all users passes by. */
static void a_list_is_whole_behind_many_deleted_rows(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 220; i++) {
        char group[16];

        snprintf(group, sizeof group, "g%03d", i);
        fixture_group(f, "Public", group, "anna", 1, two);
        assert_int_equal(set_field(f, group, "", true, "Sweep", "", 1), 0);
        DROP(sweep(f, 1, (struct leavers[]){{group, NAMES("ben")}}));
    }
    assert_list(f, "ben", "");
    fixture_group(f, "Public", "z", "anna", 1, two);
    assert_int_equal(set_field(f, "z", "", true, "Sweep", "", 1), 0);
    assert_list(f, "ben", "z ");
}

static void a_large_group_is_swept_by_name(void **state)
{
    struct fixture *f = *state;
    Hy__StoreSweepRes *res;
    char user[16];

    fixture_group(f, "Public", "g", "anna", 2, two);
    assert_int_equal(set_field(f, "g", "", true, "Sweep", "", 1), 0);
    for (int i = 0; i < 220; i++) { /* those who have rows of their own are many, too */
        snprintf(user, sizeof user, "u%03d", i);
        fixture_moved(f, true, (struct move){.group = "g", .user = user, .admin = true});
    }
    res = sweep(f, 1, (struct leavers[]){{"g", NAMES("anna\0ben\0u007\0u219\0zoe")}});
    assert_int_equal(res->removed, 3);
    assert_int_equal(res->absent, 1);
    assert_true(res->groups[0]->many);
    assert_int_equal(res->groups[0]->stayed.len, 0);
    DROP(res);
    assert_int_equal(say(f, "g", "u007").code, HY_CODE_GROUP_DENIED);
    assert_int_equal(say(f, "g", "u008").code, 0);
}

static void groups_are_imported_by_hundreds(void **state)
{
    struct fixture *f = *state;
    Hy__StoreGroupsImportReq req = HY__STORE_GROUPS_IMPORT_REQ__INIT;
    Hy__StoreGroupCreateReq create[3], *groups[3];
    Hy__GroupInfo info[3];
    Hy__MemberInfo ben = HY__MEMBER_INFO__INIT, *members[] = {&ben, &ben};
    Hy__StoreGroupsImportRes *res;
    static const char *const ids[] = {"g", "h", "g"}; /* one comes twice */

    ben.user = (char *)"ben";
    for (int i = 0; i < 3; i++) {
        hy__store_group_create_req__init(&create[i]);
        hy__group_info__init(&info[i]);
        groups[i] = &create[i];
        create[i].app = FIXTURE_APP;
        create[i].info = &info[i];
        create[i].members = members;
        create[i].n_members = 2;
        info[i].group = info[i].name = (char *)ids[i];
        info[i].type = (char *)"Public";
        info[i].owner = (char *)"anna";
    }
    req.groups = groups;
    req.n_groups = 3;
    for (int round = 0; round < 2; round++) {
        res = ASK(f, GROUPS_IMPORT, req, Hy__StoreGroupsImportRes, hy__store_groups_import_res);
        assert_int_equal(res->code, 0);
        assert_int_equal(res->n_codes, 3);
        assert_int_equal(res->codes[0], round == 0 ? 0 : HY_CODE_GROUP_ID_OWN);
        assert_int_equal(res->codes[1], round == 0 ? 0 : HY_CODE_GROUP_ID_OWN);
        assert_int_equal(res->codes[2], HY_CODE_GROUP_ID_OWN);
        DROP(res);
        assert_members(f, "g", 2, "anna ben ");
        assert_members(f, "h", 2, "anna ben ");
        assert_int_equal(say(f, "g", "ben").code, 0);
        fixture_restart(f);
    }
    info[0].type = (char *)"Dinner";
    res = ASK(f, GROUPS_IMPORT, req, Hy__StoreGroupsImportRes, hy__store_groups_import_res);
    assert_int_equal(res->codes[0], HY_CODE_GROUP_PARAM);
    DROP(res);
}

static void groups_of_an_app_are_listed_page_by_page(void **state)
{
    struct fixture *f = *state;
    Hy__GroupScanReq req = HY__GROUP_SCAN_REQ__INIT;
    Hy__GroupScanRes *res;
    size_t found = 0;
    char id[16];

    for (int i = 0; i < 25; i++) {
        snprintf(id, sizeof id, "g%d", i);
        fixture_group(f, i % 5 == 0 ? "ChatRoom" : "Public", id, "anna", 0, NULL);
    }
    destroy(f, "g1", "anna", false, NULL);
    req.app = FIXTURE_APP;
    req.limit = 7;
    do {
        res = ASK(f, GROUP_SCAN, req, Hy__GroupScanRes, hy__group_scan_res);
        found += res->n_groups;
        assert_int_equal(res->total, 24);
        req.cursor = res->cursor;
        DROP(res);
    } while (req.cursor != 0);
    assert_int_equal(found, 24);
    req.type = (char *)"Meeting";
    req.limit = 0;
    res = ASK(f, GROUP_SCAN, req, Hy__GroupScanRes, hy__group_scan_res);
    assert_int_equal(res->n_groups, 5);
    assert_int_equal(res->total, 5);
    DROP(res);
}

static void an_app_has_a_quota_of_groups(void **state)
{
    struct fixture *f = *state;
    Hy__App app = fixture_app();

    app.max_groups = 2;
    assert_int_equal(fixture_app_put(f, &app), 0);
    assert_int_equal(fixture_group(f, "Public", "a", "anna", 0, NULL), 0);
    assert_int_equal(fixture_group(f, "Public", "b", "anna", 0, NULL), 0);
    assert_int_equal(fixture_group(f, "Public", "c", "anna", 0, NULL), HY_CODE_GROUP_QUOTA);
    destroy(f, "a", "anna", false, NULL);
    assert_int_equal(fixture_group(f, "Public", "c", "anna", 0, NULL), 0);
    fixture_restart(f);
    assert_int_equal(fixture_group(f, "Public", "d", "anna", 0, NULL), HY_CODE_GROUP_QUOTA);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_group_is_made_with_its_owner_and_members),
        T(members_come_with_a_message_where_they_are_wanted),
        T(strangers_see_and_say_nothing_in_a_private_group),
        T(group_unread_is_exact_without_a_write_per_member),
        T(newcomers_see_the_past_only_where_the_type_says_so),
        T(joining_and_leaving_is_told_where_the_type_says_so),
        T(who_may_come_and_go),
        T(a_full_group_takes_nobody),
        T(a_group_made_again_is_another_group),
        T(a_retry_gets_the_first_answer_whatever_became_of_the_sender),
        T(mutes_outlive_membership_and_end),
        T(roles_are_the_owners_to_give),
        T(fields_have_their_rules),
        T(a_group_has_a_rate_and_some_are_above_it),
        T(live_rooms_number_and_keep_nothing),
        T(deleting_by_sender_leaves_places),
        T(a_repeated_operation_gets_the_first_answer),
        T(the_sweep_takes_out_members_where_it_is_on),
        T(a_sweep_that_comes_twice_is_done_once),
        T(a_sweep_sees_what_waits_to_be_written),
        T(a_sweep_of_many_groups_of_a_slot_finds_each),
        T(a_list_is_whole_behind_many_deleted_rows),
        T(a_large_group_is_swept_by_name),
        T(groups_are_imported_by_hundreds),
        T(groups_of_an_app_are_listed_page_by_page),
        T(an_app_has_a_quota_of_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
