#include "store/held.h"

#include <stdlib.h>
#include <string.h>

struct item {
    struct request req; /* first: a request is its item; its payload lies behind */
    struct item *next;
    uint64_t since_ms;
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

enum hy_err held_add(struct held *held, const struct request *req, uint64_t now_ms)
{
    struct item *item = held->count < held->most ? malloc(sizeof *item + req->len) : NULL;

    if (item == NULL)
        return HY_EBUSY;
    item->req = *req;
    item->req.payload = (const uint8_t *)(item + 1);
    item->next = NULL;
    item->since_ms = now_ms;
    if (req->len > 0)
        memcpy(item + 1, req->payload, req->len);
    *held->end = item;
    held->end = &item->next;
    held->count++;
    return HY_OK;
}

bool held_has(const struct held *held, const struct request *req)
{
    for (const struct item *item = held->first; item != NULL; item = item->next)
        if (item->req.reply.id == req->reply.id && item->req.reply.peer == req->reply.peer)
            return true;
    return false;
}

uint64_t held_since_ms(const struct held *held)
{
    return held->first->since_ms;
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
