#include "common/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client.pb-c.h"

static const uint32_t app = 1400000001;

static void slots_are_those_of_the_design(void **state)
{
    (void)state;
    assert_int_equal(hy_slot(app, HY_KIND_USER, "anna", 4), 12023);
    assert_int_equal(hy_slot(app, HY_KIND_GROUP, "@TGS#1ABCDEFG", 13), 10529);
    assert_int_equal(hy_slot(app, HY_KIND_PAIR, "anna\0ben", 8), 16115);
}

static void short_forms_agree_with_the_long_one(void **state)
{
    (void)state;
    assert_int_equal(hy_slot_user(app, "anna"), 12023);
    assert_int_equal(hy_slot_group(app, "@TGS#1ABCDEFG"), 10529);
    assert_int_equal(hy_slot_pair(app, "anna", "ben"), 16115);
    assert_int_equal(hy_slot_pair(app, "ben", "anna"), 16115);
    assert_int_equal(hy_slot_conv(app, HY__CONV_TYPE__CONV_C2C, "ben", "anna"), 16115);
    assert_int_equal(hy_slot_conv(app, HY__CONV_TYPE__CONV_GROUP, "ben", "@TGS#1ABCDEFG"), 10529);
}

static void a_pair_sorts_by_bytes_and_may_be_one_user(void **state)
{
    (void)state;
    assert_int_equal(hy_slot_pair(app, "a", "ab"), hy_slot(app, HY_KIND_PAIR, "a\0ab", 4));
    assert_int_equal(hy_slot_pair(app, "a", "a"), hy_slot(app, HY_KIND_PAIR, "a\0a", 3));
}

static void shards_share_the_slots_in_order_and_evenly(void **state)
{
    uint32_t count[7] = {0}, last = 0;

    (void)state;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++) {
        uint32_t shard = hy_slot_shard((uint16_t)slot, 7);

        assert_true(shard == last || shard == last + 1);
        last = shard;
        count[shard]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], HY_SLOTS / 7, HY_SLOTS / 7 + 1);
}

static void when_one_goes_only_its_slots_move(void **state)
{
    const char *all[3] = {"router-0", "router-1", "router-2"};
    const char *two[3] = {"router-0", NULL, "router-2"};
    unsigned count[3] = {0};

    (void)state;
    for (unsigned slot = 0; slot < HY_SLOTS; slot++) {
        int before = hy_slot_pick((uint16_t)slot, all, 3),
            after = hy_slot_pick((uint16_t)slot, two, 3);

        count[before]++;
        if (before != 1)
            assert_int_equal(before, after);
        else
            assert_int_not_equal(after, 1);
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(count[i], HY_SLOTS / 3 - 400, HY_SLOTS / 3 + 400);
}

static void the_order_of_names_does_not_matter(void **state)
{
    const char *one[2] = {"presence-0", "presence-1"}, *other[2] = {"presence-1", "presence-0"};

    (void)state;
    for (unsigned slot = 0; slot < HY_SLOTS; slot += 13)
        assert_string_equal(one[hy_slot_pick((uint16_t)slot, one, 2)],
                            other[hy_slot_pick((uint16_t)slot, other, 2)]);
}

static void nobody_up_is_nobody(void **state)
{
    const char *none[2] = {NULL, NULL};

    (void)state;
    assert_int_equal(hy_slot_pick(1, none, 2), -1);
    assert_int_equal(hy_slot_pick(1, NULL, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_those_of_the_design),
        cmocka_unit_test(short_forms_agree_with_the_long_one),
        cmocka_unit_test(a_pair_sorts_by_bytes_and_may_be_one_user),
        cmocka_unit_test(shards_share_the_slots_in_order_and_evenly),
        cmocka_unit_test(when_one_goes_only_its_slots_move),
        cmocka_unit_test(the_order_of_names_does_not_matter),
        cmocka_unit_test(nobody_up_is_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
