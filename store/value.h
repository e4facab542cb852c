/* value - what the rows hold, packed and read back.
 *
 *   records   format u8 = 1, the protobuf message (proto/records.proto)
 *   log       format u8 = 1, flags u16, time_ms u64, an encoded Msg with seq and time
 *   dedupe    format u8 = 1, time_ms u64, an encoded DedupeRow
 *   counters  u64
 *
 * Numbers are big-endian. The heads of log and dedupe tell the compaction filter and history pages
 * what they need without decoding a message. */

#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "records.pb-c.h"

enum { VALUE_FORMAT = 1, VALUE_LOG_HEAD = 11, VALUE_DEDUPE_HEAD = 9 };

/* Append the value of a record. HY_ENOMEM. */
enum hy_err value_put(struct hy_buf *buf, const ProtobufCMessage *record) HY_CHECKED;

/* Decode a record. allocator NULL: malloc. HY_ECORRUPT: it is none (or memory ran out). */
enum hy_err value_get(const ProtobufCMessageDescriptor *type, ProtobufCAllocator *allocator,
                      const void *bytes, size_t len, ProtobufCMessage **record) HY_CHECKED;

/* A number (wire type 0) of a record, found without decoding it; 0: the record has none.
 * HY_ECORRUPT: this is no record. */
enum hy_err value_number(const void *bytes, size_t len, uint32_t field, uint64_t *n) HY_CHECKED;

/* Bytes or a text (wire type 2) of a record, in the same way; *data NULL: the record has none. Lent
 * from the record. */
enum hy_err value_text(const void *bytes, size_t len, uint32_t field, const uint8_t **data,
                       size_t *n) HY_CHECKED;

/* A varint at at, before end. Returns what follows it; NULL: it does not end in time. */
const uint8_t *value_varint(const uint8_t *at, const uint8_t *end, uint64_t *n);

/* A log value taken apart; msg is lent from the bytes. */
struct value_log {
    uint16_t flags; /* Hy__MsgFlag bits */
    uint64_t time_ms;
    const uint8_t *msg;
    size_t msg_len;
};

/* Append a log value: the sender's name card (NULL or "": none), seq and time are added to the
 * encoded msg. HY_ENOMEM. */
enum hy_err value_put_log(struct hy_buf *buf, uint32_t flags, uint64_t seq, uint64_t time_ms,
                          const void *msg, size_t len, const char *name_card) HY_CHECKED;

/* HY_ECORRUPT: no log value. */
enum hy_err value_get_log(const void *bytes, size_t len, struct value_log *log) HY_CHECKED;

/* Is the message's sender user? Looks at the encoded Msg without decoding it. */
bool value_log_from(const struct value_log *log, const char *user);

/* Append the log value that keeps a message's place and time but not its content. HY_ENOMEM,
 * HY_ECORRUPT. */
enum hy_err value_put_place(struct hy_buf *buf, const struct value_log *log) HY_CHECKED;

enum hy_err value_put_dedupe(struct hy_buf *buf, const Hy__DedupeRow *row) HY_CHECKED;

/* When the row was made; false: no dedupe value. */
bool value_dedupe_time(const void *bytes, size_t len, uint64_t *time_ms);

enum hy_err value_get_dedupe(ProtobufCAllocator *allocator, const void *bytes, size_t len,
                             Hy__DedupeRow **row) HY_CHECKED;

/* 8 bytes, for counters. */
void value_put_u64(uint8_t out[static 8], uint64_t n);
bool value_get_u64(const void *bytes, size_t len, uint64_t *n);

/* Append a field that holds bytes (wire type 2) of a message, or its tag and length only. */
enum hy_err value_put_field(struct hy_buf *buf, uint32_t field, const void *bytes,
                            size_t len) HY_CHECKED;
/* Append bytes with their length (a varint) before them. */
enum hy_err value_put_counted(struct hy_buf *buf, const void *bytes, size_t len) HY_CHECKED;
/* Append a number (wire type 0); nothing when it is 0. */
enum hy_err value_put_varint(struct hy_buf *buf, uint32_t field, uint64_t n) HY_CHECKED;

#endif
