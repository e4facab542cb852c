/* All links of a worker: their memory, handles and deadlines. */

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/slot.h"
#include "gateway/link_inside.h"
#include "gateway/upgrade.h"

static struct link *link_of(struct wheel_entry *entry)
{
    return (struct link *)((char *)entry - offsetof(struct link, wheel));
}

static void on_due(void *ctx, struct wheel_entry *entry)
{
    struct links *links = ctx;
    struct link *link = link_of(entry);
    uint64_t now = hy_loop_now_ms(links->loop);
    enum link_end why = deadline_check(link->state, &link->times, links->limits, now);

    if (why == LINK_END_NONE) {
        link_arm(link); /* something came since */
        return;
    }
    if (why == LINK_END_HEARTBEAT)
        hy_add(links->metrics->heartbeat_timeouts, 1);
    if (link->state == LINK_CLOSING)
        link_drop(link);
    else
        link_end(link, why, NULL);
}

static void on_tick(void *arg)
{
    struct links *links = arg;

    wheel_turn(links->wheel, hy_loop_now_ms(links->loop));
    if (links->queued != links->queued_told) {
        hy_add(links->metrics->send_queue_bytes, links->queued - links->queued_told);
        links->queued_told = links->queued;
    }
}

/* A part that waits is a frame, or a handshake, that is not whole. */
static enum hy_err size_buffer(struct links *links)
{
    size_t part = links->limits->max_frame_bytes + 16;
    size_t size = LINK_READ_BYTES + (part > UPGRADE_MAX ? part : UPGRADE_MAX);
    uint8_t *buffer;

    if (size <= links->buffer_size)
        return HY_OK;
    buffer = realloc(links->buffer, size);
    if (buffer == NULL)
        return HY_ENOMEM;
    links->buffer = buffer;
    links->buffer_size = size;
    return HY_OK;
}

void links_limits_changed(struct links *links)
{
    /* Without memory the old size stays, and link_read.c drops a link whose part does not fit. */
    (void)!size_buffer(links);
}

/* After the write: nobody holds a pointer to a link that is gone any more. */
static void reclaim(void *arg)
{
    struct links *links = arg;

    while (links->gone != NULL) {
        struct link *link = links->gone;

        links->gone = link->next;
        link->state = LINK_FREE;
        link->next = links->free;
        links->free = link;
    }
}

enum hy_err links_open(struct hy_loop *loop, const struct limits *limits,
                       const struct gateway_metrics *metrics, const struct link_handler *handler,
                       void *ctx, struct links **links)
{
    enum hy_err err = HY_ENOMEM;
    struct links *l = calloc(1, sizeof *l);

    if (l == NULL)
        goto fail;
    l->loop = loop;
    l->limits = limits;
    l->metrics = metrics;
    l->handler = *handler;
    l->ctx = ctx;
    l->dirty_end = &l->dirty;
    l->drawn = hy_random64();
    err = size_buffer(l);
    if (err == HY_OK)
        err = wheel_open(hy_steady_ms(), on_due, l, &l->wheel);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_tick, l, &l->tick);
    if (err == HY_OK)
        err = hy_loop_on_turn(loop, links_flush, l);
    if (err == HY_OK)
        err = hy_loop_on_turn(loop, reclaim, l);
    if (err != HY_OK)
        goto fail;
    hy_timer_every(l->tick, WHEEL_TICK_MS);
    *links = l;
    return HY_OK;

fail:
    links_close(&l);
    return err;
}

static struct link *link_at(const struct links *links, uint32_t index)
{
    return &links->chunks[index / LINK_CHUNK][index % LINK_CHUNK];
}

void links_close(struct links **links)
{
    struct links *l = *links;

    if (l == NULL)
        return;
    *links = NULL;
    for (uint32_t i = 0; i < l->chunk_count * LINK_CHUNK; i++)
        if (link_at(l, i)->state != LINK_FREE && link_at(l, i)->state != LINK_GONE)
            link_drop(link_at(l, i));
    hy_loop_off_turn(l->loop, links_flush, l);
    hy_loop_off_turn(l->loop, reclaim, l);
    hy_timer_close(&l->tick);
    wheel_close(&l->wheel);
    for (uint32_t i = 0; i < l->chunk_count; i++)
        free(l->chunks[i]);
    free(l->chunks);
    free(l->buffer);
    free(l);
}

static enum hy_err add_chunk(struct links *links)
{
    struct link **chunks = realloc(links->chunks, (links->chunk_count + 1) * sizeof(struct link *));
    struct link *chunk = calloc(LINK_CHUNK, sizeof *chunk);

    if (chunks != NULL)
        links->chunks = chunks;
    if (chunks == NULL || chunk == NULL) {
        free(chunk);
        return HY_ENOMEM;
    }
    for (uint32_t i = LINK_CHUNK; i-- > 0;) {
        chunk[i].index = links->chunk_count * LINK_CHUNK + i;
        chunk[i].next = links->free;
        links->free = &chunk[i];
    }
    chunks[links->chunk_count++] = chunk;
    return HY_OK;
}

static void set_ip(struct link *link, const struct sockaddr *from)
{
    memset(&link->ip, 0, sizeof link->ip);
    if (from->sa_family == AF_INET6) {
        link->ip = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    } else if (from->sa_family == AF_INET) {
        link->ip.s6_addr[10] = link->ip.s6_addr[11] = 0xff;
        memcpy(&link->ip.s6_addr[12], &((const struct sockaddr_in *)(const void *)from)->sin_addr,
               4);
    }
}

/* A free link, cleared. Its generation is random: a handle of an earlier run of this process, still
 * known to somebody, must not meet a stranger. */
static struct link *take_free(struct links *links)
{
    struct link *link;
    uint32_t index;

    if (links->free == NULL && add_chunk(links) != HY_OK)
        return NULL;
    link = links->free;
    links->free = link->next;
    index = link->index;
    *link = (struct link){.links = links, .index = index, .stream = {.fd = -1}};
    link->generation = (uint32_t)hy_mix64(links->drawn++);
    return link;
}

enum hy_err link_open(struct links *links, int fd, struct ssl_st *ssl,
                      enum gateway_transport transport, const struct sockaddr *from)
{
    struct stream stream = {fd, ssl};
    struct link *link = take_free(links);
    enum hy_err err = HY_ENOMEM;

    if (link == NULL)
        goto fail;
    err = hy_watch_open(links->loop, fd, HY_READ, link_on_ready, link, &link->watch);
    if (err != HY_OK)
        goto fail;
    link->stream = stream;
    link->transport = (uint8_t)transport;
    link->state = link_ws(link) ? LINK_UPGRADING : LINK_OPEN;
    link->outbox.ws = link_ws(link);
    link->times.opened_ms = link->times.heard_ms = hy_loop_now_ms(links->loop);
    link->times.expires_ms = UINT64_MAX;
    link->secured = transport == GATEWAY_TCP;
    bucket_fill(&link->requests, link->times.opened_ms, links->limits->request_burst);
    set_ip(link, from);
    link_arm(link);
    links->count++;
    hy_add(links->metrics->connections[transport], 1);
    hy_add(links->metrics->opened[transport], 1);
    return HY_OK;

fail:
    if (link != NULL) {
        link->next = links->free;
        links->free = link;
    }
    stream_close(&stream);
    return err;
}

size_t links_count(const struct links *links)
{
    return links->count;
}

struct link *links_find(struct links *links, uint64_t handle)
{
    uint32_t index = (uint32_t)handle;
    struct link *link;

    if (index >= links->chunk_count * LINK_CHUNK)
        return NULL;
    link = link_at(links, index);
    return link->generation == handle >> 32 && link_live(link) ? link : NULL;
}

struct link *links_next(struct links *links, uint32_t *cursor)
{
    while (*cursor < links->chunk_count * LINK_CHUNK) {
        struct link *link = link_at(links, (*cursor)++);

        if (link_live(link))
            return link;
    }
    return NULL;
}
