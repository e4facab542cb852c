/* inner - what the parts of presence share. Nobody outside this folder includes it. */

#ifndef PRESENCE_INNER_H
#define PRESENCE_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/fleet.h"
#include "common/metrics.h"
#include "common/passage.h"
#include "common/tier.h"
#include "presence/count.h"
#include "presence/presence.h"
#include "presence/routers.h"
#include "presence/session.h"
#include "presence/sweeper.h"
#include "presence/watch.h"
#include "presence/worker.h"

struct presence {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_timer *tick;
    struct hy_arena arena; /* for the record at hand */
    struct workers workers;
    struct sessions *sessions;
    struct watch *watch;
    struct count *count;
    struct routers *routers;
    struct sweeper *sweeper;
    struct hy_fleet *fleet;
    struct hy_passage *passage;
    _Atomic bool joined;   /* read by the status thread */
    struct hy_tier *peers; /* presence processes, this one too */
    char name[64];
    uint64_t started_ms, report_ms, tick_ms;
    uint64_t gained_ms; /* when slots of others became ours, or ours theirs */
    uint64_t moving_ms; /* when slots last were at two processes */
    uint64_t scan_ms;   /* when to look for who is offline of slots that came; 0: no need */
    uint64_t lease_ms, grace_ms, warm_ms, report_every_ms;
    bool warming; /* not all gateways have registered yet */
    struct hy_metric *kicks, *refused;
};

/* Is this user's slot this process's, when all presence processes are up? Callers decide where they
 * ask; but what happens without being asked (the sweep) is done by the owner alone. */
bool presence_owns(const struct presence *presence, uint32_t app, const char *user);

/* End a session that may be alive: tell its gateway why, and all who watch. */
void presence_kick(struct presence *presence, struct user *user, struct session *session,
                   const Hy__KickedNotice *notice);

/* What a gateway worker or router asks, by kind (gates.c, questions.c). False: it does not decode.
 */
typedef bool presence_handler(struct presence *presence, struct hy_peer *peer,
                              const struct hy_record *record);
presence_handler gates_open, gates_close, gates_lease, gates_register;
presence_handler questions_watch, questions_unwatch, questions_state, questions_kick,
    questions_touch, questions_hint, questions_count, questions_roll;

/* A gateway worker came, restarted or went. */
void gates_peer(struct presence *presence, struct hy_peer *peer, enum hy_peer_event event);

/* Ask all workers to register, and believe in them meanwhile. */
void gates_recount(struct presence *presence);

/* Look after leases. Twice a second. */
void gates_tick(struct presence *presence, uint64_t now_ms);

#endif
