/* rest_profile_test - profile: standard and custom fields. */

#include "rest_fake.h"

static Hy__Field *field(const char *name, const char *text, uint64_t num)
{
    Hy__Field *f = fake_get(sizeof *f);

    hy__field__init(f);
    f->name = fake_text("%s", name);
    f->str.data = (uint8_t *)fake_text("%s", text);
    f->str.len = strlen(text);
    f->num = num;
    return f;
}

static bool profiles(const Hy__Frame *question, Hy__Frame *answer)
{
    Hy__ProfileGetRes *res = fake_get(sizeof *res);

    hy__profile_get_res__init(res);
    res->n_profiles = question->profile_get->n_users;
    res->profiles = fake_get(res->n_profiles * sizeof(Hy__Profile *));
    for (size_t i = 0; i < res->n_profiles; i++) {
        Hy__Profile *p = res->profiles[i] = fake_get(sizeof *p);

        hy__profile__init(p);
        p->user = question->profile_get->users[i];
        if (!fake_exists(p->user)) {
            p->code = HY_CODE_PROFILE_UNKNOWN;
            continue;
        }
        p->n_fields = 3;
        p->fields = fake_get(3 * sizeof(Hy__Field *));
        p->fields[0] = field("Tag_Profile_IM_Nick", "Ann", 0);
        p->fields[1] = field("Tag_Profile_IM_BirthDay", "", 19700101);
        p->fields[2] = field("Tag_Profile_Custom_Color", "blue", 0);
    }
    answer->body_case = HY__FRAME__BODY_PROFILE_GET_RES;
    answer->profile_get_res = res;
    return true;
}

static void asked_tags_come_back_with_their_types(void **state)
{
    (void)state;
    fake.frame = profiles;
    assert_int_equal(fake_call("profile/portrait_get",
                               "{'From_Account':'x','To_Account':['ann','nobody',''],'TagList':["
                               "'Tag_Profile_IM_BirthDay','Tag_Profile_IM_Nick',"
                               "'Tag_Profile_IM_Image','Tag_Profile_Custom_Color'],"
                               "'LastStandardSequence':1}"),
                     0);
    assert_string_equal(fake_string("ErrorDisplay"), "");
    assert_int_equal(json_array_size(fake_at("UserProfileItem")), 3);
    assert_int_equal(json_array_size(fake_at("UserProfileItem.0.ProfileItem")), 3);
    assert_string_equal(fake_string("UserProfileItem.0.ProfileItem.0.Tag"),
                        "Tag_Profile_IM_BirthDay");
    assert_int_equal(fake_int("UserProfileItem.0.ProfileItem.0.Value"), 19700101);
    assert_string_equal(fake_string("UserProfileItem.0.ProfileItem.1.Value"), "Ann");
    assert_string_equal(fake_string("UserProfileItem.0.ProfileItem.2.Value"), "blue");
    assert_int_equal(fake_int("UserProfileItem.0.ResultCode"), 0);
    assert_int_equal(fake_int("UserProfileItem.1.ResultCode"), 40003);
    assert_null(fake_at("UserProfileItem.1.ProfileItem"));
    assert_int_equal(fake_int("UserProfileItem.2.ResultCode"), 40003);
    assert_int_equal(json_array_size(fake_at("Fail_Account")), 0);
    assert_int_equal(json_array_size(fake_at("Invalid_Account")), 2);
    assert_string_equal(fake_string("Invalid_Account.0"), "nobody");
}

static void wrong_questions_are_refused(void **state)
{
    (void)state;
    assert_int_equal(fake_call("profile/portrait_get", "{'TagList':['Tag_Profile_IM_Nick']}"),
                     40002);
    assert_int_equal(
        fake_call("profile/portrait_get", "{'To_Account':[],'TagList':['Tag_Profile_IM_Nick']}"),
        40001);
    assert_int_equal(fake_call("profile/portrait_get", "{'To_Account':['ann'],'TagList':[]}"),
                     40001);
    assert_int_equal(fake_call("profile/portrait_get",
                               "{'To_Account':['ann'],'TagList':['Tag_Profile_IM_None']}"),
                     40009);
}

static uint32_t set(const char *tag, const char *value)
{
    return fake_call("profile/portrait_set",
                     "{'From_Account':'ann','ProfileItem':[{'Tag':'%s','Value':%s}]}", tag, value);
}

static void values_are_checked_by_their_tag(void **state)
{
    char longer[600];

    (void)state;
    assert_int_equal(set("Tag_Profile_IM_Nick", "'Ann'"), 0);
    assert_string_equal(fake_last_admin()->profile_set->user, "ann");
    assert_string_equal(fake_last_admin()->profile_set->fields[0]->name, "Tag_Profile_IM_Nick");
    assert_memory_equal(fake_last_admin()->profile_set->fields[0]->str.data, "Ann", 3);
    assert_int_equal(set("Tag_Profile_IM_BirthDay", "19700101"), 0);
    assert_int_equal(fake_last_admin()->profile_set->fields[0]->num, 19700101);
    assert_int_equal(set("Tag_Profile_IM_Level", "'12'"), 0);
    assert_int_equal(fake_last_admin()->profile_set->fields[0]->num, 12);
    assert_int_equal(set("Tag_Profile_IM_Level", "'x'"), 40610);
    assert_int_equal(set("Tag_Profile_IM_Nick", "5"), 40610);
    assert_int_equal(set("Tag_Profile_IM_Gender", "'Gender_Type_Male'"), 0);
    assert_int_equal(set("Tag_Profile_IM_Gender", "'Male'"), 40605);
    assert_int_equal(set("Tag_Profile_IM_Nope", "'x'"), 40009);
    assert_int_equal(set("Tag_Profile_Custom_Color", "'red'"), 0);
    assert_int_equal(set("Tag_Profile_Custom_1400000001_Color", "'red'"), 0);
    assert_int_equal(set("Tag_Profile_Custom_", "'red'"), 40009);
    memset(longer, 'x', sizeof longer);
    longer[0] = longer[502] = '\'';
    longer[503] = '\0';
    assert_int_equal(set("Tag_Profile_IM_SelfSignature", longer), 40601);
    longer[501] = '\'';
    longer[502] = '\0';
    assert_int_equal(set("Tag_Profile_IM_SelfSignature", longer), 0);
}

static void a_strangers_profile_cannot_be_set(void **state)
{
    (void)state;
    assert_int_equal(fake_call("profile/portrait_set",
                               "{'From_Account':'nobody','ProfileItem':"
                               "{'Tag':'Tag_Profile_IM_Nick','Value':'x'}}"),
                     40003);
    assert_int_equal(fake_call("profile/portrait_set", "{'From_Account':'ann'}"), 40001);
    assert_int_equal(fake_call("profile/portrait_set", "{}"), 40002);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fake_start, fake_stop)
    const struct CMUnitTest tests[] = {
        TEST(asked_tags_come_back_with_their_types),
        TEST(wrong_questions_are_refused),
        TEST(values_are_checked_by_their_tag),
        TEST(a_strangers_profile_cannot_be_set),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    json_decref(fake_json);
    return failed;
}
