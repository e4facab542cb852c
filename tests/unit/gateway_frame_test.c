#include "gateway/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void a_frame_is_whole_only_with_its_last_byte(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 3, 'a', 'b', 'c', 0};
    const uint8_t *payload = NULL;
    size_t len = 0;

    (void)state;
    for (size_t n = 0; n < 7; n++)
        assert_int_equal(frame_next(bytes, n, 100, &payload, &len), FRAME_MORE);
    assert_int_equal(frame_next(bytes, 8, 100, &payload, &len), FRAME_WHOLE);
    assert_ptr_equal(payload, bytes + 4);
    assert_int_equal(len, 3);
}

static void a_frame_over_the_limit_is_known_by_its_length(void **state)
{
    static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff};
    const uint8_t *payload = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(frame_next(bytes, 4, 65536, &payload, &len), FRAME_TOO_BIG);
    assert_int_equal(frame_next(bytes, 3, 65536, &payload, &len), FRAME_MORE);
}

static void the_largest_allowed_fits(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 2, 1, 2};
    const uint8_t *payload = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(frame_next(bytes, 6, 2, &payload, &len), FRAME_WHOLE);
    assert_int_equal(frame_next(bytes, 6, 1, &payload, &len), FRAME_TOO_BIG);
}

static void an_empty_frame_is_a_frame(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 0};
    const uint8_t *payload = NULL;
    size_t len = 9;

    (void)state;
    assert_int_equal(frame_next(bytes, 4, 10, &payload, &len), FRAME_WHOLE);
    assert_int_equal(len, 0);
}

static void a_head_reads_back(void **state)
{
    uint8_t bytes[FRAME_HEAD];
    const uint8_t *payload = NULL;
    size_t len = 0;

    (void)state;
    frame_head(bytes, 0x01020304);
    assert_memory_equal(bytes, "\1\2\3\4", 4);
    assert_int_equal(frame_next(bytes, 4, UINT32_MAX, &payload, &len), FRAME_MORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_whole_only_with_its_last_byte),
        cmocka_unit_test(a_frame_over_the_limit_is_known_by_its_length),
        cmocka_unit_test(the_largest_allowed_fits),
        cmocka_unit_test(an_empty_frame_is_a_frame),
        cmocka_unit_test(a_head_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
