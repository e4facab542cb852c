#include "store_shards.h"

#include "store/pair.h"
#include "store/telling.h"

/* ---- who signs in between has the push or the row ---- */

static void a_pair_wakes_with_its_first_message_and_after_a_pause(void **state)
{
    static const struct {
        uint64_t last_seq, last_time_ms, now_ms;
        bool wakes;
    } rows[] = {
        {0, 0, 0, true},
        {1, 1000, 1000, false},
        {1, 1000, 1000 + PAIR_PAUSE_MS, false},
        {1, 1000, 1001 + PAIR_PAUSE_MS, true},
        {1, 5000, 1000, false}, /* the clock went back */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Hy__Pair pair = HY__PAIR__INIT;

        pair.last_seq = rows[i].last_seq;
        pair.last_time_ms = rows[i].last_time_ms;
        assert_int_equal(pair_wakes(&pair, rows[i].now_ms), rows[i].wakes);
    }
}

static void a_first_message_is_answered_when_the_other_shard_has_its_row(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    uint64_t first, second, retry;
    char a[32], b[32];

    strangers(a, b);
    first = say(p, a, b, "1");
    second = say(p, b, a, "2"); /* would be pushed to one whose list may lack it, too */
    retry = say(p, a, b, "1");
    assert_true(wait_to_send(f));
    deliver(p, false); /* the row is there, but that is not known */
    assert_false(fixture_answered(f, first));
    assert_true(wait_to_send(f));
    assert_false(fixture_answered(f, first) || fixture_answered(f, second) ||
                 fixture_answered(f, retry));
    assert_int_not_equal(fixture_index_time(p->shard[1], b), 0);
    deliver(p, true);
    assert_int_equal(fixture_result(f, first).seq, 1);
    assert_int_equal(fixture_result(f, second).seq, 2);
    assert_true(fixture_result(f, retry).duplicate);
}

static void a_warm_pair_waits_for_nobody(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    char a[32], b[32], id[16];

    meet(p, a, b);
    for (int i = 0; i < 4; i++) {
        f->now_ms += i == 0 ? 1 : PAIR_PAUSE_MS;
        snprintf(id, sizeof id, "%d", i);
        assert_true(fixture_answered(f, say(p, b, a, id)));
    }
}

static void a_message_after_a_pause_waits_as_a_first_one_does(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    uint64_t asked;
    char a[32], b[32];

    meet(p, a, b);
    f->now_ms += PAIR_PAUSE_MS + 1;
    asked = say(p, b, a, "again");
    assert_false(fixture_answered(f, asked));
    assert_true(wait_to_send(f));
    deliver(p, true);
    assert_int_equal(fixture_result(f, asked).seq, 2);
    assert_int_equal(fixture_index_time(p->shard[1], a), f->now_ms);
}

static void what_was_sent_before_a_message_does_not_let_it_go(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    uint64_t asked;
    char a[32], b[32];

    meet(p, a, b);
    f->now_ms += 1;
    say(p, a, b, "warm");
    assert_true(wait_to_send(f)); /* its effect is under way */
    f->now_ms += PAIR_PAUSE_MS + 1;
    asked = say(p, a, b, "later");
    deliver(p, true);
    assert_false(fixture_answered(f, asked));
    assert_true(wait_to_send(f));
    deliver(p, true);
    assert_int_equal(fixture_result(f, asked).seq, 3);
}

static void a_shard_that_is_away_delays_an_answer_a_little(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    uint64_t began = hy_steady_ms(), asked;
    char a[32], b[32];

    strangers(a, b);
    asked = say(p, a, b, "1");
    wait_answer(f, asked);
    assert_in_range(hy_steady_ms() - began, TELLING_MS, 2 * TELLING_MS);
    assert_int_equal(fixture_result(f, asked).seq, 1);
    assert_true(fixture_answered(f, say(p, a, b, "2"))); /* only the one that woke it */
    assert_true(wait_to_send(f));
    deliver(p, true); /* the outbox went on */
    assert_int_equal(fixture_index_time(p->shard[1], b), f->now_ms);
}

static enum hy_err fail_write(void *arg)
{
    return *(enum hy_err *)arg;
}

static void a_failed_write_leaves_what_is_durable_to_be_answered(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    enum hy_err err = HY_EIO;
    uint64_t first, second;
    char a[32], b[32];

    strangers(a, b);
    first = say(p, a, b, "1");
    store_set_fault(f->store, fail_write, &err);
    second = say(p, a, b, "2");
    assert_int_equal(fixture_result(f, second).code, HY_CODE_UNAVAILABLE);
    store_set_fault(f->store, NULL, NULL);
    wait_answer(f, first); /* though the database is closed */
    assert_int_equal(fixture_result(f, first).seq, 1);
}

static void a_stall_holds_what_is_told_too(void **state)
{
    struct shards *p = *state;
    struct fixture *f = p->shard[0];
    enum hy_err err = HY_EBUSY;
    uint64_t asked;
    char a[32], b[32];

    strangers(a, b);
    store_set_fault(f->store, fail_write, &err);
    asked = say(p, a, b, "1");
    store_turn(f->store);
    assert_false(f->sending); /* it is not durable */
    store_set_fault(f->store, NULL, NULL);
    assert_true(wait_to_send(f));
    assert_false(fixture_answered(f, asked));
    deliver(p, true);
    assert_int_equal(fixture_result(f, asked).seq, 1);
}

static void closing_says_what_waits(void **state)
{
    struct shards *p = *state;
    uint64_t asked;
    char a[32], b[32];

    strangers(a, b);
    asked = say(p, a, b, "1");
    assert_false(fixture_answered(p->shard[0], asked));
    fixture_restart(p->shard[0]);
    assert_int_equal(fixture_result(p->shard[0], asked).seq, 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, shards_setup, shards_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_wakes_with_its_first_message_and_after_a_pause),
        T(a_first_message_is_answered_when_the_other_shard_has_its_row),
        T(a_warm_pair_waits_for_nobody),
        T(a_message_after_a_pause_waits_as_a_first_one_does),
        T(what_was_sent_before_a_message_does_not_let_it_go),
        T(a_shard_that_is_away_delays_an_answer_a_little),
        T(a_failed_write_leaves_what_is_durable_to_be_answered),
        T(a_stall_holds_what_is_told_too),
        T(closing_says_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
