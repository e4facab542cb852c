#include "common/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t day_ms = 86400000, now_ms = 1800000000000;

static void a_new_app_has_the_defaults(void **state)
{
    Hy__App app = HY__APP__INIT;

    (void)state;
    app.max_message_bytes = 12288;
    hy_app_defaults(&app);
    assert_int_equal(app.multi_device, 1);
    assert_int_equal(app.max_message_bytes, 12288);
    assert_int_equal(app.recent_contacts, 50);
    assert_int_equal(app.sweep, 0);
    assert_int_equal(app.sweep_interval_s, 300);
    assert_int_equal(app.retention_days, 7);
    assert_int_equal(app.max_groups, 100000);
}

static void settings_are_checked(void **state)
{
    static const struct {
        const char *name, *value;
        enum hy_err err;
    } rows[] = {
        {"c2c_quarters", "4", HY_OK},
        {"c2c_quarters", "5", HY_ECONFIG},
        {"multi_device", "0", HY_ECONFIG},
        {"recent_contacts", "0", HY_OK},
        {"recent_contacts", "", HY_ECONFIG},
        {"recent_contacts", "-1", HY_ECONFIG},
        {"recent_contacts", "4x", HY_ECONFIG},
        {"recent_contact", "4", HY_ENOTFOUND},
        {"max_message_bytes", "99999999999999999999", HY_ECONFIG},
    };
    Hy__App app = HY__APP__INIT;

    (void)state;
    hy_app_defaults(&app);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *hint = NULL;

        assert_int_equal(hy_app_set(&app, rows[i].name, rows[i].value, &hint), rows[i].err);
        assert_true(rows[i].err == HY_OK || hint != NULL);
    }
    assert_int_equal(app.c2c_quarters, 4);
    assert_int_equal(app.recent_contacts, 0);
}

static void retention_is_days_or_quarters_but_never_before_the_floor(void **state)
{
    Hy__App app = HY__APP__INIT;

    (void)state;
    hy_app_defaults(&app);
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_C2C, now_ms), now_ms - 7 * day_ms);
    app.c2c_quarters = 4;
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_C2C, now_ms), now_ms - 365 * day_ms);
    app.c2c_quarters = 1;
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_C2C, now_ms),
                     now_ms - 365 * day_ms / 4);
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_GROUP, now_ms), now_ms - 7 * day_ms);
    app.c2c_floor_ms = now_ms - day_ms;
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_C2C, now_ms), now_ms - day_ms);
    assert_int_equal(hy_app_floor_ms(&app, HY__CONV_TYPE__CONV_C2C, 5), now_ms - day_ms);
    assert_int_equal(hy_app_floor_ms(NULL, HY__CONV_TYPE__CONV_C2C, now_ms), 0);
}

static void the_list_takes_over_changes(void **state)
{
    struct hy_apps *apps;
    char name[] = "one", later[] = "two", admin[] = "root", *admins[] = {admin};
    Hy__App a = HY__APP__INIT, b = HY__APP__INIT, *first[] = {&b, &a}, *second[] = {&a};

    (void)state;
    a.sdkappid = 10;
    a.name = name;
    b.sdkappid = 5;
    a.admins = admins;
    a.n_admins = 1;
    assert_int_equal(hy_apps_open(&apps), HY_OK);
    assert_int_equal(hy_apps_version(apps), 0);
    assert_int_equal(hy_apps_merge(apps, 2, first, 3), HY_OK);
    assert_string_equal(hy_apps_find(apps, 10)->name, "one");
    assert_true(hy_app_admin(hy_apps_find(apps, 10), "root"));
    assert_false(hy_app_admin(hy_apps_find(apps, 5), "root"));
    assert_null(hy_apps_find(apps, 7));
    a.name = later;
    assert_int_equal(hy_apps_merge(apps, 1, second, 4), HY_OK);
    assert_string_equal(hy_apps_find(apps, 10)->name, "two");
    assert_int_equal(hy_apps_find(apps, 5)->sdkappid, 5);
    assert_int_equal(hy_apps_version(apps), 4);
    hy_apps_close(&apps);
    assert_null(apps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_app_has_the_defaults),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(retention_is_days_or_quarters_but_never_before_the_floor),
        cmocka_unit_test(the_list_takes_over_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
