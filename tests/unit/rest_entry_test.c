/* rest_entry_test - the entry: URL, tickets, administrators, bodies, HTTP. */

#include "rest_fake.h"

static uint32_t call_as(const char *app, const char *identifier, const char *usersig)
{
    char target[8192];

    snprintf(target, sizeof target, "/v4/openim/querystate?%s%s%s", app, identifier, usersig);
    assert_int_equal(fake_request("POST", target, "{\"To_Account\":[\"ann\"]}", 22), 200);
    json_decref(fake_json);
    fake_json = json_loads(fake_body(), 0, NULL);
    assert_non_null(fake_json);
    return (uint32_t)fake_int("ErrorCode");
}

static const char *sig_of(const char *identifier)
{
    static char text[8192];

    snprintf(text, sizeof text, "&usersig=%s", fake_ticket(identifier));
    return text;
}

static void each_url_mistake_has_its_code(void **state)
{
    static const char app[] = "sdkappid=1400000001", who[] = "&identifier=administrator";
    char sig[HY_USERSIG_MAX], text[HY_USERSIG_MAX + 16];

    (void)state;
    assert_int_equal(call_as(app, who, sig_of("administrator")), 0);
    assert_int_equal(call_as("a=1", who, sig_of("administrator")), 60012);
    assert_int_equal(call_as("sdkappid=", who, sig_of("administrator")), 60012);
    assert_int_equal(call_as("sdkappid=1", who, sig_of("administrator")), 60006);
    assert_int_equal(call_as("sdkappid=abc", who, sig_of("administrator")), 60006);
    assert_int_equal(call_as("sdkappid=99999999999999999999", who, sig_of("administrator")), 60006);
    assert_int_equal(call_as(app, "", sig_of("administrator")), 60004);
    assert_int_equal(call_as(app, "&identifier=", sig_of("administrator")), 60004);
    assert_int_equal(call_as(app, "&identifier=%01", sig_of("administrator")), 60004);
    assert_int_equal(call_as(app, who, ""), 60005);
    assert_int_equal(call_as(app, who, "&usersig="), 70002);
    assert_int_equal(call_as(app, who, "&usersig=eJw*"), 70003);
    assert_int_equal(call_as(app, who, sig_of("ann")), 70013);
    assert_int_equal(call_as(app, "&identifier=ann", sig_of("ann")), 60010);
    assert_int_equal(call_as(app, "&identifier=boss", sig_of("boss")), 0);
    assert_int_equal(call_as(app, who, "&usersig=%zz"), 60002);
    assert_int_equal(
        hy_usersig_issue(FAKE_APP, "administrator", "other key", 1700000000, 3600, sig), HY_OK);
    snprintf(text, sizeof text, "&usersig=%s", sig);
    assert_int_equal(call_as(app, who, text), 70009);
    assert_int_equal(hy_usersig_issue(FAKE_APP, "administrator", FAKE_KEY, 1700000000, 3600, sig),
                     HY_OK);
    snprintf(text, sizeof text, "&usersig=%s", sig);
    assert_int_equal(call_as(app, who, text), 70001);
    assert_int_equal(hy_usersig_issue(1, "administrator", FAKE_KEY, hy_wall_ms() / 1000, 3600, sig),
                     HY_OK);
    snprintf(text, sizeof text, "&usersig=%s", sig);
    assert_int_equal(call_as(app, who, text), 70014);
}

static void old_spellings_and_escapes_of_the_url_are_fine(void **state)
{
    char sig[3 * HY_USERSIG_MAX] = "usersig=", *out = sig + 8;

    (void)state;
    for (const char *p = fake_ticket("administrator"); *p != '\0'; p++)
        out += sprintf(out, *p == '*' || *p == '_' || *p == '-' ? "%%%02X" : "%c", *p);
    assert_int_equal(call_as(sig, "&apn=1&identifier=administrator&ver=v4",
                             "&sdkAppid=1400000001&contenttype=json"),
                     0);
}

static void suspended_apps_are_refused_and_deleted_ones_unknown(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 0);
    fake_set_app(1, 2);
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 60016);
    fake_set_app(2, 3);
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 60006);
}

static void an_unknown_app_is_a_timeout_until_the_apps_are_known(void **state)
{
    (void)state;
    fake.unready = true;
    assert_int_equal(call_as("sdkappid=7", "&identifier=a", "&usersig=b"), 60008);
}

static void a_ticket_is_asked_about_once_in_ten_seconds(void **state)
{
    char target[8192];
    size_t asked = 0;

    (void)state;
    snprintf(target, sizeof target,
             "/v4/openim/querystate?sdkappid=%u&identifier=administrator&usersig=%s", FAKE_APP,
             fake_ticket("administrator"));
    for (int i = 0; i < 5; i++)
        assert_int_equal(fake_request("POST", target, "{\"To_Account\":[\"a\"]}", 20), 200);
    for (size_t i = 0; i < fake.asked_count; i++)
        asked += fake.asked[i].kind == HY__BUS_KIND__ROUTER_SIGN_IN;
    assert_int_equal(asked, 1);
}

static void a_revoked_ticket_is_refused(void **state)
{
    (void)state;
    fake.sign_in_code = HY_CODE_SIG_REVOKED;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 70052);
    assert_true(strlen(fake_string("ErrorInfo")) > 10);
}

static void who_kicks_himself_is_asked_about_again(void **state)
{
    (void)state;
    assert_int_equal(fake_call("im_open_login_svc/kick", "{'Identifier':'administrator'}"), 0);
    fake.sign_in_code = HY_CODE_SIG_REVOKED;
    assert_int_equal(fake_call("im_open_login_svc/kick", "{'Identifier':'ann'}"), 70052);
}

static void commands_that_do_not_exist_say_so(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/nosuch", "{}"), 60009);
    assert_int_equal(fake_call("nosuch/sendmsg", "{}"), 60009);
    assert_int_equal(fake_call("openim/sendmsg/", "{}"), 60009);
    assert_int_equal(fake_call("sns/friend_add", "{}"), 60009);
    assert_int_equal(fake_call("group_open_http_svc/nosuch", "{}"), 10003);
    assert_int_equal(fake_call("group_open_http_svc/Create_group", "{}"), 10003);
}

static void each_service_has_its_code_for_a_body_that_is_not_json(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/sendmsg", "{'a':"), 90001);
    assert_non_null(
        strstr(fake_string("ErrorInfo"), "Fail to Parse json data of body, Please check it"));
    assert_int_equal(fake_call("openim/sendmsg", "%s", ""), 90001);
    assert_int_equal(fake_call("openim/sendmsg", "[]"), 90001);
    assert_int_equal(fake_call("openim/sendmsg", "{'a':'\xff\xfe'}"), 90001);
    assert_int_equal(fake_call("group_open_http_svc/create_group", "x"), 10011);
    assert_int_equal(fake_call("profile/portrait_get", "x"), 40001);
    assert_string_equal(fake_string("ErrorDisplay"), "");
    assert_int_equal(fake_call("im_open_login_svc/kick", "x"), 70402);
}

static void a_body_over_the_limit_has_a_code_and_a_huge_one_is_not_read(void **state)
{
    size_t len = 200 * 1024;
    char *body = malloc(len), target[8192];

    (void)state;
    memset(body, ' ', len);
    snprintf(target, sizeof target,
             "/v4/openim/sendmsg?sdkappid=%u&identifier=administrator&usersig=%s", FAKE_APP,
             fake_ticket("administrator"));
    assert_int_equal(fake_request("POST", target, body, len), 200);
    assert_non_null(strstr(fake_body(), "93000"));
    free(body);
}

static void answers_carry_the_documented_headers(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 0);
    assert_non_null(strstr(fake_answer, "Content-Type: application/json"));
    assert_non_null(strstr(fake_answer, "Access-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(fake_answer, "Access-Control-Allow-Methods: POST\r\n"));
    assert_non_null(strstr(fake_answer, "Access-Control-Allow-Headers: X-Requested-With\r\n"));
    assert_non_null(strstr(fake_answer, "Server: "));
}

static void what_is_no_api_call_gets_an_http_status(void **state)
{
    (void)state;
    assert_int_equal(fake_request("OPTIONS", "/v4/openim/sendmsg", "", 0), 200);
    assert_non_null(strstr(fake_answer, "Access-Control-Allow-Origin: *\r\n"));
    assert_int_equal(fake_request("GET", "/v4/openim/sendmsg", "", 0), 405);
    assert_int_equal(fake_request("POST", "/", "", 0), 404);
    assert_int_equal(fake_request("POST", "/v5/openim/sendmsg", "", 0), 404);
    assert_int_equal(fake_request("POST", "/v4/openim", "", 0), 404);
}

static void a_silent_cluster_is_a_timeout_and_a_full_one_is_busy(void **state)
{
    (void)state;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 0);
    fake.err = HY_ETIMEOUT;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 60008);
    fake.err = HY_EBUSY;
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 200001);
}

static void closing_answers_what_is_under_way(void **state)
{
    char target[8192], head[10240];
    int fd = fake_connect();

    (void)state;
    fake.hold = true;
    snprintf(target, sizeof target,
             "/v4/openim/querystate?sdkappid=%u&identifier=administrator&usersig=%s", FAKE_APP,
             fake_ticket("administrator"));
    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
             target);
    fake_write(fd, head, strlen(head));
    while (fake.asked_count == 0)
        hy_loop_turn(fake.loop, 1);
    rest_close(&fake.rest);
    assert_null(fake.asked[0].done);
    close(fd);
}

static void a_client_that_goes_leaves_nothing_behind(void **state)
{
    char head[10240];
    int fd = fake_connect();
    struct linger hard = {1, 0};

    (void)state;
    fake.hold = true;
    snprintf(head, sizeof head,
             "POST /v4/openim/querystate?sdkappid=%u&identifier=administrator&usersig=%s "
             "HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n{\"To_Account\":[\"ann\"]}",
             FAKE_APP, fake_ticket("administrator"));
    fake_write(fd, head, strlen(head));
    while (fake.asked_count == 0)
        hy_loop_turn(fake.loop, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    for (int i = 0; i < 10; i++)
        hy_loop_turn(fake.loop, 1);
    fake.hold = false;
    assert_int_equal(hy_loop_post(fake.loop, fake_deliver, NULL), HY_OK);
    while (fake.given < 2)
        hy_loop_turn(fake.loop, 1);
    assert_int_equal(fake_call("openim/querystate", "{'To_Account':['ann']}"), 0);
}

static void one_connection_carries_many_calls(void **state)
{
    static const char body[] = "{\"To_Account\":[\"ann\"]}";
    char text[8192];
    int fd = fake_connect();

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text,
                 "POST /v4/openim/querystate?sdkappid=%u&identifier=administrator&usersig=%s "
                 "HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
                 FAKE_APP, fake_ticket("administrator"), sizeof body - 1, body);
        fake_write(fd, text, strlen(text));
        assert_int_equal(fake_read(fd, text, sizeof text), 200);
    }
    close(fd);
}

static void a_trickling_request_is_cut_off(void **state)
{
    const struct rest_settings settings = {
        .max_body_bytes = 4096, .timeout_s = 1, .max_connections = 10};
    char byte;
    int fd;

    (void)state;
    fake_stop(NULL);
    fake_start_with(&settings);
    fd = fake_connect();
    for (int i = 0;; i++) {
        ssize_t n;

        assert_true(i < 4000);
        if (i % 50 == 0 && send(fd, "P", 1, MSG_NOSIGNAL) < 0)
            break;
        hy_loop_turn(fake.loop, 2);
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            break;
    }
    close(fd);
}

static void connections_over_the_limit_are_refused_and_places_come_back(void **state)
{
    const struct rest_settings settings = {
        .max_body_bytes = 4096, .timeout_s = 10, .max_connections = 3};
    int fds[3], over;
    char text[4096];

    (void)state;
    fake_stop(NULL);
    fake_start_with(&settings);
    for (int i = 0; i < 3; i++)
        fds[i] = fake_connect();
    for (int i = 0; i < 5; i++)
        hy_loop_turn(fake.loop, 1);
    over = fake_connect();
    assert_int_equal(fake_read(over, text, sizeof text), 0);
    close(over);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    for (int i = 0; i < 5; i++)
        hy_loop_turn(fake.loop, 1);
    assert_int_equal(fake_request("OPTIONS", "/v4/openim/sendmsg", "", 0), 200);
}

/* ---- HTTP ---- */

/* A call of querystate with extra header lines; the body is written by the caller. */
static int put_call(char *text, size_t size, const char *headers)
{
    return snprintf(text, size,
                    "POST /v4/openim/querystate?sdkappid=%u&identifier=administrator&usersig=%s "
                    "HTTP/1.1\r\nHost: x\r\n%s\r\n",
                    FAKE_APP, fake_ticket("administrator"), headers);
}

static void a_body_in_chunks_is_a_body(void **state)
{
    char text[8192];
    int fd = fake_connect();

    (void)state;
    for (int i = 0; i < 2; i++) {
        int len = put_call(text, sizeof text, "Transfer-Encoding: chunked\r\n");

        strcpy(text + len, "8\r\n{\"To_Acc\r\nd\r\nount\":[\"ann\"]\r\n1\r\n}\r\n0\r\n\r\n");
        for (const char *p = text; *p != '\0'; p++) {
            fake_write(fd, p, 1);
            if (p > text + len)
                hy_loop_turn(fake.loop, 0);
        }
        assert_int_equal(fake_read(fd, text, sizeof text), 200);
        assert_non_null(strstr(text, "\"ErrorCode\":0"));
    }
    close(fd);
}

/* How many bytes the answer at text takes, or 0 when it is not whole. */
static size_t answer_len(const char *text)
{
    const char *head = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "Content-Length:");
    size_t len;

    if (head == NULL || length == NULL)
        return 0;
    len = (size_t)(head + 4 - text) + strtoul(length + 15, NULL, 10);
    return strlen(text) < len ? 0 : len;
}

static void a_pipeline_is_answered_in_its_order(void **state)
{
    static char text[32 * 1024];
    static const char *const users[] = {"ann", "ben", "cy", "dan", "eve"};
    size_t len = 0, got = 0, at = 0;
    int fd = fake_connect();

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        char headers[64];

        snprintf(headers, sizeof headers, "Content-Length: %zu\r\n", 19 + strlen(users[i]));
        len += (size_t)put_call(text + len, sizeof text - len, headers);
        len += (size_t)sprintf(text + len, "{\"To_Account\":[\"%s\"]}", users[i]);
    }
    fake_write(fd, text, len);
    for (size_t i = 0, turns = 0; i < 5; turns++) {
        ssize_t n = recv(fd, text + got, sizeof text - 1 - got, MSG_DONTWAIT);
        char want[32];

        assert_true(turns < 20000);
        if (n < 0) {
            hy_loop_turn(fake.loop, 1);
            continue;
        }
        assert_true(n > 0);
        got += (size_t)n;
        text[got] = '\0';
        for (; i < 5 && (len = answer_len(text + at)) > 0; i++, at += len) {
            const char *next;

            snprintf(want, sizeof want, "\"To_Account\":\"%s\"", users[i]);
            next = strstr(text + at, want);
            assert_true(next != NULL && next < text + at + len);
        }
    }
    assert_int_equal(fake.most_open, 1); /* one after the other */
    close(fd);
}

static void who_waits_for_the_word_to_go_on_gets_it(void **state)
{
    char text[8192];
    int fd = fake_connect(), turns = 0;
    ssize_t n;

    (void)state;
    put_call(text, sizeof text, "Content-Length: 22\r\nExpect: 100-continue\r\n");
    fake_write(fd, text, strlen(text));
    while ((n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT)) < 0) {
        assert_true(++turns < 20000);
        hy_loop_turn(fake.loop, 1);
    }
    text[n] = '\0';
    assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
    fake_write(fd, "{\"To_Account\":[\"ann\"]}", 22);
    assert_int_equal(fake_read(fd, text, sizeof text), 200);
    close(fd);
}

/* The status of a request, after which the server must close. */
static int refused(const char *request)
{
    char text[4096];
    int fd = fake_connect(), status;

    fake_write(fd, request, strlen(request));
    status = fake_read(fd, text, sizeof text);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_int_equal(fake_read(fd, text, sizeof text), 0);
    close(fd);
    return status;
}

static void what_is_no_http_is_refused_with_a_status(void **state)
{
    char *huge = malloc(20000);

    (void)state;
    assert_non_null(huge);
    assert_int_equal(refused("hello\r\n\r\n"), 400);
    assert_int_equal(refused("POST / HTTP/3.0\r\n\r\n"), 505);
    assert_int_equal(refused("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
    assert_int_equal(refused("POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n"), 413);
    assert_int_equal(refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"), 400);
    assert_int_equal(refused("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n"),
                     413);
    memset(huge, 'x', 19999);
    memcpy(huge, "POST / HTTP/1.1\r\nX: ", 20);
    huge[19999] = '\0';
    assert_int_equal(refused(huge), 431);
    free(huge);
}

static void the_connection_ends_when_the_client_wants_it(void **state)
{
    (void)state;
    assert_int_equal(refused("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), 405);
    assert_int_equal(refused("GET / HTTP/1.0\r\n\r\n"), 405);
}

static void who_says_that_nothing_more_comes_is_answered(void **state)
{
    char text[8192];
    int fd = fake_connect();

    (void)state;
    fake.hold = true;
    put_call(text, sizeof text, "Content-Length: 22\r\n");
    strcat(text, "{\"To_Account\":[\"ann\"]}");
    fake_write(fd, text, strlen(text));
    shutdown(fd, SHUT_WR);
    while (fake.asked_count == 0)
        hy_loop_turn(fake.loop, 1);
    for (int i = 0; i < 5; i++)
        hy_loop_turn(fake.loop, 1);
    fake.hold = false;
    assert_int_equal(hy_loop_post(fake.loop, fake_deliver, NULL), HY_OK);
    assert_int_equal(fake_read(fd, text, sizeof text), 200);
    assert_int_equal(fake_read(fd, text, sizeof text), 0);
    close(fd);
}

/* Answers that nobody reads fill the socket, and then time runs. */
static void who_does_not_take_his_answers_is_cut_off(void **state)
{
    static const char request[] = "OPTIONS / HTTP/1.1\r\n\r\n";
    const struct rest_settings settings = {
        .max_body_bytes = 4096, .timeout_s = 1, .max_connections = 10};
    char many[200 * (sizeof request - 1)];
    ssize_t n = 0;
    int fd;

    (void)state;
    fake_stop(NULL);
    fake_start_with(&settings);
    fd = fake_connect();
    for (size_t at = 0; at < sizeof many; at += sizeof request - 1)
        memcpy(many + at, request, sizeof request - 1);
    /* Whole requests as long as they go in; what is cut makes no difference any more. */
    for (uint64_t end = hy_steady_ms() + 30000; n >= 0 || errno == EAGAIN;) {
        assert_true(hy_steady_ms() < end);
        n = send(fd, many, sizeof many, MSG_DONTWAIT | MSG_NOSIGNAL);
        hy_loop_turn(fake.loop, n < 0 ? 20 : 0);
    }
    close(fd);
}

static void draining_ends_connections_with_their_next_answer(void **state)
{
    char text[8192];
    int fd = fake_connect();

    (void)state;
    put_call(text, sizeof text, "Content-Length: 22\r\n");
    strcat(text, "{\"To_Account\":[\"ann\"]}");
    fake_write(fd, text, strlen(text));
    assert_int_equal(fake_read(fd, text, sizeof text), 200);
    rest_drain(fake.rest);
    put_call(text, sizeof text, "Content-Length: 22\r\n");
    strcat(text, "{\"To_Account\":[\"ann\"]}");
    fake_write(fd, text, strlen(text));
    assert_int_equal(fake_read(fd, text, sizeof text), 200);
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_int_equal(fake_read(fd, text, sizeof text), 0);
    close(fd);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fake_start, fake_stop)
    const struct CMUnitTest tests[] = {
        TEST(each_url_mistake_has_its_code),
        TEST(old_spellings_and_escapes_of_the_url_are_fine),
        TEST(suspended_apps_are_refused_and_deleted_ones_unknown),
        TEST(an_unknown_app_is_a_timeout_until_the_apps_are_known),
        TEST(a_ticket_is_asked_about_once_in_ten_seconds),
        TEST(a_revoked_ticket_is_refused),
        TEST(who_kicks_himself_is_asked_about_again),
        TEST(commands_that_do_not_exist_say_so),
        TEST(each_service_has_its_code_for_a_body_that_is_not_json),
        TEST(a_body_over_the_limit_has_a_code_and_a_huge_one_is_not_read),
        TEST(answers_carry_the_documented_headers),
        TEST(what_is_no_api_call_gets_an_http_status),
        TEST(a_silent_cluster_is_a_timeout_and_a_full_one_is_busy),
        TEST(closing_answers_what_is_under_way),
        TEST(a_client_that_goes_leaves_nothing_behind),
        TEST(one_connection_carries_many_calls),
        TEST(a_trickling_request_is_cut_off),
        TEST(connections_over_the_limit_are_refused_and_places_come_back),
        TEST(a_body_in_chunks_is_a_body),
        TEST(a_pipeline_is_answered_in_its_order),
        TEST(who_waits_for_the_word_to_go_on_gets_it),
        TEST(what_is_no_http_is_refused_with_a_status),
        TEST(the_connection_ends_when_the_client_wants_it),
        TEST(who_says_that_nothing_more_comes_is_answered),
        TEST(who_does_not_take_his_answers_is_cut_off),
        TEST(draining_ends_connections_with_their_next_answer),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    json_decref(fake_json);
    return failed;
}
