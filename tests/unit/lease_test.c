#include "presence/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "presence/worker.h"

static void tallies_do_not_depend_on_order(void **state)
{
    struct tally a = {0}, b = {0};

    (void)state;
    tally_add(&a, 1, 10);
    tally_add(&a, 2, 20);
    tally_add(&b, 2, 20);
    tally_add(&b, 3, 30);
    tally_add(&b, 1, 10);
    tally_drop(&b, 3, 30);
    assert_int_equal(a.count, b.count);
    assert_true(a.digest == b.digest);
    tally_drop(&a, 1, 10);
    tally_drop(&a, 2, 20);
    assert_true(a.count == 0 && a.digest == 0);
}

static void a_difference_that_stays_asks_for_a_registration(void **state)
{
    struct lease lease = {0};
    struct tally ours = {0}, theirs = {0};

    (void)state;
    assert_false(lease_renew(&lease, &theirs, &ours, 1000));
    tally_add(&theirs, 7, 1);
    assert_false(lease_renew(&lease, &theirs, &ours, 2000));
    /* both go on changing meanwhile */
    tally_add(&theirs, 8, 1);
    tally_add(&ours, 8, 1);
    assert_true(lease_renew(&lease, &theirs, &ours, 3000));
    /* asked; not at every lease from now on */
    assert_false(lease_renew(&lease, &theirs, &ours, 4000));
    assert_true(lease_renew(&lease, &theirs, &ours, 5000));
}

static void changes_under_way_ask_for_nothing(void **state)
{
    struct lease lease = {0};
    struct tally ours = {0}, theirs = {0};

    (void)state;
    for (uint64_t i = 1; i < 100; i++) {
        tally_add(&theirs, i, 1); /* its PRESENCE_OPEN arrives a moment later */
        assert_false(lease_renew(&lease, &theirs, &ours, i * 1000));
        tally_add(&ours, i, 1);
    }
    assert_false(lease_renew(&lease, &theirs, &ours, 100000));
}

static void one_session_under_two_links_differs(void **state)
{
    struct lease lease = {0};
    struct tally ours = {0}, theirs = {0};

    (void)state;
    tally_add(&ours, 1, 10);
    tally_add(&theirs, 1, 11);
    assert_false(lease_renew(&lease, &theirs, &ours, 1000));
    assert_true(lease_renew(&lease, &theirs, &ours, 2000));
}

static void silence_ends_a_lease(void **state)
{
    struct lease lease = {0};

    (void)state;
    lease_heard(&lease, 5000);
    assert_false(lease_over(&lease, 15000, 10000));
    assert_true(lease_over(&lease, 15001, 10000));
}

static void workers_are_kept_while_they_hold_sessions(void **state)
{
    struct workers workers = {0};
    struct worker *a = workers_make(&workers, "gateway-0/0", 1), *b;

    (void)state;
    assert_ptr_equal(workers_make(&workers, "gateway-0/0", 2), a);
    b = workers_make(&workers, "gateway-0/1", 1);
    a->up = true;
    worker_add(b, 1, 1);
    assert_false(workers_registered(&workers));
    a->registered = true;
    assert_true(workers_registered(&workers));
    workers_tidy(&workers);
    assert_ptr_equal(workers_find(&workers, "gateway-0/1"), b);
    worker_drop(b, 1, 1);
    workers_tidy(&workers);
    assert_null(workers_find(&workers, "gateway-0/1"));
    assert_ptr_equal(workers_find(&workers, "gateway-0/0"), a);
    workers_free(&workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tallies_do_not_depend_on_order),
        cmocka_unit_test(a_difference_that_stays_asks_for_a_registration),
        cmocka_unit_test(changes_under_way_ask_for_nothing),
        cmocka_unit_test(one_session_under_two_links_differs),
        cmocka_unit_test(silence_ends_a_lease),
        cmocka_unit_test(workers_are_kept_while_they_hold_sessions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
