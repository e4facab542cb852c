#include "router/routes.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "router/memory.h"
#include "router/routes_core.h"

struct key {
    uint32_t app;
    const char *group;
};

static bool same_key(const void *item, const void *key)
{
    const struct route *route = item;
    const struct key *k = key;

    return route->app == k->app && strcmp(route->group, k->group) == 0;
}

enum hy_err routes_open(const struct routes_config *config, struct routes **routes)
{
    struct routes *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->config = *config;
    r->count = hy_gauge("hongyan_router_routes", "", "Groups with a route");
    r->builds = hy_counter("hongyan_router_route_builds_total", "",
                           "Member lists read from the stores to make a route");
    r->fanout = hy_histogram_count("hongyan_router_fanout_recipients", "chat=\"group\"",
                                   "Links that one message was pushed to");
    *routes = r;
    return HY_OK;
}

size_t routes_count(const struct routes *routes)
{
    return routes->by_key.count;
}

bool routes_idle(const struct routes *routes)
{
    for (const struct route *route = routes->newest; route != NULL; route = route->older)
        if (route->queue != NULL)
            return false;
    return true;
}

/* ---- coming and going ---- */

static void link_newest(struct routes *routes, struct route *route)
{
    route->older = routes->newest;
    route->newer = NULL;
    if (routes->newest != NULL)
        routes->newest->newer = route;
    routes->newest = route;
    if (routes->oldest == NULL)
        routes->oldest = route;
}

static void unlink_route(struct routes *routes, struct route *route)
{
    *(route->newer != NULL ? &route->newer->older : &routes->newest) = route->older;
    *(route->older != NULL ? &route->older->newer : &routes->oldest) = route->newer;
}

void route_drop_queue(struct route *route)
{
    while (route->queue != NULL) {
        struct parcel *parcel = route->queue;

        route->queue = parcel->next;
        free(parcel);
    }
    route->queue_end = &route->queue;
}

static void route_free(struct route *route)
{
    struct routes *routes = route->owner;

    route_drop_queue(route);
    seats_free(routes, &route->seats);
    seats_free(routes, &route->coming);
    lanes_free(&route->lanes);
    unlink_route(routes, route);
    table_remove(&routes->by_key, route->hash, route);
    hy_set(routes->count, (int64_t)routes->by_key.count);
    free(route);
}

void routes_close(struct routes **routes)
{
    struct routes *r = *routes;

    if (r == NULL)
        return;
    *routes = NULL;
    while (r->newest != NULL)
        route_free(r->newest); /* unlinks it. NOLINT(clang-analyzer-unix.Malloc) */
    seats_close(r);
    table_free(&r->by_key);
    free(r);
}

static struct route *find(const struct routes *routes, uint32_t app, const char *group)
{
    struct key key = {app, group};

    return table_find(&routes->by_key, table_hash(app, group), same_key, &key);
}

bool routes_have(const struct routes *routes, uint32_t app, const char *group)
{
    return find(routes, app, group) != NULL;
}

bool routes_need(const struct routes *routes, uint32_t app, const char *group)
{
    const struct route *route = find(routes, app, group);

    return route == NULL || !(route->ready || route->fetching);
}

/* A newcomer lets some of the oldest go, rather than that a second's worth of them goes at once. */
static void shed(struct routes *routes)
{
    enum { MOST = 2 };

    for (int i = 0; i < MOST && routes->seats > routes->config.seats_cap; i++) {
        if (routes->oldest == routes->newest || routes->oldest->fetching)
            return;
        route_free(routes->oldest);
    }
}

static struct route *make(struct routes *routes, uint32_t app, const char *group)
{
    size_t len = strlen(group);
    struct route *route = memory_get(sizeof *route + len + 1);

    memcpy(route->group, group, len + 1);
    route->owner = routes;
    route->app = app;
    route->hash = table_hash(app, group);
    route->queue_end = &route->queue;
    if (table_put(&routes->by_key, route->hash, route) != HY_OK)
        abort(); /* as memory.h says */
    link_newest(routes, route);
    shed(routes);
    hy_set(routes->count, (int64_t)routes->by_key.count);
    return route;
}

static struct route *use(struct routes *routes, uint32_t app, const char *group)
{
    struct route *route = find(routes, app, group);

    if (route == NULL)
        route = make(routes, app, group);
    route->used_ms = hy_steady_ms();
    if (routes->newest != route) {
        unlink_route(routes, route);
        link_newest(routes, route);
    }
    return route;
}

void routes_tick(struct routes *routes, uint64_t now_ms)
{
    for (struct route *route = routes->oldest, *next; route != NULL; route = next) {
        bool idle = route->used_ms + routes->config.idle_ms < now_ms;

        next = route->newer;
        if (!idle && routes->seats <= routes->config.seats_cap)
            return;
        if (!route->fetching)
            route_free(route);
    }
}

void routes_forget(struct routes *routes, uint32_t app, const char *group)
{
    struct route *route = find(routes, app, group);

    if (route == NULL)
        return;
    route->ready = false;
    route->again = route->fetching;
}

void routes_change(struct routes *routes, const struct routes_change *change)
{
    struct route *route = find(routes, change->app, change->group);

    if (route == NULL || !route->ready || route->fetching)
        return;
    if (change->version == route->version + 1)
        route_change(route, change);
}

/* ---- telling ---- */

/* Those who were members at the time: for a message older than the member list. */
static void push_to_earlier(struct route *route, const struct parcel *parcel,
                            const struct push_frame *frame)
{
    struct push *push = route->owner->config.push;

    for (size_t i = 0; i < route->seats.count; i++) {
        const struct seat *seat = route->seats.all[i];
        const struct user *user = seat->wait.user;

        if (seat->deaf || seat->joined_s > parcel->time_ms / 1000)
            continue;
        for (size_t k = 0; k < user->place_count; k++)
            if (user->places[k].gate != parcel->except.gate ||
                user->places[k].link != parcel->except.link)
                push_target(push, user->places[k].gate, user->places[k].link);
    }
    push_to_targets(push, frame);
}

static void push_parcel(struct route *route, const struct parcel *parcel)
{
    struct push_frame frame = {parcel->bytes, parcel->len, parcel->priority};

    hy_observe_count(route->owner->fanout, route->lanes.links);
    if (parcel->version != route->version && parcel->version != 0 && parcel->time_ms != 0)
        push_to_earlier(route, parcel, &frame);
    else
        lanes_push(&route->lanes, route->owner->config.push,
                   parcel->except.gate == NULL ? NULL : &parcel->except, &frame);
}

/* Tell what waited. What was stored after the list was asked for, by a later version of the
 * members, waits for the next list. */
void route_flush(struct route *route)
{
    while (route->queue != NULL && (route->queue->version <= route->version ||
                                    route->queue->version <= route->asked_version)) {
        struct parcel *parcel = route->queue;

        push_parcel(route, parcel);
        route->queue = parcel->next;
        free(parcel);
    }
    if (route->queue == NULL)
        route->queue_end = &route->queue;
    else
        route_fetch(route);
}

static void enqueue(struct route *route, const struct routes_post *post)
{
    struct parcel *parcel = memory_get(sizeof *parcel + post->frame.len);

    parcel->version = post->version;
    parcel->time_ms = post->time_ms;
    if (post->except != NULL)
        parcel->except = *post->except;
    parcel->len = post->frame.len;
    parcel->priority = post->frame.priority;
    memcpy(parcel->bytes, post->frame.bytes, post->frame.len);
    *route->queue_end = parcel;
    route->queue_end = &parcel->next;
}

void routes_offer(struct routes *routes, uint32_t app, const char *group,
                  const struct routes_list *list)
{
    struct route *route = use(routes, app, group);

    if (!route->ready && !route->fetching)
        route_seat(route, list);
}

void routes_post(struct routes *routes, const struct routes_post *post)
{
    struct route *route = use(routes, post->app, post->group);

    if (route->ready && route->queue == NULL &&
        (post->version == 0 || post->version == route->version)) {
        hy_observe_count(routes->fanout, route->lanes.links);
        lanes_push(&route->lanes, routes->config.push, post->except, &post->frame);
        return;
    }
    enqueue(route, post);
    /* An older version asks again as well: it may be that of a group made anew under the same id.
     */
    if (!route->fetching)
        route_fetch(route);
}
