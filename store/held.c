#include "store/held.h"

#include <stdlib.h>
#include <string.h>

struct item {
    struct request req; /* first: a request is its item; its payload lies behind */
    struct item *next;
};

struct held {
    struct item *first, **end;
    size_t count, most;
};

enum hy_err held_open(size_t most, struct held **held)
{
    struct held *h = calloc(1, sizeof *h);

    if (h == NULL)
        return HY_ENOMEM;
    h->most = most;
    h->end = &h->first;
    *held = h;
    return HY_OK;
}

void held_close(struct held **held)
{
    struct request *req;

    if (*held == NULL)
        return;
    while ((req = held_take(*held)) != NULL)
        held_free(req);
    free(*held);
    *held = NULL;
}

enum hy_err held_add(struct held *held, const struct request *req)
{
    struct item *item = held->count < held->most ? malloc(sizeof *item + req->len) : NULL;

    if (item == NULL)
        return HY_EBUSY;
    item->req = *req;
    item->req.payload = (const uint8_t *)(item + 1);
    item->next = NULL;
    if (req->len > 0)
        memcpy(item + 1, req->payload, req->len);
    *held->end = item;
    held->end = &item->next;
    held->count++;
    return HY_OK;
}

struct request *held_take(struct held *held)
{
    struct item *item = held->first;

    if (item == NULL)
        return NULL;
    held->first = item->next;
    if (held->first == NULL)
        held->end = &held->first;
    held->count--;
    return &item->req;
}

void held_free(struct request *req)
{
    free(req);
}

bool held_empty(const struct held *held)
{
    return held->first == NULL;
}
