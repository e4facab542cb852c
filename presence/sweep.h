/* sweep - users who went offline, waiting to be taken out of their groups (C3).
 *
 * Per app: a user is due when he has been here for the app's grace, and the due ones leave
 * together, once an interval. No clock and no bus in here: time comes in, users come out. */

#ifndef PRESENCE_SWEEP_H
#define PRESENCE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct sweep;

struct sweep_rule {
    uint32_t interval_s, grace_s;
};

enum hy_err sweep_open(struct sweep **sweep) HY_CHECKED;
void sweep_close(struct sweep **sweep);

/* A user (kept by the caller until he is taken) is offline since since_ms. HY_ENOMEM. */
enum hy_err sweep_add(struct sweep *sweep, uint32_t app, void *user, uint64_t since_ms) HY_CHECKED;

/* Take up to max users of one app who are due now, in the order in which they came. *app says
 * whose. rule_of gives the rule of an app at this moment. 0: nobody is due before the next
 * interval. */
typedef struct sweep_rule sweep_rule_fn(void *arg, uint32_t app);
size_t sweep_take(struct sweep *sweep, uint64_t now_ms, sweep_rule_fn *rule_of, void *arg,
                  uint32_t *app, void **users, size_t max);

/* How many wait. */
size_t sweep_waiting(const struct sweep *sweep);

/* Take anybody, due or not; NULL: nobody is left. For the end. */
void *sweep_any(struct sweep *sweep);

#endif
