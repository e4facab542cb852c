/* telling - answers that wait until another shard was told, though what they say is durable.
 *
 * A message that makes or wakes a one-to-one conversation is answered, and so pushed, when the
 * indexes of its users have it: who signed in before gets the push, who signs in after finds the
 * conversation in the list. Each waits at most TELLING_MS from when it could have left: a shard
 * that is away delays and refuses nothing. The writer's thread only. */

#ifndef STORE_TELLING_H
#define STORE_TELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/answers.h"

enum { TELLING_MS = 300 };

struct tellings;

/* Something that others are being told; counts its references. */
struct telling;

enum hy_err tellings_open(answer_fn *fn, void *ctx, struct tellings **tellings) HY_CHECKED;

/* Says what still waits. Nobody may hold a telling any more. */
void tellings_close(struct tellings **tellings);

/* End those that have lasted too long. */
void tellings_tick(struct tellings *tellings, uint64_t now_ms);

/* How many have not ended. */
size_t tellings_count(const struct tellings *tellings);

/* A new one, with the caller's reference. NULL: no memory; do without. */
struct telling *telling_begin(struct tellings *tellings);

/* One more reference; one less, and *telling is NULL. */
struct telling *telling_ref(struct telling *telling);
void telling_unref(struct telling **telling);

/* Keep a copy of an answer that could leave now. False: the telling has ended, or there is no
 * memory; let it leave. */
bool telling_add(struct telling *telling, const struct hy_reply *reply, const uint8_t *payload,
                 size_t len);

/* The others know: say what waits, in order. */
void telling_end(struct telling *telling);
bool telling_ended(const struct telling *telling);

#endif
