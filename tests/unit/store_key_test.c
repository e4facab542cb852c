#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/expire.h"
#include "store/group.h"
#include "store/key.h"
#include "store/member.h"
#include "store/member_change.h"
#include "store/pair.h"
#include "store/value.h"

static const struct key_home home = {.slot = 7, .app = 1400000001};

static int order(const struct key *a, const struct key *b)
{
    int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

    return order != 0 ? order : (int)a->len - (int)b->len;
}

static void later_messages_sort_after_earlier_ones(void **state)
{
    struct key a, b;

    (void)state;
    key_log(&a, home, KEY_LOG_C2C, 1, 255);
    key_log(&b, home, KEY_LOG_C2C, 1, 256);
    assert_true(order(&a, &b) < 0);
    key_log(&b, home, KEY_LOG_C2C, 2, 1);
    assert_true(order(&a, &b) < 0);
    key_log(&b, (struct key_home){8, 1}, KEY_LOG_C2C, 1, 1);
    assert_true(order(&a, &b) < 0);
}

static void keys_are_read_back(void **state)
{
    struct key_parts p;
    struct key k;

    (void)state;
    key_index(&k, home, "anna", 2, "@TGS#1", KEY_INDEX_MARKS);
    assert_int_equal(key_parse(k.bytes, k.len, &p), HY_OK);
    assert_int_equal(p.home.slot, 7);
    assert_int_equal(p.home.app, 1400000001);
    assert_memory_equal(p.first, "anna", 4);
    assert_memory_equal(p.second, "@TGS#1", 6);
    assert_int_equal(p.type, 2);
    assert_int_equal(p.part, KEY_INDEX_MARKS);
    key_sent(&k, home, 9, "anna", "id with \t anything");
    assert_int_equal(key_parse(k.bytes, k.len, &p), HY_OK);
    assert_int_equal(p.conversation, 9);
    assert_int_equal(p.second_len, 18);
    for (uint16_t cut = 0; cut < KEY_HEAD; cut++)
        assert_int_equal(key_parse(k.bytes, cut, &p), HY_EMALFORMED);
}

static void a_pair_has_one_key_from_both_sides(void **state)
{
    struct key a, b;

    (void)state;
    key_pair(&a, home, KEY_PAIR, "anna", "ben");
    key_pair(&b, home, KEY_PAIR, "ben", "anna");
    assert_int_equal(order(&a, &b), 0);
}

static void a_user_is_no_prefix_of_another(void **state)
{
    struct key first, end, other;

    (void)state;
    key_index(&first, home, "ann", 0, NULL, KEY_INDEX_ROW);
    end = first;
    key_after(&end);
    key_index(&other, home, "anna", 1, "x", KEY_INDEX_ROW);
    assert_true(order(&other, &end) >= 0 || order(&other, &first) < 0);
    key_index(&other, home, "ann", 1, "x", KEY_INDEX_ROW);
    assert_true(order(&other, &first) > 0 && order(&other, &end) < 0);
}

static void after_a_key_of_ones_comes_what_is_behind_it(void **state)
{
    struct key k = {.len = 3, .bytes = {1, 0xFF, 0xFF}};

    (void)state;
    key_after(&k);
    assert_int_equal(k.len, 1);
    assert_int_equal(k.bytes[0], 2);
}

static void a_log_value_carries_place_time_and_card(void **state)
{
    struct hy_buf buf = {0};
    Hy__Msg msg = HY__MSG__INIT, *back;
    struct value_log log;
    uint8_t bytes[256];
    size_t len;

    (void)state;
    msg.from = (char *)"anna";
    msg.to = (char *)"ben";
    msg.body = (ProtobufCBinaryData){5, (uint8_t *)"hello"};
    len = hy__msg__pack(&msg, bytes);
    assert_int_equal(value_put_log(&buf, 6, 300, 1700000000123, bytes, len, "Anna B."), HY_OK);
    assert_int_equal(value_get_log(buf.data, buf.len, &log), HY_OK);
    assert_int_equal(log.flags, 6);
    assert_int_equal(log.time_ms, 1700000000123);
    assert_true(value_log_from(&log, "anna"));
    assert_false(value_log_from(&log, "ann"));
    back = hy__msg__unpack(NULL, log.msg_len, log.msg);
    assert_int_equal(back->seq, 300);
    assert_int_equal(back->time_ms, 1700000000123);
    assert_string_equal(back->name_card, "Anna B.");
    hy__msg__free_unpacked(back, NULL);
    hy_buf_free(&buf);
}

static void a_pair_counts_and_marks(void **state)
{
    Hy__PairSide a = HY__PAIR_SIDE__INIT, b = HY__PAIR_SIDE__INIT, *sides[2] = {&a, &b};
    Hy__Pair pair = HY__PAIR__INIT;

    (void)state;
    pair.n_sides = 2;
    pair.sides = sides;
    for (int i = 0; i < 3; i++)
        pair_take(&pair, 0, false, 0, 100);
    assert_int_equal(pair_take(&pair, 1, false, 0, 50).time_ms, 100);
    assert_int_equal(b.unread, 3);
    assert_int_equal(a.unread, 1);
    assert_true(pair_read(&pair, 1, 2, 1));
    assert_int_equal(b.unread, 1);
    assert_false(pair_read(&pair, 1, 1, 2));
    assert_int_equal(b.read_seq, 2);
    assert_true(pair_read(&pair, 1, 0, 99));
    assert_int_equal(b.unread, 0);
    assert_false(pair_read(&pair, 1, 1000, 0));
}

static void a_rate_is_a_bucket(void **state)
{
    uint64_t notes[2] = {0};
    int passed = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        passed += group_rate(notes, 40, 2, 1000);
    assert_int_equal(passed, 40);
    assert_false(group_rate(notes, 40, 2, 1000));
    assert_true(group_rate(notes, 40, 2, 1025));
    assert_false(group_rate(notes, 40, 2, 1026));
    assert_false(group_rate(notes, 40, 2, 900)); /* a clock that steps back fills nothing */
    for (passed = 0; passed < 100 && group_rate(notes, 40, 2, 60000); passed++)
        ;
    assert_int_equal(passed, 40);
    assert_true(group_rate(notes, 0, 4, 60000));
}

static void what_matters_less_stops_sooner(void **state)
{
    static const struct {
        uint32_t rate, priority;
        int passed;
    } rows[] = {
        {40, 0, 40}, {40, 1, 40}, {40, 2, 40}, {40, 3, 30},
        {40, 4, 20}, {1, 4, 1}, /* a small bucket lets one pass */
        {2, 4, 1},   {2, 3, 1},   {2, 2, 2},   {40, 9, 40},
    };
    uint64_t notes[2] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t fresh[2] = {0};
        int passed = 0;

        for (int n = 0; n < 100; n++)
            passed += group_rate(fresh, rows[i].rate, rows[i].priority, 1000);
        assert_int_equal(passed, rows[i].passed);
    }
    /* What Lowest has left, Low may use, and then Normal. */
    while (group_rate(notes, 40, 4, 1000))
        ;
    assert_true(group_rate(notes, 40, 3, 1000));
    while (group_rate(notes, 40, 3, 1000))
        ;
    assert_true(group_rate(notes, 40, 2, 1000));
}

static void what_the_filter_does_not_know_it_keeps(void **state)
{
    struct appset *apps;
    uint8_t junk[3] = {9, 9, 9};
    struct key key;

    (void)state;
    assert_int_equal(appset_open(&apps), HY_OK);
    key_log(&key, home, KEY_LOG_C2C, 1, 1);
    assert_false(expire_due(apps, UINT64_MAX / 2, FAMILY_LOG, key.bytes, key.len, junk, 3));
    assert_false(expire_due(apps, UINT64_MAX / 2, FAMILY_LOG, junk, 3, junk, 3));
    assert_false(expire_due(apps, UINT64_MAX / 2, FAMILY_DEDUPE, junk, 3, junk, 3));
    assert_false(expire_due(apps, UINT64_MAX / 2, FAMILY_ENTITY, junk, 3, junk, 3));
    appset_close(&apps);
}

static void every_type_has_its_doors(void **state)
{
    static const struct {
        const char *type;
        uint32_t join, member_adds, rest_adds, owner_quits, rest_takes_owner;
    } rows[] = {
        {"Private", 10007, 0, 0, 0, 0},
        {"Public", 0, 10007, 0, 10009, 10007},
        {"ChatRoom", 0, 10007, 0, 10009, 10007},
        {"AVChatRoom", 10007, 10007, 10007, 10009, 10007},
        {"BChatRoom", 10007, 10007, 10007, 10009, 10007},
    };
    struct member_asker rest = {true, HY__ROLE__ROLE_NONE}, member = {false, HY__ROLE__ROLE_MEMBER};
    bool waits;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct hy_group_type *type = hy_group_type(rows[i].type);

        assert_int_equal(member_may_join(type, "NeedPermission", false, &waits), rows[i].join);
        assert_int_equal(waits, strcmp(rows[i].type, "Public") == 0);
        assert_int_equal(member_may_add(type, "", member), rows[i].member_adds);
        assert_int_equal(member_may_add(type, "", rest), rows[i].rest_adds);
        assert_int_equal(member_may_quit(type, HY__ROLE__ROLE_OWNER), rows[i].owner_quits);
        assert_int_equal(member_may_remove_one(type, rest, HY__ROLE__ROLE_OWNER),
                         rows[i].rest_takes_owner);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_messages_sort_after_earlier_ones),
        cmocka_unit_test(keys_are_read_back),
        cmocka_unit_test(a_pair_has_one_key_from_both_sides),
        cmocka_unit_test(a_user_is_no_prefix_of_another),
        cmocka_unit_test(after_a_key_of_ones_comes_what_is_behind_it),
        cmocka_unit_test(a_log_value_carries_place_time_and_card),
        cmocka_unit_test(a_pair_counts_and_marks),
        cmocka_unit_test(a_rate_is_a_bucket),
        cmocka_unit_test(what_matters_less_stops_sooner),
        cmocka_unit_test(what_the_filter_does_not_know_it_keeps),
        cmocka_unit_test(every_type_has_its_doors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
