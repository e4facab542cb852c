/* link - one TCP connection of a driver: bytes wait in it both ways, and a protocol makes sense of
 * them.
 *
 * What is put into a link goes out when its worker's turn ends, so that what one turn caused leaves
 * in one write. Belongs to one worker process. */

#ifndef BENCH_PEERS_LINK_H
#define BENCH_PEERS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct worker;

struct bytes { /* len bytes wait from at on */
    uint8_t *data;
    size_t at, len, room;
};

struct link {
    struct worker *worker;
    uint32_t index; /* of its user */
    int fd;         /* -1: closed */
    uint8_t step;   /* the protocol's own: how far the sign-in is */
    bool dirty;     /* is in the worker's list of links to flush */
    bool blocked;   /* waits for room in the socket */
    bool greeted, online;
    bool receives; /* one-to-one: messages to its own name */
    uint16_t next_id;
    uint32_t rows;   /* history: of the page under way */
    char cursor[32]; /* history: the page before this one is next; "": the newest */
    struct bytes in, out;
    uint64_t *heard;       /* per stream it hears: number of the last message */
    uint64_t heard_from;   /* the first such stream */
    uint64_t asked_us;     /* history: when the page was asked for */
    struct stream *stream; /* what it sends; NULL: nothing */
    struct link *next_dirty;
};

/* Connect to 127.0.0.1:port without waiting; from one of several addresses of the loopback, as one
 * has too few ports. HY_EIO. */
enum hy_err link_open(struct link *link, uint16_t port) HY_CHECKED;
void link_close(struct link *link);

/* Append to what goes out. */
void link_put(struct link *link, const void *bytes, size_t len);

/* Write what waits. HY_EIO: the connection is gone. */
enum hy_err link_flush(struct link *link) HY_CHECKED;

#endif
