/* audience - who of this worker's sessions sits in which live room.
 *
 * Routers are told how many (ROUTER_AUDIENCE): soon after a change, again every few seconds, and
 * when a router restarts. A session whose link is gone keeps its seats for the grace time. */

#ifndef GATEWAY_AUDIENCE_H
#define GATEWAY_AUDIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "gateway/parcel.h"

struct audience;
struct session;
struct worker;

enum hy_err audience_open(struct worker *worker, struct audience **audience) HY_CHECKED;
void audience_close(struct audience **audience);

/* The session sits down in a room, if it does not sit there yet. HY_ENOMEM. HY_ETOOBIG: it has too
 * many seats already. */
enum hy_err audience_join(struct audience *audience, struct session *session,
                          const char *group) HY_CHECKED;

void audience_leave(struct audience *audience, struct session *session, const char *group);

bool audience_has(const struct audience *audience, const struct session *session,
                  const char *group);

/* A signed-in session is known by its id from now on. One of the same id that is there already (it
 * is being resumed) hands over its seats; its link, if it still has one, ends. HY_ENOMEM. */
enum hy_err audience_admit(struct audience *audience, struct session *session) HY_CHECKED;

/* The session's link is gone: free it after grace_ms if it has seats, else now. Takes the session.
 */
void audience_lost(struct audience *audience, struct session *session, uint64_t grace_ms);

/* Send to all in a room but one session (0: to all). Lets links that lag miss what has a low
 * priority (3 and up). The parcel stays the caller's. */
void audience_send(struct audience *audience, uint32_t app, const char *group,
                   struct parcel *parcel, uint64_t except_session, uint32_t priority);

/* The room is no more. */
void audience_dissolve(struct audience *audience, uint32_t app, const char *group);

/* A router came, went or restarted: tell all rooms again. */
void audience_retell(struct audience *audience);

/* Is nothing left to be told? */
bool audience_told(const struct audience *audience);

/* Tell what changed; call it often. */
void audience_tell(struct audience *audience, uint64_t now_ms);

#endif
