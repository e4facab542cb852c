#include "common/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hy_shardmap map, other;

static void what_was_printed_of_a_move_reads_the_same(void **state)
{
    struct hy_move move, again;

    (void)state;
    for (int s = 0; s < HY_MOVE_STATES; s++) {
        move = (struct hy_move){.id = 42,
                                .first = 8192,
                                .last = 8447,
                                .from = 1,
                                .to = 2,
                                .state = (enum hy_move_state)s,
                                .attempt = 3,
                                .rows = 10,
                                .bytes = UINT64_C(1) << 40,
                                .total_rows = 20,
                                .freeze_ms = 7,
                                .why = "shard 2 \"does not\" answer"};
        char *text = hy_move_print(&move);

        memset(&again, 0, sizeof again);
        assert_int_equal(hy_move_parse(text, &again), HY_OK);
        assert_memory_equal(&move, &again, sizeof move);
        free(text);
    }
}

static void what_was_printed_of_a_rebalance_reads_the_same(void **state)
{
    struct hy_rebalance rebalance, again;

    (void)state;
    for (int s = 0; s < HY_REBALANCE_STATES; s++) {
        rebalance = (struct hy_rebalance){.id = 3,
                                          .state = (enum hy_rebalance_state)s,
                                          .started_ms = UINT64_C(1795000000000),
                                          .ended_ms = 5,
                                          .rate_bytes_s = HY_REBALANCE_RATE,
                                          .first_move = 65,
                                          .moves = 64};
        char *text = hy_rebalance_print(&rebalance);

        memset(&again, 0, sizeof again);
        assert_int_equal(hy_rebalance_parse(text, &again), HY_OK);
        assert_memory_equal(&rebalance, &again, sizeof rebalance);
        free(text);
    }
}

static void a_plan_need_not_say_what_only_moves_know(void **state)
{
    struct hy_move move;

    (void)state;
    assert_int_equal(hy_move_parse("{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1,"
                                   "\"state\":\"planned\",\"later\":[]}",
                                   &move),
                     HY_OK);
    assert_int_equal(move.attempt, 0);
    assert_string_equal(move.why, "");
}

static void what_is_no_move_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"first\":0,\"last\":0,\"from\":0,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":0,\"first\":0,\"last\":0,\"from\":0,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":1,\"last\":0,\"from\":0,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":1,\"first\":2,\"last\":1,\"from\":0,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":1,\"first\":0,\"last\":16384,\"from\":0,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":1,\"first\":0,\"last\":0,\"from\":1,\"to\":1,\"state\":\"planned\"}",
        "{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1024,\"state\":\"planned\"}",
        "{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1}",
        "{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1,\"state\":\"flying\"}",
        "{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1,\"state\":\"planned\",\"rows\":-1}",
        ("{\"id\":1,\"first\":0,\"last\":0,\"from\":0,\"to\":1,\"state\":\"planned\",\"rows\":"
         "\"1\"}"),
    };
    struct hy_move move = {.id = 9}, before = move;
    struct hy_rebalance rebalance = {.id = 9};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(hy_move_parse(wrong[i], &move), HY_EMALFORMED);
        assert_memory_equal(&move, &before, sizeof move);
    }
    assert_int_equal(hy_rebalance_parse("{\"id\":1,\"state\":\"planned\"}", &rebalance),
                     HY_EMALFORMED);
    assert_int_equal(rebalance.id, 9);
}

static void keys_are_in_the_order_of_ids(void **state)
{
    char nine[HY_MOVE_KEY_MAX], ten[HY_MOVE_KEY_MAX], most[HY_MOVE_KEY_MAX];

    (void)state;
    hy_move_key(9, nine);
    hy_move_key(0x10, ten);
    hy_move_key(UINT32_MAX, most);
    assert_string_equal(nine, "move/00000009");
    assert_true(strcmp(nine, ten) < 0);
    assert_string_equal(most, "move/ffffffff");
}

static void a_move_changes_the_owner_of_its_run_alone(void **state)
{
    struct hy_move move = {.first = 8192, .last = 8193, .from = 1, .to = 2};

    (void)state;
    hy_shardmap_even(&map, 2);
    other = map;
    assert_int_equal(hy_move_apply(&move, &map), HY_OK);
    assert_int_equal(map.epoch, 2);
    assert_int_equal(map.shards, 3);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        assert_int_equal(map.owner[slot], slot == 8192 || slot == 8193 ? 2 : other.owner[slot]);
    assert_int_equal(hy_move_apply(&move, &map), HY_EDENIED); /* it has gone already */
    assert_int_equal(map.epoch, 2);
}

static void the_last_slots_of_the_last_shard_take_its_number_along(void **state)
{
    struct hy_move move = {.first = HY_SLOTS / 2, .last = HY_SLOTS - 1, .from = 1, .to = 0};

    (void)state;
    hy_shardmap_even(&map, 2);
    assert_int_equal(hy_move_apply(&move, &map), HY_OK);
    assert_int_equal(map.shards, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_printed_of_a_move_reads_the_same),
        cmocka_unit_test(what_was_printed_of_a_rebalance_reads_the_same),
        cmocka_unit_test(a_plan_need_not_say_what_only_moves_know),
        cmocka_unit_test(what_is_no_move_changes_nothing),
        cmocka_unit_test(keys_are_in_the_order_of_ids),
        cmocka_unit_test(a_move_changes_the_owner_of_its_run_alone),
        cmocka_unit_test(the_last_slots_of_the_last_shard_take_its_number_along),
    };

    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
