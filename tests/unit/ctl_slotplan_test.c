#include "ctl/slotplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 128 };

static void count_slots(const struct hy_shardmap *map, uint32_t counts[static HY_SHARDS_MAX])
{
    memset(counts, 0, HY_SHARDS_MAX * sizeof *counts);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        counts[map->owner[slot]]++;
}

/* Every move is of slots that its source has, and no slot moves twice. */
static void carry_out(struct hy_shardmap *map, const struct slotplan *plan)
{
    bool moved[HY_SLOTS] = {false};
    uint32_t slots = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct slotplan_move *move = &plan->moves[i];

        assert_true(move->first <= move->last && move->last < HY_SLOTS);
        assert_true(move->last - move->first < MOST);
        assert_int_not_equal(move->from, move->to);
        for (uint32_t slot = move->first; slot <= move->last; slot++) {
            assert_int_equal(map->owner[slot], move->from);
            assert_false(moved[slot]);
            moved[slot] = true;
            map->owner[slot] = move->to;
            slots++;
        }
    }
    assert_int_equal(slots, plan->slots);
}

/* Make a plan, carry it out, and check all that is promised of any plan. Returns how many slots
 * moved. */
static uint32_t rebalance(struct hy_shardmap *map, const uint16_t *shards, size_t count)
{
    struct slotplan plan;
    uint32_t have[HY_SHARDS_MAX], now[HY_SHARDS_MAX], least = 0, sum = 0, moved;

    count_slots(map, have);
    assert_int_equal(slotplan_make(map, shards, count, MOST, &plan), HY_OK);
    carry_out(map, &plan);
    count_slots(map, now);
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++) {
        assert_int_equal(plan.have[i], have[i]);
        assert_int_equal(plan.want[i], now[i]);
        sum += now[i];
        least += have[i] > now[i] ? have[i] - now[i] : 0;
    }
    assert_int_equal(sum, HY_SLOTS);
    assert_int_equal(plan.slots, least); /* nothing moves but what a shard has too much */
    for (size_t i = 0; i < count; i++) {
        uint32_t even = (uint32_t)(HY_SLOTS / count);

        assert_true(now[shards[i]] == even || (HY_SLOTS % count > 0 && now[shards[i]] == even + 1));
        sum -= now[shards[i]];
    }
    assert_int_equal(sum, 0); /* nobody else has any */
    moved = plan.slots;
    slotplan_free(&plan);
    return moved;
}

static uint32_t runs_of(const struct hy_shardmap *map)
{
    uint32_t runs = 1;

    for (uint32_t slot = 1; slot < HY_SLOTS; slot++)
        runs += map->owner[slot] != map->owner[slot - 1];
    return runs;
}

static const uint16_t first_shards[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void four_shards_become_eight_and_four_again(void **state)
{
    struct hy_shardmap map;

    (void)state;
    hy_shardmap_even(&map, 4);
    assert_int_equal(rebalance(&map, first_shards, 8), HY_SLOTS / 2);
    assert_int_equal(runs_of(&map), 8); /* and the map does not fall to pieces */
    assert_int_equal(rebalance(&map, first_shards, 4), HY_SLOTS / 2);
    assert_int_equal(runs_of(&map), 4);
}

static void what_is_even_stays(void **state)
{
    struct hy_shardmap map;

    (void)state;
    for (uint32_t shards = 1; shards <= 16; shards++) {
        hy_shardmap_even(&map, shards);
        assert_int_equal(rebalance(&map, first_shards, shards), 0);
    }
}

static void one_more_takes_from_all_alike(void **state)
{
    struct hy_shardmap map;

    (void)state;
    hy_shardmap_even(&map, 1);
    for (size_t shards = 2; shards <= 16; shards++)
        assert_int_equal(rebalance(&map, first_shards, shards), HY_SLOTS / shards);
}

static void a_drained_shard_has_nothing_left(void **state)
{
    static const uint16_t without_1[] = {0, 2, 3}, only_7[] = {7};
    struct hy_shardmap map;

    (void)state;
    hy_shardmap_even(&map, 4);
    assert_int_equal(rebalance(&map, without_1, 3), HY_SLOTS / 4);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        assert_int_not_equal(map.owner[slot], 1);
    (void)rebalance(&map, only_7, 1);
    assert_int_equal(runs_of(&map), 1);
}

/* Any owner for any slot, any shards wanted. */
static void any_start_ends_even(void **state)
{
    struct hy_shardmap map = {.epoch = 1};
    uint32_t seed = 42;

    (void)state;
    for (int round = 0; round < 256; round += 8) {
        uint16_t shards[16];
        size_t count = 0;

        for (uint32_t slot = 0; slot < HY_SLOTS; slot++) {
            seed = seed * 1664525 + 1013904223;
            if (slot == 0 || seed >> 24 < (uint32_t)round)
                map.owner[slot] = (uint16_t)(seed >> 16 & 15);
            else
                map.owner[slot] = map.owner[slot - 1];
        }
        for (uint16_t shard = 0; shard < 16; shard++) {
            seed = seed * 1664525 + 1013904223;
            if (seed >> 31 || (shard == 15 && count == 0))
                shards[count++] = shard;
        }
        (void)rebalance(&map, shards, count);
    }
}

/* A plan that ends halfway has taken from all sources. */
static void sources_take_turns(void **state)
{
    struct hy_shardmap map;
    struct slotplan plan;

    (void)state;
    hy_shardmap_even(&map, 4);
    assert_int_equal(slotplan_make(&map, first_shards, 8, MOST, &plan), HY_OK);
    assert_int_equal(plan.count, HY_SLOTS / 2 / MOST);
    for (size_t i = 0; i < plan.count; i++)
        assert_int_equal(plan.moves[i].from, i % 4);
    slotplan_free(&plan);
}

static void a_list_of_shards_is_checked(void **state)
{
    static const uint16_t twice[] = {0, 1, 0}, far[] = {0, HY_SHARDS_MAX};
    struct hy_shardmap map;
    struct slotplan plan;

    (void)state;
    hy_shardmap_even(&map, 2);
    assert_int_equal(slotplan_make(&map, first_shards, 0, MOST, &plan), HY_ECONFIG);
    assert_int_equal(slotplan_make(&map, twice, 3, MOST, &plan), HY_ECONFIG);
    assert_int_equal(slotplan_make(&map, far, 2, MOST, &plan), HY_ECONFIG);
    slotplan_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_shards_become_eight_and_four_again),
        cmocka_unit_test(what_is_even_stays),
        cmocka_unit_test(one_more_takes_from_all_alike),
        cmocka_unit_test(a_drained_shard_has_nothing_left),
        cmocka_unit_test(any_start_ends_even),
        cmocka_unit_test(sources_take_turns),
        cmocka_unit_test(a_list_of_shards_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
