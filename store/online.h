/* online - what presence processes report: users online now, summed by app. */

#ifndef STORE_ONLINE_H
#define STORE_ONLINE_H

#include <stdint.h>

#include "common/err.h"

struct online;

enum hy_err online_open(struct online **online) HY_CHECKED;
void online_close(struct online **online);

/* A presence process has this many users of an app. */
enum hy_err online_report(struct online *online, const char *presence, uint32_t app, uint32_t users,
                          uint64_t now_ms) HY_CHECKED;

/* Users of an app by the reports that are young enough. */
uint32_t online_live(const struct online *online, uint32_t app, uint64_t now_ms);

/* YYYYMMDD in UTC. */
uint32_t online_day(uint64_t at_s);

#endif
