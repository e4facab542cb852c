/* The rules of a gateway that need neither clock nor socket. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codes.h"
#include "gateway/bucket.h"
#include "gateway/deadline.h"
#include "gateway/idmap.h"
#include "gateway/push.h"
#include "gateway/sendcheck.h"
#include "gateway/strings.h"
#include "gateway/token.h"
#include "gateway/tries.h"
#include "gateway/wheel.h"

/* ---- deadline ---- */

static const struct limits limits = {.heartbeat_ms = 1000, .sign_in_ms = 400};

static void a_link_must_sign_in(void **state)
{
    struct deadline d = {.opened_ms = 100, .heard_ms = 450, .expires_ms = UINT64_MAX};

    (void)state;
    assert_int_equal(deadline_due(LINK_OPEN, &d, &limits), 500);
    assert_int_equal(deadline_check(LINK_OPEN, &d, &limits, 499), LINK_END_NONE);
    assert_int_equal(deadline_check(LINK_OPEN, &d, &limits, 500), LINK_END_SIGN_IN_LATE);
    assert_int_equal(deadline_check(LINK_UPGRADING, &d, &limits, 500), LINK_END_HANDSHAKE);
}

static void a_signed_in_link_must_be_heard_in_two_and_a_half_heartbeats(void **state)
{
    struct deadline d = {.opened_ms = 1, .heard_ms = 5000, .expires_ms = UINT64_MAX};

    (void)state;
    assert_int_equal(deadline_due(LINK_READY, &d, &limits), 7500);
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 7499), LINK_END_NONE);
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 7500), LINK_END_HEARTBEAT);
}

static void a_frame_that_began_must_arrive(void **state)
{
    struct deadline d = {.heard_ms = 5390, .part_ms = 5000, .expires_ms = UINT64_MAX};

    (void)state;
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 5399), LINK_END_NONE);
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 5400), LINK_END_STALLED);
}

static void a_session_ends_with_its_ticket(void **state)
{
    struct deadline d = {.heard_ms = 5000, .expires_ms = 5100};

    (void)state;
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 5099), LINK_END_NONE);
    assert_int_equal(deadline_check(LINK_READY, &d, &limits, 5100), LINK_END_SIG_EXPIRED);
}

static void a_closing_link_is_closed_after_two_seconds(void **state)
{
    struct deadline d = {.closing_ms = 1000};

    (void)state;
    assert_int_equal(deadline_check(LINK_CLOSING, &d, &limits, 2999), LINK_END_NONE);
    assert_int_not_equal(deadline_check(LINK_CLOSING, &d, &limits, 3000), LINK_END_NONE);
}

/* ---- wheel ---- */

struct fired {
    struct wheel *wheel;
    struct wheel_entry *last;
    int count;
};

static void on_fire(void *ctx, struct wheel_entry *entry)
{
    struct fired *fired = ctx;

    fired->last = entry;
    fired->count++;
}

static void deadlines_fire_within_a_tick_and_not_before(void **state)
{
    struct fired fired = {0};
    struct wheel_entry entry = {0};

    (void)state;
    for (uint64_t due = 10000; due < 400000; due += 7919) {
        uint64_t now = 10000;

        fired.count = 0;
        assert_int_equal(wheel_open(now, on_fire, &fired, &fired.wheel), HY_OK);
        wheel_set(fired.wheel, &entry, due);
        while (fired.count == 0) {
            assert_true(now < due + 2 * WHEEL_TICK_MS);
            now += WHEEL_TICK_MS / 2;
            wheel_turn(fired.wheel, now);
        }
        assert_true(now >= due);
        wheel_close(&fired.wheel);
    }
}

static void a_deadline_moves_and_goes(void **state)
{
    struct fired fired = {0};
    struct wheel_entry a = {0}, b = {0};

    (void)state;
    assert_int_equal(wheel_open(0, on_fire, &fired, &fired.wheel), HY_OK);
    wheel_set(fired.wheel, &a, 1000);
    wheel_set(fired.wheel, &b, 1000);
    wheel_set(fired.wheel, &a, 5000);
    wheel_clear(&b);
    wheel_clear(&b);
    wheel_turn(fired.wheel, 4000);
    assert_int_equal(fired.count, 0);
    wheel_turn(fired.wheel, 1000000); /* after a long sleep */
    assert_int_equal(fired.count, 1);
    assert_ptr_equal(fired.last, &a);
    assert_null(a.next);
    wheel_close(&fired.wheel);
}

/* ---- bucket ---- */

static void a_bucket_lets_a_burst_through_and_then_the_rate(void **state)
{
    struct bucket bucket;
    uint64_t now = 0xfffffff0; /* across the wrap of 32 bits */
    int got = 0;

    (void)state;
    bucket_fill(&bucket, now, 10);
    while (bucket_take(&bucket, now, 5, 10))
        got++;
    assert_int_equal(got, 10);
    for (int i = 0; i < 1000; i++)
        got += bucket_take(&bucket, now += 10, 5, 10);
    assert_int_equal(got, 10 + 50);
}

/* ---- pushes ---- */

static void gaps_are_seen_by_number_and_by_mark(void **state)
{
    struct push_count count = {0};

    (void)state;
    assert_false(push_gap(&count, 7, 1, false));
    assert_false(push_gap(&count, 7, 2, false));
    assert_true(push_gap(&count, 7, 4, false));
    assert_false(push_gap(&count, 7, 4, true));
    assert_true(push_gap(&count, 7, 6, true));
    assert_false(push_gap(&count, 7, 6, true));
    assert_false(push_gap(&count, 7, 7, false));
    assert_false(push_gap(&count, 8, 1, false)); /* it restarted: it counts from 1 */
    assert_true(push_gap(&count, 9, 3, false));
}

/* ---- tokens ---- */

static const uint8_t secret[TOKEN_SECRET] = {1, 2, 3};

static void a_token_reads_back_and_only_whole(void **state)
{
    struct token token = {.session_id = 42,
                          .opened_ms = 1,
                          .issued_ms = 2,
                          .expires_s = 3,
                          .app = 1400000001,
                          .platform = 6,
                          .user = "ann",
                          .device_id = "d1"};
    struct token back;
    uint8_t sealed[TOKEN_MAX + 1], other[TOKEN_SECRET] = {0};
    size_t len = token_seal(&token, secret, sealed);

    (void)state;
    assert_int_equal(token_open(sealed, len, secret, &back), HY_OK);
    assert_int_equal(back.session_id, 42);
    assert_int_equal(back.app, 1400000001);
    assert_int_equal(back.platform, 6);
    assert_string_equal(back.user, "ann");
    assert_string_equal(back.device_id, "d1");
    assert_int_equal(token_open(sealed, len, other, &back), HY_EDENIED);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(token_open(sealed, i, secret, &back), HY_EDENIED);
        sealed[i] ^= 1;
        assert_int_equal(token_open(sealed, len, secret, &back), HY_EDENIED);
        sealed[i] ^= 1;
    }
    assert_int_equal(token_open(sealed, len + 1, secret, &back), HY_EDENIED);
}

static void the_longest_token_fits(void **state)
{
    struct token token = {0}, back;
    uint8_t sealed[TOKEN_MAX];

    (void)state;
    memset(token.user, 'u', TOKEN_USER_MAX);
    memset(token.device_id, 'd', TOKEN_DEVICE_MAX);
    assert_int_equal(token_open(sealed, token_seal(&token, secret, sealed), secret, &back), HY_OK);
    assert_int_equal(strlen(back.device_id), TOKEN_DEVICE_MAX);
}

/* ---- tries ---- */

static void failed_tickets_are_counted_for_a_minute(void **state)
{
    struct tries *tries = NULL;

    (void)state;
    assert_int_equal(tries_open(&tries), HY_OK);
    for (int i = 0; i < 3; i++) {
        assert_true(tries_allow(tries, 1, "ann", 5000, 3));
        tries_fail(tries, 1, "ann", 5000);
    }
    assert_false(tries_allow(tries, 1, "ann", 64999, 3));
    assert_true(tries_allow(tries, 1, "ben", 5000, 3));
    assert_true(tries_allow(tries, 2, "ann", 5000, 3));
    assert_true(tries_allow(tries, 1, "ann", 65000, 3));
    tries_close(&tries);
}

/* ---- idmap ---- */

static void ids_are_found_until_they_are_dropped(void **state)
{
    static int values[1000];
    struct idmap map = {0};

    (void)state;
    assert_null(idmap_get(&map, 1));
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(idmap_put(&map, i + 1, &values[i]), HY_OK);
    for (uint64_t i = 0; i < 1000; i += 2)
        idmap_drop(&map, i + 1);
    idmap_drop(&map, 5000);
    assert_int_equal(map.count, 500);
    for (uint64_t i = 0; i < 1000; i++)
        assert_ptr_equal(idmap_get(&map, i + 1), i % 2 == 0 ? NULL : &values[i]);
    idmap_free(&map);
}

/* ---- sends ---- */

static uint8_t text_body[] = {0x0a, 0x06, 0x0a, 0x04, 0x0a, 0x02, 'h', 'i'};

static Hy__SendReq good_send(void)
{
    Hy__SendReq req = HY__SEND_REQ__INIT;

    req.conv_type = HY__CONV_TYPE__CONV_C2C;
    req.to = (char *)"ben";
    req.client_id = (char *)"c1";
    req.body = (ProtobufCBinaryData){sizeof text_body, text_body};
    return req;
}

static void a_good_send_passes(void **state)
{
    Hy__SendReq req = good_send();

    (void)state;
    assert_int_equal(send_check(&req, 9216), 0);
    req.conv_type = HY__CONV_TYPE__CONV_GROUP;
    req.to = (char *)"@TGS#room";
    assert_int_equal(send_check(&req, 9216), 0);
}

static void a_send_names_a_conversation_and_itself(void **state)
{
    static char id65[66];
    Hy__SendReq req = good_send();

    (void)state;
    req.to = (char *)"";
    assert_int_equal(send_check(&req, 9216), HY_CODE_PARAM);
    req = good_send();
    req.conv_type = HY__CONV_TYPE__CONV_NONE;
    assert_int_equal(send_check(&req, 9216), HY_CODE_PARAM);
    req = good_send();
    req.client_id = (char *)"";
    assert_int_equal(send_check(&req, 9216), HY_CODE_PARAM);
    memset(id65, 'x', 65);
    req.client_id = id65;
    assert_int_equal(send_check(&req, 9216), HY_CODE_PARAM);
    req.client_id = id65 + 1;
    assert_int_equal(send_check(&req, 9216), 0);
    req = good_send();
    req.flags = HY__MSG_FLAG__MSG_SYSTEM;
    assert_int_equal(send_check(&req, 9216), HY_CODE_PARAM);
}

static void the_limit_counts_custom_data_too(void **state)
{
    static uint8_t data[10000];
    Hy__SendReq req = good_send();

    (void)state;
    memset(data, 'a', sizeof data);
    req.cloud_custom_data = (ProtobufCBinaryData){9214, data};
    assert_int_equal(send_check(&req, 9216), 0);
    req.cloud_custom_data.len = 9215;
    assert_int_equal(send_check(&req, 9216), HY_CODE_MSG_TOO_LONG);
    req.cloud_custom_data.len = 9999;
    assert_int_equal(send_check(&req, 9216), HY_CODE_MSG_TOO_LONG);
    req.cloud_custom_data = (ProtobufCBinaryData){1, (uint8_t *)"\xff"};
    assert_int_equal(send_check(&req, 9216), HY_CODE_NOT_UTF8);
    req = good_send();
    req.body.len = 0;
    assert_int_equal(send_check(&req, 9216), HY_CODE_MSG_EMPTY);
}

/* ---- strings ---- */

static void texts_at_any_depth_are_looked_at(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupCreateReq create = HY__GROUP_CREATE_REQ__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__MemberInfo member = HY__MEMBER_INFO__INIT;
    Hy__MemberInfo *members[] = {&member};

    (void)state;
    assert_null(strings_body(&frame));
    frame.body_case = HY__FRAME__BODY_GROUP_CREATE;
    frame.group_create = &create;
    create.info = &info;
    create.n_members = 1;
    create.members = members;
    assert_ptr_equal(strings_body(&frame), &create);
    assert_true(strings_ok(&frame.base));
    member.name_card = (char *)"\xc3\x28";
    assert_false(strings_ok(&frame.base));
    member.name_card = (char *)"\xc3\xa9";
    assert_true(strings_ok(&frame.base));
    info.name = (char *)"\xed\xa0\x80";
    assert_false(strings_ok(&frame.base));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_must_sign_in),
        cmocka_unit_test(a_signed_in_link_must_be_heard_in_two_and_a_half_heartbeats),
        cmocka_unit_test(a_frame_that_began_must_arrive),
        cmocka_unit_test(a_session_ends_with_its_ticket),
        cmocka_unit_test(a_closing_link_is_closed_after_two_seconds),
        cmocka_unit_test(deadlines_fire_within_a_tick_and_not_before),
        cmocka_unit_test(a_deadline_moves_and_goes),
        cmocka_unit_test(a_bucket_lets_a_burst_through_and_then_the_rate),
        cmocka_unit_test(gaps_are_seen_by_number_and_by_mark),
        cmocka_unit_test(a_token_reads_back_and_only_whole),
        cmocka_unit_test(the_longest_token_fits),
        cmocka_unit_test(failed_tickets_are_counted_for_a_minute),
        cmocka_unit_test(ids_are_found_until_they_are_dropped),
        cmocka_unit_test(a_good_send_passes),
        cmocka_unit_test(a_send_names_a_conversation_and_itself),
        cmocka_unit_test(the_limit_counts_custom_data_too),
        cmocka_unit_test(texts_at_any_depth_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
