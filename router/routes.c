#include "router/routes.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/slot.h"
#include "router/lanes.h"
#include "router/memory.h"
#include "router/table.h"

enum { FLAG_DISCARD = 2 }; /* MemberInfo.msg_flag of members who do not want to receive */

/* A member in a route. */
struct seat {
    struct seat *next, **back; /* in the user's list, once the route is ready */
    struct route *route;
    struct user_wait wait;
    uint64_t joined_s;
    bool deaf;
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
    struct seat *seats;
    size_t seat_count;
    struct seat *coming; /* of the list being made */
    size_t coming_count, coming_waits;
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
    struct hy_metric *count, *builds;
    struct hy_histogram *fanout;
};

struct key {
    uint32_t app;
    const char *group;
};

static void fetch(struct route *route);

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

/* ---- seats ---- */

static void seats_leave(struct routes *routes, struct seat *seats, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct seat *seat = &seats[i];

        if (seat->back != NULL) {
            *seat->back = seat->next;
            if (seat->next != NULL)
                seat->next->back = seat->back;
        }
        users_release(routes->config.users, &seat->wait);
    }
    routes->seats -= count;
    free(seats);
}

static void seat_take(struct seat *seat)
{
    struct seat **head = &seat->wait.user->seats;

    seat->next = *head;
    seat->back = head;
    if (seat->next != NULL)
        seat->next->back = &seat->next;
    *head = seat;
}

void routes_moved(void *ctx, struct user *user, const struct place *places, size_t count)
{
    (void)ctx;
    for (struct seat *seat = user->seats; seat != NULL; seat = seat->next)
        if (!seat->deaf)
            lanes_move(&seat->route->lanes, user->places, user->place_count, places, count);
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

static void queue_drop(struct route *route)
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

    queue_drop(route);
    seats_leave(routes, route->seats, route->seat_count);
    seats_leave(routes, route->coming, route->coming_count);
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
        route_free(r->newest);
    table_free(&r->by_key);
    free(r);
}

static struct route *find(const struct routes *routes, uint32_t app, const char *group)
{
    struct key key = {app, group};

    return table_find(&routes->by_key, table_hash(app, group), same_key, &key);
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

/* ---- telling ---- */

/* Those who were members at the time: for a message older than the member list. */
static void push_to_earlier(struct route *route, const struct parcel *parcel,
                            const struct push_frame *frame)
{
    struct push *push = route->owner->config.push;

    for (size_t i = 0; i < route->seat_count; i++) {
        const struct seat *seat = &route->seats[i];
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
static void flush(struct route *route)
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
        fetch(route);
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
        fetch(route);
}

/* ---- making ---- */

static void install(struct route *route)
{
    size_t unknown = 0;

    seats_leave(route->owner, route->seats, route->seat_count);
    lanes_free(&route->lanes);
    route->seats = route->coming;
    route->seat_count = route->coming_count;
    route->coming = NULL;
    route->coming_count = 0;
    route->version = route->coming_version;
    for (size_t i = 0; i < route->seat_count; i++) {
        struct seat *seat = &route->seats[i];
        const struct user *user = seat->wait.user;

        seat_take(seat);
        unknown += !user->places_known;
        for (size_t k = 0; k < user->place_count && !seat->deaf; k++)
            lanes_add(&route->lanes, &user->places[k]);
    }
    route->fetching = false;
    route->ready = !route->again && unknown == 0;
    route->again = false;
    /* Presence did not say where they are: let those who miss something find out. */
    if (unknown > 0)
        push_skip(route->owner->config.push);
    flush(route);
}

static void on_place(void *arg)
{
    struct seat *seat = arg;

    if (--seat->route->coming_waits == 0)
        install(seat->route);
}

static void seat_members(struct route *route, const Hy__StoreMembersGetRes *res)
{
    struct routes *routes = route->owner;

    route->coming = memory_get((res->n_members + 1) * sizeof *route->coming);
    route->coming_count = res->n_members;
    route->coming_version = res->member_version;
    route->coming_waits = 1; /* this loop */
    routes->seats += res->n_members;
    for (size_t i = 0; i < res->n_members; i++) {
        struct seat *seat = &route->coming[i];

        seat->route = route;
        seat->deaf = res->members[i]->msg_flag == FLAG_DISCARD;
        seat->joined_s = res->members[i]->join_time_s;
        seat->wait.ready = on_place;
        seat->wait.arg = seat;
        if (!users_want(routes->config.users, route->app, res->members[i]->user, USER_PLACES,
                        &seat->wait))
            route->coming_waits++;
    }
    if (--route->coming_waits == 0)
        install(route);
}

static void give_up(struct route *route)
{
    queue_drop(route);
    route->ready = route->fetching = route->again = false;
}

/* Somebody has something to read, and we do not know who. */
static void lose(struct route *route, const char *why)
{
    hy_log_warn("routes.no_members", "app=%u group=\"%s\" why=\"%s\"", route->app, route->group,
                why);
    push_skip(route->owner->config.push);
    give_up(route);
}

static void on_members(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct route *route = arg;
    struct hy_arena arena;
    Hy__StoreMembersGetRes *res = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__store_members_get_res__unpack(&arena.pb, answer->len, answer->payload);
    if (res == NULL)
        lose(route, hy_err_text(err == HY_OK ? HY_EMALFORMED : err));
    else if (res->code == HY_CODE_GROUP_UNKNOWN)
        give_up(route); /* dissolved: its members have been told */
    else if (res->code != HY_CODE_OK)
        lose(route, hy_code_text(res->code));
    else
        seat_members(route, res);
    hy_arena_free(&arena);
}

static void fetch(struct route *route)
{
    struct routes *routes = route->owner;
    uint16_t slot = hy_slot_group(route->app, route->group);
    struct stores_call call = {
        .kind = HY__BUS_KIND__STORE_MEMBERS_GET,
        .shard = stores_shard(routes->config.stores, slot),
        .deadline_ms = routes->config.deadline_ms,
        .done = on_members,
        .arg = route,
    };
    Hy__StoreMembersGetReq req = HY__STORE_MEMBERS_GET_REQ__INIT;
    Hy__MembersGetReq which = HY__MEMBERS_GET_REQ__INIT;

    route->asked_version = 0;
    for (const struct parcel *parcel = route->queue; parcel != NULL; parcel = parcel->next)
        if (parcel->version > route->asked_version)
            route->asked_version = parcel->version;
    which.group = route->group;
    req.app = route->app;
    req.admin = true;
    req.req = &which;
    req.ids_only = true;
    route->fetching = true;
    hy_add(routes->builds, 1);
    stores_ask_pb(routes->config.stores, &call, &req.base);
}
