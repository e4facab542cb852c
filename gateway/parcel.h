/* parcel - bytes for links, encoded once, shared by reference.
 *
 * A framed parcel is one encoded Frame with both heads ready (length for TCP, WebSocket), so a
 * room of mixed links writes the same memory. A raw one goes as it is (a handshake's answer, a
 * control frame). The count is not atomic: a parcel belongs to one worker. */

#ifndef GATEWAY_PARCEL_H
#define GATEWAY_PARCEL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct parcel;

/* A framed parcel of len bytes, to be filled by the caller, with one reference; NULL: no memory. */
struct parcel *parcel_new(size_t len);
uint8_t *parcel_bytes(struct parcel *parcel);

/* A raw parcel with a copy of bytes. */
struct parcel *parcel_raw(const void *bytes, size_t len);

/* A framed parcel with a copy of bytes. */
struct parcel *parcel_copy(const void *bytes, size_t len);

/* The encoded Frame {id, code, info, body}: kind is the body's number in Frame
 * (Hy__Frame__BodyCase), body NULL is an empty one. info NULL is "". */
struct parcel *parcel_frame(uint64_t id, uint32_t code, const char *info, uint32_t kind,
                            const ProtobufCMessage *body);

/* One more reference. */
struct parcel *parcel_ref(struct parcel *parcel);

/* Let go; sets *parcel to NULL. NULL is fine. */
void parcel_unref(struct parcel **parcel);

/* Bytes on the wire, heads included. */
size_t parcel_wire_len(const struct parcel *parcel, bool ws);

/* What to write: fills 1 or 2 of out, returns how many. */
size_t parcel_wire(const struct parcel *parcel, bool ws, struct iovec out[static 2]);

#endif
