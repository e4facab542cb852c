#include "common/bus.h"

#include <stdlib.h>
#include <string.h>

#include "common/bus_int.h"
#include "common/clock.h"

enum {
    QUEUE_BYTES = 64 << 20,
    STALL_MS = 100, /* a tick later than this was not silence but us */
    BLOCKED_MS = 5,
};

/* ---- turns ---- */

void bus_wake(struct hy_bus *bus)
{
    if (hy_loop_turns(bus->loop) == bus->hook_turn)
        hy_loop_again(bus->loop);
}

static void drain_server(struct hy_bus *bus)
{
    bus->server_more = bus_drain(bus, bus->server, NULL);
    if (bus->server_more)
        hy_timer_set(bus->more, 0);
}

static void drain_dialled(struct hy_peer *peer)
{
    bool more = bus_drain(peer->bus, peer->socket, peer);

    if (peer->gone)
        return;
    peer->more = more;
    if (more)
        hy_timer_set(peer->bus->more, 0);
}

static void on_server_ready(void *arg)
{
    drain_server(arg);
}

static void on_dialled_ready(void *arg)
{
    drain_dialled(arg);
}

/* Go on with sockets that held more than their share. */
static void on_more(void *arg)
{
    struct hy_bus *bus = arg;

    if (bus->server_more)
        drain_server(bus);
    for (size_t i = 0; i < bus->peer_slots; i++) {
        if (bus->peers[i] != NULL && bus->peers[i]->more)
            drain_dialled(bus->peers[i]);
    }
}

/* Sends may have swallowed the edge of a waiting receive. */
static void look_again(struct hy_bus *bus)
{
    bool any = false;

    if (bus->server != NULL && bus_socket_pending(bus->server))
        any = bus->server_more = true;
    for (struct hy_peer *peer = bus->dialled; peer != NULL; peer = peer->next_dialled) {
        if (bus_socket_pending(peer->socket))
            any = peer->more = true;
    }
    if (any)
        hy_timer_set(bus->more, 0);
    else if (bus->dirty != NULL)
        hy_timer_set(bus->more, BLOCKED_MS);
}

static void flush_all(struct hy_bus *bus)
{
    struct hy_peer *list = bus->dirty;

    bus->dirty = NULL;
    for (struct hy_peer *peer = list, *next; peer != NULL; peer = next) {
        next = peer->next_dirty;
        peer->dirty = false;
        bus_peer_flush(peer);
        if (peer->up && peer->queue.first != NULL)
            bus_peer_dirty(peer);
    }
}

static void bury(struct hy_bus *bus)
{
    while (bus->grave != NULL) {
        struct hy_peer *peer = bus->grave;

        bus->grave = peer->next_grave;
        if (peer->dialled)
            bus_socket_close(&peer->socket);
        free(peer);
    }
}

static void on_turn(void *arg)
{
    struct hy_bus *bus = arg;

    bus_calls_run(bus->calls);
    flush_all(bus);
    bury(bus);
    look_again(bus);
    bus->hook_turn = hy_loop_turns(bus->loop);
}

/* After a stall of ours first hear what came meanwhile, before anybody is judged. A loop that is
 * always slow judges at every second tick. */
static void on_tick(void *arg)
{
    struct hy_bus *bus = arg;
    uint64_t now_ms = hy_loop_now_ms(bus->loop), passed = now_ms - bus->ticked_ms;

    bus->ticked_ms = now_ms;
    bus->run_ms += passed > STALL_MS ? BUS_TICK_MS : passed;
    bus->stalled = passed > STALL_MS && !bus->stalled;
    if (bus->stalled)
        return;
    bus_calls_tick(bus->calls);
    bus_peers_tick(bus);
}

/* ---- opening ---- */

static bool is_name(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e)
            return false;
    }
    return len > 0 && len <= HY_BUS_NAME_MAX;
}

static enum hy_err copy_config(struct hy_bus *bus, const struct hy_bus_config *config)
{
    struct bus_hello card = {BUS_VERSION, bus->boot, bus->name, bus->component, bus->cluster_id};

    if (!is_name(config->name) || !is_name(config->component) || !is_name(config->cluster_id))
        return HY_ECONFIG;
    strcpy(bus->name, config->name);
    strcpy(bus->component, config->component);
    strcpy(bus->cluster_id, config->cluster_id);
    bus->queue_bytes = config->queue_bytes > 0 ? config->queue_bytes : QUEUE_BYTES;
    if (config->curve_dir != NULL && config->curve_dir[0] != '\0') {
        bus->curve_dir = strdup(config->curve_dir);
        if (bus->curve_dir == NULL)
            return HY_ENOMEM;
    }
    return bus_hello_put(&bus->hello, &card);
}

static enum hy_err start(struct hy_bus *bus, const char *endpoint)
{
    enum hy_err err = bus_calls_open(bus, &bus->calls);

    if (err == HY_OK)
        err = hy_timer_open(bus->loop, on_tick, bus, &bus->tick);
    if (err == HY_OK)
        err = hy_timer_open(bus->loop, on_more, bus, &bus->more);
    if (err == HY_OK)
        err = hy_loop_on_turn(bus->loop, on_turn, bus);
    if (err != HY_OK)
        return err;
    bus->hooked = true;
    bus->hook_turn = hy_loop_turns(bus->loop);
    bus->ticked_ms = hy_loop_now_ms(bus->loop);
    hy_timer_every(bus->tick, BUS_TICK_MS);
    if (endpoint == NULL)
        return HY_OK;
    struct bus_socket_config config = {.serve = true,
                                       .endpoint = endpoint,
                                       .curve_dir = bus->curve_dir,
                                       .component = bus->component,
                                       .ready = on_server_ready,
                                       .arg = bus};
    return bus_socket_open(bus->loop, &config, &bus->server);
}

enum hy_err hy_bus_open(struct hy_loop *loop, const struct hy_bus_config *config,
                        const struct hy_bus_handler *handler, void *ctx, struct hy_bus **bus)
{
    struct hy_bus *b = calloc(1, sizeof *b);
    enum hy_err err = HY_ENOMEM;

    if (b == NULL)
        return HY_ENOMEM;
    b->loop = loop;
    b->handler = *handler;
    b->ctx = ctx;
    b->boot = hy_random64();
    err = copy_config(b, config);
    if (err == HY_OK)
        err = start(b, config->bind);
    if (err != HY_OK) {
        hy_bus_close(&b);
        return err;
    }
    *bus = b;
    return HY_OK;
}

/* Say goodbye, so that nobody has to wait for the silence. */
void hy_bus_close(struct hy_bus **bus)
{
    struct hy_bus *b = *bus;

    if (b == NULL)
        return;
    *bus = NULL;
    if (b->hooked)
        hy_loop_off_turn(b->loop, on_turn, b);
    for (size_t i = 0; i < b->peer_slots; i++) {
        if (b->peers[i] == NULL)
            continue;
        bus_peer_bye(b->peers[i]);
        bus_peer_free(b->peers[i]);
    }
    bury(b);
    bus_socket_close(&b->server);
    hy_timer_close(&b->tick);
    hy_timer_close(&b->more);
    bus_calls_close(&b->calls);
    hy_buf_free(&b->hello);
    free(b->peers);
    free(b->curve_dir);
    free(b);
}

const char *hy_bus_endpoint(const struct hy_bus *bus)
{
    return bus->server != NULL ? bus_socket_endpoint(bus->server) : "";
}

uint64_t hy_bus_boot(const struct hy_bus *bus)
{
    return bus->boot;
}

/* 'H', our boot id, the number of the dial: a ROUTER ignores one that comes twice. */
static void make_route(struct hy_bus *bus, uint8_t route[static BUS_ROUTE])
{
    route[0] = 'H';
    memcpy(route + 1, &bus->boot, 8);
    bus->dials++;
    memcpy(route + 9, &bus->dials, 4);
}

enum hy_err hy_bus_dial(struct hy_bus *bus, const char *component, const char *name,
                        const char *endpoint, struct hy_peer **peer)
{
    struct hy_peer *p = NULL;
    enum hy_err err = HY_OK;

    if (!is_name(component) || !is_name(name))
        return HY_ECONFIG;
    if (bus_peer_dialled(bus, name) != NULL)
        return HY_EEXIST;
    p = bus_peer_new(bus, name, component, true);
    if (p == NULL)
        return HY_ENOMEM;
    make_route(bus, p->route);
    struct bus_socket_config config = {.endpoint = endpoint,
                                       .route = p->route,
                                       .curve_dir = bus->curve_dir,
                                       .component = bus->component,
                                       .server = component,
                                       .ready = on_dialled_ready,
                                       .arg = p};
    err = bus_socket_open(bus->loop, &config, &p->socket);
    if (err != HY_OK) {
        bus_peer_free(p);
        return err;
    }
    p->next_dialled = bus->dialled;
    bus->dialled = p;
    *peer = p;
    /* Read its monitor once: before that it does not signal. Dialled in a turn, the hook at the
     * turn's end may swallow the first edge that would make us look. */
    p->more = true;
    hy_timer_set(bus->more, 0);
    return HY_OK;
}

void hy_bus_undial(struct hy_bus *bus, struct hy_peer **peer)
{
    struct hy_peer *p = *peer;

    if (p == NULL)
        return;
    *peer = NULL;
    bus_peer_flush(p);
    if (p->gone)
        return;
    bus_peer_bye(p);
    bus_peer_free(p);
    bus_wake(bus);
}
