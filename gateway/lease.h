/* lease - what presence processes are told about this worker's sessions: a count and a digest each
 * second, and all of them when one asks, has restarted, or takes over users of another. While a
 * slot moves as planned (tier.h) its sessions count at both processes. */

#ifndef GATEWAY_LEASE_H
#define GATEWAY_LEASE_H

#include "common/bus.h"
#include "common/err.h"
#include "common/fleet.h"

struct leases;
struct session;
struct worker;

enum hy_err leases_open(struct worker *worker, struct leases **leases) HY_CHECKED;
void leases_close(struct leases **leases);

/* The session (with its link) counts from now on at the presence process of its user. */
void lease_add(struct leases *leases, struct session *session);

/* It counts no more. One that does not count is fine. */
void lease_remove(struct leases *leases, struct session *session);

/* Send the leases; every second. */
void leases_send(struct leases *leases);

/* Register all sessions of this presence process with it. */
void lease_register(struct leases *leases, struct hy_peer *presence);

/* The session was opened: while its user's slot moves, tell both presence processes. */
void lease_opened(struct leases *leases, const struct session *session);

/* A presence process came, restarted or went. */
void lease_peer(struct leases *leases, const struct hy_peer *presence);

/* Users have other owners now, or a second one besides, or no longer one. */
void leases_moved(struct leases *leases);

/* Has this presence process, in this state, nothing to wait for? One that joins has been told of
 * its sessions; when one leaves, those who follow have. */
bool leases_done(struct leases *leases, int presence, enum hy_node_state state);

#endif
