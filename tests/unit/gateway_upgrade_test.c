#include "gateway/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE "GET /chat HTTP/1.1\r\n"
#define HOST "Host: chat.example\r\n"
#define UP "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define END "\r\n"

static const struct hy_text_list any_origin = {NULL, 0};

static const struct rule {
    const char *request;
    uint16_t status;
} rules[] = {
    {LINE HOST UP KEY V13 END, 101},
    {LINE "host: x\r\nUPGRADE: WebSocket\r\nconnection: UPGRADE\r\n" KEY V13 END, 101},
    {LINE HOST UP KEY V13 "Sec-WebSocket-Protocol: a, b\r\nOrigin: https://any\r\n" END, 101},
    {LINE HOST UP KEY V13 "Content-Length: 0\r\n" END, 101},
    {"POST /chat HTTP/1.1\r\n" HOST UP KEY V13 END, 405},
    {"GET /chat HTTP/1.0\r\n" HOST UP KEY V13 END, 505},
    {"GET chat HTTP/1.1\r\n" HOST UP KEY V13 END, 400},
    {"GET / HTTP/1.1x\r\n" HOST UP KEY V13 END, 400},
    {"GET /\r\n" HOST UP KEY V13 END, 400},
    {LINE UP KEY V13 END, 400},
    {LINE HOST HOST UP KEY V13 END, 400},
    {LINE HOST KEY V13 END, 426},
    {LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY V13 END, 426},
    {LINE HOST "Upgrade: websocket\r\nConnection: close\r\n" KEY V13 END, 426},
    {LINE HOST UP KEY END, 426},
    {LINE HOST UP KEY "Sec-WebSocket-Version: 8\r\n" END, 426},
    {LINE HOST UP KEY V13 V13 END, 400},
    {LINE HOST UP V13 END, 400},
    {LINE HOST UP KEY KEY V13 END, 400},
    {LINE HOST UP "Sec-WebSocket-Key: short\r\n" V13 END, 400},
    {LINE HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=!\r\n" V13 END, 400},
    {LINE HOST UP KEY V13 "Content-Length: 5\r\n" END, 400},
    {LINE HOST UP KEY V13 "Transfer-Encoding: chunked\r\n" END, 400},
    {LINE HOST UP KEY V13 " folded\r\n" END, 400},
    {LINE HOST UP KEY V13 "no colon\r\n" END, 400},
    {LINE HOST UP KEY V13 ": no name\r\n" END, 400},
    {LINE HOST UP KEY V13 "Bad Name: x\r\n" END, 400},
    {LINE HOST UP KEY V13 "X: a\tb\x01\r\n" END, 400},
    {"\r\n\r\n", 400},
};

static void handshakes_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct upgrade upgrade;
        enum upgrade_result result =
            upgrade_parse(rules[i].request, strlen(rules[i].request), &any_origin, &upgrade);

        if (upgrade.status != rules[i].status)
            fail_msg("rule %zu: status %u instead of %u", i, upgrade.status, rules[i].status);
        assert_int_equal(result, rules[i].status == 101 ? UPGRADE_GOOD : UPGRADE_BAD);
    }
}

static void the_key_is_answered_as_in_the_rfc(void **state)
{
    static const char request[] = LINE HOST UP KEY V13 END "first bytes";
    struct upgrade upgrade;
    char answer[UPGRADE_ANSWER_MAX];
    size_t len;

    (void)state;
    assert_int_equal(upgrade_parse(request, sizeof request - 1, &any_origin, &upgrade),
                     UPGRADE_GOOD);
    assert_int_equal(upgrade.used, strlen(LINE HOST UP KEY V13 END));
    assert_string_equal(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    len = upgrade_answer(&upgrade, answer);
    assert_int_equal(len, strlen(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 101"));
}

static void pages_of_other_origins_are_refused(void **state)
{
    static char *allowed[] = {(char *)"https://chat.example", (char *)"https://b.example:8443"};
    static const struct hy_text_list origins = {allowed, 2};
    static const struct {
        const char *request;
        uint16_t status;
    } cases[] = {
        {LINE HOST UP KEY V13 "Origin: https://chat.example\r\n" END, 101},
        {LINE HOST UP KEY V13 "Origin: https://B.example:8443\r\n" END, 101},
        {LINE HOST UP KEY V13 "Origin: https://evil.example\r\n" END, 403},
        {LINE HOST UP KEY V13 "Origin: https://chat.example.evil\r\n" END, 403},
        {LINE HOST UP KEY V13 "Origin: null\r\n" END, 403},
        {LINE HOST UP KEY V13 "Origin: https://chat.example\r\nOrigin: x\r\n" END, 400},
        {LINE HOST UP KEY V13 END, 101},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct upgrade upgrade;

        (void)upgrade_parse(cases[i].request, strlen(cases[i].request), &origins, &upgrade);
        assert_int_equal(upgrade.status, cases[i].status);
    }
}

static void a_request_that_is_not_whole_waits_and_a_long_one_is_refused(void **state)
{
    static const char request[] = LINE HOST UP KEY V13 END;
    static char big[UPGRADE_MAX + 100];
    struct upgrade upgrade;

    (void)state;
    for (size_t n = 0; n < sizeof request - 1; n++)
        assert_int_equal(upgrade_parse(request, n, &any_origin, &upgrade), UPGRADE_MORE);
    memset(big, 'a', sizeof big);
    assert_int_equal(upgrade_parse(big, UPGRADE_MAX - 1, &any_origin, &upgrade), UPGRADE_MORE);
    assert_int_equal(upgrade_parse(big, sizeof big, &any_origin, &upgrade), UPGRADE_BAD);
    assert_int_equal(upgrade.status, 431);
}

static void every_refusal_says_what_to_do(void **state)
{
    static const uint16_t statuses[] = {400, 403, 405, 426, 431, 505};
    char answer[UPGRADE_ANSWER_MAX], want[16];

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct upgrade upgrade = {.status = statuses[i]};
        size_t len = upgrade_answer(&upgrade, answer);

        snprintf(want, sizeof want, "HTTP/1.1 %u ", statuses[i]);
        assert_memory_equal(answer, want, strlen(want));
        assert_in_range(len, 100, UPGRADE_ANSWER_MAX - 1);
        assert_non_null(strstr(answer, "\r\n\r\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_are_judged),
        cmocka_unit_test(the_key_is_answered_as_in_the_rfc),
        cmocka_unit_test(pages_of_other_origins_are_refused),
        cmocka_unit_test(a_request_that_is_not_whole_waits_and_a_long_one_is_refused),
        cmocka_unit_test(every_refusal_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
