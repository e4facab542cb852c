#include "store/replica/ring.h"

#include <stdlib.h>
#include <string.h>

struct ring {
    struct batch_ref *list; /* ring of them, in order; each owns its bytes */
    size_t room, first, count;
    size_t bytes, limit;
};

enum hy_err ring_open(size_t bytes, struct ring **ring)
{
    struct ring *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->limit = bytes;
    *ring = r;
    return HY_OK;
}

void ring_close(struct ring **ring)
{
    if (*ring == NULL)
        return;
    ring_clear(*ring);
    free((*ring)->list);
    free(*ring);
    *ring = NULL;
}

static struct batch_ref *at(const struct ring *ring, size_t i)
{
    return &ring->list[(ring->first + i) % ring->room];
}

static void drop_oldest(struct ring *ring)
{
    struct batch_ref *oldest = at(ring, 0);

    ring->bytes -= oldest->len;
    free((void *)oldest->bytes);
    ring->first = (ring->first + 1) % ring->room;
    ring->count--;
}

void ring_clear(struct ring *ring)
{
    while (ring->count > 0)
        drop_oldest(ring);
}

static bool grow(struct ring *ring)
{
    size_t room = ring->room == 0 ? 256 : 2 * ring->room;
    struct batch_ref *list = malloc(room * sizeof *list);

    if (list == NULL)
        return false;
    for (size_t i = 0; i < ring->count; i++)
        list[i] = *at(ring, i);
    free(ring->list);
    ring->list = list;
    ring->room = room;
    ring->first = 0;
    return true;
}

enum hy_err ring_push(struct ring *ring, const struct batch_ref *batch)
{
    uint8_t *bytes = malloc(batch->len);

    if (ring->count > 0 && batch->first != batch_last(at(ring, ring->count - 1)) + 1)
        ring_clear(ring);
    if (bytes == NULL || (ring->count == ring->room && !grow(ring))) {
        free(bytes);
        ring_clear(ring);
        return HY_ENOMEM;
    }
    memcpy(bytes, batch->bytes, batch->len);
    ring->count++;
    *at(ring, ring->count - 1) = *batch;
    at(ring, ring->count - 1)->bytes = bytes;
    ring->bytes += batch->len;
    while (ring->bytes > ring->limit && ring->count > 1)
        drop_oldest(ring);
    return HY_OK;
}

bool ring_find(const struct ring *ring, uint64_t first, struct batch_ref *batch)
{
    size_t low = 0, high = ring->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (at(ring, middle)->first < first)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == ring->count || at(ring, low)->first != first)
        return false;
    *batch = *at(ring, low);
    return true;
}
