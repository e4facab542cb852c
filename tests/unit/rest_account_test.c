/* rest_account_test - im_open_login_svc: accounts are made, looked up, kicked. */

#include "rest_fake.h"

#define SVC "im_open_login_svc/"

static void an_account_is_imported_under_either_name_of_its_field(void **state)
{
    static const char *const names[] = {"Identifier", "UserID"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        const Hy__UserImport *import;

        assert_int_equal(fake_call(SVC "account_import",
                                   "{'%s':'ann','Nick':'Ann','FaceUrl':'http://f','Type':'1'}",
                                   names[i]),
                         0);
        import = fake_last_admin()->user_import;
        assert_string_equal(import->user, "ann");
        assert_string_equal(import->nick, "Ann");
        assert_string_equal(import->face, "http://f");
        assert_int_equal(import->type, 1);
        assert_int_equal(fake_last()->slot, hy_slot_user(FAKE_APP, "ann"));
        assert_true(fake_last_admin()->caller->admin);
        assert_string_equal(fake_last_admin()->caller->admin_user, "administrator");
        assert_true(strlen(fake_last_admin()->op_id) > 8);
    }
}

static void no_two_calls_share_an_operation_id(void **state)
{
    char first[64];

    (void)state;
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':'ann'}"), 0);
    snprintf(first, sizeof first, "%s", fake_last_admin()->op_id);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':'ann'}"), 0);
    assert_string_not_equal(fake_last_admin()->op_id, first);
}

static void bad_accounts_are_refused(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "account_import", "{}"), 70402);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':null}"), 70402);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':''}"), 70402);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':17}"), 60015);
    assert_int_equal(
        fake_call(SVC "account_import", "{'Identifier':'%s'}", "123456789012345678901234567890123"),
        70402);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':'@TLS#a'}"), 70402);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':'a\\u0000b'}"), 60015);
    assert_int_equal(fake_call(SVC "account_import", "{'Identifier':'a','Nick':5}"), 70402);
    assert_non_null(strstr(fake_string("ErrorInfo"), "Nick"));
}

static bool refuse_bob(const Hy__AdminCall *call, Hy__AdminAnswer *answer)
{
    if (call->op_case != HY__ADMIN_CALL__OP_USER_IMPORT ||
        strcmp(call->user_import->user, "bob") != 0)
        return false;
    answer->code = HY_CODE_BUSY;
    return true;
}

static void many_accounts_are_imported_and_failures_named(void **state)
{
    (void)state;
    fake.admin = refuse_bob;
    assert_int_equal(fake_call(SVC "multiaccount_import", "{'Accounts':['ann','bob','','cy']}"), 0);
    assert_int_equal(json_array_size(fake_at("FailAccounts")), 2);
    assert_string_equal(fake_string("FailAccounts.0"), "bob");
    assert_string_equal(fake_string("FailAccounts.1"), "");
    fake.admin = NULL;
    assert_int_equal(fake_call(SVC "multiaccount_import",
                               "{'AccountList':[{'UserID':'ann','Nick':'A'},{'UserID':'bob'}]}"),
                     0);
    assert_true(json_is_array(fake_at("FailAccounts")));
    assert_int_equal(json_array_size(fake_at("FailAccounts")), 0);
}

static void too_many_accounts_are_refused(void **state)
{
    char body[8192] = "{'Accounts':['a0'";

    (void)state;
    for (int i = 1; i < 100; i++)
        sprintf(body + strlen(body), ",'a%d'", i);
    assert_int_equal(fake_call(SVC "multiaccount_import", "%s]}", body), 0);
    assert_true(fake.most_open <= 64);
    assert_int_equal(fake_call(SVC "multiaccount_import", "%s,'x']}", body), 70402);
    assert_int_equal(fake_call(SVC "multiaccount_import", "{'Accounts':[]}"), 70402);
    assert_int_equal(fake_call(SVC "multiaccount_import", "{'Accounts':'ann'}"), 70402);
    assert_int_equal(fake_call(SVC "multiaccount_import", "{'Accounts':[1]}"), 60015);
}

static void check_says_who_is_there(void **state)
{
    (void)state;
    assert_int_equal(
        fake_call(SVC "account_check",
                  "{'CheckItem':[{'UserID':'ann'},{'UserID':'nobody'},{'UserID':''}]}"),
        0);
    assert_int_equal(json_array_size(fake_at("ResultItem")), 3);
    assert_string_equal(fake_string("ResultItem.0.UserID"), "ann");
    assert_string_equal(fake_string("ResultItem.0.AccountStatus"), "Imported");
    assert_int_equal(fake_int("ResultItem.0.ResultCode"), 0);
    assert_string_equal(fake_string("ResultItem.0.ResultInfo"), "");
    assert_string_equal(fake_string("ResultItem.1.AccountStatus"), "NotImported");
    assert_int_equal(fake_int("ResultItem.1.ResultCode"), 0);
    assert_string_equal(fake_string("ResultItem.2.AccountStatus"), "NotImported");
    assert_int_equal(fake_call(SVC "account_check", "{'CheckItem':{'UserID':'ann'}}"), 0);
    assert_int_equal(json_array_size(fake_at("ResultItem")), 1);
    assert_int_equal(fake_call(SVC "account_check", "{'CheckItem':[]}"), 70402);
    assert_int_equal(fake_call(SVC "account_check", "{}"), 70402);
}

static void kick_reaches_the_account_and_knows_strangers(void **state)
{
    (void)state;
    assert_int_equal(fake_call(SVC "kick", "{'UserID':'ann'}"), 0);
    assert_string_equal(fake_last_admin()->user_kick->user, "ann");
    assert_int_equal(fake_call(SVC "kick", "{'Identifier':'nobody'}"), 70107);
    assert_int_equal(fake_call(SVC "kick", "{}"), 70402);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fake_start, fake_stop)
    const struct CMUnitTest tests[] = {
        TEST(an_account_is_imported_under_either_name_of_its_field),
        TEST(no_two_calls_share_an_operation_id),
        TEST(bad_accounts_are_refused),
        TEST(many_accounts_are_imported_and_failures_named),
        TEST(too_many_accounts_are_refused),
        TEST(check_says_who_is_there),
        TEST(kick_reaches_the_account_and_knows_strangers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    json_decref(fake_json);
    return failed;
}
