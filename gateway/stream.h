/* stream - a non-blocking socket, with or without TLS on it. */

#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "common/err.h"

struct ssl_st;

struct stream {
    int fd;             /* -1: closed */
    struct ssl_st *ssl; /* NULL: plain */
};

/* Read up to len bytes (TLS: at least one record of 16 KB must fit). HY_OK: *got > 0. HY_EBUSY:
 * nothing yet. HY_ECLOSED: the other side closed. HY_EIO: broken. */
enum hy_err stream_read(struct stream *stream, void *bytes, size_t len, size_t *got) HY_CHECKED;

/* Write some of n runs. HY_OK: *sent > 0. HY_EBUSY: no room yet; come back with the same runs
 * first. */
enum hy_err stream_write(struct stream *stream, const struct iovec *iov, size_t n,
                         size_t *sent) HY_CHECKED;

/* TLS: has the handshake been done? Plain: yes. */
bool stream_secured(const struct stream *stream);

/* TLS: did a ticket make the handshake short? Plain: no. */
bool stream_resumed(const struct stream *stream);

/* TLS: the last call waits for room to write, though it may have been a read. */
bool stream_wants_write(const struct stream *stream);

/* Tell the other side that nothing more comes. */
void stream_finish(struct stream *stream);

/* Close at once. */
void stream_close(struct stream *stream);

#endif
