/* link_inside - what a link is made of; for link*.c only. */

#ifndef GATEWAY_LINK_INSIDE_H
#define GATEWAY_LINK_INSIDE_H

#include "gateway/bucket.h"
#include "gateway/deadline.h"
#include "gateway/link.h"
#include "gateway/outbox.h"
#include "gateway/stream.h"
#include "gateway/websocket.h"
#include "gateway/wheel.h"

enum {
    LINK_READ_BYTES = 65536, /* most that one link may bring in a turn */
    LINK_CHUNK = 64,         /* links that are allocated together, and never move */
};

/* An idle signed-in link is this, a hy_watch and its session: keep it small. */
struct link {
    struct links *links;
    struct hy_watch *watch;
    struct session *session;
    struct stream stream;
    struct wheel_entry wheel; /* its deadline */
    struct deadline times;
    struct outbox outbox;
    struct websocket ws;
    uint8_t *part; /* of a frame (or handshake) that is not whole */
    uint32_t part_len;
    uint32_t index, generation;
    uint32_t epoch;
    struct link *next; /* in links->dirty, links->gone or links->free */
    struct bucket requests;
    struct in6_addr ip; /* v4 as ::ffff:a.b.c.d */
    uint8_t state, transport, end;
    bool dirty;      /* in links->dirty */
    bool secured;    /* the handshake is over */
    bool close_sent; /* WebSocket: our close frame is queued */
    bool finished;   /* nothing more will be written */
};

struct links {
    struct hy_loop *loop;
    const struct limits *limits;
    const struct gateway_metrics *metrics;
    struct link_handler handler;
    void *ctx;
    struct wheel *wheel;
    struct hy_timer *tick;
    struct link **chunks;
    uint32_t chunk_count;
    size_t count;
    uint64_t drawn; /* random at first; link generations are mixed from it */
    struct link *free, *gone;
    struct link *dirty, **dirty_end; /* in the order in which they were marked */
    uint8_t *buffer;                 /* of one read; a part that waits goes before it */
    size_t buffer_size;
    int64_t written, writes, frames; /* of this turn, to be counted at its end */
    int64_t queued, queued_told;     /* bytes in all outboxes, and what the gauge knows of them */
};

static inline bool link_ws(const struct link *link)
{
    return link->transport == GATEWAY_WS || link->transport == GATEWAY_WSS;
}

static inline bool link_tls(const struct link *link)
{
    return link->stream.ssl != NULL;
}

static inline bool link_live(const struct link *link)
{
    return link->state >= LINK_UPGRADING && link->state <= LINK_READY;
}

/* link_read.c: the descriptor is ready. */
void link_on_ready(int fd, unsigned ready, void *arg);

/* link_write.c: write at the end of this turn; write now; a turn hook that does so for all. */
void link_mark(struct link *link);
void link_flush(struct link *link);
void links_flush(void *arg);

/* link.c: set the deadline that state and times ask for; close at once. */
void link_arm(struct link *link);
void link_drop(struct link *link);

#endif
