/* Writing: once a turn for each link that has something to say. */

#include "gateway/link_inside.h"

enum { RUNS = 64 };

void link_mark(struct link *link)
{
    struct links *links = link->links;

    if (link->dirty)
        return;
    link->dirty = true;
    link->next = NULL;
    *links->dirty_end = link;
    links->dirty_end = &link->next;
}

static struct link *take_marked(struct links *links)
{
    struct link *link = links->dirty;

    if (link == NULL)
        return NULL;
    links->dirty = link->next;
    if (links->dirty == NULL)
        links->dirty_end = &links->dirty;
    return link;
}

static enum hy_err write_some(struct link *link)
{
    struct links *links = link->links;
    struct iovec runs[RUNS];
    size_t n = outbox_gather(&link->outbox, runs, RUNS);
    size_t sent = 0;
    enum hy_err err = stream_write(&link->stream, runs, n, &sent);

    if (err != HY_OK)
        return err;
    outbox_sent(&link->outbox, sent);
    links->queued -= (int64_t)sent;
    links->written += (int64_t)sent;
    links->writes++;
    return HY_OK;
}

/* Ask to be woken for what the link waits for. */
static enum hy_err watch_next(struct link *link)
{
    bool write = link->outbox.count > 0 || stream_wants_write(&link->stream);

    return hy_watch_set(link->watch, HY_READ | (write ? HY_WRITE : 0));
}

void link_flush(struct link *link)
{
    enum hy_err err = HY_OK;

    if (link->state == LINK_GONE)
        return;
    while (err == HY_OK && link->outbox.count > 0)
        err = write_some(link);
    if (err == HY_EBUSY)
        err = HY_OK;
    if (err == HY_OK && link->state == LINK_CLOSING && link->outbox.count == 0 && !link->finished) {
        link->finished = true; /* the client reads the end, closes, and link_read.c sees that */
        stream_finish(&link->stream);
    }
    if (err == HY_OK)
        err = watch_next(link);
    if (err == HY_OK)
        return;
    if (link->state == LINK_CLOSING)
        link_drop(link);
    else
        link_end(link, LINK_END_NETWORK, NULL);
}

/* Workers share the counters: they are told once a turn, not at each write. */
static void count_turn(struct links *links)
{
    if (links->frames > 0)
        hy_add(links->metrics->frames_sent, links->frames);
    if (links->writes > 0) {
        hy_add(links->metrics->sent_bytes, links->written);
        hy_add(links->metrics->writes, links->writes);
    }
    links->written = links->writes = links->frames = 0;
}

void links_flush(void *arg)
{
    struct links *links = arg;
    struct link *link;

    while ((link = take_marked(links)) != NULL) {
        link_flush(link); /* still marked: a link that ends in here is put away below */
        link->dirty = false;
        if (link->state == LINK_GONE) {
            link->next = links->gone;
            links->gone = link;
        }
    }
    count_turn(links);
}
