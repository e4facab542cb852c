/* What users of the bus do with peers: send, answer, look at. */

#include <string.h>

#include "common/bus_int.h"

const char *hy_peer_name(const struct hy_peer *peer)
{
    return peer->name;
}

const char *hy_peer_component(const struct hy_peer *peer)
{
    return peer->component;
}

bool hy_peer_up(const struct hy_peer *peer)
{
    return peer->up;
}

uint64_t hy_peer_boot(const struct hy_peer *peer)
{
    return peer->boot;
}

void *hy_peer_data(const struct hy_peer *peer)
{
    return peer->data;
}

void hy_peer_set_data(struct hy_peer *peer, void *data)
{
    peer->data = data;
}

void hy_bus_each(struct hy_bus *bus, const char *component,
                 void (*fn)(void *arg, struct hy_peer *peer), void *arg)
{
    for (size_t i = 0; i < bus->peer_slots; i++) {
        struct hy_peer *peer = bus->peers[i];

        if (peer != NULL && peer->up && strcmp(peer->component, component) == 0)
            fn(arg, peer);
    }
}

/* Queue a record's head; the payload goes to *payload. */
static enum hy_err queue(struct hy_peer *peer, uint16_t kind, uint64_t id, size_t len,
                         uint8_t **payload)
{
    if (peer->gone || (!peer->up && !peer->dialled))
        return HY_ECLOSED;
    if (len > BUS_PAYLOAD_MAX)
        return HY_ETOOBIG;
    if (peer->queue.bytes + HY_BUS_RECORD_HEAD + len > peer->bus->queue_bytes) {
        hy_add(peer->counters->queue_full, 1);
        return HY_EBUSY;
    }
    *payload = bus_queue_add(&peer->queue, kind, id, len);
    if (*payload == NULL)
        return HY_ENOMEM;
    if (!peer->dirty) {
        bus_peer_dirty(peer);
        bus_wake(peer->bus);
    }
    return HY_OK;
}

enum hy_err hy_bus_send(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *payload,
                        size_t len)
{
    uint8_t *room = NULL;
    enum hy_err err = queue(peer, kind, id, len, &room);

    if (err == HY_OK && len > 0)
        memcpy(room, payload, len);
    return err;
}

enum hy_err hy_bus_send_parts(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *first,
                              size_t first_len, const void *second, size_t second_len)
{
    uint8_t *room = NULL;
    enum hy_err err = queue(peer, kind, id, first_len + second_len, &room);

    if (err != HY_OK)
        return err;
    memcpy(room, first, first_len);
    memcpy(room + first_len, second, second_len);
    return HY_OK;
}

void hy_bus_flush(struct hy_peer *peer)
{
    bus_peer_flush(peer);
}

enum hy_err hy_bus_send_pb(struct hy_peer *peer, uint16_t kind, uint64_t id,
                           const ProtobufCMessage *msg)
{
    uint8_t *room = NULL;
    enum hy_err err = queue(peer, kind, id, protobuf_c_message_get_packed_size(msg), &room);

    if (err == HY_OK)
        protobuf_c_message_pack(msg, room);
    return err;
}

void hy_bus_answer(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *payload,
                   size_t len)
{
    enum hy_err lost = hy_bus_send(peer, kind | HY_BUS_ANSWER, id, payload, len);

    (void)lost; /* the caller asks again */
}

void hy_bus_answer_pb(struct hy_peer *peer, uint16_t kind, uint64_t id, const ProtobufCMessage *msg)
{
    enum hy_err lost = hy_bus_send_pb(peer, kind | HY_BUS_ANSWER, id, msg);

    (void)lost;
}

struct hy_reply hy_bus_reply_to(struct hy_peer *peer, const struct hy_record *record)
{
    return (struct hy_reply){peer->bus, peer->handle, record->id, record->kind};
}

void hy_bus_reply(const struct hy_reply *reply, const void *payload, size_t len)
{
    struct hy_peer *peer = bus_peer_by_handle(reply->bus, reply->peer);

    if (peer != NULL)
        hy_bus_answer(peer, reply->kind, reply->id, payload, len);
}

void hy_bus_reply_parts(const struct hy_reply *reply, const void *first, size_t first_len,
                        const void *second, size_t second_len)
{
    struct hy_peer *peer = bus_peer_by_handle(reply->bus, reply->peer);

    if (peer != NULL)
        /* Losing it is harmless, as with hy_bus_answer(). */
        (void)!hy_bus_send_parts(peer, reply->kind | HY_BUS_ANSWER, reply->id, first, first_len,
                                 second, second_len);
}

void hy_bus_reply_pb(const struct hy_reply *reply, const ProtobufCMessage *msg)
{
    struct hy_peer *peer = bus_peer_by_handle(reply->bus, reply->peer);

    if (peer != NULL)
        hy_bus_answer_pb(peer, reply->kind, reply->id, msg);
}
