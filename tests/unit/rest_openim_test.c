/* rest_openim_test - one-to-one sends, online states, history. */

#include "rest_fake.h"

#define BODY "'MsgBody':[{'MsgType':'TIMTextElem','MsgContent':{'Text':'hi'}}]"

static uint32_t sendmsg_with(const char *fields)
{
    return fake_call("openim/sendmsg", "{'To_Account':'ben','MsgRandom':5," BODY "%s}", fields);
}

static void a_message_goes_as_it_was_told(void **state)
{
    const Hy__SendCall *call;
    const Hy__SendReq *req;

    (void)state;
    assert_int_equal(
        fake_call("openim/sendmsg",
                  "{'SyncOtherMachine':1,'From_Account':'anna','To_Account':'ben',"
                  "'MsgLifeTime':60,'MsgSeq':431,'MsgRandom':12873,'MsgTimeStamp':1546300900,"
                  "'OfflinePushInfo':{'PushFlag':1,'Desc':'d'},'CloudCustomData':'c'," BODY "}"),
        0);
    assert_int_equal(fake_int("MsgTime"), FAKE_TIME_S);
    assert_string_equal(fake_string("MsgKey"), "431_12873_1546300901");
    call = fake_last_send();
    req = call->items[0]->req;
    assert_string_equal(call->caller->user, "anna");
    assert_true(call->caller->admin);
    assert_string_equal(call->to, "ben");
    assert_int_equal(call->conv_type, HY__CONV_TYPE__CONV_C2C);
    assert_int_equal(fake_last()->slot, hy_slot_pair(FAKE_APP, "ben", "anna"));
    assert_true(call->items[0]->sync_self);
    assert_int_equal(call->items[0]->life_s, 60);
    assert_int_equal(call->items[0]->rest_seq, 431);
    assert_int_equal(req->random, 12873);
    assert_int_equal(req->client_time_s, 1546300900);
    assert_int_equal(req->flags, HY__MSG_FLAG__MSG_NO_PUSH);
    assert_int_equal(req->cloud_custom_data.len, 1);
    assert_true(req->offline_push.len > 0);
    assert_true(strlen(req->client_id) > 0 && strlen(req->client_id) <= 64);
}

static void the_same_three_numbers_are_the_same_message(void **state)
{
    char first[65];

    (void)state;
    assert_int_equal(sendmsg_with(",'MsgSeq':1,'MsgTimeStamp':1546300900"), 0);
    snprintf(first, sizeof first, "%s", fake_last_send()->items[0]->req->client_id);
    assert_int_equal(sendmsg_with(",'MsgSeq':'1','MsgTimeStamp':'1546300900'"), 0);
    assert_string_equal(fake_last_send()->items[0]->req->client_id, first);
    assert_int_equal(sendmsg_with(",'MsgSeq':2,'MsgTimeStamp':1546300900"), 0);
    assert_string_not_equal(fake_last_send()->items[0]->req->client_id, first);
    assert_int_equal(sendmsg_with(""), 0);
    snprintf(first, sizeof first, "%s", fake_last_send()->items[0]->req->client_id);
    assert_int_equal(sendmsg_with(""), 0);
    assert_string_not_equal(fake_last_send()->items[0]->req->client_id, first);
}

static void flags_follow_the_control_fields(void **state)
{
    static const struct {
        const char *fields;
        uint32_t flags;
    } rows[] = {
        {"", 0},
        {",'MsgLifeTime':0", HY__MSG_FLAG__MSG_ONLINE_ONLY},
        {",'OnlineOnlyFlag':1", HY__MSG_FLAG__MSG_ONLINE_ONLY},
        {",'SyncOtherMachine':2", HY__MSG_FLAG__MSG_NO_SELF_SYNC},
        {",'SendMsgControl':['NoUnread','NoLastMsg','WithMuteNotifications']",
         HY__MSG_FLAG__MSG_NO_UNREAD | HY__MSG_FLAG__MSG_NO_LAST},
        {",'IsNeedReadReceipt':1", HY__MSG_FLAG__MSG_NEED_RECEIPT},
        {",'SendMsgControl':null,'OfflinePushInfo':null,'MsgLifeTime':null", 0},
        {",'ForbidCallbackControl':['ForbidBeforeSendMsgCallback']", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(sendmsg_with(rows[i].fields), 0);
        assert_int_equal(fake_last_send()->items[0]->req->flags, rows[i].flags);
    }
}

static void each_wrong_field_has_its_code(void **state)
{
    static const struct {
        uint32_t code;
        const char *body;
    } rows[] = {
        {90003, "{'MsgRandom':5," BODY "}"},
        {90003, "{'To_Account':['ben'],'MsgRandom':5," BODY "}"},
        {90003, "{'To_Account':'','MsgRandom':5," BODY "}"},
        {90008, "{'From_Account':7,'To_Account':'ben','MsgRandom':5," BODY "}"},
        {90005, "{'To_Account':'ben'," BODY "}"},
        {90005, "{'To_Account':'ben','MsgRandom':'x'," BODY "}"},
        {90005, "{'To_Account':'ben','MsgRandom':4294967296," BODY "}"},
        {90004, "{'To_Account':'ben','MsgRandom':5,'MsgSeq':'x'," BODY "}"},
        {90006, "{'To_Account':'ben','MsgRandom':5,'MsgTimeStamp':'x'," BODY "}"},
        {90002, "{'To_Account':'ben','MsgRandom':5}"},
        {90002, "{'To_Account':'ben','MsgRandom':5,'MsgBody':[]}"},
        {90007, "{'To_Account':'ben','MsgRandom':5,'MsgBody':{}}"},
        {90007, "{'To_Account':'ben','MsgRandom':5,'MsgBody':'hi'}"},
        {90010, "{'To_Account':'ben','MsgRandom':5,'MsgBody':[{'MsgType':'X','MsgContent':{}}]}"},
        {90002, "{'To_Account':'ben','MsgRandom':5,'MsgBody':[{'MsgType':'TIMTextElem'}]}"},
        {90002, "{'To_Account':'ben','MsgRandom':5,'MsgBody':[{'MsgType':'TIMTextElem','MsgContent'"
                ":{}}]}"},
        {90002, "{'To_Account':'ben','MsgRandom':5,'MsgBody':["
                "{'MsgType':'TIMTextElem','MsgContent':{'Text':''}}]}"},
        {90026, "{'To_Account':'ben','MsgRandom':5,'MsgLifeTime':604801," BODY "}"},
        {90044, "{'To_Account':'ben','MsgRandom':5,'MsgLifeTime':'x'," BODY "}"},
        {90031, "{'To_Account':'ben','MsgRandom':5,'SyncOtherMachine':'x'," BODY "}"},
        {90043, "{'To_Account':'ben','MsgRandom':5,'OfflinePushInfo':'x'," BODY "}"},
        {90043, "{'To_Account':'ben','MsgRandom':5,'OfflinePushInfo':{'Desc':5}," BODY "}"},
        {90001, "{'To_Account':'ben','MsgRandom':5,'CloudCustomData':5," BODY "}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code = fake_call("openim/sendmsg", "%s", rows[i].body);

        if (code != rows[i].code)
            print_error("%s\n", rows[i].body);
        assert_int_equal(code, rows[i].code);
        assert_true(strlen(fake_string("ErrorInfo")) > 10);
    }
}

static void nine_kilobytes_are_the_limit(void **state)
{
    static char text[9300];

    (void)state;
    memset(text, 'x', sizeof text);
    text[9216] = '\0';
    assert_int_equal(fake_call("openim/sendmsg",
                               "{'To_Account':'ben','MsgRandom':5,'MsgBody':[{'MsgType':"
                               "'TIMTextElem','MsgContent':{'Text':'%s'}}]}",
                               text),
                     0);
    assert_int_equal(fake_call("openim/sendmsg",
                               "{'To_Account':'ben','MsgRandom':5,'CloudCustomData':'c','MsgBody':"
                               "[{'MsgType':'TIMTextElem','MsgContent':{'Text':'%s'}}]}",
                               text),
                     80002);
    text[9216] = 'x';
    text[9217] = '\0';
    assert_int_equal(fake_call("openim/sendmsg",
                               "{'To_Account':'ben','MsgRandom':5,'MsgBody':[{'MsgType':"
                               "'TIMTextElem','MsgContent':{'Text':'%s'}}]}",
                               text),
                     80002);
    assert_int_equal(fake_call("openim/batchsendmsg",
                               "{'To_Account':['ben'],'MsgRandom':5,'MsgBody':[{'MsgType':"
                               "'TIMTextElem','MsgContent':{'Text':'%s'}}]}",
                               text),
                     90055);
}

static bool like_a_router(const Hy__SendCall *call, Hy__SendResult *result)
{
    if (!fake_exists(call->caller->user))
        result->code = HY_CODE_REST_ACCOUNT;
    else if (!fake_exists(call->to))
        result->code = HY_CODE_REST_TO_UNKNOWN;
    else if (strcmp(call->to, "reused") == 0)
        result->code = HY_CODE_CLIENT_ID_REUSED;
    else if (strcmp(call->to, "full") == 0)
        result->code = HY_CODE_DISK_FULL;
    return true;
}

static void refusals_of_the_router_are_told(void **state)
{
    (void)state;
    fake.send = like_a_router;
    assert_int_equal(fake_call("openim/sendmsg", "{'To_Account':'nobody','MsgRandom':5," BODY "}"),
                     90012);
    assert_int_equal(fake_call("openim/sendmsg", "{'From_Account':'nobody','To_Account':'ben',"
                                                 "'MsgRandom':5," BODY "}"),
                     90048);
    assert_int_equal(fake_call("openim/sendmsg", "{'To_Account':'full','MsgRandom':5," BODY "}"),
                     200002);
    /* The same three numbers with another content: the first one counts. */
    assert_int_equal(fake_call("openim/sendmsg", "{'To_Account':'reused','MsgRandom':5," BODY "}"),
                     0);
}

static void a_batch_names_only_who_was_not_reached(void **state)
{
    (void)state;
    fake.send = like_a_router;
    assert_int_equal(fake_call("openim/batchsendmsg",
                               "{'To_Account':['ben','nobody','full','ben'],'MsgRandom':5," BODY
                               "}"),
                     0);
    assert_int_equal(json_array_size(fake_at("ErrorList")), 2);
    assert_string_equal(fake_string("ErrorList.0.To_Account"), "nobody");
    assert_int_equal(fake_int("ErrorList.0.ErrorCode"), 70107);
    assert_int_equal(fake_int("ErrorList.1.ErrorCode"), 200002);
    assert_non_null(strchr(fake_string("MsgKey"), '_'));
    assert_int_equal(
        fake_call("openim/batchsendmsg", "{'To_Account':['ben'],'MsgRandom':5," BODY "}"), 0);
    assert_true(json_is_array(fake_at("ErrorList")));
}

static void a_batch_that_reaches_nobody_fails(void **state)
{
    (void)state;
    fake.send = like_a_router;
    assert_int_equal(
        fake_call("openim/batchsendmsg", "{'To_Account':['nobody','no1'],'MsgRandom':5," BODY "}"),
        90012);
    assert_int_equal(fake_call("openim/batchsendmsg",
                               "{'From_Account':'nobody','To_Account':['ann','ben'],"
                               "'MsgRandom':5," BODY "}"),
                     90048);
}

static void a_batch_checks_its_list(void **state)
{
    static char list[8192];

    (void)state;
    assert_int_equal(
        fake_call("openim/batchsendmsg", "{'To_Account':'ben','MsgRandom':5," BODY "}"), 90028);
    assert_int_equal(fake_call("openim/batchsendmsg", "{'MsgRandom':5," BODY "}"), 90028);
    assert_int_equal(fake_call("openim/batchsendmsg", "{'To_Account':[],'MsgRandom':5," BODY "}"),
                     90029);
    for (int i = 0; i < 500; i++)
        sprintf(list + strlen(list), "%s'a%d'", i > 0 ? "," : "", i);
    assert_int_equal(
        fake_call("openim/batchsendmsg", "{'To_Account':[%s],'MsgRandom':5," BODY "}", list), 0);
    assert_true(fake.most_open <= 64);
    assert_int_equal(
        fake_call("openim/batchsendmsg", "{'To_Account':[%s,'x'],'MsgRandom':5," BODY "}", list),
        90011);
}

/* ---------------------------------------------------------------- states */

static bool states(const Hy__Frame *question, Hy__Frame *answer)
{
    Hy__StateGetRes *res = fake_get(sizeof *res);

    hy__state_get_res__init(res);
    res->n_states = question->state_get->n_users;
    res->states = fake_get(res->n_states * sizeof(Hy__UserState *));
    for (size_t i = 0; i < res->n_states; i++) {
        Hy__UserState *s = res->states[i] = fake_get(sizeof *s);

        hy__user_state__init(s);
        s->user = question->state_get->users[i];
        s->state = strcmp(s->user, "ann") == 0 ? 1 : strcmp(s->user, "ben") == 0 ? 3 : 2;
        if (s->state != 1)
            continue;
        s->n_detail = 1;
        s->detail = fake_get(sizeof(Hy__PlatformState *));
        s->detail[0] = fake_get(sizeof(Hy__PlatformState));
        hy__platform_state__init(s->detail[0]);
        s->detail[0]->platform = HY__PLATFORM__PLATFORM_WINDOWS;
        s->detail[0]->state = 1;
    }
    answer->body_case = HY__FRAME__BODY_STATE_GET_RES;
    answer->state_get_res = res;
    return true;
}

static void states_come_in_both_forms(void **state)
{
    (void)state;
    fake.frame = states;
    assert_int_equal(
        fake_call("openim/querystate", "{'To_Account':['ann','ben','cy','nobody','']}"), 0);
    assert_int_equal(json_array_size(fake_at("QueryResult")), 5);
    assert_string_equal(fake_string("QueryResult.0.State"), "Online");
    assert_string_equal(fake_string("QueryResult.1.State"), "PushOnline");
    assert_string_equal(fake_string("QueryResult.2.State"), "Offline");
    assert_string_equal(fake_string("QueryResult.4.State"), "Offline");
    assert_null(fake_at("QueryResult.0.Detail"));
    assert_null(fake_at("ErrorList"));
    assert_int_equal(fake_call("openim/query_online_status",
                               "{'IsNeedDetail':'1','To_Account':['ann','ben','nobody','']}"),
                     0);
    assert_int_equal(json_array_size(fake_at("QueryResult")), 2);
    assert_string_equal(fake_string("QueryResult.0.Status"), "Online");
    assert_string_equal(fake_string("QueryResult.0.Detail.0.Platform"), "PC");
    assert_string_equal(fake_string("QueryResult.0.Detail.0.Status"), "Online");
    assert_int_equal(json_array_size(fake_at("ErrorList")), 2);
    assert_string_equal(fake_string("ErrorList.0.To_Account"), "nobody");
    assert_int_equal(fake_int("ErrorList.0.ErrorCode"), 70107);
}

static void state_queries_check_their_list(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':[]}"), 90001);
    assert_int_equal(fake_call("openim/querystate", "{}"), 90003);
    assert_int_equal(fake_call("openim/query_online_status", "{'To_Account':[]}"), 90001);
}

/* ---------------------------------------------------------------- history */

/* 25 messages, two a second, ann's odd ones by REST. */
static bool history(const Hy__AdminCall *call, Hy__AdminAnswer *answer)
{
    Hy__HistoryRes *res;
    const Hy__Roam *roam = call->roam;
    size_t taken = 0;

    if (call->op_case != HY__ADMIN_CALL__OP_ROAM)
        return false;
    res = fake_get(sizeof *res);
    hy__history_res__init(res);
    res->msgs = fake_get(32 * sizeof(Hy__Msg *));
    res->complete = true;
    for (uint64_t seq = 25; seq > 0; seq--) {
        uint64_t time_s = 1000 + seq / 2;
        Hy__Msg *m;

        if (time_s < roam->min_time_s || time_s > roam->max_time_s ||
            (roam->before_seq != 0 && seq >= roam->before_seq))
            continue;
        if (taken == roam->max_count) {
            res->complete = false;
            res->next_seq = seq;
            res->next_ms = time_s * 1000;
            break;
        }
        m = fake_get(sizeof *m);
        hy__msg__init(m);
        m->from = fake_text("%s", seq % 2 != 0 ? "ann" : "ben");
        m->to = fake_text("%s", seq % 2 != 0 ? "ben" : "ann");
        m->seq = seq;
        m->random = (uint32_t)seq * 10;
        m->rest_seq = seq % 2 != 0 ? 77 : 0;
        m->time_ms = time_s * 1000;
        memmove(res->msgs + 1, res->msgs, taken * sizeof(Hy__Msg *));
        res->msgs[0] = m;
        res->n_msgs = ++taken;
    }
    answer->res_case = HY__ADMIN_ANSWER__RES_HISTORY;
    answer->history = res;
    return true;
}

static void history_pages_walk_back_without_loss_or_repeat(void **state)
{
    char key[64] = "";
    json_int_t last = 2000, expected = 25;

    (void)state;
    fake.admin = history;
    for (int pages = 0; pages < 10; pages++) {
        size_t n;

        assert_int_equal(fake_call("openim/admin_getroammsg",
                                   "{'Operator_Account':'ann','Peer_Account':'ben','MaxCnt':7,"
                                   "'MinTime':0,'MaxTime':%lld,'LastMsgKey':'%s'}",
                                   (long long)last, key),
                         0);
        n = json_array_size(fake_at("MsgList"));
        assert_int_equal(fake_int("MsgCnt"), n);
        for (size_t i = 0; i < n; i++, expected--) {
            char path[64];

            snprintf(path, sizeof path, "MsgList.%zu.MsgRandom", i);
            assert_int_equal(fake_int(path), expected * 10);
            snprintf(path, sizeof path, "MsgList.%zu.MsgSeq", i);
            assert_int_equal(fake_int(path), expected % 2 != 0 ? 77 : expected);
        }
        if (fake_int("Complete") == 1)
            break;
        last = fake_int("LastMsgTime");
        snprintf(key, sizeof key, "%s", fake_string("LastMsgKey"));
    }
    assert_int_equal(expected, 0);
}

/* 60,000 messages, a hundred a second, of which the user sees one. */
static bool hidden_history(const Hy__AdminCall *call, Hy__AdminAnswer *answer)
{
    enum { STEP = 1000, SHOWN = 3500 };
    const Hy__Roam *roam = call->roam;
    Hy__HistoryRes *res;
    uint64_t top = (roam->max_time_s - 1000) * 100 + 99;

    if (call->op_case != HY__ADMIN_CALL__OP_ROAM)
        return false;
    if (top > 60000)
        top = 60000;
    if (roam->before_seq != 0 && roam->before_seq <= top)
        top = roam->before_seq - 1;
    res = fake_get(sizeof *res);
    hy__history_res__init(res);
    res->complete = top <= STEP;
    if (!res->complete) {
        res->next_seq = top - STEP;
        res->next_ms = (1000 + res->next_seq / 100) * 1000;
    }
    if (top >= SHOWN && top - STEP < SHOWN) {
        res->msgs = fake_get(sizeof(Hy__Msg *));
        res->msgs[0] = fake_get(sizeof(Hy__Msg));
        hy__msg__init(res->msgs[0]);
        res->msgs[0]->from = fake_text("ann");
        res->msgs[0]->to = fake_text("ben");
        res->msgs[0]->seq = SHOWN;
        res->msgs[0]->time_ms = (1000 + SHOWN / 100) * 1000;
        res->n_msgs = 1;
    }
    answer->res_case = HY__ADMIN_ANSWER__RES_HISTORY;
    answer->history = res;
    return true;
}

static void what_is_hidden_ends_no_history(void **state)
{
    json_int_t last = 2000, got = 0;
    int calls = 0;

    (void)state;
    fake.admin = hidden_history;
    do {
        assert_int_equal(fake_call("openim/admin_getroammsg",
                                   "{'Operator_Account':'ann','Peer_Account':'ben','MaxCnt':20,"
                                   "'MinTime':0,'MaxTime':%lld}",
                                   (long long)last),
                         0);
        got += fake_int("MsgCnt");
        assert_true(fake_int("Complete") == 1 || fake_int("LastMsgTime") < last);
        last = fake_int("LastMsgTime");
        calls++;
    } while (fake_int("Complete") == 0);
    assert_int_equal(got, 1);
    assert_int_equal(calls, 2); /* fifty thousand are looked at for one call */
}

static void history_takes_both_spellings_and_checks_its_fields(void **state)
{
    (void)state;
    fake.admin = history;
    assert_int_equal(fake_call("openim/admin_getroammsg",
                               "{'From_Account':'ann','To_Account':'ben','MaxCnt':100,"
                               "'MinTime':1010,'MaxTime':1011}"),
                     0);
    assert_int_equal(fake_int("MsgCnt"), 4);
    assert_int_equal(fake_int("Complete"), 1);
    assert_string_equal(fake_string("MsgList.0.From_Account"), "ann");
    assert_string_equal(fake_string("MsgList.0.To_Account"), "ben");
    assert_int_equal(fake_int("MsgList.0.MsgTimeStamp"), 1011);
    assert_int_equal(fake_int("MsgList.0.MsgFlagBits"), 0);
    assert_string_equal(fake_string("MsgList.0.MsgKey"), "77_230_1011");
    assert_string_equal(fake_string("LastMsgKey"), "20_200_1010");
    assert_int_equal(fake_call("openim/admin_getroammsg", "{'Peer_Account':'ben','MaxCnt':1,"
                                                          "'MinTime':0,'MaxTime':1}"),
                     90008);
    assert_int_equal(fake_call("openim/admin_getroammsg", "{'Operator_Account':'ann','MaxCnt':1,"
                                                          "'MinTime':0,'MaxTime':1}"),
                     90003);
    assert_int_equal(
        fake_call("openim/admin_getroammsg", "{'Operator_Account':'ann','Peer_Account':'ben'}"),
        90001);
    assert_int_equal(fake_call("openim/admin_getroammsg",
                               "{'Operator_Account':'ann','Peer_Account':'ben','MaxCnt':1,"
                               "'MinTime':0,'MaxTime':1,'LastMsgKey':'what'}"),
                     90054);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fake_start, fake_stop)
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_as_it_was_told),
        TEST(the_same_three_numbers_are_the_same_message),
        TEST(flags_follow_the_control_fields),
        TEST(each_wrong_field_has_its_code),
        TEST(nine_kilobytes_are_the_limit),
        TEST(refusals_of_the_router_are_told),
        TEST(a_batch_names_only_who_was_not_reached),
        TEST(a_batch_that_reaches_nobody_fails),
        TEST(a_batch_checks_its_list),
        TEST(states_come_in_both_forms),
        TEST(state_queries_check_their_list),
        TEST(history_pages_walk_back_without_loss_or_repeat),
        TEST(what_is_hidden_ends_no_history),
        TEST(history_takes_both_spellings_and_checks_its_fields),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    json_decref(fake_json);
    return failed;
}
