/* frame - frames in a stream of bytes: a 4-byte big-endian length, then that many bytes. */

#ifndef GATEWAY_FRAME_H
#define GATEWAY_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum frame_result {
    FRAME_MORE,    /* not whole yet */
    FRAME_WHOLE,   /* *payload and *len tell it */
    FRAME_TOO_BIG, /* over max: known from the length alone */
};

enum { FRAME_HEAD = 4 };

/* The first frame of bytes. FRAME_WHOLE: it takes FRAME_HEAD + *payload_len bytes. */
enum frame_result frame_next(const uint8_t *bytes, size_t len, size_t max, const uint8_t **payload,
                             size_t *payload_len);

/* Write the head of a frame of len bytes. */
void frame_head(uint8_t out[static FRAME_HEAD], size_t len);

#endif
