/* mqtt_link - a driver's side of an MQTT connection. */

#include <stdio.h>

#include "bench/peers/load.h"
#include "bench/peers/mqtt.h"

enum { KEEP_ALIVE_S = 600, SUBSCRIBE_ID = 1, REFUSED = 0x80 };

static const char room[] = "room";

static void greet(struct link *link)
{
    uint8_t out[MQTT_PACKET_MAX];
    char name[32];

    snprintf(name, sizeof name, "u%u", link->index);
    link_put(link, out, mqtt_connect(name, KEEP_ALIVE_S, out));
}

static void welcomed(struct link *link)
{
    enum load_kind kind = link->worker->kind;
    uint8_t out[MQTT_PACKET_MAX];
    char own[32];

    snprintf(own, sizeof own, "u%u", link->index);
    if (kind == LOAD_ROOM)
        link_put(link, out, mqtt_subscribe(SUBSCRIBE_ID, room, link->worker->options->qos, out));
    else if (link->receives)
        link_put(link, out, mqtt_subscribe(SUBSCRIBE_ID, own, 1, out));
    else
        load_online(link);
}

static void received(struct link *link, const struct mqtt_packet *packet)
{
    uint8_t out[MQTT_PACKET_MAX];

    if (packet->qos > 0)
        link_put(link, out, mqtt_puback(packet->id, out));
    load_text(link, (const char *)packet->payload, packet->payload_len);
}

static void handle(struct link *link, const struct mqtt_packet *packet)
{
    char why[32];
    int len = 0;

    switch (packet->type) {
    case MQTT_CONNACK:
    case MQTT_SUBACK:
        len = snprintf(why, sizeof why, "code %u", packet->code);
        if (packet->type == MQTT_CONNACK ? packet->code != 0 : packet->code >= REFUSED)
            load_refused(link, why, (size_t)len);
        else if (packet->type == MQTT_CONNACK)
            welcomed(link);
        else
            load_online(link);
        break;
    case MQTT_PUBLISH:
        received(link, packet);
        break;
    case MQTT_PUBACK:
        load_acked(link);
        break;
    default:
        break;
    }
}

static ssize_t take(struct link *link, const uint8_t *bytes, size_t len)
{
    size_t taken = 0;

    while (link->fd >= 0) {
        struct mqtt_packet packet;
        ssize_t size = mqtt_read(bytes + taken, len - taken, &packet);

        if (size < 0)
            return -1;
        if (size == 0)
            break;
        handle(link, &packet);
        taken += (size_t)size;
    }
    return (ssize_t)taken;
}

static void send_text(struct link *link, uint32_t to, const char text[static STAMP_TEXT])
{
    uint8_t out[MQTT_PACKET_MAX];
    char topic[32];

    snprintf(topic, sizeof topic, "u%u", to);
    if (++link->next_id == 0)
        link->next_id = 1;
    link_put(link, out,
             mqtt_publish(link->next_id, to == TO_ROOM ? room : topic, 1, text, STAMP_TEXT, out));
}

static void beat(struct link *link)
{
    uint8_t out[MQTT_PACKET_MAX];

    link_put(link, out, mqtt_plain(MQTT_PINGREQ, out));
}

static void leave(struct link *link)
{
    uint8_t out[MQTT_PACKET_MAX];

    link_put(link, out, mqtt_plain(MQTT_DISCONNECT, out));
}

const struct protocol mqtt_protocol = {.name = "mqtt",
                                       .acks = true,
                                       .greet = greet,
                                       .take = take,
                                       .send = send_text,
                                       .beat = beat,
                                       .leave = leave};
