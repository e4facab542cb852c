/* Nodes as text, and which of them serves a slot while they come and go. */

#include "bus_fixture.h"

#include "common/fleet.h"
#include "common/slot.h"
#include "common/tier.h"

static void a_node_is_read_as_it_was_written(void **state)
{
    const struct hy_node nodes[] = {
        {"router", "router-7", "tcp://10.0.0.1:7100", "0.1.0", 0x0123456789abcdef, 0, 0,
         HY_NODE_JOINING},
        {"store", "store-3b", "tcp://10.0.0.2:7300", "0.2.0", 1, 3, 0, HY_NODE_SERVING},
        {"gateway", "gateway-0", "", "0.1.0", UINT64_MAX, 0, 8, HY_NODE_SERVING},
        {"presence", "presence-1", "ipc:///run/p", "", 0, 0, 0, HY_NODE_LEAVING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct hy_node_text texts;
        struct hy_node node;
        char key[128];
        char *text = hy_node_print(&nodes[i]);

        snprintf(key, sizeof key, "node/%s/%s", nodes[i].component, nodes[i].name);
        assert_int_equal(hy_node_parse(key, text, &texts, &node), HY_OK);
        assert_string_equal(node.component, nodes[i].component);
        assert_string_equal(node.name, nodes[i].name);
        assert_string_equal(node.endpoint, nodes[i].endpoint);
        assert_string_equal(node.version, nodes[i].version);
        assert_int_equal(node.boot, nodes[i].boot);
        assert_int_equal(node.shard, nodes[i].shard);
        assert_int_equal(node.workers, nodes[i].workers);
        assert_int_equal(node.state, nodes[i].state);
        free(text);
    }
}

static void a_node_that_is_none_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"node/router", "{}"},
        {"node//x", "{}"},
        {"node/router/", "{}"},
        {"shard/0/leader", "{}"},
        {"node/averyveryverylongcomponent/x", "{}"},
        {"node/router/x", "[]"},
        {"node/router/x", "{"},
        {"node/router/x", "{\"endpoint\":7}"},
        {"node/router/x", "{\"boot\":\"xyz\"}"},
        {"node/router/x", "{\"boot\":\"00000000000000001\"}"},
        {"node/router/x", "{\"shard\":-1}"},
        {"node/router/x", "{\"shard\":\"1\"}"},
        {"node/router/x", "{\"workers\":4294967296}"},
    };
    struct hy_node_text texts;
    struct hy_node node;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hy_node_parse(bad[i][0], bad[i][1], &texts, &node), HY_EMALFORMED);
    assert_int_equal(hy_node_parse("node/router/x", "{\"later\":[1]}", &texts, &node), HY_OK);
    assert_int_equal(node.state, HY_NODE_SERVING); /* who does not say serves */
}

/* ---- tiers ---- */

enum { NODES = 3 };

static struct {
    struct hy_loop *loop;
    struct node servers[NODES], dialler;
    struct hy_tier *tier;
    unsigned moved, down;
    unsigned seen[NODES]; /* NODE_SEEN records */
} t;

static void on_tier_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    (void)ctx;
    t.down += event == HY_PEER_DOWN;
    if (t.tier != NULL)
        (void)hy_tier_peer(t.tier, peer, event);
}

static void on_moved(void *ctx)
{
    (void)ctx;
    t.moved++;
}

static void tell(int i, enum hy_node_state state)
{
    char name[16];
    struct hy_node node = {.component = "store", .name = name, .version = "", .state = state};

    snprintf(name, sizeof name, "node-%d", i);
    node.endpoint = hy_bus_endpoint(t.servers[i].bus);
    node.boot = hy_bus_boot(t.servers[i].bus);
    hy_tier_node(t.tier, &node);
}

static bool up(int i)
{
    char name[16];

    snprintf(name, sizeof name, "node-%d", i);
    return hy_tier_up(t.tier, hy_tier_find(t.tier, name));
}

static int tier_setup(void **state)
{
    static const struct hy_bus_handler dialler = {NULL, on_tier_peer};
    const struct hy_bus_config config = {
        .name = "dialler", .component = "router", .cluster_id = "test", .curve_dir = HY_BUS_PLAIN};

    (void)state;
    memset(&t, 0, sizeof t);
    assert_int_equal(hy_loop_open(&t.loop), HY_OK);
    for (int i = 0; i < NODES; i++) {
        char name[16];

        snprintf(name, sizeof name, "node-%d", i);
        open_store(&t.servers[i], t.loop, name, "tcp://127.0.0.1:*");
        t.servers[i].mood = SILENT;
    }
    assert_int_equal(hy_bus_open(t.loop, &config, &dialler, NULL, &t.dialler.bus), HY_OK);
    assert_int_equal(hy_tier_open(&(struct hy_tier_config){.loop = t.loop,
                                                           .bus = t.dialler.bus,
                                                           .component = "store",
                                                           .moved = on_moved,
                                                           .peer = on_tier_peer},
                                  &t.tier),
                     HY_OK);
    return 0;
}

static int tier_teardown(void **state)
{
    (void)state;
    hy_bus_close(&t.dialler.bus);
    hy_tier_close(&t.tier);
    for (int i = 0; i < NODES; i++)
        hy_bus_close(&t.servers[i].bus);
    hy_loop_close(&t.loop);
    return 0;
}

static int owner(uint16_t slot)
{
    return hy_tier_owner(t.tier, slot);
}

/* How many slots have this owner and this other one. */
static unsigned count(int own, int other)
{
    unsigned n = 0;

    for (unsigned slot = 0; slot < HY_SLOTS; slot++)
        n += owner((uint16_t)slot) == own && hy_tier_other(t.tier, (uint16_t)slot) == other;
    return n;
}

static void serve_two(void)
{
    tell(0, HY_NODE_SERVING);
    tell(1, HY_NODE_SERVING);
    TURN_UNTIL(t.loop, up(0) && up(1));
}

static void slots_move_in_two_steps(void **state)
{
    int before[HY_SLOTS];
    unsigned ours = 0;

    (void)state;
    serve_two();
    assert_false(hy_tier_moving(t.tier));
    assert_int_equal(count(0, -1) + count(1, -1), HY_SLOTS);
    for (unsigned slot = 0; slot < HY_SLOTS; slot++)
        before[slot] = owner((uint16_t)slot);

    tell(2, HY_NODE_JOINING);
    TURN_UNTIL(t.loop, up(2));
    for (unsigned slot = 0; slot < HY_SLOTS; slot++) { /* nothing has moved; some will */
        int other = hy_tier_other(t.tier, (uint16_t)slot);

        assert_int_equal(owner((uint16_t)slot), before[slot]);
        assert_true(other == -1 || other == 2);
        ours += other == 2;
    }
    assert_true(ours > HY_SLOTS / 4 && ours < HY_SLOTS / 2);
    assert_false(hy_tier_serves(t.tier, 2));

    tell(2, HY_NODE_SERVING);
    for (unsigned slot = 0; slot < HY_SLOTS; slot++) { /* its slots alone, and who had them knows */
        bool its = owner((uint16_t)slot) == 2;

        assert_true(its || owner((uint16_t)slot) == before[slot]);
        assert_int_equal(hy_tier_other(t.tier, (uint16_t)slot), its ? before[slot] : -1);
        ours -= its;
    }
    assert_int_equal(ours, 0);
    tell(2, HY_NODE_LEAVING);
    assert_int_equal(count(2, 0) + count(2, 1) + count(0, -1) + count(1, -1), HY_SLOTS);
    assert_true(count(2, 0) > 0 && count(2, 1) > 0);

    tell(2, HY_NODE_LEFT);
    for (unsigned slot = 0; slot < HY_SLOTS; slot++)
        assert_int_equal(owner((uint16_t)slot), before[slot]);
    assert_true(count(0, 2) > 0 && count(1, 2) > 0);
    hy_bus_close(&t.servers[2].bus);
    TURN_UNTIL(t.loop, hy_tier_find(t.tier, "node-2") < 0);
    assert_false(hy_tier_moving(t.tier));
    assert_true(t.moved >= 5);
}

static void a_lost_lease_moves_nothing(void **state)
{
    unsigned slots;

    (void)state;
    serve_two();
    slots = count(1, -1);
    tell(1, HY_NODE_LOST);
    assert_int_equal(count(1, -1), slots);
    hy_bus_close(&t.servers[1].bus); /* but when it is gone as well, it is */
    TURN_UNTIL(t.loop, count(0, -1) == HY_SLOTS);
    assert_int_not_equal(hy_tier_home(t.tier, 0), -1);
}

static void one_that_started_again_waits_for_its_word(void **state)
{
    char endpoint[64];

    (void)state;
    serve_two();
    snprintf(endpoint, sizeof endpoint, "%s", hy_bus_endpoint(t.servers[1].bus));
    hy_bus_close(&t.servers[1].bus);
    TURN_UNTIL(t.loop, !up(1));
    reopen_store(&t.servers[1], t.loop, "node-1", endpoint);
    TURN_UNTIL(t.loop, up(1));
    assert_int_equal(count(0, -1), HY_SLOTS); /* it is there, and not known yet */
    tell(1, HY_NODE_SERVING);
    assert_int_not_equal(count(1, -1), 0);
}

static void a_step_is_told_to_the_node(void **state)
{
    (void)state;
    serve_two();
    assert_int_equal(t.servers[1].records, 0);
    tell(1, HY_NODE_LEAVING);
    TURN_UNTIL(t.loop, t.servers[1].records > 0);
    assert_int_equal(t.servers[0].records, 0);
}

static void a_new_address_is_dialled(void **state)
{
    struct hy_node node = {.component = "store", .name = "node-0", .version = ""};

    (void)state;
    serve_two();
    node.state = HY_NODE_SERVING;
    node.endpoint = hy_bus_endpoint(t.servers[2].bus);
    hy_tier_node(t.tier, &node);
    assert_int_equal(t.down, 1); /* who used the old one was told */
    assert_false(up(0));
    TURN_UNTIL(t.loop, up(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_read_as_it_was_written),
        cmocka_unit_test(a_node_that_is_none_is_refused),
        cmocka_unit_test_setup_teardown(slots_move_in_two_steps, tier_setup, tier_teardown),
        cmocka_unit_test_setup_teardown(a_lost_lease_moves_nothing, tier_setup, tier_teardown),
        cmocka_unit_test_setup_teardown(one_that_started_again_waits_for_its_word, tier_setup,
                                        tier_teardown),
        cmocka_unit_test_setup_teardown(a_step_is_told_to_the_node, tier_setup, tier_teardown),
        cmocka_unit_test_setup_teardown(a_new_address_is_dialled, tier_setup, tier_teardown),
    };

    hy_log_set_level(HY_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
