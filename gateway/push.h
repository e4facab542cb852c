/* push - what routers and presence send on their own: frames for links and rooms, kicks, and the
 * counting by which a lost push is noticed (I8). */

#ifndef GATEWAY_PUSH_H
#define GATEWAY_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/err.h"

struct pushes;
struct worker;

/* What was heard from one router process. */
struct push_count {
    uint64_t boot;
    uint64_t seq; /* the last Push there was */
};

/* Was something lost before this Push (or, with mark, up to this PushMark)? Pure rule. */
bool push_gap(struct push_count *count, uint64_t boot, uint64_t seq, bool mark);

enum hy_err pushes_open(struct worker *worker, struct pushes **pushes) HY_CHECKED;
void pushes_close(struct pushes **pushes);

/* A record that is no answer. */
void pushes_take(struct pushes *pushes, struct hy_peer *peer, const struct hy_record *record);

/* Has this router told all that it had to tell, so that its going loses nothing? */
bool pushes_ended(const struct hy_peer *router);

/* Pushes may have been lost: each link is told to resync with its next Pong. */
void pushes_lost(struct pushes *pushes, const char *why);

#endif
