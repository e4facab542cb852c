/* sweeper - hands users who stay offline to a router, which takes them out of the groups that ask
 * for it (C3); and finds those who went before this process began. */

#ifndef PRESENCE_SWEEPER_H
#define PRESENCE_SWEEPER_H

#include <stdint.h>

#include "common/err.h"
#include "presence/session.h"

struct presence;
struct sweeper;

enum hy_err sweeper_open(struct presence *presence, struct sweeper **sweeper) HY_CHECKED;

/* After the bus is closed and before the sessions are. NULL is fine. */
void sweeper_close(struct sweeper **sweeper);

/* The user went offline. */
void sweeper_gone(struct sweeper *sweeper, struct user *user, uint64_t now_ms);

/* This user is a member of a group that is swept: look at him if he is offline. */
void sweeper_hint(struct sweeper *sweeper, uint32_t app, const char *name);

/* Look for all offline members of such groups, once. */
void sweeper_scan(struct sweeper *sweeper);

/* Apps changed: scan when one has turned the sweep on. */
void sweeper_apps(struct sweeper *sweeper);

/* Ten times a second. */
void sweeper_tick(struct sweeper *sweeper, uint64_t now_ms);

#endif
