/* metric - what the store counts (hongyan_store_*). */

#ifndef STORE_METRIC_H
#define STORE_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "store/db.h"
#include "store/replica.h"

/* Make the series, once, before the others are used. */
void metric_open(void);

/* A batch was written, or not. */
void metric_write(enum hy_err err, uint64_t us, uint32_t messages);

/* A read of a kind took this long; kind is a bus kind. */
void metric_read(uint16_t kind, uint64_t us);

/* A backup ended: how long it took, what it holds, what of that was new. Any thread. */
void metric_backup(bool good, uint64_t took_ms, uint64_t bytes, uint64_t copied);

/* A run of slots is leaving; rows of it were sent; requests for it waited so long. */
void metric_moving(bool moving);
void metric_moved(uint64_t rows, uint64_t bytes);
void metric_froze(uint64_t us);

/* Gauges that are taken once a second. */
void metric_disk(uint64_t used_bytes, uint64_t capacity_bytes);
void metric_db(struct db *db);
void metric_room(enum db_room room);
void metric_outbox(uint64_t waiting);
void metric_gate(uint64_t batches);
void metric_replica(const struct replica_view *view, bool leads);

/* How far those who follow this copy are behind: forget all, then tell of each. */
void metric_no_followers(void);
void metric_follower(const char *node, uint64_t behind, uint64_t behind_ms);

#endif
