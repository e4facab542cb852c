#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "router/msgbytes.h"
#include "router/told.h"
#include "router/wire.h"

static Hy__SendReq request(size_t body_len)
{
    static uint8_t body[20000];
    static char *at[] = {(char *)"ben", (char *)"cleo"};
    Hy__SendReq req = HY__SEND_REQ__INIT;

    memset(body, 'b', sizeof body);
    req.client_id = (char *)"id-1";
    req.random = 4000000000u;
    req.body = (ProtobufCBinaryData){body_len, body};
    req.flags = HY__MSG_FLAG__MSG_NO_UNREAD | HY__MSG_FLAG__MSG_SYSTEM;
    req.priority = 2;
    req.cloud_custom_data = (ProtobufCBinaryData){5, (uint8_t *)"cloud"};
    req.client_time_s = 77;
    req.n_at_users = 2;
    req.at_users = at;
    req.offline_push = (ProtobufCBinaryData){2, (uint8_t *)"{}"};
    return req;
}

static struct msgbytes message(const Hy__SendReq *req)
{
    return (struct msgbytes){
        .conv_type = HY__CONV_TYPE__CONV_GROUP,
        .from = "anna",
        .to = "walkers",
        .nick = "Anna",
        .face = "",
        .req = req,
        .rest_seq = 9,
    };
}

static void the_frame_decodes_to_what_was_sent(size_t body_len)
{
    Hy__SendReq req = request(body_len);
    struct msgbytes msg = message(&req);
    struct msgbytes_tail tail = {"card", 300, 1600000000123};
    uint8_t *bytes = malloc(msgbytes_bound(&msg));
    size_t len = (size_t)(msgbytes_put(bytes, &msg) - bytes), whole_len;
    uint8_t *out = malloc(msgbytes_frame_bound(len, &tail));
    const uint8_t *whole;
    uint8_t *end = msgbytes_frame(out, bytes, len, &tail, &whole, &whole_len);
    Hy__Frame *frame = hy__frame__unpack(NULL, (size_t)(end - out), out);
    Hy__Msg *kept = hy__msg__unpack(NULL, whole_len, whole), *got;

    assert_non_null(frame);
    assert_non_null(kept);
    assert_int_equal(frame->body_case, HY__FRAME__BODY_MSG_NOTICE);
    assert_int_equal(frame->msg_notice->n_msgs, 1);
    got = frame->msg_notice->msgs[0];
    assert_string_equal(got->from, "anna");
    assert_string_equal(got->to, "walkers");
    assert_string_equal(got->nick, "Anna");
    assert_string_equal(got->name_card, "card");
    assert_int_equal(got->seq, 300);
    assert_int_equal(got->time_ms, 1600000000123);
    assert_int_equal(got->random, 4000000000u);
    assert_int_equal(got->body.len, body_len);
    assert_int_equal(got->rest_seq, 9);
    assert_int_equal(got->n_at_users, 2);
    assert_int_equal(got->flags, HY__MSG_FLAG__MSG_NO_UNREAD); /* a sender cannot make tips */
    assert_int_equal(kept->seq, 300);
    hy__frame__free_unpacked(frame, NULL);
    hy__msg__free_unpacked(kept, NULL);
    free(bytes);
    free(out);
}

static void frames_of_every_size_decode(void **state)
{
    (void)state;
    for (size_t len = 0; len < 300; len++)
        the_frame_decodes_to_what_was_sent(len);
    the_frame_decodes_to_what_was_sent(16200);
    the_frame_decodes_to_what_was_sent(20000);
}

static void a_nested_length_fits_whatever_its_size(void **state)
{
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 70000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *out = malloc(sizes[i] + 16), *content = wire_open(out, 1), *end;
        Hy__MsgNotice *probe;

        memset(content, 0, sizes[i]);
        end = wire_close(content, content + sizes[i]);
        assert_int_equal(end - out, 1 + (long)wire_varint_size(sizes[i]) + (long)sizes[i]);
        /* Zero bytes are no message, but an empty one is. */
        probe = hy__msg_notice__unpack(NULL, (size_t)(end - out), out);
        assert_true((probe != NULL) == (sizes[i] == 0));
        if (probe != NULL)
            hy__msg_notice__free_unpacked(probe, NULL);
        free(out);
    }
}

static void the_hash_is_of_the_content(void **state)
{
    Hy__SendReq one = request(100), two = request(100);

    (void)state;
    two.client_time_s = 78;
    two.random = 1;
    assert_int_equal(msgbytes_hash(&one), msgbytes_hash(&two));
    two.body.len = 99;
    assert_int_not_equal(msgbytes_hash(&one), msgbytes_hash(&two));
    two = request(100);
    two.cloud_custom_data.len = 4;
    assert_int_not_equal(msgbytes_hash(&one), msgbytes_hash(&two));
}

static void what_was_told_is_known_again(void **state)
{
    struct told *told = calloc(1, sizeof *told);
    uint64_t key = told_key(1, HY__CONV_TYPE__CONV_C2C, "anna", "ben", 5);

    (void)state;
    assert_false(told_again(told, key));
    assert_true(told_again(told, key));
    assert_false(told_again(told, told_key(1, HY__CONV_TYPE__CONV_C2C, "anna", "ben", 6)));
    assert_false(told_again(told, told_key(1, HY__CONV_TYPE__CONV_GROUP, "anna", "ben", 5)));
    assert_false(told_again(told, told_key(2, HY__CONV_TYPE__CONV_C2C, "anna", "ben", 5)));
    free(told);
}

static void a_number_is_found_without_decoding(void **state)
{
    Hy__HistoryRes res = HY__HISTORY_RES__INIT;
    Hy__Msg msg = HY__MSG__INIT, *msgs[] = {&msg, &msg};
    uint8_t bytes[256];
    uint64_t number = 9;
    size_t len;

    (void)state;
    msg.from = (char *)"anna";
    msg.body = (ProtobufCBinaryData){3, (uint8_t *)"(\x07("}; /* looks like field 5 */
    msg.seq = 5;
    res.msgs = msgs;
    res.n_msgs = 2;
    res.last_seq = 1ull << 40;
    len = hy__history_res__pack(&res, bytes);
    assert_true(wire_find_number(bytes, len, 5, &number));
    assert_int_equal(number, 0);
    assert_true(wire_find_number(bytes, len, 4, &number));
    assert_true(number == 1ull << 40);
    for (size_t cut = 1; cut < len; cut++) { /* true only where a field ends */
        Hy__HistoryRes *part = hy__history_res__unpack(NULL, len - cut, bytes);

        assert_int_equal(wire_find_number(bytes, len - cut, 5, &number), part != NULL);
        if (part != NULL)
            hy__history_res__free_unpacked(part, NULL);
    }
    res.code = 10015;
    len = hy__history_res__pack(&res, bytes);
    assert_true(wire_find_number(bytes, len, 5, &number));
    assert_int_equal(number, 10015);
    assert_false(wire_find_number((const uint8_t *)"\x00\x01", 2, 5, &number));
    assert_false(wire_find_number((const uint8_t *)"\x0b", 1, 5, &number));
    assert_true(wire_find_number(NULL, 0, 5, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_every_size_decode),
        cmocka_unit_test(a_nested_length_fits_whatever_its_size),
        cmocka_unit_test(a_number_is_found_without_decoding),
        cmocka_unit_test(the_hash_is_of_the_content),
        cmocka_unit_test(what_was_told_is_known_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
