/* recent - client ids of messages that are stored nowhere: those of live rooms.
 *
 * A ring in memory: a retry within it gets the first answer. The writer's thread only. */

#ifndef STORE_RECENT_H
#define STORE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/key.h"

struct recent;

struct recent_item {
    uint64_t seq, time_ms, body_hash;
};

/* Remembers the last size messages (a power of two). */
enum hy_err recent_open(size_t size, struct recent **recent) HY_CHECKED;
void recent_close(struct recent **recent);

/* key is that of KEY_SENT. */
bool recent_find(const struct recent *recent, const struct key *key, struct recent_item *item);
void recent_put(struct recent *recent, const struct key *key, const struct recent_item *item);

#endif
