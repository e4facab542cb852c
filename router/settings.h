/* settings - what a router can be told. */

#ifndef ROUTER_SETTINGS_H
#define ROUTER_SETTINGS_H

#include "common/settings.h"

struct router_settings {
    struct hy_common_settings common;
    char *bus_listen;
    int64_t user_cache, route_idle_s, call_deadline_ms, drop_push_every;
};

extern const struct hy_settings_spec router_settings_spec;

#endif
