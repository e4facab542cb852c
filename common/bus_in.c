/* What comes in: batches and what happens to connections. */

#include <string.h>

#include "common/bus_int.h"
#include "common/log.h"

enum {
    TURN_MESSAGES = 64, /* a socket's share of a turn, so that other work goes on */
    TURN_BYTES = 1 << 20,
    WHO_MS = 100,
};

/* Where a batch came from, while its records are given out. */
struct source {
    struct hy_bus *bus;
    struct hy_peer *peer; /* NULL: an unknown route */
    const struct bus_message *message;
};

static void ask_who(struct source *source)
{
    struct hy_bus *bus = source->bus;
    uint64_t now_ms = hy_loop_now_ms(bus->loop);

    if (now_ms - bus->who_ms < WHO_MS &&
        memcmp(bus->who_route, source->message->route, BUS_ROUTE) == 0)
        return;
    bus->who_ms = now_ms;
    memcpy(bus->who_route, source->message->route, BUS_ROUTE);
    (void)bus_control(bus->server, source->message->route, BUS_WHO, 0, NULL, 0);
}

static void on_control(struct source *source, const struct hy_record *record)
{
    struct hy_peer *peer = source->peer;

    switch (record->kind) {
    case BUS_HELLO:
        if (peer != NULL && peer->dialled)
            break;
        bus_peer_hello(source->bus, source->message->route, source->message->user, record);
        source->peer = bus_peer_by_route(source->bus, source->message->route);
        break;
    case BUS_WELCOME:
        if (peer != NULL && peer->dialled)
            bus_peer_welcome(peer, record);
        break;
    case BUS_WHO:
        if (peer != NULL && peer->dialled)
            bus_peer_send_hello(peer);
        break;
    case BUS_BYE:
        if (peer != NULL)
            bus_peer_down(peer);
        break;
    default: /* BUS_BEAT, and what later versions may say */
        break;
    }
}

static void on_record(void *arg, const struct hy_record *record)
{
    struct source *source = arg;
    struct hy_peer *peer = source->peer;

    if (peer != NULL && peer->gone)
        return; /* undialled by a record before this one */
    if (peer == NULL && record->kind != BUS_HELLO) {
        ask_who(source);
    } else if (record->kind < BUS_KIND_FIRST) {
        on_control(source, record);
    } else {
        hy_add(peer->counters->received, 1);
        hy_loop_did(source->bus->loop, 1);
        if (record->kind & HY_BUS_ANSWER)
            bus_calls_answer(source->bus->calls, peer, record);
        else
            source->bus->handler.record(source->bus->ctx, peer, record);
    }
}

static void on_message(struct hy_bus *bus, struct hy_peer *dialled,
                       const struct bus_message *message)
{
    struct source source = {bus, dialled, message};

    if (dialled == NULL)
        source.peer = bus_peer_by_route(bus, message->route);
    if (source.peer != NULL)
        bus_peer_heard(source.peer);
    if (hy_bus_batch_each(message->data, message->len, on_record, &source) != HY_OK)
        hy_log_warn("bus.malformed", "what=batch peer=%s len=%zu",
                    source.peer != NULL ? source.peer->name : "unknown", message->len);
}

static void on_event(struct hy_bus *bus, struct hy_peer *dialled, enum bus_event event)
{
    if (dialled == NULL) {
        bus->probes = event == BUS_DISCONNECTED ? 2 : bus->probes;
        return;
    }
    switch (event) {
    case BUS_CONNECTED:
        dialled->connected = true;
        bus_peer_send_hello(dialled);
        break;
    case BUS_DISCONNECTED:
        dialled->connected = false;
        bus_peer_down(dialled);
        break;
    case BUS_REFUSED:
        hy_log_warn("bus.refused_us",
                    "peer=%s endpoint=\"%s\" why=\"its keys and ours do not match\"", dialled->name,
                    bus_socket_endpoint(dialled->socket));
        break;
    }
}

bool bus_drain(struct hy_bus *bus, struct bus_socket *socket, struct hy_peer *dialled)
{
    struct bus_message message;
    enum bus_event event;
    size_t bytes = 0;

    for (int i = 0; i < TURN_MESSAGES && bytes < TURN_BYTES; i++) {
        if (!bus_socket_recv(socket, &message)) {
            while (bus_socket_event(socket, &event)) {
                on_event(bus, dialled, event);
                if (dialled != NULL && dialled->gone)
                    return false;
            }
            return false;
        }
        bytes += message.len;
        on_message(bus, dialled, &message);
        if (dialled != NULL && dialled->gone)
            return false;
    }
    return true;
}
