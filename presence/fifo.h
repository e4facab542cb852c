/* fifo - things that fall due in the order in which they came. */

#ifndef PRESENCE_FIFO_H
#define PRESENCE_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct fifo_item {
    uint64_t at_ms;
    uint64_t id;
    void *thing; /* the user's own */
};

/* A growing ring; all zero is an empty one. */
struct fifo {
    struct fifo_item *items;
    size_t head, count, cap; /* cap is a power of two, or 0 */
};

/* Append. HY_ENOMEM. */
enum hy_err fifo_push(struct fifo *fifo, const struct fifo_item *item) HY_CHECKED;

/* The oldest, or NULL. Lent until the next call. */
const struct fifo_item *fifo_first(const struct fifo *fifo);

/* Drop the oldest; memory shrinks with a long queue. */
void fifo_pop(struct fifo *fifo);

void fifo_free(struct fifo *fifo);

#endif
