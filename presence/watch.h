/* watch - routers that watch users, or all of them, and are told what changes.
 *
 * A router is told over the connection it asked on, in one Delta a turn that gives places as they
 * are then; what it did not confirm is told again as it is by then. Who opened a session is
 * answered when every router that watches the user has confirmed, or 300 ms have passed. Belongs to
 * presence's loop. */

#ifndef PRESENCE_WATCH_H
#define PRESENCE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/err.h"
#include "presence/session.h"

struct watch;

enum { WATCH_CONFIRM_MS = 300, WATCH_ROUTERS_MAX = 64 };

/* limit: most (router, user) pairs. */
enum hy_err watch_open(struct hy_bus *bus, size_t limit, struct watch **watch) HY_CHECKED;

/* The table of users; before anything else is called. */
void watch_set_sessions(struct watch *watch, struct sessions *sessions);

/* After the bus is closed. */
void watch_close(struct watch **watch);

/* A router that dialled us came, restarted or went. */
void watch_peer(struct watch *watch, struct hy_peer *peer, enum hy_peer_event event,
                uint64_t now_ms);

/* The peer watches the user from now on. HY_EFULL: the limit is reached; HY_ENOMEM. */
enum hy_err watch_add(struct watch *watch, struct hy_peer *peer, struct user *user) HY_CHECKED;

/* The peer is told of every user who comes or goes from now on. HY_EFULL: too many routers. */
enum hy_err watch_roll(struct watch *watch, struct hy_peer *peer) HY_CHECKED;

/* No longer. The user may be gone afterwards. */
void watch_drop(struct watch *watch, struct hy_peer *peer, struct user *user);

/* The user's places changed: tell at the end of the turn. */
void watch_moved(struct watch *watch, struct user *user);

/* The user's record changed. */
void watch_touched(struct watch *watch, struct user *user);

/* Answer (with nothing) when the routers know what this turn changed about the user; at once if
 * there is nothing that they do not know. */
void watch_reply(struct watch *watch, const struct user *user, const struct hy_reply *reply);

/* Tell what this turn changed. A turn hook. */
void watch_flush(struct watch *watch);

/* Forget routers that have been down for long. Now and then. */
void watch_tidy(struct watch *watch, uint64_t now_ms);

/* The user's places, in memory of the arena. False: no memory. */
bool watch_places(const struct user *user, struct hy_arena *arena, Hy__UserSessions *out);

/* How many (router, user) pairs there are. */
size_t watch_count(const struct watch *watch);

#endif
