#include "gateway/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 1000 };

/* A masked frame with a head as given; the mask is 1 2 3 4. Returns its length. */
static size_t make(uint8_t *out, uint8_t first, const void *data, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 4};
    size_t n = 0;

    out[n++] = first;
    if (len < 126) {
        out[n++] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        out[n++] = 0x80 | 126;
        out[n++] = (uint8_t)(len >> 8);
        out[n++] = (uint8_t)len;
    } else {
        out[n++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            out[n++] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    memcpy(out + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        out[n + i] = ((const uint8_t *)data)[i] ^ mask[i & 3];
    return n + len;
}

/* One frame alone: what a server says to it. */
static const struct rule {
    const char *name;
    uint8_t bytes[16];
    size_t len;
    enum websocket_result result;
    uint8_t opcode;
    uint16_t code;
} rules[] = {
    {"binary", {0x82, 0x81, 0, 0, 0, 0, 7}, 7, WEBSOCKET_WHOLE, WEBSOCKET_BINARY, 0},
    {"empty binary", {0x82, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WHOLE, WEBSOCKET_BINARY, 0},
    {"text", {0x81, 0x81, 0, 0, 0, 0, 'a'}, 7, WEBSOCKET_WHOLE, WEBSOCKET_TEXT, 0},
    {"text that is no UTF-8", {0x81, 0x81, 0, 0, 0, 0, 0xff}, 7, WEBSOCKET_WRONG, 0, 1007},
    {"without a mask", {0x82, 0x01, 7}, 3, WEBSOCKET_WRONG, 0, 1002},
    {"reserved bit 1", {0xc2, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"reserved bit 2", {0xa2, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"reserved bit 3", {0x92, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"opcode 3", {0x83, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"opcode 7", {0x87, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"opcode 11", {0x8b, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"opcode 15", {0x8f, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"continuation of nothing", {0x80, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"ping", {0x89, 0x81, 0, 0, 0, 0, 'p'}, 7, WEBSOCKET_WHOLE, WEBSOCKET_PING, 0},
    {"pong", {0x8a, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WHOLE, WEBSOCKET_PONG, 0},
    {"fragmented ping", {0x09, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WRONG, 0, 1002},
    {"long ping", {0x89, 0xfe, 0, 126}, 4, WEBSOCKET_WRONG, 0, 1002},
    {"16-bit length that fits 7", {0x82, 0xfe, 0, 125}, 4, WEBSOCKET_WRONG, 0, 1002},
    {"64-bit length that fits 16",
     {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
     10,
     WEBSOCKET_WRONG,
     0,
     1002},
    {"64-bit length with the high bit",
     {0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0},
     10,
     WEBSOCKET_WRONG,
     0,
     1002},
    {"over the limit, known early", {0x82, 0xfe, 3, 0xe9, 0, 0, 0, 0}, 8, WEBSOCKET_WRONG, 0, 1009},
    {"half a head", {0x82}, 1, WEBSOCKET_MORE, 0, 0},
    {"half a mask", {0x82, 0x81, 0, 0}, 4, WEBSOCKET_MORE, 0, 0},
    {"no payload yet", {0x82, 0x82, 0, 0, 0, 0, 1}, 7, WEBSOCKET_MORE, 0, 0},
    {"close", {0x88, 0x80, 0, 0, 0, 0}, 6, WEBSOCKET_WHOLE, WEBSOCKET_CLOSE, 1005},
    {"close 1000", {0x88, 0x82, 0, 0, 0, 0, 3, 0xe8}, 8, WEBSOCKET_WHOLE, WEBSOCKET_CLOSE, 1000},
    {"close 4999", {0x88, 0x82, 0, 0, 0, 0, 0x13, 0x87}, 8, WEBSOCKET_WHOLE, WEBSOCKET_CLOSE, 4999},
    {"close with half a code", {0x88, 0x81, 0, 0, 0, 0, 3}, 7, WEBSOCKET_WRONG, 0, 1002},
    {"close 999", {0x88, 0x82, 0, 0, 0, 0, 3, 0xe7}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 1004", {0x88, 0x82, 0, 0, 0, 0, 3, 0xec}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 1005", {0x88, 0x82, 0, 0, 0, 0, 3, 0xed}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 1006", {0x88, 0x82, 0, 0, 0, 0, 3, 0xee}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 1015", {0x88, 0x82, 0, 0, 0, 0, 3, 0xf7}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 2999", {0x88, 0x82, 0, 0, 0, 0, 0x0b, 0xb7}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close 5000", {0x88, 0x82, 0, 0, 0, 0, 0x13, 0x88}, 8, WEBSOCKET_WRONG, 0, 1002},
    {"close, reason no UTF-8",
     {0x88, 0x83, 0, 0, 0, 0, 3, 0xe8, 0xc0},
     9,
     WEBSOCKET_WRONG,
     0,
     1007},
};

static void frames_are_judged_by_the_rules_of_rfc_6455(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct websocket ws = {0};
        struct websocket_event event;
        uint8_t bytes[16];
        enum websocket_result result;

        memcpy(bytes, rules[i].bytes, sizeof bytes);
        result = websocket_next(&ws, bytes, rules[i].len, MAX, &event);
        if (result != rules[i].result || event.code != rules[i].code)
            fail_msg("%s: result %d code %u", rules[i].name, result, event.code);
        if (result == WEBSOCKET_WHOLE) {
            assert_int_equal(event.opcode, rules[i].opcode);
            assert_int_equal(event.used, rules[i].len);
        }
        websocket_free(&ws);
    }
}

static void payloads_of_every_length_are_unmasked(void **state)
{
    static uint8_t bytes[70000], data[66000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len < sizeof data; len += len < 300 ? 1 : 9973) {
        struct websocket ws = {0};
        struct websocket_event event;
        size_t size = make(bytes, 0x82, data, len);

        assert_int_equal(websocket_next(&ws, bytes, size, 70000, &event), WEBSOCKET_WHOLE);
        assert_int_equal(event.len, len);
        assert_memory_equal(event.data, data, len);
    }
}

static void a_message_in_fragments_is_whole_with_its_last(void **state)
{
    struct websocket ws = {0};
    struct websocket_event event;
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x02, "ab", 2), MAX, &event),
                     WEBSOCKET_PART);
    /* a ping may come between */
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x89, "?", 1), MAX, &event),
                     WEBSOCKET_WHOLE);
    assert_int_equal(event.opcode, WEBSOCKET_PING);
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x00, "", 0), MAX, &event),
                     WEBSOCKET_PART);
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x80, "cd", 2), MAX, &event),
                     WEBSOCKET_WHOLE);
    assert_int_equal(event.opcode, WEBSOCKET_BINARY);
    assert_int_equal(event.len, 4);
    assert_memory_equal(event.data, "abcd", 4);
    websocket_trim(&ws);
    assert_null(ws.message);
    assert_int_equal(ws.opcode, 0);
}

static void a_new_message_within_another_is_wrong(void **state)
{
    struct websocket ws = {0};
    struct websocket_event event;
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x02, "ab", 2), MAX, &event),
                     WEBSOCKET_PART);
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x82, "cd", 2), MAX, &event),
                     WEBSOCKET_WRONG);
    assert_int_equal(event.code, 1002);
    websocket_free(&ws);
}

static void fragments_together_obey_the_limit(void **state)
{
    struct websocket ws = {0};
    struct websocket_event event;
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x02, "abcd", 4), 6, &event),
                     WEBSOCKET_PART);
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x80, "efg", 3), 6, &event),
                     WEBSOCKET_WRONG);
    assert_int_equal(event.code, 1009);
    websocket_free(&ws);
}

static void text_split_within_a_character_is_judged_whole(void **state)
{
    struct websocket ws = {0};
    struct websocket_event event;
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x01, "\xe4\xbd", 2), MAX, &event),
                     WEBSOCKET_PART);
    assert_int_equal(websocket_next(&ws, bytes, make(bytes, 0x80, "\xa0", 1), MAX, &event),
                     WEBSOCKET_WHOLE);
    assert_int_equal(event.opcode, WEBSOCKET_TEXT);
    websocket_free(&ws);
}

static void heads_take_the_shortest_form(void **state)
{
    uint8_t out[WEBSOCKET_HEAD_MAX];

    (void)state;
    assert_int_equal(websocket_head(out, WEBSOCKET_BINARY, 125), 2);
    assert_memory_equal(out, "\x82\x7d", 2);
    assert_int_equal(websocket_head(out, WEBSOCKET_BINARY, 126), 4);
    assert_memory_equal(out, "\x82\x7e\0\x7e", 4);
    assert_int_equal(websocket_head(out, WEBSOCKET_BINARY, 65535), 4);
    assert_int_equal(websocket_head(out, WEBSOCKET_PONG, 65536), 10);
    assert_memory_equal(out, "\x8a\x7f\0\0\0\0\0\1\0\0", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_judged_by_the_rules_of_rfc_6455),
        cmocka_unit_test(payloads_of_every_length_are_unmasked),
        cmocka_unit_test(a_message_in_fragments_is_whole_with_its_last),
        cmocka_unit_test(a_new_message_within_another_is_wrong),
        cmocka_unit_test(fragments_together_obey_the_limit),
        cmocka_unit_test(text_split_within_a_character_is_judged_whole),
        cmocka_unit_test(heads_take_the_shortest_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
