#include "gateway/parcel.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/frame.h"
#include "gateway/websocket.h"

struct parcel {
    uint32_t refs;
    uint32_t len;
    bool raw;
    uint8_t ws_len;
    uint8_t ws[WEBSOCKET_HEAD_MAX];
    uint8_t tcp[FRAME_HEAD]; /* right before the bytes: a TCP link needs one iovec */
    uint8_t bytes[];
};

_Static_assert(offsetof(struct parcel, bytes) == offsetof(struct parcel, tcp) + FRAME_HEAD,
               "the head and the bytes are one run");

static struct parcel *make(size_t len, bool raw)
{
    struct parcel *p = malloc(offsetof(struct parcel, bytes) + len);

    if (p == NULL)
        return NULL;
    p->refs = 1;
    p->len = (uint32_t)len;
    p->raw = raw;
    if (!raw) {
        p->ws_len = (uint8_t)websocket_head(p->ws, WEBSOCKET_BINARY, len);
        frame_head(p->tcp, len);
    }
    return p;
}

struct parcel *parcel_new(size_t len)
{
    return make(len, false);
}

uint8_t *parcel_bytes(struct parcel *parcel)
{
    return parcel->bytes;
}

static struct parcel *fill(struct parcel *p, const void *bytes, size_t len)
{
    if (p != NULL && len > 0)
        memcpy(p->bytes, bytes, len);
    return p;
}

struct parcel *parcel_raw(const void *bytes, size_t len)
{
    return fill(make(len, true), bytes, len);
}

struct parcel *parcel_copy(const void *bytes, size_t len)
{
    return fill(make(len, false), bytes, len);
}

/* ---- a Frame by hand: its fields are few, and the body is encoded straight into place ---- */

enum { TAG_ID = 1 << 3, TAG_CODE = 2 << 3, TAG_INFO = 3 << 3 | 2 };

static size_t varint_len(uint64_t n)
{
    size_t len = 1;

    while (n >= 128) {
        n >>= 7;
        len++;
    }
    return len;
}

static uint8_t *put_varint(uint8_t *out, uint64_t n)
{
    while (n >= 128) {
        *out++ = (uint8_t)(n | 128);
        n >>= 7;
    }
    *out++ = (uint8_t)n;
    return out;
}

static uint8_t *put_text(uint8_t *out, const void *text, size_t len)
{
    out = put_varint(put_varint(out, TAG_INFO), len);
    memcpy(out, text, len);
    return out + len;
}

struct parcel *parcel_frame(uint64_t id, uint32_t code, const char *info, uint32_t kind,
                            const ProtobufCMessage *body)
{
    size_t info_len = info == NULL ? 0 : strlen(info);
    size_t body_len = body == NULL ? 0 : protobuf_c_message_get_packed_size(body);
    uint64_t tag = (uint64_t)kind << 3 | 2;
    size_t len = (id == 0 ? 0 : 1 + varint_len(id)) + (code == 0 ? 0 : 1 + varint_len(code)) +
                 (info_len == 0 ? 0 : 1 + varint_len(info_len) + info_len) + varint_len(tag) +
                 varint_len(body_len) + body_len;
    struct parcel *p = parcel_new(len);
    uint8_t *out;

    if (p == NULL)
        return NULL;
    out = p->bytes;
    if (id != 0)
        out = put_varint(put_varint(out, TAG_ID), id);
    if (code != 0)
        out = put_varint(put_varint(out, TAG_CODE), code);
    if (info_len != 0)
        out = put_text(out, info, info_len);
    out = put_varint(put_varint(out, tag), body_len);
    if (body_len > 0)
        protobuf_c_message_pack(body, out);
    return p;
}

struct parcel *parcel_ref(struct parcel *parcel)
{
    parcel->refs++;
    return parcel;
}

void parcel_unref(struct parcel **parcel)
{
    struct parcel *p = *parcel;

    *parcel = NULL;
    if (p != NULL && --p->refs == 0)
        free(p);
}

size_t parcel_wire_len(const struct parcel *parcel, bool ws)
{
    if (parcel->raw)
        return parcel->len;
    return parcel->len + (ws ? parcel->ws_len : FRAME_HEAD);
}

static struct iovec run(const void *at, size_t len)
{
    return (struct iovec){(void *)(uintptr_t)at, len};
}

size_t parcel_wire(const struct parcel *parcel, bool ws, struct iovec out[static 2])
{
    if (parcel->raw) {
        out[0] = run(parcel->bytes, parcel->len);
        return 1;
    }
    if (!ws) {
        out[0] =
            run((const uint8_t *)parcel + offsetof(struct parcel, tcp), FRAME_HEAD + parcel->len);
        return 1;
    }
    out[0] = run(parcel->ws, parcel->ws_len);
    out[1] = run(parcel->bytes, parcel->len);
    return 2;
}
