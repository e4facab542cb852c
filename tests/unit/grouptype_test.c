#include "common/grouptype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/codes.h"

static void types_go_by_name_and_alias(void **state)
{
    (void)state;
    assert_string_equal(hy_group_type("Private")->name, "Private");
    assert_ptr_equal(hy_group_type("Work"), hy_group_type("Private"));
    assert_ptr_equal(hy_group_type("Meeting"), hy_group_type("ChatRoom"));
    assert_null(hy_group_type("public"));
    assert_null(hy_group_type(""));
    assert_null(hy_group_type("Community"));
}

static void rules_are_those_of_2018(void **state)
{
    const struct hy_group_type *private = hy_group_type("Private"),
                               *public = hy_group_type("Public");
    const struct hy_group_type *room = hy_group_type("ChatRoom"), *av = hy_group_type("AVChatRoom");
    const struct hy_group_type *b = hy_group_type("BChatRoom");

    (void)state;
    assert_int_equal(private->max_members, 200);
    assert_int_equal(public->max_members, 2000);
    assert_int_equal(room->max_members, 10000);
    assert_true(private->members_invite && !public->members_invite && !room->members_invite);
    assert_true(room->history_before_join && !private->history_before_join &&
                !public->history_before_join);
    assert_true(private->unread && public->unread && !room->unread);
    assert_true(av->live && b->live && !av->stores && !b->stores && !room->live);
    assert_true(private->owner_quits && !public->owner_quits);
    assert_true(b->only_admin_sends && !av->only_admin_sends);
    assert_false(private->needs_owner);
    assert_int_equal(private->join, HY_JOIN_NEVER);
    assert_int_equal(public->join, HY_JOIN_APPROVE);
    assert_int_equal(av->join, HY_JOIN_FREE);
}

static void count(void *arg, const char *name, uint32_t code, const char *text)
{
    assert_true(strlen(name) > 0);
    assert_string_equal(text, hy_code_text(code));
    (*(unsigned *)arg)++;
}

static void every_code_has_its_text(void **state)
{
    unsigned codes = 0;

    (void)state;
    hy_code_each(count, &codes);
    assert_true(codes > 100);
    assert_string_equal(hy_code_text(4711), "unknown code");
    assert_string_equal(hy_code_text(HY_CODE_SIG_EXPIRED),
                        "the ticket has expired; make a new one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_go_by_name_and_alias),
        cmocka_unit_test(rules_are_those_of_2018),
        cmocka_unit_test(every_code_has_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
