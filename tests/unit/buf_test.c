#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/buf.h"

static void what_is_put_comes_out_in_order(void **state)
{
    struct hy_buf buf = {0};

    (void)state;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(hy_buf_put(&buf, &(char){(char)i}, 1), HY_OK);
    assert_int_equal(buf.len, 3000);
    hy_buf_drop(&buf, 1000);
    assert_int_equal(buf.len, 2000);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(buf.data[i], (i + 1000) & 0xff);
    hy_buf_drop(&buf, 5000); /* more than there is */
    assert_int_equal(buf.len, 0);
    hy_buf_free(&buf);
}

static void nothing_and_too_much_are_fine(void **state)
{
    struct hy_buf buf = {0};

    (void)state;
    assert_int_equal(hy_buf_put(&buf, NULL, 0), HY_OK);
    hy_buf_drop(&buf, 0);
    assert_int_equal(hy_buf_put(&buf, "abc", 3), HY_OK);
    assert_int_equal(hy_buf_reserve(&buf, SIZE_MAX), HY_ENOMEM);
    assert_int_equal(hy_buf_reserve(&buf, SIZE_MAX / 2), HY_ENOMEM);
    assert_memory_equal(buf.data, "abc", 3);
    hy_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(hy_buf_put(&buf, "d", 1), HY_OK); /* usable again */
    hy_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_comes_out_in_order),
        cmocka_unit_test(nothing_and_too_much_are_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
