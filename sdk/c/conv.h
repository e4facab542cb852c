/* conv - the conversations a client knows: the order of each stream and the lane of its sends. */

#ifndef SDK_C_CONV_H
#define SDK_C_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "sdk/c/call.h"
#include "sdk/c/order.h"

struct conv {
    struct conv *next; /* of the same bucket */
    struct order order;

    /* sends, oldest first */
    struct call *lane, *lane_last;
    struct call *unsent; /* where to look for the next to go; all before it are under way */
    uint32_t under_way;

    /* pull.c's */
    struct conv *next_hungry;
    uint64_t pull_ms;  /* not before */
    uint64_t since_ms; /* an unknown group: where its stream begins, by time; 0 not known yet */
    uint8_t pauses;    /* pulls in a row that failed or brought nothing, up to a limit */
    uint8_t stuck;     /* pages in a row that lacked what was known to be there */
    bool queued;       /* in the hungry list */
    bool pulling;      /* a request is under way */
    bool listed;       /* scratch of a sync */
    bool check;        /* there may be more than target says: look once */
    bool seated;       /* rooms.c's: a live room that was joined */
    bool absent;       /* seated, but not yet over this link */
    bool entering;     /* a request for that is under way */
    uint8_t life;      /* +1 when the stream begins anew: an older answer is not about it */

    Hy__ConvType type;
    char peer[]; /* the other user, or the group */
};

struct convs {
    struct conv **buckets;
    uint32_t size, count; /* size is a power of two, or 0 */
};

/* The conversation, or NULL. */
struct conv *convs_find(const struct convs *convs, Hy__ConvType type, const char *peer);

/* The conversation, made if it is new. NULL: out of memory. */
struct conv *convs_get(struct convs *convs, Hy__ConvType type, const char *peer);

/* Visit all. fn must not add any. */
void convs_each(const struct convs *convs, void (*fn)(void *arg, struct conv *conv), void *arg);

/* Free all; calls in lanes are the caller's. */
void convs_free(struct convs *convs);

/* Put a send at the end of its lane. */
void lane_add(struct conv *conv, struct call *call);

/* Take a send out of its lane. */
void lane_remove(struct conv *conv, struct call *call);

/* The next send that may go now, or NULL; *retry_ms is lowered to when one may go later. At most
 * window are under way; with a window of 1 nothing overtakes a send that waits to be tried again.
 */
struct call *lane_next(struct conv *conv, uint32_t window, uint64_t now_ms, uint64_t *retry_ms);

/* It went out. */
void lane_sent(struct conv *conv, struct call *call);

/* It is to go out again, not before retry_ms (0: at once). */
void lane_again(struct conv *conv, struct call *call, uint64_t retry_ms);

/* Is a send with this client id in the lane? */
bool lane_has(const struct conv *conv, const char *client_id);

#endif
