#include <stdlib.h>

#include "common/bus_int.h"

enum { CHUNK_FIRST = 4096, CHUNK_MOST = 256 * 1024, SPARE_KEPT = 16 * 1024 };

struct bus_chunk {
    struct bus_chunk *next;
    size_t len, cap;
    uint32_t records;
    uint8_t bytes[];
};

/* The next chunk is twice the last: a busy peer soon has batches of CHUNK_MOST. */
static struct bus_chunk *chunk_new(struct bus_queue *queue, size_t need)
{
    size_t cap = queue->last != NULL ? queue->last->cap * 2 : CHUNK_FIRST;
    struct bus_chunk *chunk = queue->spare;

    if (chunk != NULL && chunk->cap >= need) {
        queue->spare = NULL;
        return chunk;
    }
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

/* Take off the first chunk; the largest of the usual size is kept for the next batch. */
static void drop_first(struct bus_queue *queue)
{
    struct bus_chunk *chunk = queue->first;

    queue->bytes -= chunk->len;
    queue->first = chunk->next;
    if (queue->first == NULL)
        queue->last = NULL;
    if (chunk->cap > CHUNK_MOST || (queue->spare != NULL && queue->spare->cap >= chunk->cap)) {
        free(chunk);
        return;
    }
    free(queue->spare);
    chunk->next = NULL;
    chunk->len = 0;
    chunk->records = 0;
    queue->spare = chunk;
}

enum hy_err bus_queue_flush(struct bus_queue *queue, struct bus_socket *socket,
                            const uint8_t *route, struct hy_metric *sent)
{
    while (queue->first != NULL) {
        enum hy_err err = bus_socket_send(socket, route, queue->first->bytes, queue->first->len);

        if (err != HY_OK)
            return err == HY_ECLOSED ? HY_ECLOSED : HY_EBUSY;
        hy_add(sent, queue->first->records);
        drop_first(queue);
    }
    return HY_OK;
}

size_t bus_queue_clear(struct bus_queue *queue)
{
    size_t records = 0;

    while (queue->first != NULL) {
        records += queue->first->records;
        drop_first(queue);
    }
    free(queue->spare);
    queue->spare = NULL;
    return records;
}

void bus_queue_trim(struct bus_queue *queue)
{
    if (queue->spare == NULL || queue->spare->cap <= SPARE_KEPT)
        return;
    free(queue->spare);
    queue->spare = NULL;
}
