#include "bus_fixture.h"

static void a_call_is_answered_once_and_later(void **state)
{
    struct pair pair;
    struct tally tally = {0};
    struct ask ask = {&tally, 42};

    (void)state;
    pair_open(&pair);
    pair.store.mood = ANSWER;
    assert_int_not_equal(call(&pair.router, pair.peer, &ask, 0), 0);
    assert_int_equal(tally.ok, 0);
    TURN_UNTIL(pair.loop, tally.ok == 1);
    assert_int_equal(pair.router.records, 0); /* answers are not records */
    pair_close(&pair);
}

static void a_call_ends_at_its_deadline(void **state)
{
    struct pair pair;
    struct tally tally = {0};
    struct ask asks[3] = {{&tally, 0}, {&tally, 1}, {&tally, 2}};
    uint64_t from = 0, id = 0;

    (void)state;
    pair_open(&pair);
    pair.store.mood = SILENT;
    from = hy_steady_ms();
    call(&pair.router, pair.peer, &asks[0], 500);
    call(&pair.router, NULL, &asks[1], 300); /* nobody to ask */
    id = call(&pair.router, pair.peer, &asks[2], 200);
    hy_bus_cancel(pair.router.bus, id);
    hy_bus_cancel(pair.router.bus, id);
    TURN_UNTIL(pair.loop, tally.timeout == 1);
    assert_true(hy_steady_ms() - from >= 500);
    assert_int_equal(tally.busy, 1);
    assert_int_equal(tally.done[2], 0);
    assert_true(pair.store.records >= 2); /* it asked again meanwhile */
    pair_close(&pair);
}

static void an_answer_may_come_later_by_its_handle(void **state)
{
    struct pair pair;
    struct tally tally = {0};
    struct ask ask = {&tally, 9};

    (void)state;
    pair_open(&pair);
    pair.store.mood = HOLD;
    call(&pair.router, pair.peer, &ask, 0);
    TURN_UNTIL(pair.loop, pair.store.records >= 1);
    hy_bus_reply(&pair.store.held, &ask.number, sizeof ask.number);
    hy_bus_reply(&pair.store.held, &ask.number, sizeof ask.number); /* twice is harmless */
    TURN_UNTIL(pair.loop, tally.ok == 1);
    pair.store.held.peer += 1 << 16; /* a peer that is gone */
    hy_bus_reply(&pair.store.held, "x", 1);
    assert_int_equal(tally.twice, 0);
    pair_close(&pair);
}

static void an_answer_is_doubtful_while_another_try_is_not_answered(void **state)
{
    struct pair pair;
    struct tally tally = {0};
    struct ask asks[2] = {{&tally, 7}, {&tally, 8}};

    (void)state;
    pair_open(&pair);
    pair.store.mood = ANSWER;
    call(&pair.router, pair.peer, &asks[0], 0);
    TURN_UNTIL(pair.loop, tally.ok == 1);
    assert_int_equal(tally.doubtful, 0);
    pair.store.mood = HOLD;
    pair.store.records = 0;
    call(&pair.router, pair.peer, &asks[1], 0);
    TURN_UNTIL(pair.loop, pair.store.records >= 2); /* the second try may yet be taken */
    hy_bus_reply(&pair.store.held, &asks[1].number, sizeof asks[1].number);
    TURN_UNTIL(pair.loop, tally.ok == 2);
    assert_int_equal(tally.doubtful, 1);
    pair_close(&pair);
}

static void calls_survive_a_restart_of_the_store_each_answered_once(void **state)
{
    enum { COUNT = 4000 };
    struct pair pair;
    struct tally tally = {0};
    struct ask *asks = calloc(COUNT, sizeof *asks);

    (void)state;
    pair_open(&pair);
    pair.store.mood = ANSWER;
    for (unsigned i = 0; i < COUNT; i++) {
        asks[i] = (struct ask){&tally, i};
        call(&pair.router, pair.peer, &asks[i], 20000);
        if (i % 100 == 0)
            hy_loop_turn(pair.loop, 0);
        if (i == COUNT / 2)
            pair.store.mood = SILENT; /* these are lost with it */
        if (i == COUNT * 3 / 4) {
            hy_bus_close(&pair.store.bus);
            reopen_store(&pair.store, pair.loop, "store-0", pair.endpoint);
            pair.store.mood = ANSWER;
        }
    }
    TURN_UNTIL(pair.loop, tally.ok == COUNT);
    assert_int_equal(tally.twice, 0);
    assert_int_equal(pair.router.restarted, 1);
    free(asks);
    pair_close(&pair);
}

struct both {
    struct hy_peer *peers[2];
};

static struct hy_peer *first_up(void *arg, const void *key)
{
    struct both *both = arg;

    (void)key;
    return hy_peer_up(both->peers[0]) ? both->peers[0] : both->peers[1];
}

static void calls_follow_a_fail_over(void **state)
{
    enum { COUNT = 500 };
    struct pair pair;
    struct node second = {.mood = ANSWER};
    struct tally tally = {0};
    struct ask asks[COUNT];
    struct both both;
    struct hy_call how = {.kind = KIND, .deadline_ms = 20000, .retry_ms = 20000,
                          .pick = first_up, .pick_arg = &both, .done = on_done};

    (void)state;
    pair_open(&pair);
    open_store(&second, pair.loop, "store-1", "tcp://127.0.0.1:*");
    both.peers[0] = pair.peer;
    both.peers[1] = dial(&pair.router, "store-1", hy_bus_endpoint(second.bus));
    TURN_UNTIL(pair.loop, hy_peer_up(both.peers[1]));
    pair.store.mood = SILENT;
    for (unsigned i = 0; i < COUNT; i++) {
        asks[i] = (struct ask){&tally, i};
        how.arg = &asks[i];
        hy_bus_call(pair.router.bus, &how, &i, sizeof i);
    }
    TURN_UNTIL(pair.loop, pair.store.records == COUNT);
    hy_bus_close(&pair.store.bus); /* retry_ms is far: only its going down can move them */
    TURN_UNTIL(pair.loop, tally.ok == COUNT);
    assert_int_equal(tally.twice, 0);
    hy_bus_close(&second.bus);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered_once_and_later),
        cmocka_unit_test(a_call_ends_at_its_deadline),
        cmocka_unit_test(an_answer_may_come_later_by_its_handle),
        cmocka_unit_test(an_answer_is_doubtful_while_another_try_is_not_answered),
        cmocka_unit_test(calls_survive_a_restart_of_the_store_each_answered_once),
        cmocka_unit_test(calls_follow_a_fail_over),
    };

    hy_log_open("test", "bus", HY_LOG_ERROR + 1, false); /* what is provoked is no news */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
