#include "router/settings.h"

static const struct hy_setting table[] = {
    HY_TEXT(struct router_settings, bus_listen, "bus.listen", "tcp://127.0.0.1:7100", false,
            "Endpoint where gateways, presence and hongyanctl reach this router."),
    HY_INT(struct router_settings, user_cache, "user_cache", 200000, 1000, 100000000, false,
           "Users kept in memory, about 400 bytes each."),
    HY_INT(struct router_settings, route_idle_s, "route_idle_s", 600, 1, 86400, false,
           "Seconds after which the unused route of a group is dropped."),
    HY_INT(struct router_settings, call_deadline_ms, "call_deadline_ms", 5000, 100, 60000, false,
           "Milliseconds after which a call to a store or to presence has failed."),
    HY_INT(struct router_settings, drop_push_every, "test.drop_push_every", 0, 0, 1000000, false,
           "For tests only: lose every so-many-th push on purpose; 0 loses none."),
    {0},
};

const struct hy_settings_spec router_settings_spec = {
    .component = "router",
    .table = table,
    .size = sizeof(struct router_settings),
};
