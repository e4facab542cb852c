/* bus_zmq - a ZeroMQ socket in a loop: a ROUTER that serves, or a DEALER that dials one server.
 *
 * ZMQ_FD is an edge that any call on the socket may swallow. So a socket says `ready` when its
 * descriptor fires, and whoever used it asks bus_socket_pending() before the loop may wait. */

#ifndef COMMON_BUS_ZMQ_H
#define COMMON_BUS_ZMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"

enum { BUS_ROUTE = 13 }; /* 'H', boot id, number of the dial: never the same twice */

struct bus_socket;

struct bus_socket_config {
    bool serve; /* bind a ROUTER; else connect a DEALER */
    const char *endpoint;
    const uint8_t *route;     /* DEALER: how the server will know it, BUS_ROUTE bytes */
    const char *curve_dir;    /* as in hy_bus_config; not used for ipc */
    const char *component;    /* whose keys are ours */
    const char *server;       /* DEALER: component of the server, for its public key */
    void (*ready)(void *arg); /* messages or events may be there */
    void *arg;
};

/* One message, lent until the next receive. */
struct bus_message {
    const uint8_t *data;
    size_t len;
    uint8_t route[BUS_ROUTE]; /* ROUTER only */
    const char *user;         /* component by its CURVE key; NULL without CURVE */
};

enum bus_event { BUS_CONNECTED, BUS_DISCONNECTED, BUS_REFUSED };

/* HY_ECONFIG: endpoint or key files are wrong (it is logged how); HY_EIO: cannot bind. */
enum hy_err bus_socket_open(struct hy_loop *loop, const struct bus_socket_config *config,
                            struct bus_socket **socket) HY_CHECKED;
void bus_socket_close(struct bus_socket **socket);

/* As bound. */
const char *bus_socket_endpoint(const struct bus_socket *socket);

/* Send one message; route for a ROUTER, else NULL. HY_EBUSY: not now; HY_ECLOSED: nobody there. */
enum hy_err bus_socket_send(struct bus_socket *socket, const uint8_t *route, const void *data,
                            size_t len) HY_CHECKED;

/* The same without a copy: memory, in which data lies, is malloc()ed, and the socket's if it was
 * sent. */
enum hy_err bus_socket_give(struct bus_socket *socket, const uint8_t *route, void *memory,
                            void *data, size_t len) HY_CHECKED;

/* Take the next message. False: there is none, and the descriptor will fire for the next one. */
bool bus_socket_recv(struct bus_socket *socket, struct bus_message *message);

/* Take the next thing that happened to a connection. */
bool bus_socket_event(struct bus_socket *socket, enum bus_event *event);

/* Was the socket used since a receive found nothing, and is there something now? */
bool bus_socket_pending(struct bus_socket *socket);

#endif
