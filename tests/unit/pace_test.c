/* How a busy loop spreads its turns, and one that has little to do does not wait. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pace.h"

enum { GAP_US = 500 };

/* A loop that is given things_a_second for a second, one by one: a turn takes what has come, and
 * 10 us. Returns its turns. */
static uint64_t turns_at(uint64_t things_a_second, uint64_t *longest_wait_us)
{
    struct pace pace = {.gap_us = GAP_US};
    uint64_t begin = 1000000, now = begin, taken = 0, turns = 0;

    *longest_wait_us = 0;
    while (now < begin + 1000000) {
        uint64_t wait = pace_turn(&pace, now), next, come;

        *longest_wait_us = wait > *longest_wait_us ? wait : *longest_wait_us;
        now += wait;
        next = begin + ((taken + 1) * 1000000 + things_a_second - 1) / things_a_second;
        now = now < next ? next : now; /* blocks until one is there */
        come = (now - begin) * things_a_second / 1000000;
        pace_did(&pace, come - taken);
        taken = come;
        turns++;
        now += 10;
    }
    return turns;
}

static void what_comes_one_at_a_time_never_waits(void **state)
{
    uint64_t wait;

    (void)state;
    for (uint64_t rate = 100; rate <= 1000000 / GAP_US * PACE_FEW; rate += 100) {
        assert_in_range(turns_at(rate, &wait), rate - 1, rate + 1);
        assert_int_equal(wait, 0);
    }
}

static void a_busy_loop_turns_once_a_gap(void **state)
{
    uint64_t wait;

    (void)state;
    for (uint64_t rate = 10000; rate <= 1000000; rate += 10000) {
        assert_in_range(turns_at(rate, &wait), 0, 1000000 / GAP_US * 11 / 10);
        assert_in_range(wait, 1, GAP_US);
    }
}

static void a_burst_after_quiet_is_free(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    int things = 0;

    (void)state;
    while (pace_turn(&pace, 3600000000ull) == 0) {
        pace_did(&pace, 1);
        things++;
    }
    assert_in_range(things, PACE_BURST * PACE_FEW, PACE_BURST * PACE_FEW + 2);
}

static void a_flood_is_soon_forgotten(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    uint64_t now = 1000000;

    (void)state;
    assert_int_equal(pace_turn(&pace, now), 0);
    pace_did(&pace, 1000000);
    assert_int_equal(pace_turn(&pace, now), GAP_US);
    now += 2 * PACE_BURST * GAP_US;
    for (int i = 0; i < PACE_FEW; i++) {
        assert_int_equal(pace_turn(&pace, now), 0);
        pace_did(&pace, 1);
    }
}

static void turns_longer_than_the_gap_do_not_wait(void **state)
{
    struct pace pace = {.gap_us = GAP_US};
    uint64_t now = 1000000;

    (void)state;
    for (int i = 0; i < 1000; i++, now += GAP_US + 100) {
        assert_int_equal(pace_turn(&pace, now), 0);
        pace_did(&pace, 100);
    }
}

static void turns_in_which_nothing_was_done_do_not_count(void **state)
{
    struct pace pace = {.gap_us = GAP_US};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pace_turn(&pace, 1000000), 0);
}

static void without_a_gap_there_is_no_pace(void **state)
{
    struct pace pace = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(pace_turn(&pace, 1000000), 0);
        pace_did(&pace, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_one_at_a_time_never_waits),
        cmocka_unit_test(a_busy_loop_turns_once_a_gap),
        cmocka_unit_test(a_burst_after_quiet_is_free),
        cmocka_unit_test(a_flood_is_soon_forgotten),
        cmocka_unit_test(turns_longer_than_the_gap_do_not_wait),
        cmocka_unit_test(turns_in_which_nothing_was_done_do_not_count),
        cmocka_unit_test(without_a_gap_there_is_no_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
