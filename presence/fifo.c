#include "presence/fifo.h"

#include <stdlib.h>

enum { CAP_MIN = 16 };

static enum hy_err resize(struct fifo *fifo, size_t cap)
{
    struct fifo_item *items = malloc(cap * sizeof *items);

    if (items == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < fifo->count; i++)
        items[i] = fifo->items[(fifo->head + i) & (fifo->cap - 1)];
    free(fifo->items);
    fifo->items = items;
    fifo->head = 0;
    fifo->cap = cap;
    return HY_OK;
}

enum hy_err fifo_push(struct fifo *fifo, const struct fifo_item *item)
{
    if (fifo->count == fifo->cap) {
        enum hy_err err = resize(fifo, fifo->cap == 0 ? CAP_MIN : fifo->cap * 2);

        if (err != HY_OK)
            return err;
    }
    fifo->items[(fifo->head + fifo->count) & (fifo->cap - 1)] = *item;
    fifo->count++;
    return HY_OK;
}

const struct fifo_item *fifo_first(const struct fifo *fifo)
{
    return fifo->count > 0 ? &fifo->items[fifo->head] : NULL;
}

void fifo_pop(struct fifo *fifo)
{
    fifo->head = (fifo->head + 1) & (fifo->cap - 1);
    fifo->count--;
    /* Failing to shrink costs memory only. */
    if (fifo->cap > CAP_MIN && fifo->count < fifo->cap / 8)
        (void)!resize(fifo, fifo->cap / 4);
}

void fifo_free(struct fifo *fifo)
{
    free(fifo->items);
    *fifo = (struct fifo){0};
}
