/* inner - what the parts of presence share. Nobody outside this folder includes it. */

#ifndef PRESENCE_INNER_H
#define PRESENCE_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/metrics.h"
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
    char name[64];
    char *peer_names[64]; /* presence processes of the settings, this one too */
    size_t peer_count;
    uint64_t started_ms, report_ms, tick_ms;
    uint64_t lease_ms, grace_ms, warm_ms, report_every_ms;
    bool warming; /* not all gateways have registered yet */
    struct hy_metric *kicks, *refused;
};

/* Does this process own the user when all presence processes are up? Callers decide where they ask;
 * but what happens without being asked (the sweep) is done by the owner alone. */
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
