/* field - the fields of an encoded protobuf message, one after another, without decoding it whole:
 * for drivers that see hundreds of thousands a second and want but a few of each. */

#ifndef BENCH_FIELD_H
#define BENCH_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *at, *end;
};

struct field {
    uint32_t number;
    bool bytes;          /* content, else value */
    uint64_t value;      /* of a varint */
    struct span content; /* lent */
};

/* The next field, moving span->at. false: the end, or ill-formed; span->at == span->end tells
 * which. */
bool field_next(struct span *span, struct field *field);

/* Are the bytes these? */
bool field_is(const struct field *field, const void *bytes, size_t len);

#endif
