#include <string.h>

#include "common/bus_int.h"

static const char *const components[] = {"gateway", "router", "presence", "store", "ctl", "other"};
enum { COMPONENTS = sizeof components / sizeof components[0] };

#define LABELS(suffix)                                                                             \
    {                                                                                              \
        "peer=\"gateway\"" suffix, "peer=\"router\"" suffix, "peer=\"presence\"" suffix,           \
            "peer=\"store\"" suffix, "peer=\"ctl\"" suffix, "peer=\"other\"" suffix                \
    }

static void counters_make(struct bus_counters *counters, size_t i)
{
    static const char *const plain[COMPONENTS] = LABELS("");
    static const char *const full[COMPONENTS] = LABELS(",reason=\"queue_full\"");
    static const char *const down[COMPONENTS] = LABELS(",reason=\"peer_down\"");
    static const char dropped[] = "Records not sent to a peer";

    counters->sent =
        hy_counter("hongyan_bus_sent_messages_total", plain[i], "Records sent to peers");
    counters->received =
        hy_counter("hongyan_bus_received_messages_total", plain[i], "Records received from peers");
    counters->queue_full = hy_counter("hongyan_bus_dropped_messages_total", full[i], dropped);
    counters->peer_down = hy_counter("hongyan_bus_dropped_messages_total", down[i], dropped);
    counters->connected =
        hy_gauge("hongyan_bus_connected_peers", plain[i], "Peers that are up now");
    counters->reconnects = hy_counter("hongyan_bus_reconnects_total", plain[i],
                                      "Times a known peer came back or restarted");
}

const struct bus_counters *bus_counters_of(const char *component)
{
    static _Thread_local struct bus_counters counters[COMPONENTS];
    size_t i = 0;

    while (i < COMPONENTS - 1 && strcmp(components[i], component) != 0)
        i++;
    if (counters[i].sent == NULL)
        counters_make(&counters[i], i);
    return &counters[i];
}
