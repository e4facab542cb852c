/* stores - ask all stores of a cluster at once, over the bus. */

#ifndef CTL_STORES_H
#define CTL_STORES_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/err.h"
#include "ctl/cluster.h"

enum { STORES_MOST = 64 };

struct stores;

/* Dial the stores that cluster.json names. Prints what is wrong. */
enum hy_err stores_open(const struct cluster *cluster, struct stores **stores) HY_CHECKED;
void stores_close(struct stores **stores);

size_t stores_count(const struct stores *stores);

/* The name of the store of a shard. */
const char *stores_name(const struct stores *stores, size_t shard);

/* Ask each (fill in reqs[shard]) and wait, at most wait_ms, for all answers: results[shard] is
 * HY_OK and answers[shard] is to be freed, or says what came instead. */
void stores_backup(struct stores *stores, const Hy__BackupReq *reqs, uint32_t wait_ms,
                   enum hy_err *results, Hy__BackupRes **answers);

/* Turn the loop for so long. */
void stores_rest(struct stores *stores, uint32_t ms);

#endif
