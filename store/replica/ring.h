/* ring - the newest batches in memory, for followers that keep up. */

#ifndef STORE_REPLICA_RING_H
#define STORE_REPLICA_RING_H

#include <stdbool.h>

#include "common/err.h"
#include "store/replica/msg.h"

struct ring;

/* Holds at most bytes, but always the newest batch. */
enum hy_err ring_open(size_t bytes, struct ring **ring) HY_CHECKED;
void ring_close(struct ring **ring);

/* The bytes are copied. Not behind the newest: the ring begins anew. HY_ENOMEM: it is empty. */
enum hy_err ring_push(struct ring *ring, const struct batch_ref *batch) HY_CHECKED;

/* The batch that begins at first; lent until the next push. */
bool ring_find(const struct ring *ring, uint64_t first, struct batch_ref *batch);

void ring_clear(struct ring *ring);

#endif
