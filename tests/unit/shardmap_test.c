#include "common/shardmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hy_shardmap map, other;
static char why[128];

static void an_even_map_is_how_slots_were_always_shared(void **state)
{
    (void)state;
    for (uint32_t shards = 1; shards < 20; shards++) {
        hy_shardmap_even(&map, shards);
        assert_int_equal(map.epoch, 1);
        assert_int_equal(map.shards, shards);
        for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
            assert_int_equal(map.owner[slot], hy_slot_shard((uint16_t)slot, shards));
    }
}

static void a_map_is_runs_of_slots(void **state)
{
    (void)state;
    assert_int_equal(
        hy_shardmap_parse("{\"epoch\":7,\"runs\":[[0,0],[8192,5],[8193,0]]}", &map, why), HY_OK);
    assert_int_equal(map.epoch, 7);
    assert_int_equal(map.shards, 6);
    assert_int_equal(map.owner[8191], 0);
    assert_int_equal(map.owner[8192], 5);
    assert_int_equal(map.owner[8193], 0);
    assert_int_equal(map.owner[HY_SLOTS - 1], 0);
}

static void what_was_printed_reads_the_same(void **state)
{
    (void)state;
    hy_shardmap_even(&map, 3);
    map.epoch = UINT64_C(1) << 40;
    char *text = hy_shardmap_print(&map);

    assert_string_equal(text, "{\"epoch\":1099511627776,\"runs\":[[0,0],[5462,1],[10923,2]]}");
    assert_int_equal(hy_shardmap_parse(text, &other, why), HY_OK);
    assert_memory_equal(&map, &other, sizeof map);
    free(text);
}

static void the_most_scattered_map_can_be_printed_too(void **state)
{
    (void)state;
    map.epoch = INT64_MAX;
    map.shards = HY_SHARDS_MAX;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        map.owner[slot] = (uint16_t)(HY_SHARDS_MAX - 1 - slot % 2);
    char *text = hy_shardmap_print(&map);

    assert_int_equal(hy_shardmap_parse(text, &other, why), HY_OK);
    assert_memory_equal(&map, &other, sizeof map);
    free(text);
}

static void a_wrong_map_changes_nothing_and_says_why(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "no JSON"},
        {"[]", "epoch"},
        {"{\"epoch\":0,\"runs\":[[0,0]]}", "epoch"},
        {"{\"epoch\":\"1\",\"runs\":[[0,0]]}", "epoch"},
        {"{\"epoch\":1}", "runs"},
        {"{\"epoch\":1,\"runs\":[]}", "runs"},
        {"{\"epoch\":1,\"runs\":[[1,0]]}", "run 0 does not begin at slot 0"},
        {"{\"epoch\":1,\"runs\":[[0,0],[0,1]]}", "run 1 is not behind"},
        {"{\"epoch\":1,\"runs\":[[0,0],[9,1],[8,1]]}", "run 2 is not behind"},
        {"{\"epoch\":1,\"runs\":[[0,0],[16384,1]]}", "run 1 begins behind the last slot"},
        {"{\"epoch\":1,\"runs\":[[0,1024]]}", "run 0 has a shard out of range"},
        {"{\"epoch\":1,\"runs\":[[0,-1]]}", "run 0 has a shard out of range"},
        {"{\"epoch\":1,\"runs\":[[0]]}", "run 0 is not two numbers"},
        {"{\"epoch\":1,\"runs\":[{\"0\":1}]}", "run 0 is not two numbers"},
    };

    (void)state;
    hy_shardmap_even(&map, 4);
    other = map;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(hy_shardmap_parse(cases[i].text, &map, why), HY_EMALFORMED);
        assert_non_null(strstr(why, cases[i].why));
        assert_memory_equal(&map, &other, sizeof map);
    }
}

static void slots_of_a_shard_are_found_in_order(void **state)
{
    (void)state;
    hy_shardmap_even(&map, 2);
    map.owner[3] = 1;
    assert_int_equal(hy_shardmap_next(&map, 1, 0), 3);
    assert_int_equal(hy_shardmap_next(&map, 1, 3), 3);
    assert_int_equal(hy_shardmap_next(&map, 1, 4), HY_SLOTS / 2);
    assert_int_equal(hy_shardmap_next(&map, 0, HY_SLOTS / 2), HY_SLOTS);
    assert_int_equal(hy_shardmap_next(&map, 2, 0), HY_SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_even_map_is_how_slots_were_always_shared),
        cmocka_unit_test(a_map_is_runs_of_slots),
        cmocka_unit_test(what_was_printed_reads_the_same),
        cmocka_unit_test(the_most_scattered_map_can_be_printed_too),
        cmocka_unit_test(a_wrong_map_changes_nothing_and_says_why),
        cmocka_unit_test(slots_of_a_shard_are_found_in_order),
    };

    return cmocka_run_group_tests_name("shardmap", tests, NULL, NULL);
}
