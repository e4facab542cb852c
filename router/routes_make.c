/* routes_make - how a route comes to know its members. */

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/log.h"
#include "common/names.h"
#include "common/slot.h"
#include "router/memory.h"
#include "router/routes_core.h"

/* Seats that are kept for the next routes: where many groups are hardly used, making and dropping
 * them was a third of the router's CPU. */
enum { SEATS_SPARE = 16384 };

static void on_place(void *arg);

/* ---- seats ---- */

static struct seat *seat_get(struct routes *routes)
{
    struct seat *seat = routes->spare;

    if (seat == NULL)
        return memory_get(sizeof *seat);
    routes->spare = seat->next;
    routes->spares--;
    *seat = (struct seat){0};
    return seat;
}

/* A new seat for a user; *known: his places are there already. */
static struct seat *seat_make(struct route *route, struct seats *seats, const char *user,
                              bool *known)
{
    struct routes *routes = route->owner;
    struct seat *seat = seat_get(routes);

    if (seats->count == seats->cap) {
        seats->cap = seats->cap == 0 ? 8 : seats->cap * 2;
        seats->all = memory_grow(seats->all, seats->cap * sizeof(struct seat *));
    }
    seat->index = seats->count;
    seats->all[seats->count++] = seat;
    routes->seats++;
    seat->route = route;
    seat->wait.ready = on_place;
    seat->wait.arg = seat;
    *known = users_want(routes->config.users, route->app, user, USER_PLACES, &seat->wait);
    return seat;
}

/* From here on the seat follows its user. */
static void seat_take(struct seat *seat)
{
    struct user *user = seat->wait.user;

    seat->next = user->seats;
    seat->back = &user->seats;
    if (seat->next != NULL)
        seat->next->back = &seat->next;
    user->seats = seat;
    if (!seat->deaf)
        lanes_move(&seat->route->lanes, NULL, 0, user->places, user->place_count);
}

static void seat_free(struct routes *routes, struct seat *seat)
{
    if (seat->back != NULL) {
        *seat->back = seat->next;
        if (seat->next != NULL)
            seat->next->back = seat->back;
    }
    users_release(routes->config.users, &seat->wait);
    routes->seats--;
    if (routes->spares == SEATS_SPARE) {
        free(seat);
        return;
    }
    seat->next = routes->spare;
    routes->spare = seat;
    routes->spares++;
}

void seats_close(struct routes *routes)
{
    for (struct seat *seat = routes->spare, *next; seat != NULL; seat = next) {
        next = seat->next;
        free(seat);
    }
}

void seats_free(struct routes *routes, struct seats *seats)
{
    for (size_t i = 0; i < seats->count; i++)
        seat_free(routes, seats->all[i]);
    free(seats->all);
    *seats = (struct seats){0};
}

void routes_moved(void *ctx, struct user *user, const struct place *places, size_t count)
{
    (void)ctx;
    for (struct seat *seat = user->seats; seat != NULL; seat = seat->next)
        if (!seat->deaf)
            lanes_move(&seat->route->lanes, user->places, user->place_count, places, count);
}

/* ---- the whole list ---- */

static void install(struct route *route)
{
    size_t unknown = 0;

    seats_free(route->owner, &route->seats);
    lanes_free(&route->lanes);
    route->seats = route->coming;
    route->coming = (struct seats){0};
    route->version = route->coming_version;
    for (size_t i = 0; i < route->seats.count; i++) {
        seat_take(route->seats.all[i]);
        unknown += !route->seats.all[i]->wait.user->places_known;
    }
    route->fetching = false;
    route->ready = !route->again && unknown == 0;
    route->again = false;
    /* Presence did not say where they are: let those who miss something find out. */
    if (unknown > 0)
        push_skip(route->owner->config.push);
    route_flush(route);
}

static void on_place(void *arg)
{
    struct seat *seat = arg;

    if (--seat->route->coming_waits == 0)
        install(seat->route);
}

static void seat_names(struct route *route, const uint8_t *names, size_t len, bool deaf)
{
    for (const char *name = hy_names_first(names, len); name != NULL;
         name = hy_names_next(names, len, name)) {
        bool known;
        struct seat *seat = seat_make(route, &route->coming, name, &known);

        seat->deaf = deaf;
        route->coming_waits += !known;
    }
}

void route_seat(struct route *route, const struct routes_list *list)
{
    route->fetching = true;
    route->coming_version = list->version;
    route->coming_waits = 1; /* this function */
    seat_names(route, list->hearing, list->hearing_len, false);
    seat_names(route, list->deaf, list->deaf_len, true);
    if (--route->coming_waits == 0)
        install(route);
}

static void give_up(struct route *route)
{
    route_drop_queue(route);
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
        route_seat(route, &(struct routes_list){res->member_version, res->hearing.data,
                                                res->deaf.data, res->hearing.len, res->deaf.len});
    hy_arena_free(&arena);
}

void route_fetch(struct route *route)
{
    struct routes *routes = route->owner;
    uint16_t slot = hy_slot_group(route->app, route->group);
    struct hy_stores_call call = {
        .kind = HY__BUS_KIND__STORE_MEMBERS_GET,
        .where = hy_stores_at_slot(slot),
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
    req.names_only = true;
    route->fetching = true;
    hy_add(routes->builds, 1);
    hy_stores_ask_pb(routes->config.stores, &call, &req.base);
}

/* ---- one change ---- */

static void come(struct route *route, const char *user)
{
    bool known;
    struct seat *seat = seat_make(route, &route->seats, user, &known);

    seat->joined_s = hy_wall_ms() / 1000;
    if (known && seat->wait.user->places_known) {
        seat_take(seat);
        return;
    }
    route->ready = false; /* where he is will be known when the list is read again */
    users_release(route->owner->config.users, &seat->wait);
}

static struct seat *seat_of(const struct route *route, const char *user)
{
    struct users *users = route->owner->config.users;
    struct user_wait wait = {0};
    struct seat *seat;

    users_want(users, route->app, user, 0, &wait);
    for (seat = wait.user->seats; seat != NULL && seat->route != route;)
        seat = seat->next;
    users_release(users, &wait);
    return seat;
}

static void go(struct route *route, struct seat *seat)
{
    const struct user *user = seat->wait.user;
    struct seat *last = route->seats.all[--route->seats.count];

    if (!seat->deaf)
        lanes_move(&route->lanes, user->places, user->place_count, NULL, 0);
    last->index = seat->index;
    route->seats.all[seat->index] = last;
    seat_free(route->owner, seat);
}

void route_change(struct route *route, const struct routes_change *change)
{
    for (size_t i = 0; i < change->count && route->ready; i++) {
        struct seat *seat = seat_of(route, change->users[i]);

        if (change->come && seat == NULL)
            come(route, change->users[i]);
        else if (!change->come && seat != NULL)
            go(route, seat);
    }
    route->version = change->version;
}
