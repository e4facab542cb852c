/* presence - who is online where: joins sessions, workers, watchers and the sweep on one bus.
 *
 * Gateways and routers dial it; it dials routers. Everything is soft: after a restart the gateways
 * register their sessions again. One loop. */

#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include <stdint.h>

#include "common/err.h"
#include "common/loop.h"
#include "common/settings.h"

struct presence_settings {
    struct hy_common_settings common;
    char *bus_listen;
    int64_t lease_ms, resume_grace_ms, warm_ms;
    int64_t watch_max, push_max;
    int64_t count_report_ms;
};

extern const struct hy_settings_spec presence_spec;

struct presence;

/* settings are lent for the call only. */
enum hy_err presence_open(struct hy_loop *loop, const struct presence_settings *settings,
                          struct presence **presence) HY_CHECKED;
void presence_close(struct presence **presence);

/* Go out of use, so that nobody seems offline meanwhile, then call left(arg). */
void presence_leave(struct presence *presence, void (*left)(void *arg), void *arg);

/* Settings that may change while running. */
void presence_reload(struct presence *presence, const struct presence_settings *settings);

/* Where the bus listens. */
const char *presence_endpoint(const struct presence *presence);

/* hy_ready_fn: is a router up? */
const char *presence_ready(void *presence);

#endif
