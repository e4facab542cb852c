/* mqtt - the packets of MQTT 3.1.1 that a client of a benchmark sends and gets. Pure: bytes in,
 * bytes out. */

#ifndef BENCH_PEERS_MQTT_H
#define BENCH_PEERS_MQTT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_PINGREQ = 12,
    MQTT_PINGRESP = 13,
    MQTT_DISCONNECT = 14,
};

enum { MQTT_PACKET_MAX = 512 }; /* of what the functions below write */

struct mqtt_packet { /* payload lies in the bytes it was read from */
    enum mqtt_type type;
    uint8_t code; /* of CONNACK and SUBACK: 0..2 is good */
    uint8_t qos;  /* of PUBLISH */
    uint16_t id;  /* of PUBLISH with qos > 0, PUBACK, SUBACK */
    const uint8_t *payload;
    size_t payload_len;
};

/* Read the packet that bytes begin with. Gives its size, 0 when it is not all there yet, -1 when it
 * is not MQTT as a client may get it. */
ssize_t mqtt_read(const uint8_t *bytes, size_t len, struct mqtt_packet *packet);

/* Write a packet; each gives its size. Names and topics are at most 64 bytes, a payload 256. */
size_t mqtt_connect(const char *client, uint16_t keep_alive_s, uint8_t out[static MQTT_PACKET_MAX]);
size_t mqtt_subscribe(uint16_t id, const char *topic, uint8_t qos,
                      uint8_t out[static MQTT_PACKET_MAX]);
size_t mqtt_publish(uint16_t id, const char *topic, uint8_t qos, const void *payload, size_t len,
                    uint8_t out[static MQTT_PACKET_MAX]);
size_t mqtt_puback(uint16_t id, uint8_t out[static MQTT_PACKET_MAX]);
size_t mqtt_plain(enum mqtt_type type, uint8_t out[static MQTT_PACKET_MAX]);

#endif
