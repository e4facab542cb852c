/* What the drivers of other servers read and write. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/peers/mqtt.h"
#include "bench/peers/xmpp.h"
#include "bench/stamp.h"

static void a_stamp_in_a_text_comes_back(void **state)
{
    const struct stamp stamp = {7, UINT64_MAX, 0x123456789abcdef0};
    struct stamp read;
    char text[STAMP_TEXT];

    (void)state;
    stamp_text_write(&stamp, text);
    assert_true(stamp_text_read(text, sizeof text, &read));
    assert_memory_equal(&read, &stamp, sizeof stamp);
    assert_false(stamp_text_read(text, sizeof text - 1, &read));
    text[20] = ' ';
    assert_false(stamp_text_read(text, sizeof text, &read));
}

static void what_mqtt_writes_is_what_the_standard_says(void **state)
{
    static const uint8_t connect[] = {0x10, 0x0e, 0,    4,    'M', 'Q', 'T', 'T',
                                      4,    2,    0x02, 0x58, 0,   2,   'u', '7'};
    static const uint8_t subscribe[] = {0x82, 7, 0, 1, 0, 2, 'u', '7', 1};
    static const uint8_t puback[] = {0x40, 2, 0x12, 0x34};
    static const uint8_t ping[] = {0xc0, 0};
    uint8_t out[MQTT_PACKET_MAX];

    (void)state;
    assert_int_equal(mqtt_connect("u7", 600, out), sizeof connect);
    assert_memory_equal(out, connect, sizeof connect);
    assert_int_equal(mqtt_subscribe(1, "u7", 1, out), sizeof subscribe);
    assert_memory_equal(out, subscribe, sizeof subscribe);
    assert_int_equal(mqtt_puback(0x1234, out), sizeof puback);
    assert_memory_equal(out, puback, sizeof puback);
    assert_int_equal(mqtt_plain(MQTT_PINGREQ, out), sizeof ping);
    assert_memory_equal(out, ping, sizeof ping);
}

/* Short and long lengths, with and without an id, and never before the last byte is there. */
static void a_published_packet_is_read_back_whole(void **state)
{
    static const size_t lengths[] = {0, 1, 100, 120, 121, 256};
    uint8_t out[MQTT_PACKET_MAX], payload[256];
    struct mqtt_packet packet;

    (void)state;
    memset(payload, 'p', sizeof payload);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (uint8_t qos = 0; qos < 2; qos++) {
            size_t size = mqtt_publish(9, "room", qos, payload, lengths[i], out);

            for (size_t part = 0; part < size; part++)
                assert_int_equal(mqtt_read(out, part, &packet), 0);
            assert_int_equal(mqtt_read(out, size, &packet), size);
            assert_int_equal(packet.type, MQTT_PUBLISH);
            assert_int_equal(packet.qos, qos);
            assert_int_equal(packet.id, qos > 0 ? 9 : 0);
            assert_int_equal(packet.payload_len, lengths[i]);
            assert_memory_equal(packet.payload, payload, lengths[i]);
        }
    }
}

static void what_is_not_mqtt_is_refused(void **state)
{
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } wrong[] = {
        {{0x00, 0}, 2},                         /* no type */
        {{0x20, 1, 0}, 3},                      /* CONNACK too short */
        {{0x20, 0xff, 0xff, 0xff, 0xff, 1}, 6}, /* a length of five bytes */
        {{0x30, 2, 0, 9}, 4},                   /* a topic longer than the packet */
        {{0x32, 3, 0, 1, 't'}, 5},              /* no room for the id */
        {{0x36, 5, 0, 1, 't', 0, 1}, 7},        /* QoS 3 */
        {{0x90, 2, 0, 1}, 4},                   /* SUBACK without a code */
        {{0xd0, 1, 0}, 3},                      /* PINGRESP with a body */
    };
    struct mqtt_packet packet;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(mqtt_read(wrong[i].bytes, wrong[i].len, &packet), -1);
}

static void a_stream_is_cut_into_stanzas_wherever_it_breaks(void **state)
{
    static const char stream[] =
        "<?xml version='1.0'?><stream:stream id='1' from='a>b' version=\"1.0\">"
        "<stream:features><mechanisms><mechanism>PLAIN</mechanism></mechanisms></stream:features> "
        "\n"
        "<presence from='u1@x/b'/><message type='chat' from='u1@x/b'><body "
        "a='/>'>hi</body></message>";
    static const char *const names[] = {"stream:stream", "stream:features", "presence", "message"};
    struct xmpp_stanza stanza;
    size_t at = 0, len = sizeof stream - 1;

    (void)state;
    for (int i = 0; i < 4; i++) {
        ssize_t size = 0, part = 0;

        size = xmpp_read(stream + at, len - at, &stanza);
        assert_true(size > 0);
        assert_true(xmpp_is(&stanza, names[i]));
        assert_int_equal(stanza.opens, i == 0);
        for (; part < size; part++)
            assert_int_equal(xmpp_read(stream + at, (size_t)part, &stanza), 0);
        at += (size_t)size;
    }
    assert_int_equal(at, len);
    assert_int_equal(xmpp_read("  ", 2, &stanza), 0);
    assert_int_equal(xmpp_read("</stream:stream>", 16, &stanza), -1);
    assert_int_equal(xmpp_read("text", 4, &stanza), -1);
}

static void a_stanza_gives_its_attributes_and_texts(void **state)
{
    static const char text[] = "<iq xml:id='no' id='p' type=\"result\"><fin complete='true'>"
                               "<set><first index='0'>17</first><last/></set></fin></iq>";
    struct xmpp_stanza stanza;

    (void)state;
    assert_int_equal(xmpp_read(text, sizeof text - 1, &stanza), sizeof text - 1);
    assert_true(xmpp_same(xmpp_attribute(&stanza, "id"), "p"));
    assert_true(xmpp_same(xmpp_attribute(&stanza, "type"), "result"));
    assert_null(xmpp_attribute(&stanza, "complete").text); /* another element's */
    assert_true(xmpp_same(xmpp_text(&stanza, "<first"), "17"));
    assert_null(xmpp_text(&stanza, "<last").text);
    assert_null(xmpp_text(&stanza, "<body").text);
    assert_true(xmpp_has(&stanza, "complete='true'"));
}

static void sasl_plain_is_base64_of_user_and_password(void **state)
{
    char out[64], small[8];

    (void)state;
    xmpp_plain("u7", "u7", out, sizeof out);
    assert_string_equal(out, "AHU3AHU3");
    xmpp_plain("u7", "u7x", out, sizeof out);
    assert_string_equal(out, "AHU3AHU3eA==");
    xmpp_plain("u7", "u7xy", out, sizeof out);
    assert_string_equal(out, "AHU3AHU3eHk=");
    xmpp_plain("u7", "u7", small, sizeof small);
    assert_string_equal(small, "AHU3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stamp_in_a_text_comes_back),
        cmocka_unit_test(what_mqtt_writes_is_what_the_standard_says),
        cmocka_unit_test(a_published_packet_is_read_back_whole),
        cmocka_unit_test(what_is_not_mqtt_is_refused),
        cmocka_unit_test(a_stream_is_cut_into_stanzas_wherever_it_breaks),
        cmocka_unit_test(a_stanza_gives_its_attributes_and_texts),
        cmocka_unit_test(sasl_plain_is_base64_of_user_and_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
