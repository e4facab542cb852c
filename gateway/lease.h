/* lease - what presence processes are told about this worker's sessions: a count and a digest each
 * second, and all of them when one asks, has restarted, or takes over users of another. */

#ifndef GATEWAY_LEASE_H
#define GATEWAY_LEASE_H

#include "common/bus.h"
#include "common/err.h"

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

/* A presence process came or went: users have other owners now. */
void leases_moved(struct leases *leases);

#endif
