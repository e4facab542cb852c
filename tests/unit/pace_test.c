/* How a busy loop spreads its turns, and a quiet one does not wait. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pace.h"

enum { GAP_US = 500 };

static void a_lone_message_never_waits(void **state)
{
    struct pace pace = {.gap_us = GAP_US};

    (void)state;
    for (uint64_t now = 1000000; now < 2000000; now += GAP_US)
        assert_int_equal(pace_turn(&pace, now), 0);
}

static void a_burst_after_quiet_is_free(void **state)
{
    struct pace pace = {.gap_us = GAP_US};

    (void)state;
    for (int i = 0; i <= PACE_BURST; i++)
        assert_int_equal(pace_turn(&pace, 1000000), 0);
    assert_int_equal(pace_turn(&pace, 1000000), GAP_US);
}

static void a_busy_loop_turns_once_a_gap(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    uint64_t now = 1000000, end = now + 1000000, turns = 0;

    (void)state;
    for (; now < end; turns++)
        now += 10 + pace_turn(&pace, now); /* a turn takes 10 us, and the next has work at once */
    assert_in_range(turns, 1000000 / GAP_US, 1000000 / GAP_US + PACE_BURST + 2);
}

static void turns_longer_than_the_gap_do_not_wait(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    uint64_t now = 1000000;

    (void)state;
    for (int i = 0; i < 1000; i++, now += GAP_US + 100)
        assert_int_equal(pace_turn(&pace, now), 0);
}

static void quiet_time_is_credit_for_one_burst_only(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    int free_turns = 0;

    (void)state;
    (void)pace_turn(&pace, 1000000);
    while (pace_turn(&pace, 3600000000ull) == 0)
        free_turns++;
    assert_int_equal(free_turns, PACE_BURST + 1);
}

static void without_a_gap_there_is_no_pace(void **state)
{
    struct pace pace = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pace_turn(&pace, 1000000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_message_never_waits),
        cmocka_unit_test(a_burst_after_quiet_is_free),
        cmocka_unit_test(a_busy_loop_turns_once_a_gap),
        cmocka_unit_test(turns_longer_than_the_gap_do_not_wait),
        cmocka_unit_test(quiet_time_is_credit_for_one_burst_only),
        cmocka_unit_test(without_a_gap_there_is_no_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
