#include "bench/field.h"

#include <string.h>

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

bool field_next(struct span *span, struct field *field)
{
    enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
    uint64_t tag = 0;

    if (span->at == span->end || !get_varint(span, &tag))
        return false;
    field->number = (uint32_t)(tag >> 3);
    field->bytes = (tag & 7) == BYTES;
    field->value = 0;
    switch (tag & 7) {
    case VARINT:
        return get_varint(span, &field->value);
    case FIXED64:
        return skip(span, 8);
    case FIXED32:
        return skip(span, 4);
    case BYTES:
        if (!get_varint(span, &field->value))
            return false;
        field->content.at = span->at;
        if (!skip(span, field->value))
            return false;
        field->content.end = span->at;
        return true;
    default:
        return false;
    }
}

bool field_is(const struct field *field, const void *bytes, size_t len)
{
    return field->bytes && field->value == len && memcmp(field->content.at, bytes, len) == 0;
}
