#include "bus_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "common/metrics.h"

/* ---- batches ---- */

static void count_record(void *arg, const struct hy_record *record)
{
    *(size_t *)arg += 1 + record->len;
}

static void a_batch_is_walked_up_to_what_does_not_fit(void **state)
{
    uint8_t batch[2 * HY_BUS_RECORD_HEAD + 3] = {3, 0, 0, 0, 1, 1};
    size_t seen = 0;

    (void)state;
    assert_int_equal(hy_bus_batch_each(batch, sizeof batch, count_record, &seen), HY_OK);
    assert_int_equal(seen, 2 + 3);
    for (size_t len = 1; len < sizeof batch; len++) {
        seen = 0;
        assert_int_equal(hy_bus_batch_each(batch, len, count_record, &seen),
                         len == HY_BUS_RECORD_HEAD + 3 ? HY_OK : HY_EMALFORMED);
        assert_int_equal(seen, len >= HY_BUS_RECORD_HEAD + 3 ? 4 : 0);
    }
    batch[3] = 0xff; /* a length near 2^32 */
    assert_int_equal(hy_bus_batch_each(batch, sizeof batch, count_record, &seen), HY_EMALFORMED);
    assert_int_equal(hy_bus_batch_each(batch, 0, count_record, &seen), HY_OK);
}

/* ---- records ---- */

static void records_go_both_ways_none_lost(void **state)
{
    enum { COUNT = 100000, BYTES = 64 };
    struct pair pair;
    uint8_t payload[BYTES] = {7};

    (void)state;
    pair_open(&pair);
    pair.router.mood = SILENT;
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(hy_bus_send(pair.peer, PUSH, i, payload, sizeof payload), HY_OK);
    TURN_UNTIL(pair.loop, pair.router.records == COUNT);
    assert_int_equal(pair.store.records, COUNT);
    assert_int_equal(pair.router.bytes, (unsigned long)COUNT * BYTES);
    pair_close(&pair);
}

static void a_large_record_goes_through_and_a_huge_one_is_refused(void **state)
{
    enum { LARGE = 20 << 20 };
    struct pair pair;
    uint8_t *payload = calloc(1, 33 << 20);

    (void)state;
    pair_open(&pair);
    pair.store.mood = SILENT;
    assert_int_equal(hy_bus_send(pair.peer, PUSH, 1, payload, LARGE), HY_OK);
    assert_int_equal(hy_bus_send(pair.peer, PUSH, 1, payload, 33 << 20), HY_ETOOBIG);
    TURN_UNTIL(pair.loop, pair.store.records == 1);
    assert_int_equal(pair.store.bytes, LARGE);
    free(payload);
    pair_close(&pair);
}

static void a_full_queue_says_busy_and_what_it_took_arrives(void **state)
{
    struct hy_loop *loop = NULL;
    struct node router = {.mood = SILENT}, store = {.mood = SILENT};
    struct hy_bus_config config = {
        .name = "router-0", .component = "router", .queue_bytes = 10000};
    char endpoint[256], payload[84] = "x";
    struct hy_peer *peer = NULL;
    unsigned long taken = 0;

    (void)state;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    open_store(&store, loop, "store-0", "tcp://127.0.0.1:*"); /* to learn a free port */
    snprintf(endpoint, sizeof endpoint, "%s", hy_bus_endpoint(store.bus));
    hy_bus_close(&store.bus);
    assert_int_equal(open_with(&router, loop, config), HY_OK);
    peer = dial(&router, "store-0", endpoint);
    while (hy_bus_send(peer, PUSH, taken, payload, sizeof payload) == HY_OK)
        taken++;
    assert_int_equal(taken, 100);
    assert_int_equal(hy_bus_send(peer, PUSH, 0, payload, sizeof payload), HY_EBUSY);
    reopen_store(&store, loop, "store-0", endpoint);
    TURN_UNTIL(loop, store.records == taken);
    assert_int_equal(hy_bus_send(peer, PUSH, 0, payload, sizeof payload), HY_OK);
    hy_bus_close(&router.bus);
    hy_bus_close(&store.bus);
    hy_loop_close(&loop);
}

static void a_peer_may_be_undialled_by_its_own_record(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    pair.router.mood = SILENT;
    pair.router.undial = &pair.peer;
    for (int i = 0; i < 10; i++)
        assert_int_equal(hy_bus_send(pair.peer, PUSH, 1, "x", 1), HY_OK);
    TURN_UNTIL(pair.loop, pair.peer == NULL && pair.store.down == 1);
    assert_int_equal(pair.router.records, 1); /* nothing of it comes afterwards */
    assert_null(hy_bus_find(pair.router.bus, "store-0"));
    pair_close(&pair);
}

/* ---- up and down ---- */

static void a_silent_peer_is_down_and_comes_back(void **state)
{
    struct hy_loop *still = NULL, *loop = NULL;
    struct node store = {.mood = SILENT}, router = {.mood = SILENT};
    struct hy_peer *peer = NULL;
    uint64_t boot = 0;

    (void)state;
    assert_int_equal(hy_loop_open(&still), HY_OK);
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    open_store(&store, still, "store-0", "tcp://127.0.0.1:*");
    open_router(&router, loop);
    peer = dial(&router, "store-0", hy_bus_endpoint(store.bus));
    TURN_UNTIL(loop, (hy_loop_turn(still, 1), router.up == 1));
    boot = hy_peer_boot(peer);
    TURN_UNTIL(loop, router.down == 1); /* the store's loop stands still */
    TURN_UNTIL(loop, (hy_loop_turn(still, 1), router.up == 2 && store.up >= 1));
    assert_int_equal(router.restarted, 0);
    assert_true(hy_peer_boot(peer) == boot);
    hy_bus_close(&router.bus);
    TURN_UNTIL(still, store.down >= 1); /* it said goodbye */
    hy_bus_close(&store.bus);
    hy_loop_close(&loop);
    hy_loop_close(&still);
}

static void a_stall_of_our_own_is_nobodys_silence(void **state)
{
    struct pair pair;

    (void)state;
    pair_open(&pair);
    usleep(2500 * 1000); /* the stall itself */
    for (int i = 0; i < 20; i++)
        hy_loop_turn(pair.loop, 20);
    assert_int_equal(pair.router.down + pair.store.down, 0);
    pair_close(&pair);
}

static void a_restarted_dialler_replaces_itself(void **state)
{
    struct pair pair;
    struct hy_peer *seen = NULL;
    int data;

    (void)state;
    pair_open(&pair);
    seen = hy_bus_find(pair.store.bus, "router-0");
    assert_non_null(seen);
    hy_peer_set_data(seen, &data);
    hy_bus_close(&pair.router.bus);
    open_router(&pair.router, pair.loop);
    pair.peer = dial(&pair.router, "store-0", pair.endpoint);
    TURN_UNTIL(pair.loop, pair.store.restarted == 1);
    assert_ptr_equal(hy_bus_find(pair.store.bus, "router-0"), seen);
    assert_ptr_equal(hy_peer_data(seen), &data);
    assert_string_equal(hy_peer_component(seen), "router");
    pair.router.mood = SILENT;
    assert_int_equal(hy_bus_send(seen, PUSH, 1, "x", 1), HY_OK);
    TURN_UNTIL(pair.loop, pair.router.records == 1);
    pair_close(&pair);
}

static void count_peer(void *arg, struct hy_peer *peer)
{
    (void)peer;
    ++*(int *)arg;
}

static void another_cluster_is_refused(void **state)
{
    struct pair pair;
    struct node other = {.mood = SILENT};
    struct hy_bus_config config = {.name = "router-1", .component = "router", .cluster_id = "prod"};
    struct hy_peer *peer = NULL;
    int routers = 0;

    (void)state;
    pair_open(&pair);
    assert_int_equal(open_with(&other, pair.loop, config), HY_OK);
    peer = dial(&other, "store-0", pair.endpoint);
    for (int i = 0; i < 30; i++)
        hy_loop_turn(pair.loop, 20);
    assert_false(hy_peer_up(peer));
    assert_null(hy_bus_find(pair.store.bus, "router-1"));
    hy_bus_each(pair.store.bus, "router", count_peer, &routers);
    assert_int_equal(routers, 1);
    hy_bus_close(&other.bus);
    pair_close(&pair);
}

/* A process that dials us and serves us, to be killed: nobody says goodbye. It begins when it is
 * told where to serve; forked before this process has a context of its own. */
static pid_t fork_store(FILE *orders, int report, const char *router_endpoint)
{
    struct hy_loop *loop = NULL;
    struct node store = {.mood = ANSWER};
    char bind[64];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fgets(bind, sizeof bind, orders) == NULL)
        _exit(1);
    bind[strcspn(bind, "\n")] = '\0';
    if (hy_loop_open(&loop) != HY_OK)
        _exit(1);
    reopen_store(&store, loop, "store-0", bind);
    dial(&store, "router-0", router_endpoint);
    dprintf(report, "%s\n", hy_bus_endpoint(store.bus));
    hy_loop_run(loop);
    _exit(0);
}

static void a_killed_process_is_down_at_once_and_restarted_later(void **state)
{
    struct hy_loop *loop = NULL;
    struct node router = {.mood = SILENT};
    char dir[] = "/tmp/hy-kill-XXXXXX", bind[64], endpoint[64];
    struct hy_bus_config config = {.name = "router-0", .component = "router", .bind = bind};
    int report[2], order[2][2];
    uint64_t from = 0;
    FILE *reports = NULL;
    pid_t pids[2];

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(bind, sizeof bind, "ipc://%s/router", dir);
    assert_int_equal(pipe(report), 0);
    reports = fdopen(report[0], "r");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(order[i]), 0);
        pids[i] = fork_store(fdopen(order[i][0], "r"), report[1], bind);
    }
    dprintf(order[0][1], "tcp://127.0.0.1:*\n");
    assert_non_null(fgets(endpoint, sizeof endpoint, reports));
    endpoint[strcspn(endpoint, "\n")] = '\0';
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    assert_int_equal(open_with(&router, loop, config), HY_OK);
    dial(&router, "store-0", endpoint);
    TURN_UNTIL(loop, router.up == 2); /* as one we dialled and as one that dialled us */

    from = hy_steady_ms();
    kill(pids[0], SIGKILL);
    TURN_UNTIL(loop, router.down == 2);
    assert_true(hy_steady_ms() - from < 1000); /* not by silence, which takes 2 s */
    waitpid(pids[0], NULL, 0);
    dprintf(order[1][1], "%s\n", endpoint);
    TURN_UNTIL(loop, router.restarted == 2);

    kill(pids[1], SIGKILL);
    waitpid(pids[1], NULL, 0);
    hy_bus_close(&router.bus);
    hy_loop_close(&loop);
    fclose(reports);
    close(report[1]);
    for (int i = 0; i < 2; i++)
        close(order[i][1]);
    snprintf(bind, sizeof bind, "%s/router", dir);
    unlink(bind);
    rmdir(dir);
}

/* ---- hostile bytes ---- */

static void garbage_is_survived(void **state)
{
    struct pair pair;
    void *context = zmq_ctx_new(), *dealer = zmq_socket(context, ZMQ_DEALER);
    static const uint8_t route[13] = "Hgarbage12345";
    uint8_t bytes[64];
    int linger = 0;

    (void)state;
    pair_open(&pair);
    zmq_setsockopt(dealer, ZMQ_ROUTING_ID, route, sizeof route);
    zmq_setsockopt(dealer, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(dealer, pair.endpoint), 0);
    srand(1);
    for (int i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)rand();
        bytes[0] = (uint8_t)(rand() % 60);
        bytes[1] = bytes[2] = bytes[3] = bytes[5] = 0; /* often whole, often one of the bus's own */
        bytes[4] = (uint8_t)(rand() % 8);
        zmq_send(dealer, bytes, (size_t)rand() % sizeof bytes, i % 7 == 0 ? ZMQ_SNDMORE : 0);
        if (i % 50 == 0)
            hy_loop_turn(pair.loop, 1);
    }
    pair.store.mood = ANSWER;
    struct tally tally = {0};
    struct ask ask = {&tally, 1};
    call(&pair.router, pair.peer, &ask, 0);
    TURN_UNTIL(pair.loop, tally.ok == 1);
    zmq_close(dealer);
    zmq_ctx_term(context);
    pair_close(&pair);
}

/* ---- endpoints and keys ---- */

static void ipc_needs_a_private_directory_and_a_short_path(void **state)
{
    char dir[] = "/tmp/hy-bus-XXXXXX", endpoint[512], path[256];
    struct hy_loop *loop = NULL;
    struct node store = {.mood = ANSWER}, router = {0};
    struct hy_bus_config config = {.name = "s", .component = "store", .bind = endpoint};
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/%0120d", dir, 0);
    assert_int_equal(open_with(&store, loop, config), HY_ECONFIG);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/s", dir);
    chmod(dir, 0777);
    assert_int_equal(open_with(&store, loop, config), HY_ECONFIG);
    chmod(dir, 0700);
    assert_int_equal(open_with(&store, loop, config), HY_OK);
    snprintf(path, sizeof path, "%s/s", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    open_router(&router, loop);
    dial(&router, "s", endpoint);
    TURN_UNTIL(loop, router.up == 1);
    hy_bus_close(&router.bus);
    hy_bus_close(&store.bus);
    hy_loop_close(&loop);
    unlink(path);
    rmdir(dir);
}

static void key_path(char path[static 256], const char *dir, const char *file)
{
    snprintf(path, 256, "%s/%s", dir, file);
}

static void curve_lets_in_listed_keys_only(void **state)
{
    char dir[] = "/tmp/hy-keys-XXXXXX", path[256];
    static const char *const files[] = {"store.key", "store.pub", "router.key", "router.pub",
                                        "hidden"};
    struct hy_loop *loop = NULL;
    struct node store = {.mood = ANSWER}, router = {0};
    struct hy_bus_config serve = {.name = "store-0", .component = "store",
                                  .bind = "tcp://127.0.0.1:*", .curve_dir = dir};
    struct hy_bus_config ask = {.name = "router-0", .component = "router", .curve_dir = dir};
    char hidden[256];
    struct hy_metric *failures = NULL;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    assert_int_equal(open_with(&store, loop, serve), HY_ECONFIG); /* no key yet */
    assert_int_equal(hy_bus_keygen(dir, "store"), HY_OK);
    assert_int_equal(hy_bus_keygen(dir, "store"), HY_EEXIST);
    assert_int_equal(hy_bus_keygen(dir, "router"), HY_OK);
    assert_int_equal(hy_bus_keygen(dir, "../router"), HY_ECONFIG);
    key_path(path, dir, "store.key");
    chmod(path, 0644);
    assert_int_equal(open_with(&store, loop, serve), HY_ECONFIG); /* open to others */
    chmod(path, 0600);
    assert_int_equal(open_with(&store, loop, serve), HY_OK);

    failures = hy_counter("hongyan_bus_auth_failures_total", "", "");
    key_path(path, dir, "router.pub");
    key_path(hidden, dir, "hidden");
    rename(path, hidden); /* not on the list */
    assert_int_equal(open_with(&router, loop, ask), HY_OK);
    struct hy_peer *peer = dial(&router, "store-0", hy_bus_endpoint(store.bus));
    TURN_UNTIL(loop, atomic_load(&failures->value) > 0);
    assert_false(hy_peer_up(peer));
    rename(hidden, path); /* listed now, without a restart */
    hy_bus_undial(router.bus, &peer);
    peer = dial(&router, "store-0", hy_bus_endpoint(store.bus));
    TURN_UNTIL(loop, router.up == 1);

    struct node liar = {0}; /* its key is the router's */
    struct hy_bus_config plain = {.name = "router-9", .component = "router"};
    assert_int_equal(open_with(&liar, loop, plain), HY_OK);
    struct hy_peer *refused = dial(&liar, "store-0", hy_bus_endpoint(store.bus));
    for (int i = 0; i < 20; i++)
        hy_loop_turn(loop, 20);
    assert_false(hy_peer_up(refused)); /* no CURVE at all */
    hy_bus_close(&liar.bus);
    hy_bus_close(&router.bus);
    hy_bus_close(&store.bus);
    hy_loop_close(&loop);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        key_path(path, dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

static void bad_settings_are_refused(void **state)
{
    struct hy_loop *loop = NULL;
    struct node node = {0};
    struct hy_bus_config config = {.name = "has space", .component = "store"};
    struct hy_peer *peer = NULL, *other = NULL;

    (void)state;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    assert_int_equal(open_with(&node, loop, config), HY_ECONFIG);
    config.name = "s";
    config.bind = "tcp://127.0.0.1:*";
    config.curve_dir = ""; /* nobody said that tcp may go without keys */
    assert_int_equal(open_with(&node, loop, config), HY_ECONFIG);
    config.curve_dir = NULL;
    config.bind = "tcp://256.0.0.1:1";
    assert_int_equal(open_with(&node, loop, config), HY_EIO);
    open_router(&node, loop);
    assert_int_equal(hy_bus_dial(node.bus, "store", "s", "nonsense", &peer), HY_ECONFIG);
    assert_int_equal(hy_bus_dial(node.bus, "store", "s", "tcp://127.0.0.1:9", &peer), HY_OK);
    assert_int_equal(hy_bus_dial(node.bus, "store", "s", "tcp://127.0.0.1:9", &other), HY_EEXIST);
    hy_bus_close(&node.bus);
    hy_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_walked_up_to_what_does_not_fit),
        cmocka_unit_test(records_go_both_ways_none_lost),
        cmocka_unit_test(a_large_record_goes_through_and_a_huge_one_is_refused),
        cmocka_unit_test(a_full_queue_says_busy_and_what_it_took_arrives),
        cmocka_unit_test(a_peer_may_be_undialled_by_its_own_record),
        cmocka_unit_test(a_silent_peer_is_down_and_comes_back),
        cmocka_unit_test(a_stall_of_our_own_is_nobodys_silence),
        cmocka_unit_test(a_restarted_dialler_replaces_itself),
        cmocka_unit_test(a_killed_process_is_down_at_once_and_restarted_later),
        cmocka_unit_test(another_cluster_is_refused),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(ipc_needs_a_private_directory_and_a_short_path),
        cmocka_unit_test(curve_lets_in_listed_keys_only),
        cmocka_unit_test(bad_settings_are_refused),
    };

    hy_log_open("test", "bus", HY_LOG_ERROR + 1, false); /* what is provoked is no news */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
