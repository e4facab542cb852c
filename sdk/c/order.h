/* order - which messages of one conversation come next: the rules of a gapless stream.
 *
 * No clock, no socket. Messages are offered as pushes and history pages bring them; what comes out
 * is ascending, nothing twice, nothing left out. What comes too early is kept as bytes, up to a
 * bound: what does not fit is pulled again from the history. */

#ifndef SDK_C_ORDER_H
#define SDK_C_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { ORDER_KEPT = 256 };

struct order_early;

struct order {
    uint64_t last;             /* everything up to here was delivered, or is not for us */
    uint64_t target;           /* the highest seq that is known to exist */
    struct order_early *early; /* ascending, all above last */
    uint32_t early_count;      /* with bytes */
    bool known;                /* last means something: the stream has begun */
    bool live;                 /* a live room: what is missed stays missed */
};

enum order_verdict {
    ORDER_OLD,   /* delivered before: drop it */
    ORDER_NEXT,  /* deliver it now; then order_pop() */
    ORDER_EARLY, /* something is missing before it: order_keep() it */
};

/* Begin the stream behind seq. What is kept and older is dropped. */
void order_begin(struct order *order, uint64_t last);

/* What to do with message seq. NEXT has moved last already. */
enum order_verdict order_offer(struct order *order, uint64_t seq);

/* Keep a message that is early; bytes are copied. len 0 marks a place that is ours and not to be
 * shown. A second one with the same seq is dropped. Over the bound the highest goes. */
enum hy_err order_keep(struct order *order, uint64_t seq, const uint8_t *bytes,
                       size_t len) HY_CHECKED;

/* Is a place kept as ours (len 0) at seq? */
bool order_ours(const struct order *order, uint64_t seq);

/* Take the kept message that is next, if it is there, moving last: true with *bytes (free() them;
 * NULL for a place of ours). */
bool order_pop(struct order *order, uint8_t **bytes, size_t *len);

/* The history said that nothing is to come up to seq that has not been offered. */
void order_settle(struct order *order, uint64_t seq);

/* Nobody can tell us what is missing: go on with what is kept. */
void order_skip(struct order *order);

/* The lowest seq kept, or 0. */
uint64_t order_first_early(const struct order *order);

/* Is something missing that the history may have? */
bool order_hungry(const struct order *order);

/* Free what is kept; the order is as new. */
void order_reset(struct order *order);

#endif
