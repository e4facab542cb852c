#include "presence/session.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client.pb-c.h"

enum { GRACE_MS = 60000 };

static struct count *count;
static struct sessions *sessions;
static struct workers workers;
static struct worker *one, *two;
static unsigned moves, goings;

static void moved(void *ctx, struct user *user)
{
    (void)ctx;
    (void)user;
    moves++;
}

static void gone(void *ctx, struct user *user, uint64_t now_ms)
{
    (void)ctx;
    (void)now_ms;
    assert_false(user_present(user));
    goings++;
}

static int setup(void **state)
{
    struct sessions_config config = {
        .grace_ms = GRACE_MS, .push_max = 1000, .moved = moved, .gone = gone};

    (void)state;
    moves = goings = 0;
    if (count_open(&count) != HY_OK)
        return -1;
    config.count = count;
    one = workers_make(&workers, "gateway-0/0", 0);
    two = workers_make(&workers, "gateway-1/0", 0);
    return sessions_open(&config, &sessions) == HY_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sessions_close(&sessions);
    workers_free(&workers);
    count_close(&count);
    return 0;
}

static struct session *begin(const char *name, uint64_t id, int platform)
{
    struct user *user = sessions_make(sessions, 1, name);

    return session_begin(sessions, user, &(struct session_start){id, platform, "phone"}, one,
                         id * 10);
}

static void a_session_lives_is_lost_and_is_forgotten(void **state)
{
    struct session *session = begin("anna", 1, HY__PLATFORM__PLATFORM_WEB);
    struct user *anna = sessions_find(sessions, 1, "anna");

    (void)state;
    assert_non_null(anna);
    assert_null(sessions_find(sessions, 2, "anna"));
    assert_int_equal(one->tally.count, 1);
    assert_int_equal(count_of(count, 1), 1);
    session_lose(sessions, anna, session, 1000);
    assert_int_equal(one->tally.count, 0);
    assert_int_equal(count_of(count, 1), 0);
    assert_true(user_present(anna) && !user_online(anna));
    sessions_expire(sessions, 1000 + GRACE_MS - 1);
    assert_int_equal(goings, 0);
    sessions_expire(sessions, 1000 + GRACE_MS);
    assert_int_equal(goings, 1);
    assert_int_equal(sessions_users(sessions), 0);
}

static void a_resumed_session_outlives_its_first_grace(void **state)
{
    struct session *session = begin("anna", 1, HY__PLATFORM__PLATFORM_WEB);
    struct user *anna = sessions_find(sessions, 1, "anna");

    (void)state;
    session_lose(sessions, anna, session, 1000);
    session_bind(sessions, anna, session, two, 99);
    assert_int_equal(two->tally.count, 1);
    session_lose(sessions, anna, session, 50000);
    sessions_expire(sessions, 1000 + GRACE_MS);
    assert_true(user_present(anna));
    sessions_expire(sessions, 50000 + GRACE_MS);
    assert_int_equal(goings, 1);
    assert_int_equal(sessions_users(sessions), 0);
}

static void what_is_over_is_remembered_for_the_grace_time(void **state)
{
    struct session *session = begin("anna", 1, HY__PLATFORM__PLATFORM_WEB);
    struct user *anna = sessions_find(sessions, 1, "anna");

    (void)state;
    session_end(sessions, anna, session, 1000);
    assert_int_equal(goings, 1);
    assert_int_equal(session_find(anna, 1)->state, SESSION_OVER);
    sessions_expire(sessions, 1000 + GRACE_MS);
    assert_int_equal(goings, 1);
    assert_int_equal(sessions_users(sessions), 0);
}

static void mobiles_stay_reachable_for_a_week(void **state)
{
    const uint64_t week_ms = 7ULL * 86400000;
    struct session *session = begin("anna", 1, HY__PLATFORM__PLATFORM_IPHONE);
    struct user *anna = sessions_find(sessions, 1, "anna");

    (void)state;
    session_lose(sessions, anna, session, 1000);
    sessions_expire(sessions, 1000 + GRACE_MS);
    assert_int_equal(goings, 1);
    assert_ptr_equal(sessions_find(sessions, 1, "anna"), anna);
    assert_int_equal(anna->push_platforms, 1 << HY__PLATFORM__PLATFORM_IPHONE);
    begin("anna", 2, HY__PLATFORM__PLATFORM_IPHONE);
    assert_int_equal(anna->push_platforms, 0);
    session_lose(sessions, anna, session_find(anna, 2), 2000000);
    sessions_expire(sessions, 1000 + week_ms);
    assert_int_not_equal(anna->push_platforms, 0);
    sessions_expire(sessions, 2000000 + week_ms);
    assert_int_equal(sessions_users(sessions), 0);
}

static void counts_are_by_user_and_not_by_device(void **state)
{
    struct user *anna;

    (void)state;
    begin("anna", 1, HY__PLATFORM__PLATFORM_WEB);
    begin("anna", 2, HY__PLATFORM__PLATFORM_IPHONE);
    anna = sessions_find(sessions, 1, "anna");
    assert_int_equal(count_of(count, 1), 1);
    session_end(sessions, anna, session_find(anna, 1), 1);
    assert_int_equal(count_of(count, 1), 1);
    session_end(sessions, anna, session_find(anna, 2), 1);
    assert_int_equal(count_of(count, 1), 0);
    assert_int_equal(goings, 1);
    assert_int_equal(moves, 4);
}

static void many_users_are_found_and_cost_little(void **state)
{
    enum { USERS = 100000 };
    size_t before = mallinfo2().uordblks;
    char name[32];

    (void)state;
    for (uint64_t i = 0; i < USERS; i++) {
        struct user *user;

        snprintf(name, sizeof name, "user%lu", (unsigned long)i);
        user = sessions_make(sessions, 1, name);
        session_begin(sessions, user,
                      &(struct session_start){i + 1, 1, "0123456789abcdef0123456789abcdef0123"},
                      one, i);
    }
    size_t after = mallinfo2().uordblks;

    assert_int_equal(count_of(count, 0), USERS);
    assert_int_equal(one->tally.count, USERS);
    assert_non_null(sessions_find(sessions, 1, "user77777"));
    if (after > before) /* sanitizers count otherwise */
        assert_in_range((after - before) / USERS, 1, 300);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_lives_is_lost_and_is_forgotten),
        TEST(a_resumed_session_outlives_its_first_grace),
        TEST(what_is_over_is_remembered_for_the_grace_time),
        TEST(mobiles_stay_reachable_for_a_week),
        TEST(counts_are_by_user_and_not_by_device),
        TEST(many_users_are_found_and_cost_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
