#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "router/convlist.h"

enum { MOST = 64 };

static Hy__IndexEntry entries[MOST], *list[MOST];
static Hy__IndexRow rows[MOST];
static Hy__Conv convs[MOST];
static struct convlist_item items[MOST];
static size_t count;

static int setup(void **state)
{
    (void)state;
    count = 0;
    return 0;
}

static Hy__IndexRow *add(Hy__ConvType type, const char *peer, uint64_t time_ms)
{
    hy__index_entry__init(&entries[count]);
    hy__index_row__init(&rows[count]);
    entries[count].type = type;
    entries[count].peer = (char *)peer;
    entries[count].row = &rows[count];
    rows[count].last_time_ms = time_ms;
    rows[count].joined = type == HY__CONV_TYPE__CONV_GROUP;
    list[count] = &entries[count];
    return &rows[count++];
}

/* The heads say what the rows said, and seq 10. */
static void know_heads(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hy__conv__init(&convs[i]);
        convs[i].type = items[i].entry->type;
        convs[i].peer = items[i].entry->peer;
        convs[i].last_seq = 10;
        convs[i].last_time_ms = items[i].entry->row->last_time_ms;
        items[i].conv = &convs[i];
    }
}

static const char *shown(uint32_t cap)
{
    static char text[256];
    size_t n = convlist_candidates(count, list, cap, items);

    know_heads(n);
    n = convlist_order(items, n, cap);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(text, items[i].conv->peer);
        strcat(text, " ");
    }
    return text;
}

static void pinned_first_then_newest(void **state)
{
    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "old", 100);
    add(HY__CONV_TYPE__CONV_C2C, "new", 300);
    add(HY__CONV_TYPE__CONV_GROUP, "group", 200);
    add(HY__CONV_TYPE__CONV_C2C, "pinned", 50)->pinned = true;
    assert_string_equal(shown(50), "pinned new group old ");
}

static void the_least_recent_fall_out_at_the_cap(void **state)
{
    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "a", 100);
    add(HY__CONV_TYPE__CONV_C2C, "b", 200);
    add(HY__CONV_TYPE__CONV_C2C, "c", 300);
    add(HY__CONV_TYPE__CONV_GROUP, "g", 250);
    assert_string_equal(shown(2), "c g ");
    assert_string_equal(shown(3), "c g b ");
}

static void a_pinned_one_is_kept_however_old(void **state)
{
    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "pinned", 1)->pinned = true;
    add(HY__CONV_TYPE__CONV_C2C, "b", 200);
    add(HY__CONV_TYPE__CONV_C2C, "c", 300);
    assert_string_equal(shown(2), "pinned c ");
}

static void hidden_ones_come_back_with_a_message(void **state)
{
    Hy__IndexRow *row;

    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "seen", 100);
    row = add(HY__CONV_TYPE__CONV_C2C, "hidden", 200);
    row->hidden_seq = 10; /* the heads say last_seq 10 */
    assert_string_equal(shown(50), "seen ");
    row->hidden_seq = 9;
    assert_string_equal(shown(50), "hidden seen ");
}

static void hidden_ones_take_nobodys_place(void **state)
{
    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "hidden", 300)->hidden_seq = 10;
    add(HY__CONV_TYPE__CONV_C2C, "a", 200);
    assert_string_equal(shown(1), "a ");
}

static void groups_that_were_left_are_not_asked_about(void **state)
{
    (void)state;
    add(HY__CONV_TYPE__CONV_GROUP, "left", 300)->joined = false;
    add(HY__CONV_TYPE__CONV_C2C, "a", 200);
    assert_int_equal(convlist_candidates(count, list, 50, items), 1);
}

static void what_the_user_has_no_part_in_is_dropped(void **state)
{
    size_t n;

    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "a", 200);
    add(HY__CONV_TYPE__CONV_GROUP, "kicked", 300);
    n = convlist_candidates(count, list, 50, items);
    know_heads(n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].entry->peer, "kicked") == 0)
            items[i].conv->type = HY__CONV_TYPE__CONV_NONE;
    assert_int_equal(convlist_order(items, n, 50), 1);
    assert_string_equal(items[0].conv->peer, "a");
}

static void rows_bring_pin_and_remind(void **state)
{
    Hy__MemberInfo self = HY__MEMBER_INFO__INIT;
    size_t n;

    (void)state;
    add(HY__CONV_TYPE__CONV_C2C, "a", 300)->remind = 1;
    add(HY__CONV_TYPE__CONV_GROUP, "g", 200)->remind = 1;
    n = convlist_candidates(count, list, 50, items);
    know_heads(n);
    self.msg_flag = 2;
    for (size_t i = 0; i < n; i++)
        if (items[i].entry->type == HY__CONV_TYPE__CONV_GROUP)
            items[i].conv->self = &self;
    assert_int_equal(convlist_order(items, n, 50), 2);
    assert_int_equal(items[0].conv->remind, 1);
    assert_int_equal(items[1].conv->remind, 2); /* a group's is part of the membership */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pinned_first_then_newest, setup),
        cmocka_unit_test_setup(the_least_recent_fall_out_at_the_cap, setup),
        cmocka_unit_test_setup(a_pinned_one_is_kept_however_old, setup),
        cmocka_unit_test_setup(hidden_ones_come_back_with_a_message, setup),
        cmocka_unit_test_setup(hidden_ones_take_nobodys_place, setup),
        cmocka_unit_test_setup(groups_that_were_left_are_not_asked_about, setup),
        cmocka_unit_test_setup(what_the_user_has_no_part_in_is_dropped, setup),
        cmocka_unit_test_setup(rows_bring_pin_and_remind, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
