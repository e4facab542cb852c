/* notice - see notice.h. */

#include "bench/notice.h"

#include "client.pb-c.h"

enum { NOTICE_MSGS = 1, MSG_BODY = 6 }; /* fields of MsgNotice and Msg */

struct span {
    const uint8_t *at, *end;
};

struct field {
    uint32_t number;
    bool bytes; /* else a number, which nobody here wants */
    struct span content;
};

static bool get_varint(struct span *span, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; span->at < span->end && shift < 64; shift += 7) {
        uint8_t byte = *span->at++;

        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool skip(struct span *span, uint64_t len)
{
    if (len > (uint64_t)(span->end - span->at))
        return false;
    span->at += len;
    return true;
}

/* false: the end, or ill-formed; span->at == span->end tells which. */
static bool next_field(struct span *span, struct field *field)
{
    enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
    uint64_t tag = 0, value = 0;

    if (span->at == span->end || !get_varint(span, &tag))
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->bytes = (tag & 7) == BYTES;
    switch (tag & 7) {
    case VARINT:
        return get_varint(span, &value);
    case FIXED64:
        return skip(span, 8);
    case FIXED32:
        return skip(span, 4);
    case BYTES:
        if (!get_varint(span, &value))
            return false;
        field->content.at = span->at;
        if (!skip(span, value))
            return false;
        field->content.end = span->at;
        return true;
    default:
        return false;
    }
}

static void look_at_message(struct span msg, notice_fn *fn, void *arg)
{
    struct field field;

    while (next_field(&msg, &field)) {
        if (field.number != MSG_BODY || !field.bytes)
            continue;
        fn(arg, field.content.at, (size_t)(field.content.end - field.content.at));
        return;
    }
}

static bool look_at_notice(struct span notice, notice_fn *fn, void *arg)
{
    struct field field;

    while (next_field(&notice, &field))
        if (field.number == NOTICE_MSGS && field.bytes)
            look_at_message(field.content, fn, arg);
    return notice.at == notice.end;
}

bool notice_each(const uint8_t *frame, size_t len, notice_fn *fn, void *arg)
{
    struct span span = {frame, frame + len};
    struct field field;

    while (next_field(&span, &field))
        if (field.number == HY__FRAME__BODY_MSG_NOTICE && field.bytes)
            return look_at_notice(field.content, fn, arg);
    return false;
}
