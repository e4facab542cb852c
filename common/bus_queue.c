#include <stdlib.h>

#include "common/bus_int.h"

enum {
    CHUNK_FIRST = 4096,
    CHUNK_MOST = 256 * 1024,
    COPIED = 8 * 1024, /* larger batches leave as they are, without a copy */
};

struct bus_chunk {
    struct bus_chunk *next;
    size_t len, cap;
    uint32_t records;
    uint8_t bytes[];
};

/* A batch will be as large as the one before, the chunk after one that is full twice as large: a
 * busy peer soon has batches of CHUNK_MOST. */
static struct bus_chunk *chunk_new(struct bus_queue *queue, size_t need)
{
    size_t cap = queue->last != NULL ? queue->last->cap * 2 : queue->usual + queue->usual / 4;
    struct bus_chunk *chunk = queue->spare;

    if (chunk != NULL && chunk->cap >= need) {
        queue->spare = NULL;
        return chunk;
    }
    if (cap < CHUNK_FIRST)
        cap = CHUNK_FIRST;
    if (cap > CHUNK_MOST)
        cap = CHUNK_MOST;
    if (cap < need)
        cap = need;
    chunk = malloc(sizeof *chunk + cap);
    if (chunk != NULL)
        *chunk = (struct bus_chunk){.cap = cap};
    return chunk;
}

/* Make the only chunk larger rather than begin a second message. */
static bool chunk_grow(struct bus_queue *queue, size_t need)
{
    struct bus_chunk *chunk = queue->last;
    size_t cap = chunk->cap;

    while (cap < need)
        cap *= 2;
    if (cap > CHUNK_MOST || queue->first != chunk)
        return false;
    chunk = realloc(chunk, sizeof *chunk + cap);
    if (chunk == NULL)
        return false;
    chunk->cap = cap;
    queue->first = queue->last = chunk;
    return true;
}

uint8_t *bus_queue_add(struct bus_queue *queue, uint16_t kind, uint64_t id, size_t len)
{
    size_t need = HY_BUS_RECORD_HEAD + len;
    struct bus_chunk *chunk = queue->last;
    uint8_t *at = NULL;

    if (chunk == NULL ||
        (need > chunk->cap - chunk->len && !chunk_grow(queue, chunk->len + need))) {
        chunk = chunk_new(queue, need);
        if (chunk == NULL)
            return NULL;
        if (queue->last != NULL)
            queue->last->next = chunk;
        else
            queue->first = chunk;
        queue->last = chunk;
    }
    chunk = queue->last;
    at = chunk->bytes + chunk->len;
    bus_head_put(at, kind, id, len);
    chunk->len += need;
    chunk->records++;
    queue->bytes += need;
    return at + HY_BUS_RECORD_HEAD;
}

/* A small one is kept for the next batch. */
static void keep(struct bus_queue *queue, struct bus_chunk *chunk)
{
    if (queue->spare != NULL || chunk->cap > 2 * COPIED) {
        free(chunk);
        return;
    }
    *chunk = (struct bus_chunk){.cap = chunk->cap};
    queue->spare = chunk;
}

enum hy_err bus_queue_flush(struct bus_queue *queue, struct bus_socket *socket,
                            const uint8_t *route, struct hy_metric *sent)
{
    while (queue->first != NULL) {
        struct bus_chunk *chunk = queue->first, *next = chunk->next;
        size_t len = chunk->len, records = chunk->records;
        enum hy_err err = len > COPIED ? bus_socket_give(socket, route, chunk, chunk->bytes, len)
                                       : bus_socket_send(socket, route, chunk->bytes, len);

        if (err != HY_OK)
            return err == HY_ECLOSED ? HY_ECLOSED : HY_EBUSY;
        if (len <= COPIED)
            keep(queue, chunk);
        hy_add(sent, (int64_t)records);
        queue->bytes -= len;
        queue->usual = len;
        queue->first = next;
        if (next == NULL)
            queue->last = NULL;
    }
    return HY_OK;
}

size_t bus_queue_clear(struct bus_queue *queue)
{
    size_t records = 0;

    for (struct bus_chunk *chunk = queue->first, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        records += chunk->records;
        free(chunk);
    }
    free(queue->spare);
    *queue = (struct bus_queue){0};
    return records;
}
