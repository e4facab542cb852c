/* mqtt - see mqtt.h. */

#include "bench/peers/mqtt.h"

#include <assert.h>
#include <string.h>

enum { HEAD_ROOM = 3, NAME_MAX_BYTES = 64, PAYLOAD_MAX = 256, CLEAN_SESSION = 2 };

/* The length field: seven bits a byte, at most four bytes. Gives its size; 0: not all there, -1:
 * wrong.
 */
static ssize_t read_length(const uint8_t *bytes, size_t len, size_t *value)
{
    *value = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i == len)
            return 0;
        *value |= (size_t)(bytes[i] & 127) << (7 * i);
        if (bytes[i] < 128)
            return (ssize_t)i + 1;
    }
    return -1;
}

static uint16_t read16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static int read_publish(const uint8_t *body, size_t len, uint8_t flags, struct mqtt_packet *packet)
{
    size_t at = 2;

    packet->qos = flags >> 1 & 3;
    if (len < 2 || packet->qos > 2 || len - 2 < read16(body))
        return -1;
    at += read16(body);
    if (packet->qos > 0) {
        if (len - at < 2)
            return -1;
        packet->id = read16(body + at);
        at += 2;
    }
    packet->payload = body + at;
    packet->payload_len = len - at;
    return 0;
}

static int read_body(const uint8_t *body, size_t len, uint8_t flags, struct mqtt_packet *packet)
{
    switch (packet->type) {
    case MQTT_CONNACK:
        packet->code = len == 2 ? body[1] : 0;
        return len == 2 ? 0 : -1;
    case MQTT_PUBLISH:
        return read_publish(body, len, flags, packet);
    case MQTT_PUBACK:
        packet->id = len == 2 ? read16(body) : 0;
        return len == 2 ? 0 : -1;
    case MQTT_SUBACK:
        packet->id = len == 3 ? read16(body) : 0;
        packet->code = len == 3 ? body[2] : 0;
        return len == 3 ? 0 : -1;
    case MQTT_PINGRESP:
        return len == 0 ? 0 : -1;
    default:
        return -1;
    }
}

ssize_t mqtt_read(const uint8_t *bytes, size_t len, struct mqtt_packet *packet)
{
    size_t body = 0;
    ssize_t head = 0;

    if (len < 2)
        return 0;
    head = read_length(bytes + 1, len - 1, &body);
    if (head <= 0)
        return head;
    if (len - 1 - (size_t)head < body)
        return 0;
    memset(packet, 0, sizeof *packet);
    packet->type = bytes[0] >> 4;
    if (read_body(bytes + 1 + head, body, bytes[0] & 15, packet) != 0)
        return -1;
    return 1 + head + (ssize_t)body;
}

static uint8_t *put16(uint8_t *out, size_t value)
{
    *out++ = (uint8_t)(value >> 8);
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_text(uint8_t *out, const char *text)
{
    size_t len = strnlen(text, NAME_MAX_BYTES + 1);

    assert(len <= NAME_MAX_BYTES);
    out = put16(out, len);
    memcpy(out, text, len);
    return out + len;
}

/* What was written from out + HEAD_ROOM to end gets its head, and moves to the front. */
static size_t seal(uint8_t first, uint8_t *out, const uint8_t *end)
{
    size_t body = (size_t)(end - out) - HEAD_ROOM, head = body < 128 ? 2 : 3;

    out[0] = first;
    out[1] = (uint8_t)(body < 128 ? body : (body & 127) | 128);
    if (head == 3)
        out[2] = (uint8_t)(body >> 7);
    else
        memmove(out + 2, out + HEAD_ROOM, body);
    return head + body;
}

size_t mqtt_connect(const char *client, uint16_t keep_alive_s, uint8_t out[static MQTT_PACKET_MAX])
{
    uint8_t *at = put_text(out + HEAD_ROOM, "MQTT");

    *at++ = 4; /* 3.1.1 */
    *at++ = CLEAN_SESSION;
    at = put_text(put16(at, keep_alive_s), client);
    return seal(MQTT_CONNECT << 4, out, at);
}

size_t mqtt_subscribe(uint16_t id, const char *topic, uint8_t qos,
                      uint8_t out[static MQTT_PACKET_MAX])
{
    uint8_t *at = put_text(put16(out + HEAD_ROOM, id), topic);

    *at++ = qos;
    return seal(MQTT_SUBSCRIBE << 4 | 2, out, at);
}

size_t mqtt_publish(uint16_t id, const char *topic, uint8_t qos, const void *payload, size_t len,
                    uint8_t out[static MQTT_PACKET_MAX])
{
    uint8_t *at = put_text(out + HEAD_ROOM, topic);

    assert(len <= PAYLOAD_MAX);
    if (qos > 0)
        at = put16(at, id);
    memcpy(at, payload, len);
    return seal((uint8_t)(MQTT_PUBLISH << 4 | qos << 1), out, at + len);
}

size_t mqtt_puback(uint16_t id, uint8_t out[static MQTT_PACKET_MAX])
{
    return seal(MQTT_PUBACK << 4, out, put16(out + HEAD_ROOM, id));
}

size_t mqtt_plain(enum mqtt_type type, uint8_t out[static MQTT_PACKET_MAX])
{
    return seal((uint8_t)(type << 4), out, out + HEAD_ROOM);
}
