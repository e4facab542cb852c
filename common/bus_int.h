/* bus_int - what the bus's own files share: bus.c (opening and turns), bus_in.c (what comes
 * in), bus_peer.c (who is there), bus_queue.c (what waits for a peer), bus_send.c (what users do
 * with peers), bus_call.c (questions) and bus_metrics.c. */

#ifndef COMMON_BUS_INT_H
#define COMMON_BUS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bus.h"
#include "common/bus_wire.h"
#include "common/bus_zmq.h"
#include "common/metrics.h"

enum {
    BUS_TICK_MS = 50,
    BUS_BEAT_MS = 500,
    BUS_SILENT_MS = 2000,
    BUS_FORGET_MS = 60000,
    BUS_PEERS_MAX = 4096,
};

struct bus_calls;

/* ---- metrics of a component ---- */

struct bus_counters {
    struct hy_metric *sent, *received, *queue_full, *peer_down, *connected, *reconnects;
};

/* "other" for a component that is not ours, so that labels stay few. */
const struct bus_counters *bus_counters_of(const char *component);

/* ---- records that wait for a peer ---- */

struct bus_chunk; /* records that leave as one message */

struct bus_queue {
    struct bus_chunk *first, *last, *spare;
    size_t bytes;
    size_t usual; /* of the last batch */
};

/* Room for one record of len payload bytes, its head written; the payload goes to the pointer.
 * NULL: no memory. */
uint8_t *bus_queue_add(struct bus_queue *queue, uint16_t kind, uint64_t id, size_t len);

/* Send what can be sent. HY_OK: all of it; HY_EBUSY: some waits; HY_ECLOSED: nobody there. */
enum hy_err bus_queue_flush(struct bus_queue *queue, struct bus_socket *socket,
                            const uint8_t *route, struct hy_metric *sent) HY_CHECKED;

/* Forget all; returns how many records that were. Frees the memory. */
size_t bus_queue_clear(struct bus_queue *queue);

/* ---- peers ---- */

struct hy_peer {
    struct hy_bus *bus;
    struct hy_peer *next_dirty, *next_dialled, *next_grave;
    uint64_t handle, boot;
    char name[HY_BUS_NAME_MAX + 1], component[HY_BUS_NAME_MAX + 1];
    bool dialled, known, up, connected, dirty, more, gone; /* more: see hy_bus.more */
    struct bus_socket *socket; /* of a dialled peer its own, else the bus's server; NULL: gone */
    uint8_t route[BUS_ROUTE];  /* accepted: where to send to. dialled: how it knows us */
    struct bus_queue queue;
    uint64_t heard_ms;                   /* of the bus's running time */
    uint64_t sent_ms, hello_ms, down_ms; /* of the loop's clock */
    uint64_t hellos, hello_floor;        /* a WELCOME counts for HELLOs after the last DOWN only */
    uint64_t complain_ms;                /* when to log that a dialled peer does not answer */
    const struct bus_counters *counters;
    void *data;
};

struct hy_bus {
    struct hy_loop *loop;
    char name[HY_BUS_NAME_MAX + 1], component[HY_BUS_NAME_MAX + 1], cluster_id[HY_BUS_NAME_MAX + 1];
    char *curve_dir;
    size_t queue_bytes;
    struct hy_bus_handler handler;
    void *ctx;
    uint64_t boot;
    struct hy_buf hello; /* our name card, encoded */
    struct bus_socket *server;
    struct hy_peer **peers; /* by slot; NULL: free */
    size_t peer_slots;
    uint64_t serial; /* of peers */
    uint32_t dials;
    struct hy_peer *dirty, *dialled, *grave;
    struct hy_timer *tick, *more; /* more: sockets that hold more than a turn's share */
    bool hooked, server_more;
    uint64_t hook_turn;           /* the turn whose hook has run */
    uint64_t ticked_ms, run_ms;   /* run_ms: time that this loop was running */
    bool stalled;                 /* the last tick came late */
    unsigned probes;              /* a link of the server broke: ask all who is there */
    uint8_t who_route[BUS_ROUTE]; /* whom we asked last, not to ask for each batch */
    uint64_t who_ms;
    struct bus_calls *calls;
};

/* bus.c: make sure that what was queued leaves soon, also when this turn's hook has run. */
void bus_wake(struct hy_bus *bus);

/* bus_in.c: read a socket's share of a turn (dialled NULL: the server's). Returns whether there is
 * more. */
bool bus_drain(struct hy_bus *bus, struct bus_socket *socket, struct hy_peer *dialled);

struct hy_peer *bus_peer_new(struct hy_bus *bus, const char *name, const char *component,
                             bool dialled);
void bus_peer_free(struct hy_peer *peer);
struct hy_peer *bus_peer_by_handle(const struct hy_bus *bus, uint64_t handle);
struct hy_peer *bus_peer_by_route(const struct hy_bus *bus, const uint8_t *route);

struct hy_peer *bus_peer_dialled(const struct hy_bus *bus, const char *name);

/* It has records to flush at the end of the turn. */
void bus_peer_dirty(struct hy_peer *peer);

/* Tell it that we are going. */
void bus_peer_bye(struct hy_peer *peer);

/* The peer sent something. */
void bus_peer_heard(struct hy_peer *peer);
void bus_peer_down(struct hy_peer *peer);
void bus_peer_hello(struct hy_bus *bus, const uint8_t *route, const char *user,
                    const struct hy_record *record);
void bus_peer_welcome(struct hy_peer *peer, const struct hy_record *record);
void bus_peer_send_hello(struct hy_peer *peer);
void bus_peer_flush(struct hy_peer *peer);
void bus_peers_tick(struct hy_bus *bus);

/* One of the bus's own records, at once and without a queue; losing it is harmless. */
enum hy_err bus_control(struct bus_socket *socket, const uint8_t *route, uint16_t kind, uint64_t id,
                        const void *payload, size_t len);

/* ---- calls ---- */

enum hy_err bus_calls_open(struct hy_bus *bus, struct bus_calls **calls) HY_CHECKED;
/* Forgets all calls; done is not called. */
void bus_calls_close(struct bus_calls **calls);
void bus_calls_answer(struct bus_calls *calls, struct hy_peer *peer,
                      const struct hy_record *record);
void bus_calls_tick(struct bus_calls *calls);
/* Act on calls that are due; in the hook. */
void bus_calls_run(struct bus_calls *calls);
/* Calls that wait for this peer, or for anybody, are due. */
void bus_calls_peer(struct bus_calls *calls, const struct hy_peer *peer);

#endif
