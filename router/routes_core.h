/* routes_core - how routes.c and routes_make.c keep a route. For these two only. */

#ifndef ROUTER_ROUTES_CORE_H
#define ROUTER_ROUTES_CORE_H

#include "common/metrics.h"
#include "router/lanes.h"
#include "router/routes.h"
#include "router/table.h"

struct route;

/* A member in a route. */
struct seat {
    struct seat *next, **back; /* in the user's list, once the route is ready */
    struct route *route;
    size_t index; /* in the route's seats */
    struct user_wait wait;
    uint64_t joined_s;
    bool deaf; /* does not want to receive */
};

struct seats {
    struct seat **all;
    size_t count, cap;
};

/* A post that waits for its route. */
struct parcel {
    struct parcel *next;
    uint64_t version, time_ms;
    struct place except;
    size_t len;
    uint32_t priority;
    uint8_t bytes[];
};

struct route {
    struct routes *owner;
    struct route *newer, *older; /* by use */
    uint64_t hash, used_ms, version;
    struct seats seats;
    struct seats coming; /* of the list being made */
    size_t coming_waits;
    uint64_t coming_version;
    uint64_t asked_version; /* the newest that waited when the list was asked for */
    struct lanes lanes;
    struct parcel *queue, **queue_end;
    uint32_t app;
    bool ready;    /* lanes show the members of version */
    bool fetching; /* the member list, or places, are on their way */
    bool again;    /* fetched for nothing: forgotten meanwhile */
    char group[];
};

struct routes {
    struct routes_config config;
    struct table by_key;
    struct route *newest, *oldest;
    size_t seats;
    struct seat *spare; /* in a list by next */
    size_t spares;
    struct hy_metric *count, *builds;
    struct hy_histogram *fanout;
};

/* Ask for the members; what waits is told when they are there. */
void route_fetch(struct route *route);

/* These are the members: find their places. */
void route_seat(struct route *route, const struct routes_list *list);

/* The list is there: tell what waited. */
void route_flush(struct route *route);

/* Take over a change of the members. */
void route_change(struct route *route, const struct routes_change *change);

/* Forget what waits. */
void route_drop_queue(struct route *route);

/* Give all seats back. */
void seats_free(struct routes *routes, struct seats *seats);

/* Free those that were kept. */
void seats_close(struct routes *routes);

#endif
