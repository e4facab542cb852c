#include "store_fixture.h"

enum { DAY = 86400 * 1000 };

static int setup(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

/* Little room: what was read is dropped by the next turn. */
static int setup_small(void **state)
{
    fixture_history_cache = 1;
    return setup(state);
}

/* Without what is kept in memory, pages come from the rows of the database. */
static int setup_rows(void **state)
{
    fixture_history_cache = 0;
    return setup(state);
}

static int teardown(void **state)
{
    fixture_close(*state);
    fixture_history_cache = 1 << 20;
    return 0;
}

static void talk(struct fixture *f, int n)
{
    char text[32];

    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "m%d", i + 1);
        fixture_say(f, (struct say){.from = "anna", .to = "ben", .text = text});
        f->now_ms += 1000;
    }
    store_turn(f->store);
}

/* What a page holds, as "first..last complete". */
static void check(struct fixture *f, struct page page, uint64_t first, uint64_t last, bool complete)
{
    Hy__HistoryRes *res;
    char text[32];

    page.user = page.user == NULL ? "ben" : page.user;
    page.peer = "anna";
    res = fixture_page(f, page);
    assert_int_equal(res->code, 0);
    assert_int_equal(res->n_msgs, first == 0 ? 0 : last - first + 1);
    for (size_t i = 0; i < res->n_msgs; i++) {
        assert_int_equal(res->msgs[i]->seq, first + i);
        snprintf(text, sizeof text, "m%d", (int)(first + i));
        assert_int_equal(res->msgs[i]->body.len, strlen(text));
        assert_memory_equal(res->msgs[i]->body.data, text, strlen(text));
    }
    assert_int_equal(res->complete, complete);
    DROP(res);
}

static void pages_come_from_either_end_always_ascending(void **state)
{
    struct fixture *f = *state;

    talk(f, 50);
    check(f, (struct page){.count = 0}, 31, 50, false);
    check(f, (struct page){.from = 30}, 11, 30, false);
    check(f, (struct page){.from = 10}, 1, 10, true);
    check(f, (struct page){.from = 20}, 1, 20, true);
    check(f, (struct page){.newer = true}, 1, 20, false);
    check(f, (struct page){.newer = true, .from = 21}, 21, 40, false);
    check(f, (struct page){.newer = true, .from = 41}, 41, 50, true);
    check(f, (struct page){.newer = true, .from = 51}, 0, 0, true);
    check(f, (struct page){.from = 5, .count = 3}, 3, 5, false);
    check(f, (struct page){.count = 100}, 31, 50, false);
    check(f, (struct page){.count = 100, .max_count = 100}, 1, 50, true);
}

static void a_page_can_start_at_a_time(void **state)
{
    struct fixture *f = *state;
    uint64_t began = f->now_ms;

    talk(f, 50);
    check(f, (struct page){.time_ms = began + 9500, .count = 5}, 6, 10, false);
    check(f, (struct page){.time_ms = began + 9500, .count = 5, .newer = true}, 11, 15, false);
    check(f, (struct page){.time_ms = began - 1}, 0, 0, true);
}

static void nobody_talked_is_an_empty_whole_page(void **state)
{
    check(*state, (struct page){.user = "dan"}, 0, 0, true);
}

static void what_the_sender_did_not_want_to_keep_is_hidden_from_them_alone(void **state)
{
    struct fixture *f = *state;
    Hy__HistoryRes *res;

    talk(f, 1);
    fixture_said(
        f, (struct say){.from = "anna", .to = "ben", .flags = HY__MSG_FLAG__MSG_NO_SELF_SYNC});
    res = fixture_page(f, (struct page){.user = "anna", .peer = "ben"});
    assert_int_equal(res->n_msgs, 1);
    DROP(res);
    res = fixture_page(f, (struct page){.user = "ben", .peer = "anna"});
    assert_int_equal(res->n_msgs, 2);
    DROP(res);
}

static void a_page_asked_for_again_has_what_came_since(void **state)
{
    struct fixture *f = *state;
    char text[32];

    for (uint64_t i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "m%d", (int)i);
        fixture_said(f, (struct say){.from = "anna", .to = "ben", .text = text});
        check(f, (struct page){.count = 0}, i < 20 ? 1 : i - 19, i, i <= 20);
        check(f, (struct page){.newer = true, .from = i}, i, i, true);
    }
    check(f, (struct page){.newer = true, .from = 25}, 25, 44, false);
}

/* A conversation that a list remembers: which places are whose, and whether the sender sees them.
 */
struct model {
    bool hidden[3000]; /* from anna */
    uint64_t last;
};

enum { PASSED_MOST = 1000 }; /* hidden messages for one page */

static bool model_shows(const struct model *m, const char *user, uint64_t seq)
{
    return strcmp(user, "ben") == 0 || !m->hidden[seq];
}

static void check_model(struct fixture *f, const struct model *m, struct page page)
{
    uint64_t want[1000], n = 0, most = page.count, passed = 0, next = 0;
    uint64_t at = page.from != 0 ? page.from : page.newer ? 1 : m->last;
    bool complete = true;
    Hy__HistoryRes *res;

    if (!page.newer && at > m->last)
        at = m->last;
    for (; at >= 1 && at <= m->last && complete; at = page.newer ? at + 1 : at - 1) {
        bool shown = model_shows(m, page.user, at);

        if (shown ? n == most : passed == PASSED_MOST) {
            complete = false;
            next = at;
        } else if (shown) {
            want[n++] = at;
        } else {
            passed++;
        }
    }
    res = fixture_page(f, page);
    assert_int_equal(res->n_msgs, n);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(res->msgs[i]->seq, want[page.newer ? i : n - 1 - i]);
    assert_int_equal(res->complete, complete);
    assert_int_equal(res->next_seq, next);
    assert_int_equal(res->last_seq, m->last);
    DROP(res);
}

static void any_page_is_what_a_simple_list_gives(void **state)
{
    struct fixture *f = *state;
    struct model m = {.last = 0};
    uint64_t random = 1;

    while (m.last < 2500) {
        /* long stretches that anna does not see, and short ones */
        bool hidden = (m.last > 50 && m.last < 150) || (m.last > 200 && m.last % 3 != 0) ||
                      (m.last > 1100 && m.last < 2400);

        fixture_say(f, (struct say){.from = "anna",
                                    .to = "ben",
                                    .flags = hidden ? HY__MSG_FLAG__MSG_NO_SELF_SYNC : 0});
        m.hidden[++m.last] = hidden;
        if (m.last % 100 == 0)
            store_turn(f->store);
    }
    store_turn(f->store);
    for (int i = 0; i < 500; i++) {
        bool anna = (random = hy_mix64(random + 1)) % 2 == 0;
        uint32_t most[] = {1, 5, 20, 100, 400};
        struct page page = {.user = anna ? "anna" : "ben",
                            .peer = anna ? "ben" : "anna",
                            .newer = (random >> 8) % 2 == 0,
                            .from = (random >> 16) % 2550,
                            .count = most[(random >> 40) % 5],
                            .max_count = 1000};

        check_model(f, &m, page);
    }
}

/* A sender whose other devices see none of what they sent: each page looks at so much, and the next
 * goes on from there. */
static void a_page_over_what_is_hidden_does_bounded_work(void **state)
{
    struct fixture *f = *state;
    struct page page = {.user = "anna", .peer = "ben", .count = 1};
    uint64_t last = 0, pages = 0, next_ms = UINT64_MAX;
    bool complete = false;

    talk(f, 1);
    for (; last < 7000; last++) {
        fixture_say(
            f, (struct say){.from = "anna", .to = "ben", .flags = HY__MSG_FLAG__MSG_NO_SELF_SYNC});
        if (last % 100 == 0)
            store_turn(f->store);
    }
    store_turn(f->store);
    while (!complete) {
        Hy__HistoryRes *res = fixture_page(f, page);

        pages++;
        complete = res->complete;
        assert_int_equal(res->n_msgs, complete);
        if (!complete) {
            uint64_t top = page.from == 0 ? res->last_seq : page.from;

            assert_int_equal(res->next_seq, top - PASSED_MOST);
            assert_true(res->next_ms <= next_ms && res->next_ms <= f->now_ms && res->next_ms > 0);
            next_ms = res->next_ms;
        }
        page.from = res->next_seq;
        DROP(res);
    }
    assert_int_equal(pages, 7);
}

static void expired_messages_are_never_shown(void **state)
{
    struct fixture *f = *state;
    Hy__App app = fixture_app();
    Hy__HeadsRes *heads;
    Hy__HistoryRes *res;

    assert_int_equal(fixture_app_put(f, &app), 0);
    talk(f, 10);
    f->now_ms += 7ull * DAY - 5500; /* the first five are older than a week by now */
    check(f, (struct page){.count = 0}, 6, 10, true);
    check(f, (struct page){.newer = true}, 6, 10, true);
    check(f, (struct page){.from = 4}, 0, 0, true);
    heads = fixture_heads(f, "ben", "anna", false);
    assert_int_equal(heads->convs[0]->first_seq, 6);
    assert_int_equal(heads->convs[0]->unread, 5);
    DROP(heads);
    f->now_ms += DAY;
    check(f, (struct page){.count = 0}, 0, 0, true);
    heads = fixture_heads(f, "ben", "anna", false);
    assert_null(heads->convs[0]->last_msg);
    assert_int_equal(heads->convs[0]->unread, 0);
    DROP(heads);
    /* A longer retention revives nothing. */
    app.c2c_quarters = 4;
    assert_int_equal(fixture_app_put(f, &app), 0);
    check(f, (struct page){.count = 0}, 0, 0, true);
    fixture_restart(f);
    check(f, (struct page){.count = 0}, 0, 0, true);
    fixture_said(f, (struct say){.from = "anna", .to = "ben", .text = "m11"});
    f->now_ms += 100ull * DAY;
    check(f, (struct page){.count = 0}, 11, 11, true);
    res = fixture_page(f, (struct page){.user = "ben", .peer = "anna"});
    assert_int_equal(res->first_seq, 11);
    DROP(res);
}

/* Is the text anywhere in the files of the directory? */
static bool on_disk(const struct fixture *f, const char *text)
{
    char command[256];

    snprintf(command, sizeof command, "grep -rqa '%s' '%s'", text, f->dir);
    return system(command) == 0;
}

static void compaction_takes_expired_bytes_off_the_disk(void **state)
{
    struct fixture *f = *state;
    Hy__App app = fixture_app();
    static const char old[] = "q8Zk2Vx7Lm4Tn9Rb", young[] = "H3wYc6Jd1Gf5Ps0A";

    assert_int_equal(fixture_app_put(f, &app), 0);
    fixture_said(f, (struct say){.from = "anna", .to = "ben", .text = old, .id = "old-Xw4Qe9"});
    f->now_ms += 6ull * DAY;
    fixture_said(f, (struct say){.from = "anna", .to = "ben", .text = young});
    f->now_ms += 2ull * DAY;
    assert_true(on_disk(f, old));
    store_compact(f->store);
    fixture_restart(f);
    assert_false(on_disk(f, old));
    assert_false(on_disk(f, "old-Xw4Qe9"));
    assert_true(on_disk(f, young));
    check(f, (struct page){.user = "dan"}, 0, 0, true);
}

static void apps_are_told_by_version_and_refused_twice(void **state)
{
    struct fixture *f = *state;
    Hy__AppsReq req = HY__APPS_REQ__INIT;
    Hy__AppPutReq put = HY__APP_PUT_REQ__INIT;
    Hy__AppsRes *res;
    Hy__App app = fixture_app();

    put.app = &app;
    put.create = true;
    res = ASK(f, APP_PUT, put, Hy__AppsRes, hy__apps_res);
    assert_int_equal(res->code, 0);
    assert_int_equal(res->version, 1);
    assert_int_equal(res->apps[0]->created_s, f->now_ms / 1000);
    DROP(res);
    res = ASK(f, APP_PUT, put, Hy__AppsRes, hy__apps_res); /* a retry */
    assert_int_equal(res->code, 0);
    DROP(res);
    app.name = (char *)"other";
    res = ASK(f, APP_PUT, put, Hy__AppsRes, hy__apps_res);
    assert_int_not_equal(res->code, 0);
    DROP(res);
    app.sdkappid++;
    put.create = false;
    res = ASK(f, APP_PUT, put, Hy__AppsRes, hy__apps_res);
    assert_int_equal(res->version, 2);
    DROP(res);
    req.since_version = 1;
    fixture_restart(f);
    res = ASK(f, APPS, req, Hy__AppsRes, hy__apps_res);
    assert_int_equal(res->n_apps, 1);
    assert_int_equal(res->version, 2);
    assert_int_equal(res->apps[0]->sdkappid, app.sdkappid);
    DROP(res);
}

static void accounts_are_made_once_and_carry_their_profile(void **state)
{
    struct fixture *f = *state;
    Hy__UserPutReq put = HY__USER_PUT_REQ__INIT;
    Hy__UserReq req = HY__USER_REQ__INIT;
    Hy__Field nick = HY__FIELD__INIT, *fields[1] = {&nick};
    Hy__UserRes *res;

    req.app = put.app = FIXTURE_APP;
    req.user = put.user = (char *)"anna";
    res = ASK(f, USER_GET, req, Hy__UserRes, hy__user_res);
    assert_int_equal(res->code, HY_CODE_PROFILE_UNKNOWN);
    DROP(res);
    res = ASK(f, USER_PUT, put, Hy__UserRes, hy__user_res);
    assert_int_equal(res->code, HY_CODE_PROFILE_UNKNOWN);
    DROP(res);
    nick.name = (char *)"Tag_Profile_IM_Nick";
    nick.str = (ProtobufCBinaryData){4, (uint8_t *)"Anna"};
    put.create = true;
    put.n_fields = 1;
    put.fields = fields;
    res = ASK(f, USER_PUT, put, Hy__UserRes, hy__user_res);
    assert_true(res->created);
    DROP(res);
    res = ASK(f, USER_PUT, put, Hy__UserRes, hy__user_res);
    assert_false(res->created);
    DROP(res);
    req.at_s = 1000;
    res = ASK(f, USER_REVOKE, req, Hy__UserRes, hy__user_res);
    assert_int_equal(res->user->revoked_before_s, 1000);
    DROP(res);
    fixture_restart(f);
    res = ASK(f, USER_GET, req, Hy__UserRes, hy__user_res);
    assert_int_equal(res->user->n_profile, 1);
    assert_memory_equal(res->user->profile[0]->str.data, "Anna", 4);
    assert_int_equal(res->user->revoked_before_s, 1000);
    DROP(res);
    nick.str.len = 0;
    res = ASK(f, USER_PUT, put, Hy__UserRes, hy__user_res);
    assert_int_equal(res->user->n_profile, 0);
    DROP(res);
}

static void the_days_peak_grows_and_stays(void **state)
{
    struct fixture *f = *state;
    Hy__OnlineReport report = HY__ONLINE_REPORT__INIT;
    Hy__AppOnline app = HY__APP_ONLINE__INIT, *apps[1] = {&app};
    Hy__OnlineGetReq req = HY__ONLINE_GET_REQ__INIT;
    Hy__OnlineGetRes *res;
    Hy__StoreRes *done;

    app.app = req.app = FIXTURE_APP;
    report.n_apps = 1;
    report.apps = apps;
    for (int i = 0; i < 2; i++) {
        report.presence = i == 0 ? (char *)"presence-0" : (char *)"presence-1";
        app.users = 5;
        done = ASK(f, ONLINE, report, Hy__StoreRes, hy__store_res);
        DROP(done);
    }
    app.users = 1;
    done = ASK(f, ONLINE, report, Hy__StoreRes, hy__store_res);
    DROP(done);
    res = ASK(f, ONLINE_GET, req, Hy__OnlineGetRes, hy__online_get_res);
    assert_int_equal(res->live, 6);
    assert_int_equal(res->peak, 10);
    DROP(res);
    fixture_restart(f);
    f->now_ms += 31000;
    res = ASK(f, ONLINE_GET, req, Hy__OnlineGetRes, hy__online_get_res);
    assert_int_equal(res->live, 0);
    assert_int_equal(res->peak, 10);
    DROP(res);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
/* In all three ways that pages are made. */
#define PAGES(test)                                                                                \
    T(test), cmocka_unit_test_setup_teardown(test, setup_small, teardown),                         \
        cmocka_unit_test_setup_teardown(test, setup_rows, teardown)
    const struct CMUnitTest tests[] = {
        PAGES(pages_come_from_either_end_always_ascending),
        PAGES(a_page_can_start_at_a_time),
        PAGES(nobody_talked_is_an_empty_whole_page),
        PAGES(what_the_sender_did_not_want_to_keep_is_hidden_from_them_alone),
        PAGES(a_page_asked_for_again_has_what_came_since),
        PAGES(any_page_is_what_a_simple_list_gives),
        PAGES(a_page_over_what_is_hidden_does_bounded_work),
        PAGES(expired_messages_are_never_shown),
        T(compaction_takes_expired_bytes_off_the_disk),
        T(apps_are_told_by_version_and_refused_twice),
        T(accounts_are_made_once_and_carry_their_profile),
        T(the_days_peak_grows_and_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
