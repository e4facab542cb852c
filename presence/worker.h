/* worker - the gateway workers that hold sessions here.
 *
 * A worker is known by its bus name. It stays known while sessions are on it. */

#ifndef PRESENCE_WORKER_H
#define PRESENCE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "presence/lease.h"

struct worker {
    struct worker *next;
    struct tally tally; /* of the sessions that live on it */
    struct lease lease;
    uint32_t epoch;  /* +1 with every registration that begins */
    bool up;         /* as the bus sees it */
    bool registered; /* has told all its sessions since it came up */
    char name[];
};

struct workers {
    struct worker *first;
};

/* By name; made if it is not there. NULL: no memory. */
struct worker *workers_make(struct workers *workers, const char *name, uint64_t now_ms);

/* By name, or NULL. */
struct worker *workers_find(const struct workers *workers, const char *name);

/* Have all that are up registered? */
bool workers_registered(const struct workers *workers);

/* Is any up? */
bool workers_any_up(const struct workers *workers);

/* Forget those that are down and hold nothing. */
void workers_tidy(struct workers *workers);

void workers_free(struct workers *workers);

/* A session began or ended to live on it. */
void worker_add(struct worker *worker, uint64_t session_id, uint64_t link);
void worker_drop(struct worker *worker, uint64_t session_id, uint64_t link);

#endif
