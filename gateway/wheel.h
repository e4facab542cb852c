/* wheel - deadlines of many things that rarely come due, without a timer each.
 *
 * Setting, moving and clearing cost a few pointers. A deadline fires within a tick (250 ms) after
 * it has passed. One thread. */

#ifndef GATEWAY_WHEEL_H
#define GATEWAY_WHEEL_H

#include <stdint.h>

#include "common/err.h"

enum { WHEEL_TICK_MS = 250 };

struct wheel;

/* Lives inside what has the deadline; zeroed at first. */
struct wheel_entry {
    struct wheel_entry *prev, *next; /* NULL: not set */
    uint64_t due_ms;
};

/* Called when an entry is due; the entry is not set then and may be set again or freed. */
typedef void wheel_fn(void *ctx, struct wheel_entry *entry);

enum hy_err wheel_open(uint64_t now_ms, wheel_fn *fn, void *ctx, struct wheel **wheel) HY_CHECKED;

/* Forget all entries. NULL is fine. */
void wheel_close(struct wheel **wheel);

/* Set or move a deadline. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due_ms);

/* Take a deadline back; one that is not set is fine. */
void wheel_clear(struct wheel_entry *entry);

/* Fire what is due by now_ms. Call it every tick or so. */
void wheel_turn(struct wheel *wheel, uint64_t now_ms);

#endif
