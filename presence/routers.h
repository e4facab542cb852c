/* routers - presence's way to the routers it dials: calls, and the apps they tell about. */

#ifndef PRESENCE_ROUTERS_H
#define PRESENCE_ROUTERS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/app.h"
#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"
#include "common/loop.h"

struct routers;

struct routers_config {
    struct hy_loop *loop;
    struct hy_bus *bus;
    const struct hy_fleet *fleet;
    void (*changed)(void *ctx); /* apps were taken over */
    /* As hy_bus_handler's: a router that is up is hung up. */
    void (*peer)(void *ctx, struct hy_peer *peer, enum hy_peer_event event);
    void *ctx;
};

/* Dial every router of the fleet. */
enum hy_err routers_open(const struct routers_config *config, struct routers **routers) HY_CHECKED;

/* After the bus is closed. NULL is fine. */
void routers_close(struct routers **routers);

/* A peer came, restarted or went. False: it is none that was dialled here. */
bool routers_peer(struct routers *routers, const struct hy_peer *peer, enum hy_peer_event event);

/* What the fleet tells. */
void routers_node(struct routers *routers, const struct hy_node *node);

/* Ask the router that serves slot. done is called once, later. */
void routers_ask(struct routers *routers, uint16_t slot, uint16_t kind, uint32_t deadline_ms,
                 const ProtobufCMessage *msg, hy_call_fn *done, void *arg);

/* The same for what takes long: it is asked again only when the router is gone. */
void routers_ask_once(struct routers *routers, uint16_t slot, uint16_t kind, uint32_t deadline_ms,
                      const ProtobufCMessage *msg, hy_call_fn *done, void *arg);

/* Is any up? Any thread. */
bool routers_any_up(const struct routers *routers);

const struct hy_apps *routers_apps(const struct routers *routers);

#endif
