#include "store_fixture.h"

#include <time.h>

#include "common/clock.h"

/* ---- a disk that fails ---- */

struct bad_disk {
    int good_writes;
    enum hy_err err;
};

static enum hy_err fault(void *arg)
{
    struct bad_disk *d = arg;

    if (d->good_writes > 0) {
        d->good_writes--;
        return HY_OK;
    }
    return d->err;
}

static int setup_one(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int teardown_one(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct said hello(struct fixture *f, const char *id)
{
    return fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = id, .hash = 1});
}

/* Tick until the shard takes writes again. */
static void wait_open(struct fixture *f)
{
    uint64_t until = hy_steady_ms() + 5000;
    const struct timespec moment = {0, 20000000};

    while (store_ready(f->store) != NULL && hy_steady_ms() < until) {
        store_tick(f->store);
        nanosleep(&moment, NULL);
    }
    assert_null(store_ready(f->store));
}

static void an_append_is_whole_or_absent_wherever_the_disk_fails(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;

    for (int good = 0; good < 4; good++) {
        struct bad_disk disk = {good, HY_EIO};
        Hy__HistoryRes *page;
        char id[16];

        store_set_fault(f->store, fault, &disk);
        for (int i = 0; i < 6; i++) {
            struct said said;

            snprintf(id, sizeof id, "%d-%d", good, i);
            said = hello(f, id);
            if (said.code == 0)
                assert_int_equal(said.seq, ++last);
            else
                assert_int_equal(said.code, HY_CODE_UNAVAILABLE);
        }
        assert_non_null(store_ready(f->store));
        store_set_fault(f->store, NULL, NULL);
        wait_open(f);
        page = fixture_page(f, (struct page){.user = "ben", .peer = "anna"});
        assert_int_equal(page->last_seq, last);
        assert_int_equal(page->n_msgs, last);
        DROP(page);
        /* What was refused can be sent again, once. */
        assert_int_equal(hello(f, id).seq, last + 1);
        assert_int_equal(hello(f, id).seq, last + 1);
        last++;
    }
    assert_int_equal(fixture_unread(f, "ben", "anna", false), last);
}

static void a_full_disk_has_its_own_code_for_every_request_of_the_batch(void **state)
{
    struct fixture *f = *state;
    struct bad_disk disk = {0, HY_EFULL};
    uint64_t ids[10];

    store_set_fault(f->store, fault, &disk);
    for (int i = 0; i < 10; i++)
        ids[i] = fixture_say(f, (struct say){.from = "anna", .to = "ben"});
    store_turn(f->store);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fixture_result(f, ids[i]).code, HY_CODE_DISK_FULL);
    assert_int_equal(hello(f, "later").code, HY_CODE_DISK_FULL);
    store_set_fault(f->store, NULL, NULL);
    wait_open(f);
    assert_int_equal(hello(f, "later").seq, 1);
}

/* Stalls this many times. */
static enum hy_err stall(void *arg)
{
    int *times = arg;

    return (*times)-- > 0 ? HY_EBUSY : HY_OK;
}

static void a_stall_delays_and_refuses_nothing(void **state)
{
    struct fixture *f = *state;
    struct say say = {.from = "anna", .to = "ben", .hash = 1};
    uint64_t ids[3];
    int times = 2;

    assert_int_equal(hello(f, "0").seq, 1);
    store_set_fault(f->store, stall, &times);
    for (int i = 0; i < 3; i++) {
        ids[i] = fixture_say(f, say); /* the first is stalled, the others wait behind it */
        store_turn(f->store);
        if (i < 2)
            assert_false(fixture_answered(f, ids[i]));
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture_result(f, ids[i]).seq, i + 2);
    assert_null(store_ready(f->store));
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 4);
}

static void an_index_that_waits_for_a_warm_conversation_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    hello(f, "1");
    f->now_ms += 10;
    hello(f, "2"); /* warm: the index learns later, or when it is read */
    fixture_restart(f);
    assert_int_equal(fixture_index_time(f, "ben"), f->now_ms);
    f->now_ms += 10;
    hello(f, "3");
    f->now_ms += 10;
    hello(f, "4");
    assert_int_equal(fixture_index_time(f, "anna"), f->now_ms);
    assert_int_equal(fixture_index_time(f, "ben"), f->now_ms);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup_one, teardown_one)
    const struct CMUnitTest tests[] = {
        T(an_append_is_whole_or_absent_wherever_the_disk_fails),
        T(a_full_disk_has_its_own_code_for_every_request_of_the_batch),
        T(a_stall_delays_and_refuses_nothing),
        T(an_index_that_waits_for_a_warm_conversation_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
