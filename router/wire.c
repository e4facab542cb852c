#include "router/wire.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* Step over a value; NULL: it does not fit. */
static const uint8_t *skip(const uint8_t *at, const uint8_t *end, unsigned type)
{
    uint64_t n = 0;

    switch (type) {
    case VARINT:
        return wire_take(at, end, &n);
    case FIXED64:
        n = 8;
        break;
    case FIXED32:
        n = 4;
        break;
    case BYTES:
        at = wire_take(at, end, &n);
        break;
    default:
        return NULL;
    }
    return at == NULL || (uint64_t)(end - at) < n ? NULL : at + n;
}

bool wire_find_number(const uint8_t *bytes, size_t len, uint32_t field, uint64_t *value)
{
    const uint8_t *at = bytes, *end = bytes + len;
    uint64_t tag, number;

    *value = 0;
    if (len == 0)
        return true;
    while (at != NULL && at < end) {
        at = wire_take(at, end, &tag);
        if (at == NULL || tag >> 3 == 0)
            return false;
        if (tag == (uint64_t)field << 3) {
            at = wire_take(at, end, &number);
            *value = number;
        } else {
            at = skip(at, end, (unsigned)tag & 7);
        }
    }
    return at != NULL;
}
