/* stores - ask the stores of all shards at once, over the bus. */

#ifndef CTL_STORES_H
#define CTL_STORES_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/err.h"
#include "common/loop.h"
#include "ctl/cluster.h"

enum { STORES_MOST = 64 };

/* Two stores of each shard: who leads it, and the copy that a backup is taken from; they may be
 * one. */
enum stores_whom { STORES_LEADERS, STORES_COPIES, STORES_WHOM };
struct stores_shard {
    uint32_t shard;
    char names[STORES_WHOM][64];
};

struct stores;

/* Dial them, at the endpoints of cluster.json. loop: NULL for one of its own. Prints what is wrong.
 */
enum hy_err stores_open(const struct cluster *cluster, struct hy_loop *loop,
                        const struct stores_shard *shards, size_t count,
                        struct stores **stores) HY_CHECKED;
void stores_close(struct stores **stores);

size_t stores_count(const struct stores *stores);
uint32_t stores_number(const struct stores *stores, size_t i); /* of the shard */
const char *stores_name(const struct stores *stores, enum stores_whom whom, size_t i);

/* Ask one of each shard (fill in reqs[i]) and wait, at most wait_ms, for all answers: results[i] is
 * HY_OK and answers[i] is to be freed, or says what came instead. */
void stores_backup(struct stores *stores, enum stores_whom whom, const Hy__BackupReq *reqs,
                   uint32_t wait_ms, enum hy_err *results, Hy__BackupRes **answers);

/* Turn the loop for so long. */
void stores_rest(struct stores *stores, uint32_t ms);

#endif
