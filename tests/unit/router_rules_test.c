/* The router's rules that need no one else: profile fields, ways to join, unstored group messages,
 * ids of groups. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/codes.h"
#include "router/groupid.h"
#include "router/joinrule.h"
#include "router/onlinerule.h"
#include "router/profiletag.h"

static Hy__Field text(const char *name, const char *value)
{
    Hy__Field field = HY__FIELD__INIT;

    field.name = (char *)name;
    field.str.data = (uint8_t *)value;
    field.str.len = strlen(value);
    return field;
}

static Hy__Field number(const char *name, uint64_t value)
{
    Hy__Field field = HY__FIELD__INIT;

    field.name = (char *)name;
    field.num = value;
    return field;
}

static uint32_t check(Hy__Field field)
{
    return profiletag_check(&field, false);
}

static void profile_fields_are_checked_by_kind(void **state)
{
    char long_text[502] = {0};

    (void)state;
    memset(long_text, 'x', 501);
    assert_int_equal(check(text("Tag_Profile_IM_Nick", "Anna")), 0);
    assert_int_equal(check(text("Tag_Profile_IM_Nick", long_text)), HY_CODE_PROFILE_TOO_LONG);
    assert_int_equal(check(text("Tag_Profile_IM_Nick", "\xff")), HY_CODE_NOT_UTF8);
    assert_int_equal(check(number("Tag_Profile_IM_Nick", 5)), HY_CODE_PROFILE_TYPE);
    assert_int_equal(check(text("Tag_Profile_IM_Gender", "Gender_Type_Female")), 0);
    assert_int_equal(check(text("Tag_Profile_IM_Gender", "Gender_Type_F")), HY_CODE_PROFILE_VALUE);
    assert_int_equal(check(number("Tag_Profile_IM_BirthDay", 20190419)), 0);
    assert_int_equal(check(text("Tag_Profile_IM_BirthDay", "May")), HY_CODE_PROFILE_TYPE);
    assert_int_equal(check(text("Tag_Profile_IM_Location", "12345678901234567")),
                     HY_CODE_PROFILE_TOO_LONG);
    assert_int_equal(check(text("Tag_Profile_IM_Shoe", "42")), HY_CODE_PROFILE_NO_TAG);
}

static void a_number_may_come_as_text(void **state)
{
    Hy__Field field = text("Tag_Profile_IM_Level", "4294967295");

    (void)state;
    assert_int_equal(profiletag_check(&field, false), 0);
    assert_int_equal(field.num, 4294967295u);
    assert_int_equal(field.str.len, 0);
    field = text("Tag_Profile_IM_Level", "4294967296");
    assert_int_equal(profiletag_check(&field, false), HY_CODE_PROFILE_VALUE);
    field = text("Tag_Profile_IM_Level", "99999999999999999999999999");
    assert_int_equal(profiletag_check(&field, false), HY_CODE_PROFILE_TYPE);
}

static void some_fields_are_for_administrators(void **state)
{
    Hy__Field field = text("Tag_Profile_IM_AdminForbidType", "AdminForbid_Type_SendOut");

    (void)state;
    assert_int_equal(profiletag_check(&field, false), HY_CODE_PROFILE_WRITE);
    assert_int_equal(profiletag_check(&field, true), 0);
}

static void custom_fields_have_short_names(void **state)
{
    (void)state;
    assert_int_equal(check(text("Tag_Profile_Custom_Shoe", "42")), 0);
    assert_int_equal(check(number("Tag_Profile_Custom_Shoe", 42)), 0);
    assert_int_equal(check(text("Tag_Profile_Custom_1400000001_Shoe", "42")), 0);
    assert_int_equal(check(text("Tag_Profile_Custom_Shoesizes", "42")), HY_CODE_PROFILE_NO_TAG);
    assert_int_equal(check(text("Tag_Profile_Custom_", "42")), HY_CODE_PROFILE_NO_TAG);
    assert_int_equal(check(text("Tag_Profile_Custom_a b", "42")), HY_CODE_PROFILE_NO_TAG);
}

static enum join_way join(const char *type, const char *apply, Hy__Role role)
{
    Hy__GroupInfo group = HY__GROUP_INFO__INIT;
    Hy__MemberInfo self = HY__MEMBER_INFO__INIT;

    group.type = (char *)type;
    group.apply_join = (char *)apply;
    self.role = role;
    return joinrule(&group, &self);
}

static void the_type_says_who_may_come_in(void **state)
{
    (void)state;
    assert_int_equal(join("Private", "FreeAccess", HY__ROLE__ROLE_NONE), JOIN_DENIED);
    assert_int_equal(join("Public", "NeedPermission", HY__ROLE__ROLE_NONE), JOIN_ASK);
    assert_int_equal(join("Public", "FreeAccess", HY__ROLE__ROLE_NONE), JOIN_NOW);
    assert_int_equal(join("Public", "DisableApply", HY__ROLE__ROLE_NONE), JOIN_DENIED);
    assert_int_equal(join("ChatRoom", "", HY__ROLE__ROLE_NONE), JOIN_NOW);
    assert_int_equal(join("ChatRoom", "", HY__ROLE__ROLE_MEMBER), JOIN_ALREADY);
    assert_int_equal(join("AVChatRoom", "", HY__ROLE__ROLE_NONE), JOIN_AUDIENCE);
    assert_int_equal(join("Nothing", "", HY__ROLE__ROLE_NONE), JOIN_DENIED);
}

static void unstored_messages_keep_the_groups_rules(void **state)
{
    Hy__GroupInfo group = HY__GROUP_INFO__INIT;
    Hy__MemberInfo self = HY__MEMBER_INFO__INIT;

    (void)state;
    group.type = (char *)"Public";
    assert_int_equal(onlinerule(&group, NULL, false, 100), HY_CODE_GROUP_DENIED);
    assert_int_equal(onlinerule(&group, NULL, true, 100), 0);
    self.role = HY__ROLE__ROLE_MEMBER;
    assert_int_equal(onlinerule(&group, &self, false, 100), 0);
    self.mute_until_s = 101;
    assert_int_equal(onlinerule(&group, &self, false, 100), HY_CODE_GROUP_MUTED);
    assert_int_equal(onlinerule(&group, &self, true, 100), HY_CODE_GROUP_MUTED);
    assert_int_equal(onlinerule(&group, &self, false, 101), 0);
    group.mute_all = true;
    assert_int_equal(onlinerule(&group, &self, false, 200), HY_CODE_GROUP_MUTED);
    self.role = HY__ROLE__ROLE_ADMIN;
    assert_int_equal(onlinerule(&group, &self, false, 200), 0);
}

static void a_retry_makes_the_same_group_id(void **state)
{
    char first[GROUPID_SIZE], again[GROUPID_SIZE], other[GROUPID_SIZE];

    (void)state;
    groupid_make("c1-2-3", 0, first);
    groupid_make("c1-2-3", 0, again);
    groupid_make("c1-2-3", 1, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_int_equal(strlen(first), 14);
    assert_int_equal(strspn(first + 5, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 9);
    assert_memory_equal(first, "@TGS#", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_fields_are_checked_by_kind),
        cmocka_unit_test(a_number_may_come_as_text),
        cmocka_unit_test(some_fields_are_for_administrators),
        cmocka_unit_test(custom_fields_have_short_names),
        cmocka_unit_test(the_type_says_who_may_come_in),
        cmocka_unit_test(unstored_messages_keep_the_groups_rules),
        cmocka_unit_test(a_retry_makes_the_same_group_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
