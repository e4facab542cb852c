#include "sdk/c/order.h"

#include <stdlib.h>
#include <string.h>

struct order_early {
    struct order_early *next;
    uint64_t seq;
    size_t len;
    uint8_t bytes[];
};

static void drop_first(struct order *order)
{
    struct order_early *first = order->early;

    order->early = first->next;
    if (first->len > 0)
        order->early_count--;
    free(first);
}

static void drop_old(struct order *order)
{
    while (order->early != NULL && order->early->seq <= order->last)
        drop_first(order);
}

static void raise_target(struct order *order, uint64_t seq)
{
    if (seq > order->target)
        order->target = seq;
}

void order_begin(struct order *order, uint64_t last)
{
    order->known = true;
    order->last = last;
    raise_target(order, last);
    drop_old(order);
}

enum order_verdict order_offer(struct order *order, uint64_t seq)
{
    raise_target(order, seq);
    if (!order->known && !order->live)
        return ORDER_EARLY;
    if (seq <= order->last)
        return ORDER_OLD;
    if (seq != order->last + 1 && !order->live)
        return ORDER_EARLY;
    order->last = seq;
    drop_old(order);
    return ORDER_NEXT;
}

/* Of those with bytes the highest goes; it can be pulled. Marks stay: nobody else knows them. */
static void drop_highest(struct order *order)
{
    struct order_early **at = &order->early, **highest = NULL;

    for (; *at != NULL; at = &(*at)->next)
        if ((*at)->len > 0)
            highest = at;
    if (highest != NULL) {
        struct order_early *gone = *highest;

        *highest = gone->next;
        order->early_count--;
        free(gone);
    }
}

enum hy_err order_keep(struct order *order, uint64_t seq, const uint8_t *bytes, size_t len)
{
    struct order_early **at = &order->early, *early = NULL;

    raise_target(order, seq);
    while (*at != NULL && (*at)->seq < seq)
        at = &(*at)->next;
    if (*at != NULL && (*at)->seq == seq)
        return HY_OK;
    early = malloc(sizeof *early + len);
    if (early == NULL)
        return HY_ENOMEM;
    *early = (struct order_early){.next = *at, .seq = seq, .len = len};
    if (len > 0)
        memcpy(early->bytes, bytes, len);
    *at = early;
    if (len > 0 && ++order->early_count > ORDER_KEPT)
        drop_highest(order);
    return HY_OK;
}

bool order_ours(const struct order *order, uint64_t seq)
{
    const struct order_early *early = order->early;

    while (early != NULL && early->seq < seq)
        early = early->next;
    return early != NULL && early->seq == seq && early->len == 0;
}

bool order_pop(struct order *order, uint8_t **bytes, size_t *len)
{
    struct order_early *first = order->early;

    if (!order->known || first == NULL || first->seq != order->last + 1)
        return false;
    *bytes = NULL;
    *len = first->len;
    if (first->len > 0) {
        *bytes = malloc(first->len);
        if (*bytes == NULL)
            return false; /* stays hungry, and is pulled */
        memcpy(*bytes, first->bytes, first->len);
    }
    order->last = first->seq;
    drop_first(order);
    return true;
}

void order_settle(struct order *order, uint64_t seq)
{
    raise_target(order, seq);
    if (seq <= order->last)
        return;
    order->last = seq;
    drop_old(order);
}

void order_skip(struct order *order)
{
    if (order->early != NULL)
        order->last = order->early->seq - 1;
    else if (order->target > order->last)
        order->last = order->target;
    order->known = true;
}

uint64_t order_first_early(const struct order *order)
{
    return order->early != NULL ? order->early->seq : 0;
}

bool order_hungry(const struct order *order)
{
    return order->known && !order->live && order->target > order->last;
}

void order_reset(struct order *order)
{
    while (order->early != NULL)
        drop_first(order);
    *order = (struct order){0};
}
