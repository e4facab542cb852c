/* tries - failed sign-ins per account, so that tickets cannot be guessed (70050). A table of fixed
 * size: under attack on many accounts it forgets the oldest, never grows. */

#ifndef GATEWAY_TRIES_H
#define GATEWAY_TRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct tries;

enum hy_err tries_open(struct tries **tries) HY_CHECKED;
void tries_close(struct tries **tries);

/* Has this account fewer than most failures in the minute before now_ms? */
bool tries_allow(const struct tries *tries, uint32_t app, const char *user, uint64_t now_ms,
                 uint32_t most);

/* Note a failure. */
void tries_fail(struct tries *tries, uint32_t app, const char *user, uint64_t now_ms);

#endif
