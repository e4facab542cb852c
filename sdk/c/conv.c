#include "sdk/c/conv.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 8 };

static uint32_t hash(Hy__ConvType type, const char *peer)
{
    uint32_t h = 2166136261u ^ (uint32_t)type;

    for (; *peer != '\0'; peer++)
        h = (h ^ (uint8_t)*peer) * 16777619u;
    return h;
}

static struct conv **bucket(const struct convs *convs, Hy__ConvType type, const char *peer)
{
    return &convs->buckets[hash(type, peer) & (convs->size - 1)];
}

struct conv *convs_find(const struct convs *convs, Hy__ConvType type, const char *peer)
{
    struct conv *conv = convs->size > 0 ? *bucket(convs, type, peer) : NULL;

    while (conv != NULL && (conv->type != type || strcmp(conv->peer, peer) != 0))
        conv = conv->next;
    return conv;
}

static bool grow(struct convs *convs)
{
    struct convs wider = {.size = convs->size > 0 ? convs->size * 2 : FIRST_SIZE};

    if (convs->count < convs->size)
        return true;
    wider.buckets = calloc(wider.size, sizeof *wider.buckets);
    if (wider.buckets == NULL)
        return false;
    wider.count = convs->count;
    for (uint32_t i = 0; i < convs->size; i++) {
        for (struct conv *conv = convs->buckets[i], *next; conv != NULL; conv = next) {
            struct conv **to = bucket(&wider, conv->type, conv->peer);

            next = conv->next;
            conv->next = *to;
            *to = conv;
        }
    }
    free(convs->buckets);
    *convs = wider;
    return true;
}

struct conv *convs_get(struct convs *convs, Hy__ConvType type, const char *peer)
{
    struct conv *conv = convs_find(convs, type, peer), **at = NULL;
    size_t len = strlen(peer) + 1;

    if (conv != NULL)
        return conv;
    if (!grow(convs))
        return NULL;
    conv = calloc(1, sizeof *conv + len);
    if (conv == NULL)
        return NULL;
    conv->type = type;
    memcpy(conv->peer, peer, len);
    at = bucket(convs, type, peer);
    conv->next = *at;
    *at = conv;
    convs->count++;
    return conv;
}

void convs_each(const struct convs *convs, void (*fn)(void *arg, struct conv *conv), void *arg)
{
    for (uint32_t i = 0; i < convs->size; i++) {
        for (struct conv *conv = convs->buckets[i], *next; conv != NULL; conv = next) {
            next = conv->next;
            fn(arg, conv);
        }
    }
}

static void free_conv(void *arg, struct conv *conv)
{
    (void)arg;
    order_reset(&conv->order);
    free(conv);
}

void convs_free(struct convs *convs)
{
    convs_each(convs, free_conv, NULL);
    free(convs->buckets);
    *convs = (struct convs){0};
}

void lane_add(struct conv *conv, struct call *call)
{
    call->lane = conv;
    if (conv->lane_last != NULL)
        conv->lane_last->behind = call;
    else
        conv->lane = call;
    conv->lane_last = call;
    if (conv->unsent == NULL)
        conv->unsent = call;
}

void lane_remove(struct conv *conv, struct call *call)
{
    struct call *before = NULL, *at = conv->lane;

    while (at != call) {
        before = at;
        at = at->behind;
    }
    if (before != NULL)
        before->behind = call->behind;
    else
        conv->lane = call->behind;
    if (conv->lane_last == call)
        conv->lane_last = before;
    if (conv->unsent == call)
        conv->unsent = call->behind;
    if (call->sent)
        conv->under_way--;
    call->behind = NULL;
}

struct call *lane_next(struct conv *conv, uint32_t window, uint64_t now_ms, uint64_t *retry_ms)
{
    struct call *call = conv->unsent;

    if (conv->under_way >= window)
        return NULL;
    for (; call != NULL; call = call->behind) {
        if (call->sent)
            continue;
        if (call->retry_ms <= now_ms)
            return call;
        if (call->retry_ms < *retry_ms)
            *retry_ms = call->retry_ms;
        if (window == 1)
            return NULL;
    }
    return NULL;
}

void lane_sent(struct conv *conv, struct call *call)
{
    call->sent = true;
    conv->under_way++;
    while (conv->unsent != NULL && conv->unsent->sent)
        conv->unsent = conv->unsent->behind;
}

void lane_again(struct conv *conv, struct call *call, uint64_t retry_ms)
{
    if (call->sent)
        conv->under_way--;
    call->sent = false;
    call->retry_ms = retry_ms;
    conv->unsent = conv->lane; /* it may lie before those that are under way */
}

bool lane_has(const struct conv *conv, const char *client_id)
{
    const struct call *call = conv->lane;

    while (call != NULL && strcmp(call->client_id, client_id) != 0)
        call = call->behind;
    return call != NULL;
}
