/* Questions to shards find who leads them, within their deadline and without their askers' doing.
 */

#include "bus_fixture.h"

#include "cluster.pb-c.h"
#include "common/stores.h"

enum { STORES = 2, DEADLINE_MS = 2000 };

static struct {
    struct hy_loop *loop;
    struct hy_bus *servers[STORES], *bus;
    struct hy_fleet *fleet;
    struct hy_stores *stores;
    unsigned refusals[STORES]; /* that are still to come */
    const char *leader;        /* as they tell it */
    uint64_t epoch;
    unsigned asked[STORES];
    unsigned done, answered_by[STORES];
    enum hy_err err;
} s;

static void on_store_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    int i = (int)(intptr_t)ctx;
    Hy__Elsewhere elsewhere = HY__ELSEWHERE__INIT;
    uint8_t me = (uint8_t)i;

    s.asked[i]++;
    if (s.refusals[i] == 0) {
        hy_bus_answer(peer, record->kind, record->id, &me, 1);
        return;
    }
    s.refusals[i]--;
    elsewhere.leader = (char *)(uintptr_t)s.leader;
    elsewhere.epoch = s.epoch;
    hy_bus_answer_pb(peer, HY__BUS_KIND__STORE_ELSEWHERE, record->id, &elsewhere.base);
}

static void on_router_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    (void)ctx;
    if (s.stores != NULL)
        (void)hy_stores_peer(s.stores, peer, event);
}

static void on_node(void *ctx, const struct hy_node *node)
{
    (void)ctx;
    hy_stores_node(s.stores, node);
}

static void on_map(void *ctx)
{
    (void)ctx;
    hy_stores_map(s.stores);
}

static int setup(void **state)
{
    static const struct hy_bus_handler store = {on_store_record, NULL};
    static const struct hy_bus_handler router = {NULL, on_router_peer};
    static const struct hy_fleet_handler events = {.node = on_node, .map = on_map};
    struct hy_bus_config config = {.component = "store",
                                   .cluster_id = "test",
                                   .bind = "tcp://127.0.0.1:*",
                                   .curve_dir = HY_BUS_PLAIN};
    struct hy_common_settings settings = {.name = (char *)"router-0", .cluster_id = (char *)"test"};
    char items[STORES][96], why[256];
    char *list[STORES];

    (void)state;
    memset(&s, 0, sizeof s);
    s.leader = "";
    assert_int_equal(hy_loop_open(&s.loop), HY_OK);
    for (intptr_t i = 0; i < STORES; i++) {
        char name[16];

        snprintf(name, sizeof name, "store-%d", (int)i);
        config.name = name;
        assert_int_equal(hy_bus_open(s.loop, &config, &store, (void *)i, &s.servers[i]), HY_OK);
        snprintf(items[i], sizeof items[i], "%s=%s", name, hy_bus_endpoint(s.servers[i]));
        list[i] = items[i];
    }
    settings.stores = (struct hy_text_list){list, STORES};
    config = (struct hy_bus_config){
        .name = "router-0", .component = "router", .cluster_id = "test", .curve_dir = HY_BUS_PLAIN};
    assert_int_equal(hy_bus_open(s.loop, &config, &router, NULL, &s.bus), HY_OK);
    assert_int_equal(hy_fleet_open(s.loop, &settings, "router", &events, NULL, &s.fleet, why),
                     HY_OK);
    assert_int_equal(
        hy_stores_open(s.loop, s.bus, s.fleet, &(struct hy_stores_options){0}, &s.stores), HY_OK);
    TURN_UNTIL(s.loop, hy_stores_count(s.stores) == STORES && hy_stores_up(s.stores, 0) &&
                           hy_stores_up(s.stores, 1));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hy_fleet_close(&s.fleet);
    hy_bus_close(&s.bus);
    hy_stores_close(&s.stores);
    for (int i = 0; i < STORES; i++)
        hy_bus_close(&s.servers[i]);
    hy_loop_close(&s.loop);
    return 0;
}

static void on_answered(void *arg, enum hy_err err, const struct hy_record *answer)
{
    (void)arg;
    s.done++;
    s.err = err;
    if (err == HY_OK)
        s.answered_by[answer->payload[0]]++;
}

static void ask(uint32_t where)
{
    struct hy_stores_call call = {.kind = HY__BUS_KIND__STORE_APPEND,
                                  .where = where,
                                  .deadline_ms = DEADLINE_MS,
                                  .done = on_answered};

    (void)hy_stores_ask(s.stores, &call, "x", 1);
}

static void a_slot_is_asked_for_at_its_shard(void **state)
{
    (void)state;
    ask(hy_stores_at_slot(0));
    ask(hy_stores_at_slot(HY_SLOTS - 1));
    ask(hy_stores_at_shard(1));
    TURN_UNTIL(s.loop, s.done == 3);
    assert_int_equal(s.answered_by[0], 1);
    assert_int_equal(s.answered_by[1], 2);
    assert_int_equal(hy_stores_run_end(s.stores, 5), HY_SLOTS / 2);
    assert_int_equal(hy_stores_run_end(s.stores, HY_SLOTS / 2), HY_SLOTS);
}

/* It tells of a newer reign: ask there, at once, and whoever asks next as well. */
static void the_leader_that_a_store_names_is_asked(void **state)
{
    uint64_t began = hy_steady_ms();

    (void)state;
    s.refusals[0] = 1;
    s.leader = "store-1";
    s.epoch = 7;
    ask(hy_stores_at_slot(0));
    TURN_UNTIL(s.loop, s.done == 1);
    assert_int_equal(s.answered_by[1], 1);
    assert_true(hy_steady_ms() - began < 1000); /* not by the retry of a lost question */
    ask(hy_stores_at_slot(0));
    TURN_UNTIL(s.loop, s.done == 2);
    assert_int_equal(s.asked[0], 1);
}

/* It does not know, or tells what is old: it is asked again until it leads. */
static void one_that_does_not_know_is_asked_again(void **state)
{
    (void)state;
    s.refusals[0] = 3;
    ask(hy_stores_at_slot(0));
    TURN_UNTIL(s.loop, s.done == 1);
    assert_int_equal(s.answered_by[0], 1);
    assert_int_equal(s.asked[0], 4);
}

/* And no longer than the deadline; not in a circle without a pause either. */
static void nobody_leads_until_the_deadline(void **state)
{
    (void)state;
    s.refusals[0] = s.refusals[1] = 100000;
    s.leader = "store-1";
    s.epoch = 7;
    ask(hy_stores_at_slot(0));
    TURN_UNTIL(s.loop, s.done == 1);
    assert_int_equal(s.err, HY_ETIMEOUT);
    assert_true(s.asked[0] + s.asked[1] <= DEADLINE_MS / 50 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slot_is_asked_for_at_its_shard, setup, teardown),
        cmocka_unit_test_setup_teardown(the_leader_that_a_store_names_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_does_not_know_is_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_leads_until_the_deadline, setup, teardown),
    };

    hy_log_set_level(HY_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
