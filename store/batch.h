/* batch - the rows one turn of the store is about to write, together.
 *
 * What is put with batch_put_seen() can be found again before it is written, so that a later
 * request of the same turn sees what an earlier one decided. A put that fails for want of memory is
 * remembered and fails batch_write(), so callers of puts need not look. */

#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/db.h"
#include "store/key.h"

struct batch;
struct replica;

/* To be written to db by way of the replica that owns it. */
enum hy_err batch_open(struct db *db, struct replica *replica, struct batch **batch) HY_CHECKED;
void batch_close(struct batch **batch);

void batch_put(struct batch *batch, enum family family, const struct key *key, const void *value,
               size_t len);

/* A record (value.h), packed. */
void batch_put_record(struct batch *batch, enum family family, const struct key *key,
                      const ProtobufCMessage *record);

/* Put, and let batch_find() find it until the batch is cleared. */
void batch_put_seen(struct batch *batch, enum family family, const struct key *key,
                    const void *value, size_t len);
bool batch_find(const struct batch *batch, enum family family, const struct key *key,
                const uint8_t **value, size_t *len);

void batch_delete(struct batch *batch, enum family family, const struct key *key);

/* All keys from first up to, but without, end; of one slot. */
void batch_delete_range(struct batch *batch, enum family family, const struct key *first,
                        const struct key *end);

/* All keys that begin with first. */
void batch_delete_prefix(struct batch *batch, enum family family, const struct key *first);

/* Remember that memory ran out in a decision that is already half done: the batch must not be
 * written. */
void batch_fail(struct batch *batch, enum hy_err err);

/* Give what was written, encoded, to tee(arg) as well; NULL: to nobody. */
typedef void batch_tee_fn(void *arg, const uint8_t *bytes, size_t len);
void batch_tee(struct batch *batch, batch_tee_fn *tee, void *arg);

size_t batch_ops(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

/* Write it, durably. Afterwards, whatever happened, call batch_clear(). Errors as replica_write(),
 * and HY_ENOMEM of an earlier put. */
enum hy_err batch_write(struct batch *batch) HY_CHECKED;
void batch_clear(struct batch *batch);

#endif
