#include "presence/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "presence/fifo.h"

static struct sweep_rule rule = {.interval_s = 300, .grace_s = 60};

static struct sweep_rule rule_of(void *arg, uint32_t app)
{
    (void)arg;
    /* the second app is quicker */
    return app == 2 ? (struct sweep_rule){10, 0} : rule;
}

static char users[4000]; /* their addresses are names enough */

static size_t take(struct sweep *sweep, uint64_t now_ms, void **out, size_t max)
{
    uint32_t app = 0;

    return sweep_take(sweep, now_ms, rule_of, NULL, &app, out, max);
}

static void nobody_leaves_before_grace_and_interval(void **state)
{
    struct sweep *sweep;
    void *out[4];

    (void)state;
    assert_int_equal(sweep_open(&sweep), HY_OK);
    assert_int_equal(sweep_add(sweep, 1, &users[0], 1000), HY_OK);
    assert_int_equal(take(sweep, 1000 + 299999, out, 4), 0);
    /* at the end of the first interval: the first was there long enough, the second was not */
    assert_int_equal(sweep_add(sweep, 1, &users[1], 250000), HY_OK);
    assert_int_equal(take(sweep, 301000, out, 4), 1);
    assert_ptr_equal(out[0], &users[0]);
    assert_int_equal(take(sweep, 310001, out, 4), 0);
    assert_int_equal(take(sweep, 601000, out, 4), 1);
    assert_int_equal(sweep_waiting(sweep), 0);
    sweep_close(&sweep);
}

static void a_round_goes_on_in_batches(void **state)
{
    struct sweep *sweep;
    void *out[4];

    (void)state;
    assert_int_equal(sweep_open(&sweep), HY_OK);
    for (int i = 0; i < 9; i++)
        assert_int_equal(sweep_add(sweep, 1, &users[i], 1), HY_OK);
    assert_int_equal(take(sweep, 400000, out, 4), 4);
    assert_int_equal(take(sweep, 400001, out, 4), 4);
    assert_int_equal(take(sweep, 400002, out, 4), 1);
    assert_int_equal(take(sweep, 400003, out, 4), 0);
    sweep_close(&sweep);
}

static void apps_have_their_own_rules_and_turns(void **state)
{
    struct sweep *sweep;
    void *out[2];
    uint32_t app;
    unsigned of_two = 0;

    (void)state;
    assert_int_equal(sweep_open(&sweep), HY_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(sweep_add(sweep, 1, &users[i], 1), HY_OK);
        assert_int_equal(sweep_add(sweep, 2, &users[8 + i], 1), HY_OK);
    }
    assert_int_equal(sweep_take(sweep, 20000, rule_of, NULL, &app, out, 2), 2);
    assert_int_equal(app, 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(sweep_take(sweep, 400000, rule_of, NULL, &app, out, 2), 2);
        of_two += app == 2;
    }
    assert_int_equal(of_two, 2);
    sweep_close(&sweep);
}

static void a_shorter_interval_acts_at_once(void **state)
{
    struct sweep *sweep;
    void *out[2];

    (void)state;
    assert_int_equal(sweep_open(&sweep), HY_OK);
    assert_int_equal(sweep_add(sweep, 1, &users[0], 1000), HY_OK);
    assert_int_equal(take(sweep, 10000, out, 2), 0);
    rule = (struct sweep_rule){5, 1};
    assert_int_equal(take(sweep, 10001, out, 2), 1);
    rule = (struct sweep_rule){300, 60};
    sweep_close(&sweep);
}

/* A user leaves every 20 seconds for a day: each waits at least the grace, at most grace and
 * interval. */
static void a_day_of_leaving(void **state)
{
    struct sweep *sweep;
    void *out[256];
    static uint64_t left_ms[sizeof users];
    size_t added = 0, taken = 0;

    (void)state;
    assert_int_equal(sweep_open(&sweep), HY_OK);
    for (uint64_t now_ms = 1; now_ms < 86400000; now_ms += 1000) {
        if (now_ms < 79200000 && now_ms % 20000 == 1) {
            left_ms[added] = now_ms;
            assert_int_equal(sweep_add(sweep, 1, &users[added++], now_ms), HY_OK);
        }
        size_t n = take(sweep, now_ms, out, 256);

        for (size_t i = 0; i < n; i++, taken++) {
            uint64_t waited_ms = now_ms - left_ms[(char *)out[i] - users];

            assert_ptr_equal(out[i], &users[taken]);
            assert_in_range(waited_ms, 60000, 361000);
        }
    }
    assert_int_equal(added, 3960);
    assert_int_equal(taken, added);
    sweep_close(&sweep);
}

static void a_fifo_keeps_order_while_it_grows_and_shrinks(void **state)
{
    struct fifo fifo = {0};
    uint64_t in = 0, out = 0;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < round * 7; i++)
            assert_int_equal(fifo_push(&fifo, &(struct fifo_item){.id = in++}), HY_OK);
        for (unsigned i = 0; i < round * 5; i++) {
            assert_int_equal(fifo_first(&fifo)->id, out++);
            fifo_pop(&fifo);
        }
    }
    while (fifo_first(&fifo) != NULL) {
        assert_int_equal(fifo_first(&fifo)->id, out++);
        fifo_pop(&fifo);
    }
    assert_int_equal(in, out);
    assert_true(fifo.cap < 200);
    fifo_free(&fifo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_leaves_before_grace_and_interval),
        cmocka_unit_test(a_round_goes_on_in_batches),
        cmocka_unit_test(apps_have_their_own_rules_and_turns),
        cmocka_unit_test(a_shorter_interval_acts_at_once),
        cmocka_unit_test(a_day_of_leaving),
        cmocka_unit_test(a_fifo_keeps_order_while_it_grows_and_shrinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
