/* outbox - effects on users of other shards: kept as rows until the other shard has them on its
 * disk.
 *
 * A row is written with the batch that caused it. Rows of pairs have no content: the head is read
 * when it is sent, so the newest state replaces what waits, and a busy pair tells another shard at
 * most every OUTBOX_EVERY_MS. Warm pairs wait here for the indexes of their own shard too, up to
 * OUTBOX_WARM_MS; who reads such an index asks for it first (outbox_hurry). The writer's thread
 * only. */

#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "store/core.h"

enum { OUTBOX_EVERY_MS = 200, OUTBOX_WARM_MS = 3000, OUTBOX_CALL_MAX = 256 };

struct outbox;
struct telling;

/* Ask a shard to apply an encoded EffectsReq; outbox_answered() with the same token must follow,
 * not from inside. */
typedef void outbox_send_fn(void *ctx, uint32_t shard, uint64_t token, const void *payload,
                            size_t len);

enum hy_err outbox_open(struct outbox **outbox) HY_CHECKED;
void outbox_close(struct outbox **outbox);

/* Find the rows of the database, and whom core->map says they are for; forgets what was in memory
 * and the calls under way. Between batches. */
enum hy_err outbox_load(struct core *core) HY_CHECKED;

/* Forget what is in memory. */
void outbox_forget(struct outbox *outbox);

/* The pair changed, and the indexes of its sides (bits) are to be told. */
void outbox_pair(struct core *core, struct key_home home, const char *a, const char *b,
                 unsigned sides);

/* What an answer about the pair is to wait for: that the indexes of its sides (bits, all of other
 * shards) have the change that is to come with this batch; 0: those that an earlier call named.
 * Lent; NULL: nothing, or there is no memory. */
struct telling *outbox_telling(struct core *core, struct key_home home, const char *a,
                               const char *b, unsigned sides);

/* A membership changed; a newer effect for the same user replaces the one that waits. */
void outbox_member(struct core *core, struct key_home home, uint64_t conversation,
                   const Hy__Effect *effect);

/* Does an effect of that membership wait? Then the next goes the same way, not before it. */
bool outbox_has_member(const struct core *core, struct key_home home, uint64_t conversation,
                       const char *user);

/* Put what waits for the index of a user of this shard into the batch. */
void outbox_hurry(struct core *core, uint32_t app, const char *user);

/* Send what is due, one call a shard at a time; rows that are done go with the next batch. Only
 * between batches. */
void outbox_tick(struct core *core, uint64_t now_ms);

/* The shard's call ended; done: it has the effects on its disk. */
void outbox_answered(struct core *core, uint32_t shard, uint64_t token, bool done, uint64_t now_ms);

/* Until then tell other shards nothing, and keep rows they have (0: go on). A backup of all shards
 * is taken meanwhile: what one's index has is in the other's rows, and what it lacks in the outbox.
 */
void outbox_hold(struct outbox *outbox, uint64_t until_ms);

/* Is no shard being told anything right now? */
bool outbox_quiet(const struct outbox *outbox);

/* Rows waiting. */
size_t outbox_count(const struct outbox *outbox);

#endif
