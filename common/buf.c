#include "common/buf.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 256 };

enum hy_err hy_buf_reserve(struct hy_buf *buf, size_t more)
{
    size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAP;
    uint8_t *data = NULL;

    if (more <= buf->cap - buf->len && buf->data != NULL)
        return HY_OK;
    if (more > SIZE_MAX / 2 - buf->len)
        return HY_ENOMEM;
    while (cap < buf->len + more)
        cap *= 2;
    data = realloc(buf->data, cap);
    if (data == NULL)
        return HY_ENOMEM;
    buf->data = data;
    buf->cap = cap;
    return HY_OK;
}

enum hy_err hy_buf_put(struct hy_buf *buf, const void *bytes, size_t len)
{
    enum hy_err err = hy_buf_reserve(buf, len);

    if (err != HY_OK)
        return err;
    if (len > 0)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    return HY_OK;
}

enum hy_err hy_buf_put_pb(struct hy_buf *buf, const ProtobufCMessage *msg)
{
    enum hy_err err = hy_buf_reserve(buf, protobuf_c_message_get_packed_size(msg));

    if (err != HY_OK)
        return err;
    buf->len += protobuf_c_message_pack(msg, buf->data + buf->len);
    return HY_OK;
}

void hy_buf_drop(struct hy_buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    if (len > 0)
        memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
}

void hy_buf_free(struct hy_buf *buf)
{
    free(buf->data);
    *buf = (struct hy_buf){0};
}
