/* rest_head_test - where an HTTP request ends, and what it says of itself. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rest_head.h"

#define LINE "POST /v4/a/b?c=d HTTP/1.1\r\n"

static void heads_are_read(void **state)
{
    static const struct {
        const char *text;
        enum rest_method method;
        uint64_t body_len;
        bool chunked, keep_alive, expects, head_only;
    } rows[] = {
        {LINE "\r\n", REST_POST, 0, false, true, false, false},
        {LINE "Host: x\r\nContent-Length: 12\r\n\r\nbody", REST_POST, 12, false, true, false,
         false},
        {LINE "content-length:7\r\nCONTENT-LENGTH: 7 \t\r\n\r\n", REST_POST, 7, false, true, false,
         false},
        {LINE "Transfer-Encoding: Chunked\r\n\r\n", REST_POST, 0, true, true, false, false},
        {LINE "Connection: x, Close\r\n\r\n", REST_POST, 0, false, false, false, false},
        {LINE "Expect: 100-Continue\r\n\r\n", REST_POST, 0, false, true, true, false},
        {"OPTIONS * HTTP/1.1\r\n\r\n", REST_OPTIONS, 0, false, true, false, false},
        {"GET / HTTP/1.0\r\n\r\n", REST_OTHER, 0, false, false, false, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", REST_OTHER, 0, false, true, false,
         false},
        {"HEAD / HTTP/1.1\r\nX:\r\n\r\n", REST_OTHER, 0, false, true, false, true},
        {"post / HTTP/1.1\r\n\r\n", REST_OTHER, 0, false, true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rest_head head;

        assert_int_equal(rest_head_parse(rows[i].text, strlen(rows[i].text), &head), REST_WHOLE);
        assert_int_equal(head.used, strstr(rows[i].text, "\r\n\r\n") + 4 - rows[i].text);
        assert_int_equal(head.method, rows[i].method);
        assert_int_equal(head.body_len, rows[i].body_len);
        assert_int_equal(head.chunked, rows[i].chunked);
        assert_int_equal(head.keep_alive, rows[i].keep_alive);
        assert_int_equal(head.expects, rows[i].expects);
        assert_int_equal(head.head_only, rows[i].head_only);
        assert_ptr_equal(head.target, strchr(rows[i].text, ' ') + 1);
        assert_int_equal(head.target[head.target_len], ' ');
    }
}

static void what_two_readers_could_read_in_two_ways_is_refused(void **state)
{
    static const struct {
        const char *text;
        uint16_t status;
    } rows[] = {
        {"\r\n\r\n", 400},
        {"POST\r\n\r\n", 400},
        {"POST /\r\n\r\n", 400},
        {"POST  HTTP/1.1\r\n\r\n", 400},
        {" / HTTP/1.1\r\n\r\n", 400},
        {"POST /a b HTTP/1.1\r\n\r\n", 400},
        {"POST /a\tb HTTP/1.1\r\n\r\n", 400},
        {"POST / HTTP/1.1 \r\n\r\n", 400},
        {"POST / FTP/1.1\r\n\r\n", 400},
        {"POST / HTTP/2.0\r\n\r\n", 505},
        {LINE "Host\r\n\r\n", 400},
        {LINE ": x\r\n\r\n", 400},
        {LINE "Host : x\r\n\r\n", 400},
        {LINE "Host: x\r\n folded\r\n\r\n", 400},
        {LINE "Host: x\ny: z\r\n\r\n", 400},
        {LINE "Host: a\rb\r\n\r\n", 400},
        {LINE "Host: a\x01\r\n\r\n", 400},
        {LINE "Content-Length: \r\n\r\n", 400},
        {LINE "Content-Length: -1\r\n\r\n", 400},
        {LINE "Content-Length: +1\r\n\r\n", 400},
        {LINE "Content-Length: 1 2\r\n\r\n", 400},
        {LINE "Content-Length: 0x1\r\n\r\n", 400},
        {LINE "Content-Length: 1, 1\r\n\r\n", 400},
        {LINE "Content-Length: 9999999999999999\r\n\r\n", 400},
        {LINE "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {LINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {LINE "Transfer-Encoding: identity\r\n\r\n", 501},
        {LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rest_head head;
        enum rest_parsed parsed = rest_head_parse(rows[i].text, strlen(rows[i].text), &head);

        if (parsed != REST_WRONG || head.status != rows[i].status)
            print_error("%s", rows[i].text);
        assert_int_equal(parsed, REST_WRONG);
        assert_int_equal(head.status, rows[i].status);
    }
}

static void a_part_of_a_head_waits_and_a_huge_one_does_not(void **state)
{
    static const char text[] = LINE "Host: x\r\nContent-Length: 12\r\n\r\n";
    char *huge = malloc(REST_HEAD_MAX);
    struct rest_head head;

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_int_equal(rest_head_parse(text, len, &head), REST_MORE);
    assert_int_equal(rest_head_parse(text, sizeof text - 1, &head), REST_WHOLE);
    assert_non_null(huge);
    memset(huge, 'x', REST_HEAD_MAX);
    assert_int_equal(rest_head_parse(huge, REST_HEAD_MAX - 1, &head), REST_MORE);
    assert_int_equal(rest_head_parse(huge, REST_HEAD_MAX, &head), REST_WRONG);
    assert_int_equal(head.status, 431);
    free(huge);
}

/* Feed text in pieces of step bytes; the outcome must not depend on them. */
static enum rest_parsed feed(const char *text, size_t step, size_t most, struct rest_chunks *chunks,
                             char *out)
{
    size_t len = strlen(text);
    char *bytes = malloc(len);
    enum rest_parsed parsed = REST_MORE;

    assert_non_null(bytes);
    *chunks = (struct rest_chunks){0};
    for (size_t had = 0; had < len && parsed == REST_MORE; had += step) {
        size_t here = len - had < step ? len - had : step;

        memcpy(bytes + had, text + had, here);
        parsed = rest_chunks_take(chunks, bytes, had + here, most);
    }
    memcpy(out, bytes, chunks->len);
    out[chunks->len] = '\0';
    free(bytes);
    return parsed;
}

static void chunks_are_joined_however_they_come(void **state)
{
    static const char text[] =
        "5\r\nhello\r\n1;ext=\"a\"\r\n,\r\n06\r\n world\r\n0\r\nTrailer: x\r\n\r\nnext";
    struct rest_chunks chunks;
    char out[64];

    (void)state;
    for (size_t step = 1; step <= sizeof text; step++) {
        assert_int_equal(feed(text, step, 100, &chunks, out), REST_WHOLE);
        assert_string_equal(out, "hello, world");
        assert_string_equal(text + chunks.at, "next");
    }
    assert_int_equal(feed("0\r\n\r\n", 1, 100, &chunks, out), REST_WHOLE);
    assert_int_equal(chunks.len, 0);
}

static void chunks_that_do_not_add_up_are_refused(void **state)
{
    static const struct {
        const char *text;
        uint16_t status;
    } rows[] = {
        {"\r\n", 400},
        {"x\r\n", 400},
        {"-1\r\n", 400},
        {"1x\r\n", 400},
        {"0x1\r\na", 400},
        {"5\r\nhelloworld", 400},
        {"123456789\r\n", 400},
        {"65\r\n", 413},
        {"ffffffff\r\n", 413},
        {"60\r\n0123456789012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345\r\n5\r\n",
         413},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step < 4; step++) {
            struct rest_chunks chunks;
            char out[128];

            assert_int_equal(feed(rows[i].text, step, 100, &chunks, out), REST_WRONG);
            assert_int_equal(chunks.status, rows[i].status);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read),
        cmocka_unit_test(what_two_readers_could_read_in_two_ways_is_refused),
        cmocka_unit_test(a_part_of_a_head_waits_and_a_huge_one_does_not),
        cmocka_unit_test(chunks_are_joined_however_they_come),
        cmocka_unit_test(chunks_that_do_not_add_up_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
