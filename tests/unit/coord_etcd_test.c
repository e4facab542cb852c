#include "tests/unit/etcd_fixture.h"

static struct hy_loop *loop;
static struct view a, b;

/* This program again, as a process that holds a leased value until it is killed. */
static pid_t hold(const char *lease_file, const char *key)
{
    char log[96];
    const char *argv[] = {"/proc/self/exe", "hold", etcd.endpoint[0], lease_file, key, NULL};

    snprintf(log, sizeof log, "%s/hold.log", etcd.dir);
    return spawn(argv, log);
}

static int run_hold(char **argv)
{
    struct hy_common_settings settings = etcd_settings();
    int put_for = 0;

    settings.etcd_endpoints = (struct hy_text_list){&argv[2], 1};
    if (hy_loop_open(&loop) != HY_OK || view_open(&a, loop, &settings, LEASE_S, argv[3]) != HY_OK)
        return 1;
    for (;;) {
        hy_loop_turn(loop, 1000);
        if (a.leased > put_for) {
            put_for = a.leased;
            ask(&a, argv[4], "held", true, HY_COORD_ABSENT, UINT64_MAX);
        }
    }
}

static int start(void **state)
{
    (void)state;
    etcd_start(1, false);
    return hy_loop_open(&loop) == HY_OK ? 0 : -1;
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

/* Both views, whole. */
static void open_both(uint32_t lease_a, uint32_t lease_b)
{
    struct hy_common_settings settings = etcd_settings();

    assert_int_equal(view_open(&a, loop, &settings, lease_a, ""), HY_OK);
    assert_int_equal(view_open(&b, loop, &settings, lease_b, ""), HY_OK);
    UNTIL(loop, a.wholes > 0 && (lease_a == 0 || a.leased > 0));
    UNTIL(loop, b.wholes > 0 && (lease_b == 0 || b.leased > 0));
    assert_string_equal(a.told, "");
}

static int by_size(const void *x, const void *y)
{
    return (*(const uint64_t *)x > *(const uint64_t *)y) -
           (*(const uint64_t *)x < *(const uint64_t *)y);
}

static void what_one_puts_all_see(void **state)
{
    struct hy_coord_value value;
    uint64_t took[200], seen_took[200], first;

    (void)state;
    open_both(LEASE_S, 0);
    assert_false(hy_coord_static(a.coord));
    assert_int_equal(put(&a, "map", "{\"epoch\":1}", false), HY_OK);
    assert_string_equal(a.told, "map={\"epoch\":1}\n"); /* shown before it is done */
    first = a.revision;
    assert_int_equal(put(&a, "node/store/store-0", "über \"quoted\"\n", true), HY_OK);
    assert_true(hy_coord_get(a.coord, "node/store/store-0", &value));
    assert_true(value.leased && value.created == a.revision && value.changed == a.revision);
    assert_int_equal(put(&a, "map", "{\"epoch\":2}", false), HY_OK);
    UNTIL(loop, shows(&b, "map", "{\"epoch\":2}"));
    assert_true(hy_coord_get(b.coord, "map", &value));
    assert_true(!value.leased && value.created == first && value.changed == a.revision);
    assert_int_equal(put(&b, "map", NULL, false), HY_OK);
    assert_int_equal(put(&b, "map", NULL, false), HY_OK); /* of nothing */
    UNTIL(loop, shows(&a, "map", NULL));
    assert_string_equal(b.told, "map={\"epoch\":1}\nnode/store/store-0=über \"quoted\"\n\n"
                                "map={\"epoch\":2}\nmap=(gone)\n");
    for (int i = 0; i < 200; i++) {
        char text[16];
        uint64_t begun = hy_steady_us();

        snprintf(text, sizeof text, "%d", i);
        assert_int_equal(put(&a, "counter", text, false), HY_OK);
        took[i] = hy_steady_us() - begun;
        UNTIL(loop, shows(&b, "counter", text));
        seen_took[i] = hy_steady_us() - begun;
    }
    qsort(took, 200, sizeof took[0], by_size);
    qsort(seen_took, 200, sizeof seen_took[0], by_size);
    print_message("change done: median %.2f ms, most %.2f ms; seen by another: %.2f, %.2f ms\n",
                  (double)took[100] / 1e3, (double)took[199] / 1e3, (double)seen_took[100] / 1e3,
                  (double)seen_took[199] / 1e3);
}

static void values_before_one_came_are_told_it_too(void **state)
{
    struct hy_common_settings settings = etcd_settings();
    char other[] = "other";

    (void)state;
    assert_int_equal(view_open(&a, loop, &settings, 0, ""), HY_OK);
    UNTIL(loop, a.wholes == 1);
    assert_int_equal(put(&a, "x", "1", false), HY_OK);
    assert_int_equal(put(&a, "b", "2", false), HY_OK);
    assert_int_equal(put(&a, "x", "3", false), HY_OK);
    settings.cluster_id = other;
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    assert_int_equal(put(&b, "x", "theirs", false), HY_OK);
    hy_coord_close(&b.coord);
    settings.cluster_id = cluster;
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    UNTIL(loop, b.wholes == 1);
    assert_string_equal(b.told, "b=2\nx=3\n");
    assert_true(shows(&a, "x", "3"));
}

static void a_guard_that_does_not_hold_stops_all(void **state)
{
    uint64_t revision;

    (void)state;
    open_both(0, 0);
    assert_int_equal(put_if(&a, "k", "1", HY_COORD_CREATED, 1), HY_EEXIST);
    assert_int_equal(put_if(&a, "k", "1", HY_COORD_CHANGED, 1), HY_EEXIST);
    assert_int_equal(put_if(&a, "k", "1", HY_COORD_ABSENT, 0), HY_OK);
    revision = a.revision;
    assert_int_equal(put_if(&b, "k", "2", HY_COORD_ABSENT, 0), HY_EEXIST);
    assert_int_equal(put_if(&b, "k", "2", HY_COORD_CHANGED, revision), HY_OK);
    assert_int_equal(put_if(&a, "k", "3", HY_COORD_CHANGED, revision), HY_EEXIST);
    assert_int_equal(put_if(&a, "k", "3", HY_COORD_CREATED, revision), HY_OK);

    const struct hy_coord_guard guards[] = {{"k", HY_COORD_CREATED, revision},
                                            {"none", HY_COORD_CREATED, revision}};
    const struct hy_coord_put puts[] = {{"k", "4", false}, {"l", "4", false}};
    const struct hy_coord_change both = {guards, 2, puts, 2}, one = {guards, 1, puts, 2};
    int before = a.done;

    hy_coord_change(a.coord, &both, view_done, &a);
    hy_coord_change(a.coord, &one, view_done, &a);
    UNTIL(loop, a.done == before + 1);
    assert_int_equal(a.err, HY_EEXIST);
    assert_true(shows(&a, "l", NULL));
    UNTIL(loop, a.done == before + 2);
    assert_int_equal(a.err, HY_OK);
    assert_true(shows(&a, "k", "4") && shows(&a, "l", "4"));
    assert_int_equal(put(&a, "leased", "1", true), HY_ECLOSED);
}

static void of_two_who_want_to_lead_exactly_one_does(void **state)
{
    int won[2] = {0};

    (void)state;
    open_both(LEASE_S, LEASE_S);
    for (int round = 0; round < 100; round++) {
        int before_a = a.done, before_b = b.done;

        ask(round % 2 ? &a : &b, "shard/0/leader", round % 2 ? "a" : "b", true, HY_COORD_ABSENT, 0);
        ask(round % 2 ? &b : &a, "shard/0/leader", round % 2 ? "b" : "a", true, HY_COORD_ABSENT, 0);
        UNTIL(loop, a.done > before_a && b.done > before_b);
        assert_int_equal((a.err == HY_OK) + (b.err == HY_OK), 1);
        assert_int_equal((a.err == HY_EEXIST) + (b.err == HY_EEXIST), 1);

        struct view *winner = a.err == HY_OK ? &a : &b, *other = a.err == HY_OK ? &b : &a;

        won[winner == &b]++;
        UNTIL(loop, shows(other, "shard/0/leader", winner == &a ? "a" : "b"));
        assert_int_equal(put_if(winner, "shard/0/leader", NULL, HY_COORD_CREATED, winner->revision),
                         HY_OK);
        UNTIL(loop, shows(other, "shard/0/leader", NULL));
    }
    print_message("won: a %d, b %d\n", won[0], won[1]);
}

static void what_a_killed_process_leased_goes(void **state)
{
    char file[96];

    (void)state;
    open_both(0, 0);
    snprintf(file, sizeof file, "%s/lease", etcd.dir);
    pid_t pid = hold(file, "node/x");

    UNTIL(loop, shows(&a, "node/x", "held"));
    turn_for(loop, 3000); /* a few renewals */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    uint64_t killed = hy_steady_ms();

    UNTIL(loop, shows(&a, "node/x", NULL));
    uint64_t took = hy_steady_ms() - killed;

    print_message("lease of %d s: gone %.1f s after kill -9\n", LEASE_S, (double)took / 1e3);
    assert_in_range(took, LEASE_S * 1000 - 1500, LEASE_S * 1000 + 3000);
}

static void a_restart_ends_the_lease_of_the_one_before(void **state)
{
    char file[96];

    (void)state;
    open_both(0, 0);
    snprintf(file, sizeof file, "%s/lease", etcd.dir);
    pid_t pid = hold(file, "node/x");

    UNTIL(loop, shows(&a, "node/x", "held"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(shows(&a, "node/x", "held"));
    uint64_t started = hy_steady_ms();

    pid = hold(file, "node/y");
    UNTIL(loop, shows(&a, "node/x", NULL));
    uint64_t took = hy_steady_ms() - started;

    UNTIL(loop, shows(&a, "node/y", "held"));
    print_message("gone %d ms after the restart\n", (int)took);
    assert_true(took < 2000);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void who_closes_ends_the_lease(void **state)
{
    struct hy_common_settings settings = etcd_settings();
    char file[96];

    (void)state;
    snprintf(file, sizeof file, "%s/lease", etcd.dir);
    assert_int_equal(view_open(&a, loop, &settings, LEASE_S, file), HY_OK);
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    UNTIL(loop, a.leased == 1);
    assert_int_equal(put(&a, "node/x", "held", true), HY_OK);
    UNTIL(loop, shows(&b, "node/x", "held"));
    uint64_t now = hy_steady_ms(), until = hy_coord_trusted_until_ms(a.coord);

    assert_true(until > now && until <= now + LEASE_S * 1000 * 2 / 3);
    UNTIL(loop, hy_coord_trusted_until_ms(a.coord) > until);
    assert_int_equal(access(file, F_OK), 0);
    hy_coord_close(&a.coord);
    assert_int_equal(access(file, F_OK), -1);
    now = hy_steady_ms();
    UNTIL(loop, shows(&b, "node/x", NULL));
    assert_true(hy_steady_ms() - now < 1000);
}

/* ---- TLS, and users ---- */

static int start_tls(void **state)
{
    (void)state;
    etcd_start(1, true);
    return hy_loop_open(&loop) == HY_OK ? 0 : -1;
}

static void over_tls_both_sides_show_certificates(void **state)
{
    struct hy_common_settings settings = etcd_settings();
    char ca[96], other[96], certificate[96], key[96];

    (void)state;
    snprintf(ca, sizeof ca, "%s/ca.pem", etcd.dir);
    snprintf(other, sizeof other, "%s/other.pem", etcd.dir);
    snprintf(certificate, sizeof certificate, "%s/client.pem", etcd.dir);
    snprintf(key, sizeof key, "%s/client.key", etcd.dir);

    settings.etcd_certificate = certificate;
    assert_int_equal(view_open(&a, loop, &settings, 0, ""), HY_ECONFIG);
    assert_non_null(strstr(a.why, "etcd.key go together"));
    settings.etcd_key = key;
    settings.etcd_ca = key + 1;
    assert_int_equal(view_open(&a, loop, &settings, 0, ""), HY_ECONFIG);
    assert_non_null(strstr(a.why, "etcd.ca"));

    settings.etcd_ca = ca;
    assert_int_equal(view_open(&a, loop, &settings, LEASE_S, ""), HY_OK);
    UNTIL(loop, a.leased == 1);
    assert_int_equal(put(&a, "x", "1", true), HY_OK);

    settings.etcd_ca = other; /* which vouches for nobody */
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    turn_for(loop, 1500);
    assert_int_equal(b.wholes, 0);
    hy_coord_close(&b.coord);
    settings.etcd_ca = ca;
    settings.etcd_certificate = settings.etcd_key = empty;
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    turn_for(loop, 1500);
    assert_int_equal(b.wholes, 0);

    settings.etcd_certificate = certificate;
    settings.etcd_key = key;
    chmod(key, 0640);
    hy_coord_close(&b.coord);
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_ECONFIG);
    assert_non_null(strstr(b.why, "chmod 600"));
}

static void a_user_signs_in_with_a_password(void **state)
{
    struct hy_common_settings settings = etcd_settings();
    char file[96], user[] = "hongyan", stranger[] = "stranger";

    (void)state;
    snprintf(file, sizeof file, "%s/password", etcd.dir);
    etcdctl("user add root:r");
    etcdctl("user add hongyan:'a \"b\"'");
    etcdctl("user add stranger:'a \"b\"'");
    etcdctl("role add hongyan");
    etcdctl("role grant-permission --prefix hongyan readwrite /hongyan/");
    etcdctl("user grant-role root root");
    etcdctl("user grant-role hongyan hongyan");
    etcdctl("auth enable");

    settings.etcd_user = user;
    settings.etcd_password_file = file;
    assert_int_equal(view_open(&a, loop, &settings, 0, ""), HY_ECONFIG);
    assert_non_null(strstr(a.why, "cannot be read"));
    shell("echo 'a \"b\"' >password; chmod 644 password");
    assert_int_equal(view_open(&a, loop, &settings, 0, ""), HY_ECONFIG);
    assert_non_null(strstr(a.why, "chmod 600"));
    shell("chmod 600 password");
    assert_int_equal(view_open(&a, loop, &settings, LEASE_S, ""), HY_OK);
    UNTIL(loop, a.leased == 1);
    assert_int_equal(put(&a, "x", "1", true), HY_OK);

    etcd_signal(0, SIGKILL); /* which forgets who is signed in */
    etcd_run(0);
    UNTIL(loop, put(&a, "x", "2", true) == HY_OK);
    UNTIL(loop, a.wholes > 1);
    assert_int_equal(put(&a, "x", "3", true), HY_OK);
    assert_int_equal(a.lost, 0);

    char dead[64], *members[] = {dead, etcd.endpoint[0]};

    snprintf(dead, sizeof dead, "http://127.0.0.1:%u", free_port());
    settings.etcd_endpoints = (struct hy_text_list){members, 2};
    for (int i = 0; i < 8; i++) { /* which member is asked first is chance */
        assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
        UNTIL(loop, b.wholes == 1);
        hy_coord_close(&b.coord);
    }
    settings.etcd_endpoints = (struct hy_text_list){etcd.endpoints, 1};
    settings.etcd_user = stranger; /* may not read here */
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    assert_int_equal(put(&b, "x", "4", false), HY_EDENIED);
    turn_for(loop, 1000);
    assert_int_equal(b.wholes, 0);
    hy_coord_close(&b.coord);
    settings.etcd_user = user;
    shell("echo wrong >password");
    assert_int_equal(view_open(&b, loop, &settings, 0, ""), HY_OK);
    assert_int_equal(put(&b, "x", "4", false), HY_ETIMEOUT);
    assert_int_equal(b.wholes, 0);
    assert_true(shows(&a, "x", "3"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_one_puts_all_see, start, stop),
        cmocka_unit_test_setup_teardown(values_before_one_came_are_told_it_too, start, stop),
        cmocka_unit_test_setup_teardown(a_guard_that_does_not_hold_stops_all, start, stop),
        cmocka_unit_test_setup_teardown(of_two_who_want_to_lead_exactly_one_does, start, stop),
        cmocka_unit_test_setup_teardown(what_a_killed_process_leased_goes, start, stop),
        cmocka_unit_test_setup_teardown(a_restart_ends_the_lease_of_the_one_before, start, stop),
        cmocka_unit_test_setup_teardown(who_closes_ends_the_lease, start, stop),
        cmocka_unit_test_setup_teardown(over_tls_both_sides_show_certificates, start_tls, stop),
        cmocka_unit_test_setup_teardown(a_user_signs_in_with_a_password, start, stop),
    };

    if (argc == 5 && strcmp(argv[1], "hold") == 0)
        return run_hold(argv);
    return cmocka_run_group_tests_name("coord_etcd", tests, NULL, NULL);
}
