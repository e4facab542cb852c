#include "common/metrics.h"
#include "tests/unit/etcd_fixture.h"

static struct hy_loop *loop;
static struct view a, b;

static int start(int members)
{
    etcd_start(members, false);
    return hy_loop_open(&loop) == HY_OK ? 0 : -1;
}

static int start_one(void **state)
{
    (void)state;
    return start(1);
}

static int start_three(void **state)
{
    (void)state;
    return start(3);
}

static int stop(void **state)
{
    (void)state;
    hy_coord_close(&a.coord);
    hy_coord_close(&b.coord);
    hy_loop_close(&loop);
    etcd_stop();
    return 0;
}

/* Both views, whole, with leases; and a value that each of them leases. */
static void open_both(void)
{
    struct hy_common_settings settings = etcd_settings();

    assert_int_equal(view_open(&a, loop, &settings, LEASE_S, ""), HY_OK);
    assert_int_equal(view_open(&b, loop, &settings, LEASE_S, ""), HY_OK);
    UNTIL(loop, a.leased > 0 && b.leased > 0);
    UNTIL(loop, put(&a, "node/a", "here", true) == HY_OK);
    UNTIL(loop, put(&b, "node/b", "here", true) == HY_OK);
    UNTIL(loop, shows(&a, "node/b", "here") && shows(&b, "node/a", "here"));
}

/* Changes and watches work, both ways, within ms. */
static void all_goes_on(const char *text, uint64_t within_ms)
{
    uint64_t begun = hy_steady_ms();

    UNTIL(loop, put(&a, "from/a", text, false) == HY_OK);
    UNTIL(loop, put(&b, "from/b", text, false) == HY_OK);
    UNTIL(loop, shows(&a, "from/b", text) && shows(&b, "from/a", text));
    print_message("goes on after %d ms\n", (int)(hy_steady_ms() - begun));
    assert_true(hy_steady_ms() - begun < within_ms);
}

static int64_t restarts(void)
{
    return atomic_load(&hy_counter("hongyan_coord_watch_restarts_total", "", "")->value);
}

static void while_etcd_stands_still_changes_are_unknown_and_the_copy_stays(void **state)
{
    (void)state;
    open_both();
    int changes = a.changes;
    uint64_t trusted = hy_coord_trusted_until_ms(a.coord), begun;

    etcd_signal(0, SIGSTOP);
    begun = hy_steady_ms();
    assert_int_equal(put(&a, "k", "1", false), HY_ETIMEOUT);
    print_message("unknown after %d ms\n", (int)(hy_steady_ms() - begun));
    assert_in_range(hy_steady_ms() - begun, 900, 1600);
    assert_int_equal(put(&a, "k", "1", false), HY_ETIMEOUT);
    assert_true(shows(&a, "node/b", "here") && a.changes == changes);
    assert_true(hy_coord_trusted_until_ms(a.coord) <= trusted + 1200);
    etcd_signal(0, SIGCONT);
    all_goes_on("after", 4000);
    assert_int_equal(a.lost + b.lost, 0);
    assert_true(shows(&a, "node/a", "here") && shows(&b, "node/b", "here"));
}

static void a_lease_that_ended_meanwhile_is_lost_and_asked_for_anew(void **state)
{
    (void)state;
    open_both();
    etcd_signal(0, SIGSTOP);
    turn_for(loop, LEASE_S * 1000 + 1500);
    assert_true(hy_coord_trusted_until_ms(a.coord) < hy_steady_ms());
    assert_int_equal(a.lost, 0); /* nobody has said so yet */
    etcd_signal(0, SIGCONT);
    UNTIL(loop, a.lost == 1 && a.leased == 2 && b.lost == 1 && b.leased == 2);
    UNTIL(loop, shows(&a, "node/a", NULL) && shows(&b, "node/b", NULL));
    assert_int_equal(put(&a, "node/a", "again", true), HY_OK);
    UNTIL(loop, shows(&b, "node/a", "again"));
    UNTIL(loop, hy_coord_trusted_until_ms(a.coord) > hy_steady_ms());
}

static void a_process_that_stood_still_learns_that_its_lease_is_gone(void **state)
{
    struct hy_loop *other = NULL;
    struct hy_common_settings settings = etcd_settings();

    (void)state;
    assert_int_equal(hy_loop_open(&other), HY_OK);
    assert_int_equal(view_open(&a, other, &settings, 2, ""), HY_OK);
    assert_int_equal(view_open(&b, loop, &settings, LEASE_S, ""), HY_OK);
    UNTIL(other, a.leased == 1);
    assert_int_equal(put(&a, "shard/0/leader", "a", true), HY_OK);
    UNTIL(loop, shows(&b, "shard/0/leader", "a"));
    UNTIL(loop, shows(&b, "shard/0/leader", NULL)); /* while a's loop stands */
    assert_true(hy_coord_trusted_until_ms(a.coord) < hy_steady_ms());
    assert_int_equal(put_if(&b, "shard/0/leader", "b", HY_COORD_ABSENT, 0), HY_OK);
    assert_true(shows(&a, "shard/0/leader", "a"));
    do { /* with the dead lease; again when etcd, on a busy machine, said nothing in time */
        int before = a.done;

        ask(&a, "shard/0/state", "a's", true, HY_COORD_ABSENT, UINT64_MAX);
        UNTIL(other, a.done > before);
    } while (a.err == HY_ETIMEOUT);
    assert_int_equal(a.err, HY_ECLOSED);
    UNTIL(other, a.lost == 1 && a.leased == 2 && shows(&a, "shard/0/leader", "b"));
    assert_true(shows(&b, "shard/0/state", NULL));
    hy_coord_close(&a.coord);
    hy_loop_close(&other);
}

static void etcd_may_be_away_and_come_back(void **state)
{
    (void)state;
    open_both();
    assert_int_equal(put(&a, "k", "1", false), HY_OK);
    etcd_signal(0, SIGKILL);
    uint64_t begun = hy_steady_ms();

    assert_int_equal(put(&a, "k", "2", false), HY_ETIMEOUT);
    assert_in_range(hy_steady_ms() - begun, 700, 1600); /* it was tried again and again */
    turn_for(loop, 3000);
    assert_true(shows(&a, "k", "1") && shows(&b, "k", "1") && shows(&b, "node/a", "here"));
    assert_int_equal(a.wholes, 1);
    etcd_run(0);
    all_goes_on("after", 8000);
    assert_true(a.wholes > 1);
    assert_int_equal(a.lost + b.lost, 0);
    assert_true(shows(&a, "k", "1") && shows(&b, "node/a", "here"));
}

static void what_went_and_came_while_nobody_looked_is_told(void **state)
{
    struct hy_common_settings settings = etcd_settings();
    struct hy_coord_value value;
    uint64_t created;

    (void)state;
    open_both();
    hy_coord_close(&b.coord);
    assert_int_equal(put(&a, "same", "1", false), HY_OK);
    assert_int_equal(put(&a, "goes", "1", false), HY_OK);
    assert_int_equal(put(&a, "again", "1", false), HY_OK);
    assert_true(hy_coord_get(a.coord, "again", &value));
    created = value.created;
    etcd_signal(0, SIGKILL); /* so that a's watch is broken, and its loop stands while b works */
    etcd_run(0);

    struct hy_loop *other = NULL;

    assert_int_equal(hy_loop_open(&other), HY_OK);
    assert_int_equal(view_open(&b, other, &settings, 0, ""), HY_OK);
    UNTIL(other, b.wholes == 1);
    assert_int_equal(put(&b, "goes", NULL, false), HY_OK);
    assert_int_equal(put(&b, "again", NULL, false), HY_OK);
    assert_int_equal(put(&b, "again", "1", false), HY_OK);
    assert_int_equal(put(&b, "new", "1", false), HY_OK);
    etcdctl("compaction %d", (int)b.revision);
    a.told[0] = '\0';
    UNTIL(loop, shows(&a, "new", "1"));
    assert_non_null(strstr(a.told, "goes=(gone)\n"));
    assert_non_null(strstr(a.told, "again=(gone)\n"));
    assert_non_null(strstr(a.told, "again=1\nnew=1\n"));
    assert_null(strstr(a.told, "same="));
    assert_true(hy_coord_get(a.coord, "again", &value));
    assert_true(value.created > created);
    hy_coord_close(&b.coord);
    hy_loop_close(&other);
}

/* Its history is compacted away before it has been told: it is so much that no buffer holds it. */
static void who_is_too_slow_for_a_compaction_reads_all_again(void **state)
{
    enum { ROUNDS = 300 };
    struct hy_common_settings settings = etcd_settings();
    struct hy_loop *other = NULL;
    static char text[200000];
    int64_t before;

    (void)state;
    assert_int_equal(hy_loop_open(&other), HY_OK);
    assert_int_equal(view_open(&a, other, &settings, 0, ""), HY_OK);
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    UNTIL(other, a.wholes == 1);
    UNTIL(loop, b.wholes == 1);
    turn_for(other, 500); /* a's watch stands */
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(text, 8, "%06d", i);
        text[6] = ' ';
        UNTIL(loop, put(&b, "big", text, false) == HY_OK);
    }
    UNTIL(loop, put(&b, "last", "1", false) == HY_OK);
    etcdctl("compaction %d", (int)b.revision);
    before = restarts();
    UNTIL(other, shows(&a, "last", "1") && shows(&a, "big", text));
    print_message("%d of %d changes seen, %d restarts\n", a.changes, ROUNDS + 1,
                  (int)(restarts() - before));
    assert_true(a.wholes == 2 && a.changes < ROUNDS);
    hy_coord_close(&a.coord);
    hy_loop_close(&other);
}

static void an_etcd_that_was_emptied_is_believed(void **state)
{
    (void)state;
    open_both();
    for (int i = 0; i < 20; i++)
        assert_int_equal(put(&a, "k", "1", false), HY_OK);
    etcd_signal(0, SIGKILL);
    shell("rm -rf m0");
    etcd_run(0);
    UNTIL(loop, shows(&b, "k", NULL) && shows(&b, "node/a", NULL) && a.lost == 1 && b.lost == 1);
    all_goes_on("after", 4000);
}

/* The member that leads the others. */
static int etcd_leader(void)
{
    char path[96], word[16] = "";

    shell("for i in 0 1 2; do echo $i; done >order; : >leader; for try in $(seq 50); do i=0;"
          "for port in %u %u %u; do curl -s -m 1 http://127.0.0.1:$port/metrics | "
          "grep -q '^etcd_server_is_leader 1' && echo $i >leader; i=$((i+1)); done;"
          "[ -s leader ] && exit 0; sleep .2; done; exit 1",
          etcd.members[0].client_port, etcd.members[1].client_port, etcd.members[2].client_port);
    snprintf(path, sizeof path, "%s/leader", etcd.dir);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    assert_non_null(fgets(word, sizeof word, file));
    fclose(file);
    return atoi(word);
}

static void of_three_members_the_leading_one_may_die(void **state)
{
    (void)state;
    open_both();
    for (int round = 0; round < 3; round++) {
        char text[16];
        int leader = etcd_leader();

        snprintf(text, sizeof text, "round %d", round);
        etcd_signal(leader, SIGKILL);
        all_goes_on(text, 6000);
        etcd_run(leader);
        turn_for(loop, 1000);
    }
    assert_int_equal(a.lost + b.lost, 0);
    assert_true(shows(&a, "node/b", "here") && shows(&b, "node/a", "here"));
}

static void of_three_members_any_may_stand_still(void **state)
{
    (void)state;
    open_both();
    for (int i = 0; i < 3; i++) {
        char text[16];

        snprintf(text, sizeof text, "round %d", i);
        etcd_signal(i, SIGSTOP);
        all_goes_on(text, 8000);
        etcd_signal(i, SIGCONT);
        turn_for(loop, 1500);
    }
    assert_int_equal(a.lost + b.lost, 0);
    assert_true(shows(&a, "node/b", "here") && shows(&b, "node/a", "here"));
}

static void a_member_without_the_others_keeps_nobody(void **state)
{
    (void)state;
    open_both();
    etcd_signal(0, SIGKILL);
    etcd_signal(1, SIGKILL);
    UNTIL(loop, put(&a, "k", "1", false) == HY_ETIMEOUT);
    turn_for(loop, 3000);
    assert_int_equal(put(&a, "k", "1", false), HY_ETIMEOUT);
    assert_true(shows(&a, "node/b", "here"));
    etcd_run(0);
    all_goes_on("after", 10000);
    assert_int_equal(a.lost + b.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            while_etcd_stands_still_changes_are_unknown_and_the_copy_stays, start_one, stop),
        cmocka_unit_test_setup_teardown(a_lease_that_ended_meanwhile_is_lost_and_asked_for_anew,
                                        start_one, stop),
        cmocka_unit_test_setup_teardown(a_process_that_stood_still_learns_that_its_lease_is_gone,
                                        start_one, stop),
        cmocka_unit_test_setup_teardown(etcd_may_be_away_and_come_back, start_one, stop),
        cmocka_unit_test_setup_teardown(what_went_and_came_while_nobody_looked_is_told, start_one,
                                        stop),
        cmocka_unit_test_setup_teardown(who_is_too_slow_for_a_compaction_reads_all_again, start_one,
                                        stop),
        cmocka_unit_test_setup_teardown(an_etcd_that_was_emptied_is_believed, start_one, stop),
        cmocka_unit_test_setup_teardown(of_three_members_the_leading_one_may_die, start_three,
                                        stop),
        cmocka_unit_test_setup_teardown(of_three_members_any_may_stand_still, start_three, stop),
        cmocka_unit_test_setup_teardown(a_member_without_the_others_keeps_nobody, start_three,
                                        stop),
    };

    return cmocka_run_group_tests_name("coord_fault", tests, NULL, NULL);
}
