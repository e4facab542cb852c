/* rooms - live rooms: how large their audience is at each gateway worker, and what was said last.
 *
 * The audience itself is at the gateways; they tell absolute numbers. Belongs to the router's loop.
 */

#ifndef ROUTER_ROOMS_H
#define ROUTER_ROOMS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/err.h"
#include "router/push.h"

enum { ROOMS_RECENT = 20 }; /* messages kept for newcomers */

struct rooms;

/* A message of a room, as an encoded Msg and as the Frame that tells it; lent for the call. */
struct rooms_post {
    uint32_t app;
    const char *group;
    uint64_t except_session;
    const uint8_t *msg; /* NULL: only told, not kept for newcomers */
    size_t msg_len;
    struct push_frame frame;
};

enum hy_err rooms_open(struct push *push, struct rooms **rooms) HY_CHECKED;
void rooms_close(struct rooms **rooms);

/* A gateway worker tells how many it has. */
void rooms_audience(struct rooms *rooms, struct gate *gate, const Hy__Audience *audience);

/* A gateway worker is about to let somebody in, and will tell how many it has then: do not let a
 * message pass it by meanwhile. */
void rooms_expect(struct rooms *rooms, struct gate *gate, uint32_t app, const char *group);

/* A gateway worker begins anew: it has no audience. */
void rooms_gate_restarted(struct rooms *rooms, const struct gate *gate);

/* Tell the audience. */
void rooms_post(struct rooms *rooms, const struct rooms_post *post);

/* The last messages, oldest first, decoded into the arena; returns how many, 0 for an unknown room.
 */
size_t rooms_recent(const struct rooms *rooms, uint32_t app, const char *group,
                    struct hy_arena *arena, Hy__Msg *msgs[static ROOMS_RECENT]);

/* How many links are there now, at all gateways that are up. */
uint32_t rooms_count(const struct rooms *rooms, uint32_t app, const char *group);

/* The room was dissolved. */
void rooms_forget(struct rooms *rooms, uint32_t app, const char *group);

/* Drop rooms without audience that nobody spoke in for an hour; now and then. */
void rooms_tick(struct rooms *rooms, uint64_t now_ms);

#endif
