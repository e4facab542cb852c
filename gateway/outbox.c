#include "gateway/outbox.h"

#include <stdlib.h>

/* Under load some twenty parcels of a room wait for a link, and the ring goes again when they have
 * left: few steps. */
enum { FIRST_CAP = 16 };

static struct parcel *const *place(const struct outbox *outbox, uint32_t i)
{
    if (outbox->cap == 0)
        return &outbox->only;
    return &outbox->ring[(outbox->head + i) & (outbox->cap - 1)];
}

static void set(struct outbox *outbox, uint32_t i, struct parcel *parcel)
{
    if (outbox->cap == 0)
        outbox->only = parcel;
    else
        outbox->ring[(outbox->head + i) & (outbox->cap - 1)] = parcel;
}

static enum hy_err grow(struct outbox *outbox)
{
    uint32_t cap = outbox->cap == 0 ? FIRST_CAP : outbox->cap * 4;
    struct parcel **ring = malloc(cap * sizeof(struct parcel *));

    if (ring == NULL)
        return HY_ENOMEM;
    for (uint32_t i = 0; i < outbox->count; i++)
        ring[i] = *place(outbox, i);
    if (outbox->cap > 0)
        free(outbox->ring);
    outbox->ring = ring;
    outbox->cap = cap;
    outbox->head = 0;
    return HY_OK;
}

enum hy_err outbox_push(struct outbox *outbox, struct parcel **parcel, size_t limit)
{
    size_t len = parcel_wire_len(*parcel, outbox->ws);

    if (outbox->bytes >= limit || len > UINT32_MAX - outbox->bytes)
        return HY_EBUSY;
    if (outbox->count > 0 && outbox->count >= outbox->cap && grow(outbox) != HY_OK)
        return HY_ENOMEM;
    set(outbox, outbox->count, *parcel);
    outbox->count++;
    outbox->bytes += (uint32_t)len;
    *parcel = NULL;
    return HY_OK;
}

/* Leave the first skip bytes of n runs out. Returns how many runs remain. */
static size_t skip_runs(struct iovec *iov, size_t n, size_t skip)
{
    size_t gone = 0;

    while (gone < n && skip >= iov[gone].iov_len)
        skip -= iov[gone++].iov_len;
    for (size_t i = gone; i < n; i++)
        iov[i - gone] = iov[i];
    if (gone < n) {
        iov[0].iov_base = (char *)iov[0].iov_base + skip;
        iov[0].iov_len -= skip;
    }
    return n - gone;
}

size_t outbox_gather(const struct outbox *outbox, struct iovec *iov, size_t max)
{
    size_t n = 0;

    for (uint32_t i = 0; i < outbox->count && n + 2 <= max; i++) {
        n += parcel_wire(*place(outbox, i), outbox->ws, iov + n);
        if (i == 0)
            n = skip_runs(iov, n, outbox->sent);
    }
    return n;
}

static void drop(struct outbox *outbox, uint32_t i)
{
    struct parcel *parcel = *place(outbox, i);

    parcel_unref(&parcel);
}

static void pop(struct outbox *outbox)
{
    drop(outbox, 0);
    if (outbox->cap > 0)
        outbox->head = (outbox->head + 1) & (outbox->cap - 1);
    outbox->count--;
    outbox->sent = 0;
}

/* An empty outbox holds no memory: most links are idle. */
static void trim(struct outbox *outbox)
{
    if (outbox->count > 0)
        return;
    if (outbox->cap > 0)
        free(outbox->ring);
    *outbox = (struct outbox){.ws = outbox->ws};
}

void outbox_sent(struct outbox *outbox, size_t bytes)
{
    outbox->bytes -= (uint32_t)bytes;
    bytes += outbox->sent;
    while (outbox->count > 0) {
        size_t len = parcel_wire_len(*place(outbox, 0), outbox->ws);

        if (bytes < len)
            break;
        bytes -= len;
        pop(outbox);
    }
    outbox->sent = (uint32_t)bytes;
    trim(outbox);
}

void outbox_cut(struct outbox *outbox)
{
    uint32_t keep = outbox->sent > 0 ? 1 : 0;

    while (outbox->count > keep) {
        outbox->bytes -= (uint32_t)parcel_wire_len(*place(outbox, outbox->count - 1), outbox->ws);
        drop(outbox, outbox->count - 1);
        outbox->count--;
    }
    trim(outbox);
}

void outbox_free(struct outbox *outbox)
{
    outbox->sent = 0;
    outbox_cut(outbox);
}
