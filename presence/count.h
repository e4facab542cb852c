/* count - how many are online now: users by app, devices by platform. */

#ifndef PRESENCE_COUNT_H
#define PRESENCE_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/err.h"

struct count;

enum hy_err count_open(struct count **count) HY_CHECKED;
void count_close(struct count **count);

/* A user of an app came online (+1) or went (-1). */
void count_user(struct count *count, uint32_t app, int change);

/* A device of a platform (Hy__Platform) came or went. */
void count_device(struct count *count, int platform, int change);

/* Online users of an app; app 0: of all. */
uint32_t count_of(const struct count *count, uint32_t app);

/* The report for the router, in memory of the arena; NULL: no memory. */
const Hy__OnlineReport *count_report(const struct count *count, char *name, uint64_t now_s,
                                     struct hy_arena *arena);

#endif
