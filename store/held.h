/* held - requests that wait in order while the disk is behind. */

#ifndef STORE_HELD_H
#define STORE_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "store/answers.h"

struct held;

/* Room for so many. */
enum hy_err held_open(size_t most, struct held **held) HY_CHECKED;

/* Forgets what waits. */
void held_close(struct held **held);

/* Keep a copy. HY_EBUSY: there is no room. */
enum hy_err held_add(struct held *held, const struct request *req) HY_CHECKED;

/* The one that has waited longest, or NULL; give it to held_free() afterwards. */
struct request *held_take(struct held *held);
void held_free(struct request *req);

bool held_empty(const struct held *held);

#endif
