#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bus_int.h"
#include "common/clock.h"
#include "common/log.h"

enum { COMPLAIN_FIRST_MS = 5000, COMPLAIN_MS = 60000, SLOT_BITS = 16 };

/* ---- table of peers; a handle is a serial number and a slot ---- */

struct hy_peer *bus_peer_by_handle(const struct hy_bus *bus, uint64_t handle)
{
    size_t slot = handle & ((1u << SLOT_BITS) - 1);
    struct hy_peer *peer = slot < bus->peer_slots ? bus->peers[slot] : NULL;

    return peer != NULL && peer->handle == handle ? peer : NULL;
}

/* Linear: some tens of peers, asked once a batch. */
struct hy_peer *bus_peer_by_route(const struct hy_bus *bus, const uint8_t *route)
{
    for (size_t i = 0; i < bus->peer_slots; i++) {
        struct hy_peer *peer = bus->peers[i];

        if (peer != NULL && !peer->dialled && memcmp(peer->route, route, BUS_ROUTE) == 0)
            return peer;
    }
    return NULL;
}

static struct hy_peer *by_name(const struct hy_bus *bus, const char *name, bool dialled)
{
    for (size_t i = 0; i < bus->peer_slots; i++) {
        struct hy_peer *peer = bus->peers[i];

        if (peer != NULL && peer->dialled == dialled && strcmp(peer->name, name) == 0)
            return peer;
    }
    return NULL;
}

struct hy_peer *bus_peer_dialled(const struct hy_bus *bus, const char *name)
{
    return by_name(bus, name, true);
}

struct hy_peer *hy_bus_find(struct hy_bus *bus, const char *name)
{
    struct hy_peer *dialled = by_name(bus, name, true), *accepted = by_name(bus, name, false);

    if (dialled == NULL || (accepted != NULL && accepted->up && !dialled->up))
        return accepted;
    return dialled;
}

struct hy_peer *hy_bus_find_dialler(struct hy_bus *bus, const char *name)
{
    return by_name(bus, name, false);
}

static bool free_slot(struct hy_bus *bus, size_t *slot)
{
    size_t more = bus->peer_slots > 0 ? bus->peer_slots * 2 : 16;
    struct hy_peer **peers = NULL;

    for (*slot = 0; *slot < bus->peer_slots; ++*slot) {
        if (bus->peers[*slot] == NULL)
            return true;
    }
    if (more > BUS_PEERS_MAX)
        return false;
    peers = realloc(bus->peers, more * sizeof(struct hy_peer *));
    if (peers == NULL)
        return false;
    memset(peers + bus->peer_slots, 0, (more - bus->peer_slots) * sizeof(struct hy_peer *));
    bus->peers = peers;
    bus->peer_slots = more;
    return true;
}

struct hy_peer *bus_peer_new(struct hy_bus *bus, const char *name, const char *component,
                             bool dialled)
{
    size_t slot;
    struct hy_peer *peer = NULL;

    if (!free_slot(bus, &slot) || (peer = calloc(1, sizeof *peer)) == NULL)
        return NULL;
    peer->bus = bus;
    snprintf(peer->name, sizeof peer->name, "%s", name);
    snprintf(peer->component, sizeof peer->component, "%s", component);
    peer->dialled = dialled;
    peer->handle = ++bus->serial << SLOT_BITS | slot;
    peer->counters = bus_counters_of(component);
    peer->complain_ms = hy_loop_now_ms(bus->loop) + COMPLAIN_FIRST_MS;
    bus->peers[slot] = peer;
    return peer;
}

static void unlink_from(struct hy_peer **list, struct hy_peer *peer, bool dirty)
{
    for (; *list != NULL; list = dirty ? &(*list)->next_dirty : &(*list)->next_dialled) {
        if (*list == peer) {
            *list = dirty ? peer->next_dirty : peer->next_dialled;
            return;
        }
    }
}

void bus_peer_dirty(struct hy_peer *peer)
{
    if (peer->dirty)
        return;
    peer->dirty = true;
    peer->next_dirty = peer->bus->dirty;
    peer->bus->dirty = peer;
}

/* Out of every list now; the memory goes at the end of the turn, as callers up the stack may hold
 * the pointer. */
void bus_peer_free(struct hy_peer *peer)
{
    struct hy_bus *bus = peer->bus;

    if (peer->up)
        hy_add(peer->counters->connected, -1);
    peer->up = false;
    peer->gone = true;
    unlink_from(&bus->dirty, peer, true);
    unlink_from(&bus->dialled, peer, false);
    bus->peers[peer->handle & ((1u << SLOT_BITS) - 1)] = NULL;
    (void)bus_queue_clear(&peer->queue);
    peer->next_grave = bus->grave;
    bus->grave = peer;
}

/* ---- up and down ---- */

static const char *const event_names[] = {
    [HY_PEER_UP] = "up", [HY_PEER_RESTARTED] = "restarted", [HY_PEER_DOWN] = "down"};

static void tell(struct hy_peer *peer, enum hy_peer_event event)
{
    struct hy_bus *bus = peer->bus;
    bool up = event != HY_PEER_DOWN;

    hy_add(peer->counters->connected, (int)up - (int)peer->up);
    peer->up = up;
    hy_log_info("bus.peer", "peer=%s state=%s boot=%016llx", peer->name, event_names[event],
                (unsigned long long)peer->boot);
    if (bus->handler.peer != NULL)
        bus->handler.peer(bus->ctx, peer, event);
    if (peer->gone)
        return;
    bus_calls_peer(bus->calls, peer);
    if (peer->up && peer->queue.first != NULL)
        bus_peer_dirty(peer);
    bus_wake(bus);
}

static void drop_queue(struct hy_peer *peer)
{
    hy_add(peer->counters->peer_down, (int64_t)bus_queue_clear(&peer->queue));
}

void bus_peer_down(struct hy_peer *peer)
{
    if (!peer->up)
        return;
    peer->down_ms = hy_loop_now_ms(peer->bus->loop);
    peer->hello_floor = peer->hellos;
    peer->complain_ms = peer->down_ms + COMPLAIN_FIRST_MS;
    if (!peer->dialled)
        drop_queue(peer);
    tell(peer, HY_PEER_DOWN);
}

/* It said who it is: which event is that? */
static void arrived(struct hy_peer *peer, uint64_t boot)
{
    bool was_known = peer->known, same = peer->boot == boot, was_up = peer->up;

    peer->known = true;
    peer->boot = boot;
    peer->heard_ms = peer->bus->run_ms;
    if (was_known && (!same || !was_up))
        hy_add(peer->counters->reconnects, 1);
    if (was_known && !same) {
        if (!peer->dialled)
            drop_queue(peer);
        tell(peer, HY_PEER_RESTARTED);
    } else if (!was_up) {
        tell(peer, HY_PEER_UP);
    }
}

/* A dialled peer comes back by a WELCOME only: a record may have been under way when it died. */
void bus_peer_heard(struct hy_peer *peer)
{
    peer->heard_ms = peer->bus->run_ms;
    if (!peer->up && !peer->dialled)
        arrived(peer, peer->boot);
}

static bool readable(const struct hy_bus *bus, const char *user, const struct hy_record *record,
                     struct bus_hello *hello)
{
    if (bus_hello_get(record->payload, record->len, hello) != HY_OK) {
        hy_log_warn("bus.malformed", "what=hello len=%zu", record->len);
        return false;
    }
    if (strcmp(hello->cluster_id, bus->cluster_id) != 0) {
        hy_log_warn("bus.wrong_cluster", "peer=%s its=\"%s\" ours=\"%s\"", hello->name,
                    hello->cluster_id, bus->cluster_id);
        return false;
    }
    if (user != NULL && user[0] != '\0' && strcmp(user, hello->component) != 0) {
        hy_log_warn("bus.wrong_key", "peer=%s component=%s key_of=%s", hello->name,
                    hello->component, user);
        return false;
    }
    return true;
}

void bus_peer_hello(struct hy_bus *bus, const uint8_t *route, const char *user,
                    const struct hy_record *record)
{
    struct bus_hello hello;
    struct hy_peer *peer = NULL;

    if (!readable(bus, user, record, &hello))
        return;
    peer = by_name(bus, hello.name, false);
    if (peer != NULL && strcmp(peer->component, hello.component) != 0) {
        hy_log_warn("bus.name_taken", "peer=%s component=%s was=%s", hello.name, hello.component,
                    peer->component);
        return;
    }
    if (peer == NULL) {
        peer = bus_peer_new(bus, hello.name, hello.component, false);
        if (peer == NULL)
            return;
        peer->socket = bus->server;
    }
    memcpy(peer->route, route, BUS_ROUTE);
    /* The answer comes before what the event makes others send. */
    (void)bus_control(bus->server, route, BUS_WELCOME, record->id, bus->hello.data, bus->hello.len);
    arrived(peer, hello.boot);
}

void bus_peer_welcome(struct hy_peer *peer, const struct hy_record *record)
{
    struct bus_hello hello;

    if (record->id <= peer->hello_floor || !readable(peer->bus, NULL, record, &hello))
        return;
    if (strcmp(hello.name, peer->name) != 0 && peer->boot != hello.boot)
        hy_log_warn("bus.other_name", "dialled=%s answers=%s", peer->name, hello.name);
    arrived(peer, hello.boot);
}

/* ---- sending ---- */

enum hy_err bus_control(struct bus_socket *socket, const uint8_t *route, uint16_t kind, uint64_t id,
                        const void *payload, size_t len)
{
    uint8_t bytes[HY_BUS_RECORD_HEAD + 256];

    if (len > sizeof bytes - HY_BUS_RECORD_HEAD)
        return HY_ETOOBIG;
    bus_head_put(bytes, kind, id, len);
    if (len > 0)
        memcpy(bytes + HY_BUS_RECORD_HEAD, payload, len);
    return bus_socket_send(socket, route, bytes, HY_BUS_RECORD_HEAD + len);
}

void bus_peer_send_hello(struct hy_peer *peer)
{
    const struct hy_buf *card = &peer->bus->hello;

    peer->hello_ms = hy_loop_now_ms(peer->bus->loop);
    (void)bus_control(peer->socket, NULL, BUS_HELLO, ++peer->hellos, card->data, card->len);
    bus_wake(peer->bus);
}

static const uint8_t *route_of(const struct hy_peer *peer)
{
    return peer->dialled ? NULL : peer->route;
}

void bus_peer_flush(struct hy_peer *peer)
{
    enum hy_err err = HY_OK;

    if (!peer->up || peer->queue.first == NULL)
        return;
    err = bus_queue_flush(&peer->queue, peer->socket, route_of(peer), peer->counters->sent);
    peer->sent_ms = hy_loop_now_ms(peer->bus->loop);
    if (err == HY_ECLOSED)
        bus_peer_down(peer);
}

void bus_peer_bye(struct hy_peer *peer)
{
    if (peer->up)
        (void)bus_control(peer->socket, route_of(peer), BUS_BYE, 0, NULL, 0);
}

static void beat(struct hy_peer *peer, uint64_t now_ms)
{
    bool probe = peer->bus->probes > 0 && !peer->dialled;

    if (now_ms - peer->sent_ms < BUS_BEAT_MS && !probe)
        return;
    peer->sent_ms = now_ms;
    if (bus_control(peer->socket, route_of(peer), BUS_BEAT, 0, NULL, 0) == HY_ECLOSED)
        bus_peer_down(peer);
}

/* A dialled peer that is not up: keep asking, and say so when that takes long. */
static void keep_dialling(struct hy_peer *peer, uint64_t now_ms)
{
    if (peer->connected && now_ms - peer->hello_ms >= BUS_BEAT_MS)
        bus_peer_send_hello(peer);
    if (now_ms < peer->complain_ms)
        return;
    peer->complain_ms = now_ms + COMPLAIN_MS;
    hy_log_warn("bus.unanswered", "peer=%s endpoint=\"%s\" connected=%d", peer->name,
                bus_socket_endpoint(peer->socket), peer->connected);
}

static void tick(struct hy_peer *peer, uint64_t now_ms)
{
    if (peer->up && peer->bus->run_ms - peer->heard_ms >= BUS_SILENT_MS)
        bus_peer_down(peer);
    if (peer->gone)
        return; /* its event undialled it */
    if (peer->up)
        beat(peer, now_ms);
    else if (peer->dialled)
        keep_dialling(peer, now_ms);
    else if (now_ms - peer->down_ms >= BUS_FORGET_MS)
        bus_peer_free(peer);
}

void bus_peers_tick(struct hy_bus *bus)
{
    uint64_t now_ms = hy_loop_now_ms(bus->loop);

    for (size_t i = 0; i < bus->peer_slots; i++) {
        if (bus->peers[i] != NULL)
            tick(bus->peers[i], now_ms);
    }
    if (bus->probes > 0)
        bus->probes--;
}
