/* wire - protobuf bytes written by hand, where a tree of structs would cost more than the message.
 *
 * Each function writes at out and returns the first byte after what it wrote. The caller has made
 * room: a number takes at most WIRE_NUMBER_MAX bytes with its tag, a run of bytes len +
 * WIRE_HEAD_MAX. A zero, or an empty text, is not written, as proto3 has it. */

#ifndef ROUTER_WIRE_H
#define ROUTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WIRE_NUMBER_MAX = 15, WIRE_HEAD_MAX = 15 };

/* A bare varint. */
static inline uint8_t *wire_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

/* How many bytes a varint takes. */
static inline size_t wire_varint_size(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

/* A number (uint32, uint64, bool, enum). */
static inline uint8_t *wire_number(uint8_t *out, uint32_t field, uint64_t value)
{
    if (value == 0)
        return out;
    return wire_varint(wire_varint(out, (uint64_t)field << 3), value);
}

/* A fixed64. */
static inline uint8_t *wire_fixed64(uint8_t *out, uint32_t field, uint64_t value)
{
    if (value == 0)
        return out;
    out = wire_varint(out, (uint64_t)field << 3 | 1);
    for (int i = 0; i < 8; i++)
        *out++ = (uint8_t)(value >> (8 * i));
    return out;
}

/* The tag and length before len bytes of a nested message or of bytes; written even for none. */
static inline uint8_t *wire_head(uint8_t *out, uint32_t field, size_t len)
{
    return wire_varint(wire_varint(out, (uint64_t)field << 3 | 2), len);
}

/* Bytes. */
static inline uint8_t *wire_bytes(uint8_t *out, uint32_t field, const void *bytes, size_t len)
{
    if (len == 0)
        return out;
    out = wire_head(out, field, len);
    memcpy(out, bytes, len);
    return out + len;
}

/* A string. */
static inline uint8_t *wire_text(uint8_t *out, uint32_t field, const char *text)
{
    return wire_bytes(out, field, text, strlen(text));
}

/* Read back a varint; NULL: it does not end in time. */
static inline const uint8_t *wire_take(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        *value |= (uint64_t)(*at & 0x7F) << shift;
        if ((*at++ & 0x80) == 0)
            return at;
    }
    return NULL;
}

/* Find the number that an encoded message has in a field, 0 if it has none, without decoding it.
 * False: the bytes are no message. Nested ones are not looked into. */
bool wire_find_number(const uint8_t *bytes, size_t len, uint32_t field, uint64_t *value);

/* Begin a nested message whose length is not known yet: returns where its content goes. */
static inline uint8_t *wire_open(uint8_t *out, uint32_t field)
{
    return wire_varint(out, (uint64_t)field << 3 | 2) + 2;
}

/* End it: content is what wire_open() returned, out the end of what was written there. Two bytes
 * were kept for the length, right for 128..16383; else the content moves. Needs 3 bytes of room. */
static inline uint8_t *wire_close(uint8_t *content, uint8_t *out)
{
    size_t len = (size_t)(out - content);
    size_t head = wire_varint_size(len);

    if (head != 2)
        memmove(content - 2 + head, content, len);
    wire_varint(content - 2, len);
    return content - 2 + head + len;
}

#endif
