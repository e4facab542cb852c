/* wire - messages of store/replica as records of the bus.
 *
 * REPLICA_SAY is protobuf. REPLICA_BATCH is, little-endian:
 *     u32 shard | u32 count | u64 epoch | u64 number | u64 stamp | u64 commit | u64 first
 *     | u64 xxh3 of all before and behind it | bytes of the batch */

#ifndef STORE_REPLICA_WIRE_H
#define STORE_REPLICA_WIRE_H

#include "common/err.h"
#include "store/replica/msg.h"

enum { WIRE_HEAD = 56 };

/* The head of a batch; its bytes follow. */
void wire_batch_head(const struct msg *msg, uint32_t shard, uint8_t head[static WIRE_HEAD]);

/* HY_EMALFORMED: it does not decode, or its hash is another. HY_EDENIED: another shard's. msg's
 * bytes are lent from the record. */
enum hy_err wire_batch_parse(const uint8_t *bytes, size_t len, uint32_t shard,
                             struct msg *msg) HY_CHECKED;

/* Packed into a buffer of at least WIRE_SAY_MAX; gives its length. */
enum { WIRE_SAY_MAX = 512 };
size_t wire_say(const struct msg *msg, uint32_t shard, uint8_t out[static WIRE_SAY_MAX]);

/* from: the node that speaks, which the bus knows. */
enum hy_err wire_say_parse(const uint8_t *bytes, size_t len, uint32_t shard, const char *from,
                           struct msg *msg) HY_CHECKED;

/* Is this batch the row of a reign, alone? Its number, else 0. */
uint64_t wire_reign(const uint8_t *bytes, size_t len);

/* How many rows. 0: malformed. */
uint32_t wire_count(const uint8_t *bytes, size_t len);

#endif
