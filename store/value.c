#include "store/value.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { MSG_FROM = 2, MSG_NAME_CARD = 10, MSG_SEQ = 14, MSG_TIME = 15 };

static uint8_t *put_be(uint8_t *out, uint64_t n, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;)
        *out++ = (uint8_t)(n >> (8 * i));
    return out;
}

static uint64_t get_be(const uint8_t *in, unsigned bytes)
{
    uint64_t n = 0;

    while (bytes-- > 0)
        n = n << 8 | *in++;
    return n;
}

static uint8_t *put_varint(uint8_t *out, uint64_t n)
{
    while (n >= 0x80) {
        *out++ = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    *out++ = (uint8_t)n;
    return out;
}

const uint8_t *value_varint(const uint8_t *at, const uint8_t *end, uint64_t *n)
{
    *n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (at == end)
            return NULL;
        *n |= (uint64_t)(*at & 0x7F) << shift;
        if ((*at++ & 0x80) == 0)
            return at;
    }
    return NULL;
}

enum hy_err value_put(struct hy_buf *buf, const ProtobufCMessage *record)
{
    static const uint8_t format = VALUE_FORMAT;
    enum hy_err err = hy_buf_put(buf, &format, 1);

    if (err != HY_OK)
        return err;
    err = hy_buf_put_pb(buf, record);
    if (err != HY_OK)
        buf->len--;
    return err;
}

enum hy_err value_get(const ProtobufCMessageDescriptor *type, ProtobufCAllocator *allocator,
                      const void *bytes, size_t len, ProtobufCMessage **record)
{
    const uint8_t *at = bytes;

    if (len == 0 || at[0] != VALUE_FORMAT)
        return HY_ECORRUPT;
    *record = protobuf_c_message_unpack(type, allocator, len - 1, at + 1);
    return *record == NULL ? HY_ECORRUPT : HY_OK;
}

enum hy_err value_put_log(struct hy_buf *buf, uint32_t flags, uint64_t seq, uint64_t time_ms,
                          const void *msg, size_t len, const char *name_card)
{
    size_t card = name_card == NULL ? 0 : strlen(name_card);
    uint8_t *at;

    if (hy_buf_reserve(buf, VALUE_LOG_HEAD + len + card + 48) != HY_OK)
        return HY_ENOMEM;
    at = buf->data + buf->len;
    *at++ = VALUE_FORMAT;
    at = put_be(at, flags & 0xFFFF, 2);
    at = put_be(at, time_ms, 8);
    if (len > 0)
        memcpy(at, msg, len);
    at += len;
    if (card > 0) {
        at = put_varint(at, MSG_NAME_CARD << 3 | WIRE_BYTES);
        at = put_varint(at, card);
        memcpy(at, name_card, card); /* no text. NOLINT(bugprone-not-null-terminated-result) */
        at += card;
    }
    at = put_varint(at, MSG_SEQ << 3 | WIRE_VARINT);
    at = put_varint(at, seq);
    at = put_varint(at, MSG_TIME << 3 | WIRE_VARINT);
    at = put_varint(at, time_ms);
    buf->len = (size_t)(at - buf->data);
    return HY_OK;
}

enum hy_err value_get_log(const void *bytes, size_t len, struct value_log *log)
{
    const uint8_t *at = bytes;

    if (len < VALUE_LOG_HEAD || at[0] != VALUE_FORMAT)
        return HY_ECORRUPT;
    log->flags = (uint16_t)get_be(at + 1, 2);
    log->time_ms = get_be(at + 3, 8);
    log->msg = at + VALUE_LOG_HEAD;
    log->msg_len = len - VALUE_LOG_HEAD;
    return HY_OK;
}

/* Step over the value of a field; NULL: it does not fit. */
static const uint8_t *skip_field(const uint8_t *at, const uint8_t *end, unsigned wire)
{
    uint64_t n;

    switch (wire) {
    case WIRE_VARINT:
        return value_varint(at, end, &n);
    case WIRE_64:
        return end - at < 8 ? NULL : at + 8;
    case WIRE_32:
        return end - at < 4 ? NULL : at + 4;
    case WIRE_BYTES:
        at = value_varint(at, end, &n);
        return at == NULL || (uint64_t)(end - at) < n ? NULL : at + n;
    default:
        return NULL;
    }
}

enum hy_err value_number(const void *bytes, size_t len, uint32_t field, uint64_t *n)
{
    const uint8_t *at = bytes, *end = at + len;
    uint64_t tag;

    *n = 0;
    if (len == 0 || *at++ != VALUE_FORMAT)
        return HY_ECORRUPT;
    while (at != NULL && at < end) {
        at = value_varint(at, end, &tag);
        if (at == NULL)
            break;
        if (tag == ((uint64_t)field << 3 | WIRE_VARINT))
            return value_varint(at, end, n) == NULL ? HY_ECORRUPT : HY_OK;
        at = skip_field(at, end, (unsigned)(tag & 7));
    }
    return at == NULL ? HY_ECORRUPT : HY_OK;
}

enum hy_err value_text(const void *bytes, size_t len, uint32_t field, const uint8_t **data,
                       size_t *n)
{
    const uint8_t *at = bytes, *end = at + len;
    uint64_t tag, size;

    *data = NULL;
    *n = 0;
    if (len == 0 || *at++ != VALUE_FORMAT)
        return HY_ECORRUPT;
    while (at != NULL && at < end) {
        at = value_varint(at, end, &tag);
        if (at == NULL)
            break;
        if (tag != ((uint64_t)field << 3 | WIRE_BYTES)) {
            at = skip_field(at, end, (unsigned)(tag & 7));
            continue;
        }
        at = value_varint(at, end, &size);
        if (at == NULL || (uint64_t)(end - at) < size)
            return HY_ECORRUPT;
        *data = at;
        *n = (size_t)size;
        return HY_OK;
    }
    return at == NULL ? HY_ECORRUPT : HY_OK;
}

bool value_log_from(const struct value_log *log, const char *user)
{
    const uint8_t *at = log->msg, *end = at + log->msg_len;
    uint64_t tag, len;

    while (at != NULL && at < end) {
        at = value_varint(at, end, &tag);
        if (at == NULL)
            return false;
        if (tag == (MSG_FROM << 3 | WIRE_BYTES)) {
            at = value_varint(at, end, &len);
            return at != NULL && (uint64_t)(end - at) >= len && strlen(user) == len &&
                   memcmp(at, user, len) == 0;
        }
        at = skip_field(at, end, (unsigned)(tag & 7));
    }
    return false;
}

enum hy_err value_put_place(struct hy_buf *buf, const struct value_log *log)
{
    Hy__Msg *msg = hy__msg__unpack(NULL, log->msg_len, log->msg);
    Hy__Msg place = HY__MSG__INIT;
    enum hy_err err;
    struct hy_buf packed = {0};

    if (msg == NULL)
        return HY_ECORRUPT;
    place.conv_type = msg->conv_type;
    place.from = msg->from;
    place.to = msg->to;
    place.client_id = msg->client_id;
    place.random = msg->random;
    place.priority = msg->priority;
    place.flags = msg->flags | HY__MSG_FLAG__MSG_DELETED;
    err = hy_buf_put_pb(&packed, &place.base);
    if (err == HY_OK)
        err = value_put_log(buf, log->flags | HY__MSG_FLAG__MSG_DELETED, msg->seq, log->time_ms,
                            packed.data, packed.len, NULL);
    hy_buf_free(&packed);
    hy__msg__free_unpacked(msg, NULL);
    return err;
}

enum hy_err value_put_dedupe(struct hy_buf *buf, const Hy__DedupeRow *row)
{
    size_t before = buf->len;
    enum hy_err err = hy_buf_reserve(buf, VALUE_DEDUPE_HEAD);

    if (err != HY_OK)
        return err;
    buf->data[buf->len] = VALUE_FORMAT;
    put_be(buf->data + buf->len + 1, row->time_ms, 8);
    buf->len += VALUE_DEDUPE_HEAD;
    err = hy_buf_put_pb(buf, &row->base);
    if (err != HY_OK)
        buf->len = before;
    return err;
}

bool value_dedupe_time(const void *bytes, size_t len, uint64_t *time_ms)
{
    const uint8_t *at = bytes;

    if (len < VALUE_DEDUPE_HEAD || at[0] != VALUE_FORMAT)
        return false;
    *time_ms = get_be(at + 1, 8);
    return true;
}

enum hy_err value_get_dedupe(ProtobufCAllocator *allocator, const void *bytes, size_t len,
                             Hy__DedupeRow **row)
{
    uint64_t time_ms;

    if (!value_dedupe_time(bytes, len, &time_ms))
        return HY_ECORRUPT;
    *row = hy__dedupe_row__unpack(allocator, len - VALUE_DEDUPE_HEAD,
                                  (const uint8_t *)bytes + VALUE_DEDUPE_HEAD);
    return *row == NULL ? HY_ECORRUPT : HY_OK;
}

void value_put_u64(uint8_t out[static 8], uint64_t n)
{
    put_be(out, n, 8);
}

bool value_get_u64(const void *bytes, size_t len, uint64_t *n)
{
    if (len != 8)
        return false;
    *n = get_be(bytes, 8);
    return true;
}

enum hy_err value_put_counted(struct hy_buf *buf, const void *bytes, size_t len)
{
    uint8_t *at;

    if (hy_buf_reserve(buf, len + 10) != HY_OK)
        return HY_ENOMEM;
    at = put_varint(buf->data + buf->len, len);
    if (len > 0)
        memcpy(at, bytes, len);
    buf->len = (size_t)(at + len - buf->data);
    return HY_OK;
}

enum hy_err value_put_field(struct hy_buf *buf, uint32_t field, const void *bytes, size_t len)
{
    uint8_t *at;

    if (hy_buf_reserve(buf, len + 16) != HY_OK)
        return HY_ENOMEM;
    at = put_varint(buf->data + buf->len, (uint64_t)field << 3 | WIRE_BYTES);
    at = put_varint(at, len);
    if (len > 0)
        memcpy(at, bytes, len);
    buf->len = (size_t)(at + len - buf->data);
    return HY_OK;
}

enum hy_err value_put_varint(struct hy_buf *buf, uint32_t field, uint64_t n)
{
    uint8_t *at;

    if (n == 0)
        return HY_OK;
    if (hy_buf_reserve(buf, 20) != HY_OK)
        return HY_ENOMEM;
    at = put_varint(buf->data + buf->len, (uint64_t)field << 3 | WIRE_VARINT);
    at = put_varint(at, n);
    buf->len = (size_t)(at - buf->data);
    return HY_OK;
}
