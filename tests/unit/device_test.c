#include "presence/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client.pb-c.h"

enum { AND = 1, IPHONE, IPAD, WIN, MAC, WEB, LINUX, MINI, UNKNOWN = 0 };
#define STAYS DEVICE_STAYS
#define OTHER DEVICE_OTHER

static void two_installations_meet(void **state)
{
    static const struct {
        int old, fresh;
        enum device_verdict by_mode[5]; /* mode 0 is as 1 */
    } rows[] = {
        {AND, AND, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {AND, IPHONE, {STAYS, STAYS, OTHER, STAYS, OTHER}},
        {IPHONE, IPAD, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {IPAD, AND, {STAYS, STAYS, OTHER, STAYS, OTHER}},
        {WIN, MAC, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {WIN, LINUX, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {AND, WIN, {STAYS, STAYS, STAYS, STAYS, OTHER}},
        {WIN, IPHONE, {STAYS, STAYS, STAYS, STAYS, OTHER}},
        {WEB, WEB, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {WEB, MINI, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {WEB, WIN, {STAYS, STAYS, STAYS, STAYS, OTHER}},
        {WEB, AND, {STAYS, STAYS, STAYS, STAYS, OTHER}},
        {UNKNOWN, MAC, {STAYS, STAYS, OTHER, OTHER, OTHER}},
        {UNKNOWN, IPHONE, {STAYS, STAYS, STAYS, STAYS, OTHER}},
        {99, WIN, {STAYS, STAYS, OTHER, OTHER, OTHER}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned mode = 0; mode < 5; mode++) {
            const struct device a = {rows[i].old, "a"}, b = {rows[i].fresh, "b"};

            assert_int_equal(device_judge(mode, &a, &b), rows[i].by_mode[mode]);
            assert_int_equal(device_judge(mode, &b, &a), rows[i].by_mode[mode]);
        }
}

static void the_same_installation_replaces_itself_in_every_mode(void **state)
{
    const struct device a = {AND, "a"}, none = {WEB, ""}, other_kind = {IPHONE, "a"};

    (void)state;
    for (unsigned mode = 1; mode < 5; mode++) {
        assert_int_equal(device_judge(mode, &a, &a), DEVICE_SAME);
        assert_int_equal(device_judge(mode, &none, &none), DEVICE_SAME);
    }
    assert_int_equal(device_judge(1, &a, &other_kind), DEVICE_STAYS);
}

static void push_reaches_mobiles(void **state)
{
    (void)state;
    assert_true(device_mobile(AND) && device_mobile(IPHONE) && device_mobile(IPAD));
    assert_false(device_mobile(WEB) || device_mobile(WIN) || device_mobile(MINI));
    assert_string_equal(device_platform_name(MINI), "mini_program");
    assert_string_equal(device_platform_name(-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_installations_meet),
        cmocka_unit_test(the_same_installation_replaces_itself_in_every_mode),
        cmocka_unit_test(push_reaches_mobiles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
