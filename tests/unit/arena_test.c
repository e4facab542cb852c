#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "client.pb-c.h"
#include "common/arena.h"
#include "common/buf.h"

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    struct hy_arena arena;
    unsigned char *pieces[500];

    (void)state;
    hy_arena_init(&arena);
    for (size_t i = 0; i < 500; i++) {
        pieces[i] = hy_arena_alloc(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    }
    hy_arena_free(&arena);
}

static void a_reset_arena_hands_out_the_same_block_again(void **state)
{
    struct hy_arena arena;
    void *first = NULL, *again = NULL;

    (void)state;
    hy_arena_init(&arena);
    hy_arena_reset(&arena); /* an empty one too */
    first = hy_arena_alloc(&arena, 100);
    hy_arena_reset(&arena);
    again = hy_arena_alloc(&arena, 100);
    assert_ptr_equal(first, again);
    assert_non_null(hy_arena_alloc(&arena, 1 << 20)); /* one huge message is not kept for ever */
    hy_arena_reset(&arena);
    assert_int_equal(arena.size, 0);
    assert_non_null(hy_arena_alloc(&arena, 1));
    hy_arena_free(&arena);
    hy_arena_free(&arena);
}

static void too_much_is_null(void **state)
{
    struct hy_arena arena;

    (void)state;
    hy_arena_init(&arena);
    assert_null(hy_arena_alloc(&arena, SIZE_MAX));
    assert_null(hy_arena_alloc(&arena, SIZE_MAX - 64));
    assert_null(hy_arena_strdup(&arena, "x", SIZE_MAX));
    assert_string_equal(hy_arena_strdup(&arena, "words", 4), "word");
    assert_int_equal(*(uint64_t *)hy_arena_zalloc(&arena, 8), 0);
    hy_arena_free(&arena);
}

static void a_message_decodes_into_it(void **state)
{
    struct hy_arena arena;
    struct hy_buf bytes = {0};
    Hy__SendReq req = HY__SEND_REQ__INIT, *back = NULL;
    char to[] = "anna", client_id[] = "c-1";

    (void)state;
    req.to = to;
    req.client_id = client_id;
    assert_int_equal(hy_buf_put_pb(&bytes, &req.base), HY_OK);
    hy_arena_init(&arena);
    back = hy__send_req__unpack(&arena.pb, bytes.len, bytes.data);
    assert_non_null(back);
    assert_string_equal(back->to, "anna");
    assert_string_equal(back->client_id, "c-1");
    hy_arena_free(&arena);
    hy_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(a_reset_arena_hands_out_the_same_block_again),
        cmocka_unit_test(too_much_is_null),
        cmocka_unit_test(a_message_decodes_into_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
