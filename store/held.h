/* held - requests that wait in order while the disk is behind. */

#ifndef STORE_HELD_H
#define STORE_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/answers.h"

struct held;

/* Room for so many. */
enum hy_err held_open(size_t most, struct held **held) HY_CHECKED;

/* Forgets what waits. */
void held_close(struct held **held);

/* Keep a copy, which waits since now_ms. HY_EBUSY: there is no room. */
enum hy_err held_add(struct held *held, const struct request *req, uint64_t now_ms) HY_CHECKED;

/* Does this very call wait there already? (It is asked again when no answer comes.) */
bool held_has(const struct held *held, const struct request *req);

/* Since when the one that has waited longest does; there must be one. */
uint64_t held_since_ms(const struct held *held);

/* The one that has waited longest, or NULL; give it to held_free() afterwards. */
struct request *held_take(struct held *held);
void held_free(struct request *req);

bool held_empty(const struct held *held);

#endif
