/* Buses of one test share a loop, unless one of them has to stand still. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/bus.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"

enum { KIND = 0x101, PUSH = 0x201, PATIENCE_MS = 30000 };

enum mood { ECHO, ANSWER, SILENT, HOLD };

/* One end: a bus and what happened to it. */
struct node {
    struct hy_loop *loop;
    struct hy_bus *bus;
    enum mood mood;
    unsigned long records, bytes, up, down, restarted;
    struct hy_reply held;
    struct hy_peer **undial;
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct node *node = ctx;

    node->records++;
    node->bytes += record->len;
    if (node->mood == ECHO)
        assert_int_equal(
            hy_bus_send(peer, record->kind, record->id, record->payload, record->len), HY_OK);
    else if (node->mood == ANSWER)
        hy_bus_answer(peer, record->kind, record->id, record->payload, record->len);
    else if (node->mood == HOLD)
        node->held = hy_bus_reply_to(peer, record);
    if (node->undial != NULL && *node->undial != NULL)
        hy_bus_undial(node->bus, node->undial);
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct node *node = ctx;

    assert_int_equal(hy_peer_up(peer), event != HY_PEER_DOWN);
    node->up += event == HY_PEER_UP;
    node->down += event == HY_PEER_DOWN;
    node->restarted += event == HY_PEER_RESTARTED;
}

static const struct hy_bus_handler handler = {on_record, on_peer};

static enum hy_err open_with(struct node *node, struct hy_loop *loop, struct hy_bus_config config)
{
    node->loop = loop;
    if (config.cluster_id == NULL)
        config.cluster_id = "test";
    return hy_bus_open(loop, &config, &handler, node, &node->bus);
}

static void open_store(struct node *node, struct hy_loop *loop, const char *name, const char *bind)
{
    struct hy_bus_config config = {.name = name, .component = "store", .bind = bind};

    assert_int_equal(open_with(node, loop, config), HY_OK);
}

/* ZeroMQ gives a port free a little after the bus is closed. */
static void reopen_store(struct node *node, struct hy_loop *loop, const char *name,
                         const char *bind)
{
    struct hy_bus_config config = {.name = name, .component = "store", .bind = bind};
    uint64_t until = hy_steady_ms() + PATIENCE_MS;

    while (open_with(node, loop, config) != HY_OK)
        assert_true(hy_steady_ms() < until);
}

static void open_router(struct node *node, struct hy_loop *loop)
{
    struct hy_bus_config config = {.name = "router-0", .component = "router"};

    assert_int_equal(open_with(node, loop, config), HY_OK);
}

static struct hy_peer *dial(struct node *node, const char *name, const char *endpoint)
{
    struct hy_peer *peer = NULL;

    assert_int_equal(hy_bus_dial(node->bus, "store", name, endpoint, &peer), HY_OK);
    return peer;
}

#define TURN_UNTIL(loop, condition)                                  \
    do {                                                             \
        uint64_t turn_until_ = hy_steady_ms() + PATIENCE_MS;         \
        while (!(condition)) {                                       \
            assert_true(hy_steady_ms() < turn_until_);               \
            hy_loop_turn(loop, 10);                                  \
        }                                                            \
    } while (0)

/* A store that serves and a router that is connected to it. */
struct pair {
    struct hy_loop *loop;
    struct node store, router;
    struct hy_peer *peer;
    char endpoint[256];
};

static void pair_open(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    assert_int_equal(hy_loop_open(&pair->loop), HY_OK);
    open_store(&pair->store, pair->loop, "store-0", "tcp://127.0.0.1:*");
    snprintf(pair->endpoint, sizeof pair->endpoint, "%s", hy_bus_endpoint(pair->store.bus));
    open_router(&pair->router, pair->loop);
    pair->peer = dial(&pair->router, "store-0", pair->endpoint);
    TURN_UNTIL(pair->loop, pair->router.up == 1 && pair->store.up == 1);
}

static void pair_close(struct pair *pair)
{
    hy_bus_close(&pair->router.bus);
    hy_bus_close(&pair->store.bus);
    hy_loop_close(&pair->loop);
}

/* Calls and how they ended. */
struct tally {
    unsigned long ok, timeout, busy, twice;
    uint8_t done[5000];
};

struct ask {
    struct tally *tally;
    unsigned number;
};

static void on_done(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct ask *ask = arg;

    assert_int_equal(answer != NULL, err == HY_OK);
    if (answer != NULL)
        assert_memory_equal(answer->payload, &ask->number, sizeof ask->number);
    ask->tally->twice += ask->tally->done[ask->number]++ > 0;
    ask->tally->ok += err == HY_OK;
    ask->tally->timeout += err == HY_ETIMEOUT;
    ask->tally->busy += err == HY_EBUSY;
}

static uint64_t call(struct node *node, struct hy_peer *peer, struct ask *ask, uint32_t deadline_ms)
{
    struct hy_call how = {.kind = KIND, .peer = peer, .done = on_done, .arg = ask,
                          .deadline_ms = deadline_ms, .retry_ms = 200};

    return hy_bus_call(node->bus, &how, &ask->number, sizeof ask->number);
}

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

/* ---- calls ---- */

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
        cmocka_unit_test(a_call_is_answered_once_and_later),
        cmocka_unit_test(a_call_ends_at_its_deadline),
        cmocka_unit_test(an_answer_may_come_later_by_its_handle),
        cmocka_unit_test(calls_survive_a_restart_of_the_store_each_answered_once),
        cmocka_unit_test(calls_follow_a_fail_over),
        cmocka_unit_test(a_silent_peer_is_down_and_comes_back),
        cmocka_unit_test(a_stall_of_our_own_is_nobodys_silence),
        cmocka_unit_test(a_restarted_dialler_replaces_itself),
        cmocka_unit_test(another_cluster_is_refused),
        cmocka_unit_test(garbage_is_survived),
        cmocka_unit_test(ipc_needs_a_private_directory_and_a_short_path),
        cmocka_unit_test(curve_lets_in_listed_keys_only),
        cmocka_unit_test(bad_settings_are_refused),
    };

    hy_log_open("test", "bus", HY_LOG_ERROR + 1, false); /* what is provoked is no news */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
