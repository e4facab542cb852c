#include "gateway/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client.pb-c.h"

enum { LIMIT = 1000 };

static void put(struct outbox *outbox, const char *text)
{
    struct parcel *parcel = parcel_copy(text, strlen(text));

    assert_int_equal(outbox_push(outbox, &parcel, LIMIT), HY_OK);
    assert_null(parcel);
}

/* Everything that is to be written, at most step bytes at a time. */
static size_t drain(struct outbox *outbox, size_t step, char *out)
{
    struct iovec runs[8];
    size_t len = 0;

    while (outbox->count > 0) {
        size_t n = outbox_gather(outbox, runs, 8), room = step;

        assert_true(n > 0);
        for (size_t i = 0; i < n && room > 0; i++) {
            size_t take = runs[i].iov_len < room ? runs[i].iov_len : room;

            memcpy(out + len, runs[i].iov_base, take);
            len += take;
            room -= take;
        }
        outbox_sent(outbox, step - room);
    }
    return len;
}

static void bytes_leave_in_order_however_they_are_cut(void **state)
{
    static const char want[] = "\0\0\0\3one\0\0\0\0\0\0\0\5three";
    char out[64];

    (void)state;
    for (size_t step = 1; step < sizeof want; step++) {
        struct outbox outbox = {0};

        put(&outbox, "one");
        put(&outbox, "");
        put(&outbox, "three");
        assert_int_equal(drain(&outbox, step, out), sizeof want - 1);
        assert_memory_equal(out, want, sizeof want - 1);
        assert_null(outbox.ring);
        assert_int_equal(outbox.bytes, 0);
    }
}

static void a_websocket_gets_its_heads(void **state)
{
    static const char want[] = "\x82\3one\x82\0\x82\5three";
    char out[64];

    (void)state;
    for (size_t step = 1; step < sizeof want; step++) {
        struct outbox outbox = {.ws = true};

        put(&outbox, "one");
        put(&outbox, "");
        put(&outbox, "three");
        assert_int_equal(drain(&outbox, step, out), sizeof want - 1);
        assert_memory_equal(out, want, sizeof want - 1);
    }
}

static void a_parcel_is_shared_until_the_last_lets_go(void **state)
{
    struct outbox tcp = {0}, ws = {.ws = true};
    struct parcel *parcel = parcel_copy("hi", 2), *mine = parcel_ref(parcel);
    char out[16];

    (void)state;
    assert_int_equal(outbox_push(&tcp, &mine, LIMIT), HY_OK);
    mine = parcel_ref(parcel);
    assert_int_equal(outbox_push(&ws, &mine, LIMIT), HY_OK);
    parcel_unref(&parcel);
    assert_int_equal(drain(&tcp, 100, out), 6);
    assert_int_equal(drain(&ws, 100, out), 4);
    assert_memory_equal(out, "\x82\2hi", 4);
}

static void nothing_is_added_to_what_is_full(void **state)
{
    struct outbox outbox = {0};
    struct parcel *parcel = parcel_copy("0123456789", 10);

    (void)state;
    assert_int_equal(outbox_push(&outbox, &parcel, 5), HY_OK); /* one always fits */
    assert_null(parcel);
    parcel = parcel_copy("", 0);
    assert_int_equal(outbox_push(&outbox, &parcel, 14), HY_EBUSY);
    assert_non_null(parcel);
    assert_int_equal(outbox_push(&outbox, &parcel, 15), HY_OK);
    outbox_free(&outbox);
    assert_int_equal(outbox.bytes, 0);
}

static void a_cut_keeps_only_what_has_begun(void **state)
{
    struct outbox outbox = {0};
    char out[64];

    (void)state;
    put(&outbox, "one");
    put(&outbox, "two");
    outbox_sent(&outbox, 5);
    outbox_cut(&outbox);
    put(&outbox, "end");
    assert_int_equal(outbox.bytes, 2 + 7);
    assert_int_equal(drain(&outbox, 100, out), 9);
    assert_memory_equal(out, "ne\0\0\0\3end", 9);
    put(&outbox, "one");
    outbox_cut(&outbox);
    assert_int_equal(outbox.count, 0);
    assert_int_equal(outbox.bytes, 0);
}

static void many_parcels_wrap_around(void **state)
{
    struct outbox outbox = {0};
    struct iovec runs[8];
    char text[2] = "a";

    (void)state;
    for (int i = 0; i < 100; i++) {
        text[0] = (char)('a' + i % 26);
        put(&outbox, text);
        if (i % 3 == 2) {
            assert_true(outbox_gather(&outbox, runs, 8) > 0);
            outbox_sent(&outbox, 5);
        }
    }
    assert_int_equal(outbox.count, 67);
    assert_int_equal(outbox_gather(&outbox, runs, 8), 7);
    assert_int_equal(((char *)runs[0].iov_base)[4], 'a' + 33 % 26);
    outbox_free(&outbox);
}

/* Most parcels find an empty outbox; the one that has begun to leave keeps its place in a ring. */
static void the_first_parcel_needs_no_ring(void **state)
{
    struct outbox outbox = {0};
    char out[64];

    (void)state;
    put(&outbox, "one");
    assert_int_equal(outbox.cap, 0);
    outbox_sent(&outbox, 6); /* its head, and two letters */
    put(&outbox, "two");
    assert_true(outbox.cap > 0);
    assert_int_equal(drain(&outbox, 64, out), 8);
    assert_memory_equal(out, "e\0\0\0\3two", 8);
    assert_int_equal(outbox.cap, 0);
    put(&outbox, "last");
    outbox_free(&outbox);
    assert_int_equal(outbox.count, 0);
}

static void a_frame_made_by_hand_decodes(void **state)
{
    Hy__SendRes res = HY__SEND_RES__INIT;
    struct parcel *parcel;
    Hy__Frame *frame;
    size_t len;

    (void)state;
    res.seq = 300;
    res.time_ms = 1700000000000;
    parcel = parcel_frame((1ull << 53) - 1, 80002, "too long", HY__FRAME__BODY_SEND_RES, &res.base);
    len = parcel_wire_len(parcel, false) - 4;
    frame = hy__frame__unpack(NULL, len, parcel_bytes(parcel));
    assert_non_null(frame);
    assert_int_equal(frame->id, (1ull << 53) - 1);
    assert_int_equal(frame->code, 80002);
    assert_string_equal(frame->info, "too long");
    assert_int_equal(frame->body_case, HY__FRAME__BODY_SEND_RES);
    assert_int_equal(frame->send_res->seq, 300);
    hy__frame__free_unpacked(frame, NULL);
    parcel_unref(&parcel);

    parcel = parcel_frame(0, 0, NULL, HY__FRAME__BODY_PONG, NULL);
    frame = hy__frame__unpack(NULL, parcel_wire_len(parcel, false) - 4, parcel_bytes(parcel));
    assert_non_null(frame);
    assert_int_equal(frame->body_case, HY__FRAME__BODY_PONG);
    hy__frame__free_unpacked(frame, NULL);
    parcel_unref(&parcel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_leave_in_order_however_they_are_cut),
        cmocka_unit_test(a_websocket_gets_its_heads),
        cmocka_unit_test(a_parcel_is_shared_until_the_last_lets_go),
        cmocka_unit_test(nothing_is_added_to_what_is_full),
        cmocka_unit_test(a_cut_keeps_only_what_has_begun),
        cmocka_unit_test(many_parcels_wrap_around),
        cmocka_unit_test(the_first_parcel_needs_no_ring),
        cmocka_unit_test(a_frame_made_by_hand_decodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
