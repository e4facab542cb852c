/* push - frames on their way to clients, gathered into one Push record for each gateway worker and
 * turn.
 *
 * A gateway worker is a gate. Push.seq counts for each gate from 1, also what could not be sent, so
 * the gateway sees what it missed; PUSH_MARK tells the last number each second. Belongs to the
 * router's loop. */

#ifndef ROUTER_PUSH_H
#define ROUTER_PUSH_H

#include <stddef.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"

struct push;
struct gate;

/* How a record leaves: hy_bus_send(), or a test's own. */
typedef enum hy_err push_send_fn(struct hy_peer *peer, uint16_t kind, uint64_t id,
                                 const void *payload, size_t len);

/* An encoded Frame to be pushed; lent for the call. */
struct push_frame {
    const uint8_t *bytes;
    size_t len;
    uint32_t priority;
};

/* drop_every > 0 loses every so-many-th Push on purpose (a test's switch). */
enum hy_err push_open(push_send_fn *send, uint64_t drop_every, struct push **push) HY_CHECKED;
void push_close(struct push **push);

/* The gate of that name, made when it is new; it lives as long as push. NULL: out of memory. */
struct gate *push_gate(struct push *push, const char *name);
const char *gate_name(const struct gate *gate);

/* The gateway worker of that name came, came back or went. Nothing is sent to a gate that is away,
 * but counted. */
void push_peer(struct push *push, const char *name, struct hy_peer *peer, enum hy_peer_event event);

/* Is the worker connected? */
bool gate_up(const struct gate *gate);

/* Name one link of the next push_to_targets(). The same link may be named once. */
void push_target(struct push *push, struct gate *gate, uint64_t link);

/* Push to the links named since the last call, and forget them. Returns how many there were. */
size_t push_to_targets(struct push *push, const struct push_frame *frame);

/* Push to n links of one gate, but not to except (0: to all). */
void push_to_links(struct push *push, struct gate *gate, const uint64_t *links, size_t n,
                   uint64_t except, const struct push_frame *frame);

/* Push to the audience that a gate has in a live room, but not to except_session. */
void push_to_room(struct push *push, struct gate *gate, uint32_t app, const char *group,
                  uint64_t except_session, const struct push_frame *frame);

/* Something may have been stored that nobody will be told: leave out a number to every gate, so
 * that clients look for themselves. */
void push_skip(struct push *push);

/* Send what was gathered; at the end of each turn. */
void push_flush(struct push *push);

/* Tell every gate the last number; each second. */
void push_mark(struct push *push);

/* The same, and that nothing comes after it. */
void push_end(struct push *push);

#endif
