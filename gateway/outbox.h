/* outbox - parcels a link has yet to take, bounded in bytes. Costs nothing but this struct while
 * it is empty. */

#ifndef GATEWAY_OUTBOX_H
#define GATEWAY_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"
#include "gateway/parcel.h"

/* Zeroed at first. ws: the link speaks WebSocket. */
struct outbox {
    union {
        struct parcel
            *only; /* cap 0, count 1: most pushes find an empty outbox and leave at once */
        struct parcel **ring; /* cap > 0 */
    };
    uint32_t head, count, cap;
    uint32_t bytes; /* on the wire, still to be sent */
    uint32_t sent;  /* of the parcel at head */
    bool ws;
};

/* Append *parcel. Takes the caller's reference and sets *parcel to NULL. HY_EBUSY: limit bytes or
 * more wait already (so one large answer always fits an outbox that is read); HY_ENOMEM. After an
 * error *parcel is still the caller's. */
enum hy_err outbox_push(struct outbox *outbox, struct parcel **parcel, size_t limit) HY_CHECKED;

/* What to write next, into at most max (even) of iov. Returns how many. */
size_t outbox_gather(const struct outbox *outbox, struct iovec *iov, size_t max);

/* So many bytes were written. */
void outbox_sent(struct outbox *outbox, size_t bytes);

/* Drop what has not begun to be sent. */
void outbox_cut(struct outbox *outbox);

/* Drop everything. */
void outbox_free(struct outbox *outbox);

#endif
