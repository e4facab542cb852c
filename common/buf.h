/* buf - a growing run of bytes. */

#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct hy_buf {
    uint8_t *data;
    size_t len, cap;
};

/* Make room for more bytes after len; data + len may then be written. HY_ENOMEM. */
enum hy_err hy_buf_reserve(struct hy_buf *buf, size_t more) HY_CHECKED;

/* Append bytes. HY_ENOMEM leaves buf as it was. */
enum hy_err hy_buf_put(struct hy_buf *buf, const void *bytes, size_t len) HY_CHECKED;

/* Append the encoding of a message. HY_ENOMEM leaves buf as it was. */
enum hy_err hy_buf_put_pb(struct hy_buf *buf, const ProtobufCMessage *msg) HY_CHECKED;

/* Drop the first len bytes. */
void hy_buf_drop(struct hy_buf *buf, size_t len);

/* Free the memory; buf is empty and usable. */
void hy_buf_free(struct hy_buf *buf);

#endif
