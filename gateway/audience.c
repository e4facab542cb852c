#include "gateway/audience.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "cluster.pb-c.h"
#include "common/log.h"
#include "common/slot.h"
#include "gateway/idmap.h"
#include "gateway/session.h"
#include "gateway/worker.h"

enum {
    BUCKETS = 1024,
    SEATS_MAX = 64,   /* rooms a session may sit in */
    RETELL_MS = 5000, /* counts are told again, for records get lost */
};

struct seat {
    struct room *room;
    struct session *session;
    struct seat *room_prev, *room_next;
    struct seat *next; /* of the session */
};

struct room {
    struct room *next; /* in its bucket */
    struct room *next_dirty;
    struct seat *seats;
    uint32_t app, count;
    uint16_t slot;
    bool dirty;
    char group[];
};

struct audience {
    struct worker *worker;
    struct room *rooms[BUCKETS];
    struct room *dirty;
    struct idmap sessions; /* signed in or waiting to be resumed, by id */
    struct wheel *graces;
    uint64_t retell_ms;
};

static struct session *session_of(struct wheel_entry *entry)
{
    return (struct session *)((char *)entry - offsetof(struct session, grace));
}

/* ---- rooms ---- */

static struct room **bucket_of(const struct audience *audience, uint32_t app, const char *group)
{
    uint64_t hash = XXH3_64bits_withSeed(group, strlen(group), app);

    return (struct room **)(uintptr_t)&audience->rooms[hash % BUCKETS];
}

static struct room *find_room(const struct audience *audience, uint32_t app, const char *group)
{
    struct room *room = *bucket_of(audience, app, group);

    while (room != NULL && (room->app != app || strcmp(room->group, group) != 0))
        room = room->next;
    return room;
}

static void mark(struct audience *audience, struct room *room)
{
    if (room->dirty)
        return;
    room->dirty = true;
    room->next_dirty = audience->dirty;
    audience->dirty = room;
}

static struct room *make_room(struct audience *audience, uint32_t app, const char *group)
{
    struct room **bucket = bucket_of(audience, app, group);
    size_t len = strlen(group);
    struct room *room = calloc(1, sizeof *room + len + 1);

    if (room == NULL)
        return NULL;
    room->app = app;
    room->slot = hy_slot_group(app, group);
    memcpy(room->group, group, len + 1);
    room->next = *bucket;
    *bucket = room;
    hy_add(audience->worker->metrics->rooms, 1);
    return room;
}

static void free_room(struct audience *audience, struct room *room)
{
    struct room **at = bucket_of(audience, room->app, room->group);

    while (*at != room)
        at = &(*at)->next;
    *at = room->next;
    hy_add(audience->worker->metrics->rooms, -1);
    free(room);
}

/* ---- seats ---- */

/* While a slot moves to another router both are told, so that either can speak to all. */
static void tell(struct audience *audience, const struct room *room)
{
    struct upstream *upstream = audience->worker->upstream;
    struct hy_peer *peer = upstream_router_of(upstream, room->slot);
    struct hy_peer *other = upstream_router_other(upstream, room->slot);
    Hy__Audience msg = HY__AUDIENCE__INIT;
    Hy__Room entry = HY__ROOM__INIT;
    Hy__Room *list[] = {&entry};

    entry.app = room->app;
    entry.group = (char *)(uintptr_t)room->group;
    entry.count = room->count;
    msg.n_rooms = 1;
    msg.rooms = list;
    if (peer != NULL) /* told again in RETELL_MS if it is lost */
        (void)!hy_bus_send_pb(peer, HY__BUS_KIND__ROUTER_AUDIENCE, 0, &msg.base);
    if (other != NULL)
        (void)!hy_bus_send_pb(other, HY__BUS_KIND__ROUTER_AUDIENCE, 0, &msg.base);
}

/* Where the session's seat in a room hangs; *result is NULL: none. */
static struct seat **seat_at(const struct session *session, const struct room *room)
{
    struct seat **at = (struct seat **)(uintptr_t)&session->seats;

    while (*at != NULL && (*at)->room != room)
        at = &(*at)->next;
    return at;
}

static void free_seat(struct audience *audience, struct seat **at)
{
    struct seat *seat = *at;
    struct room *room;

    assert(seat != NULL); /* a room's seat is in its session's list too */
    room = seat->room;
    *at = seat->next;
    if (seat->room_prev != NULL)
        seat->room_prev->room_next = seat->room_next;
    else
        room->seats = seat->room_next;
    if (seat->room_next != NULL)
        seat->room_next->room_prev = seat->room_prev;
    room->count--;
    mark(audience, room); /* an empty one goes once that is told */
    free(seat);
}

static size_t seat_count(const struct session *session)
{
    size_t n = 0;

    for (const struct seat *seat = session->seats; seat != NULL; seat = seat->next)
        n++;
    return n;
}

static void take_seat(struct room *room, struct session *session, struct seat *seat)
{
    *seat = (struct seat){
        .room = room, .session = session, .room_next = room->seats, .next = session->seats};
    if (room->seats != NULL)
        room->seats->room_prev = seat;
    room->seats = session->seats = seat;
    room->count++;
}

enum hy_err audience_join(struct audience *audience, struct session *session, const char *group)
{
    struct room *room = find_room(audience, session->app, group);
    struct seat *seat;

    if (room != NULL && *seat_at(session, room) != NULL)
        return HY_OK;
    if (seat_count(session) >= SEATS_MAX)
        return HY_ETOOBIG;
    if (room == NULL)
        room = make_room(audience, session->app, group);
    if (room == NULL)
        return HY_ENOMEM;
    mark(audience, room); /* without a seat it goes again */
    seat = malloc(sizeof *seat);
    if (seat == NULL)
        return HY_ENOMEM;
    take_seat(room, session, seat);
    if (upstream_routers_moving(audience->worker->upstream))
        tell(audience, room); /* the other router does not expect us */
    return HY_OK;
}

void audience_leave(struct audience *audience, struct session *session, const char *group)
{
    struct room *room = find_room(audience, session->app, group);
    struct seat **at = room == NULL ? NULL : seat_at(session, room);

    if (at != NULL && *at != NULL)
        free_seat(audience, at);
}

bool audience_has(const struct audience *audience, const struct session *session, const char *group)
{
    const struct room *room =
        session->seats == NULL ? NULL : find_room(audience, session->app, group);

    return room != NULL && *seat_at(session, room) != NULL;
}

void audience_dissolve(struct audience *audience, uint32_t app, const char *group)
{
    struct room *room = find_room(audience, app, group);

    while (room != NULL && room->seats != NULL)
        free_seat(audience, seat_at(room->seats->session, room));
}

void audience_send(struct audience *audience, uint32_t app, const char *group,
                   struct parcel *parcel, uint64_t except_session, uint32_t priority)
{
    struct room *room = find_room(audience, app, group);
    struct seat *next = NULL;

    for (struct seat *seat = room == NULL ? NULL : room->seats; seat != NULL; seat = next) {
        struct link *link = links_find(audience->worker->links, seat->session->link);
        struct parcel *mine;

        next = seat->room_next; /* a link that is ended for its debts may lose its seat */
        if (link == NULL || seat->session->id == except_session ||
            (priority >= 3 && link_lags(link)))
            continue;
        mine = parcel_ref(parcel);
        link_send(link, &mine);
    }
}

/* ---- sessions ---- */

static void end_session(struct audience *audience, struct session *session)
{
    while (session->seats != NULL)
        free_seat(audience, &session->seats);
    if (idmap_get(&audience->sessions, session->id) == session)
        idmap_drop(&audience->sessions, session->id);
    session_free(&session);
}

static void on_grace(void *ctx, struct wheel_entry *entry)
{
    end_session(ctx, session_of(entry));
}

enum hy_err audience_admit(struct audience *audience, struct session *session)
{
    struct session *old = idmap_get(&audience->sessions, session->id);
    struct link *link;

    if (idmap_put(&audience->sessions, session->id, session) != HY_OK)
        return HY_ENOMEM;
    if (old == NULL)
        return HY_OK;
    session->seats = old->seats;
    old->seats = NULL;
    for (struct seat *seat = session->seats; seat != NULL; seat = seat->next)
        seat->session = session;
    link = links_find(audience->worker->links, old->link);
    if (link != NULL)
        link_end(link, LINK_END_RESUMED, NULL); /* frees old */
    else
        end_session(audience, old);
    return HY_OK;
}

void audience_lost(struct audience *audience, struct session *session, uint64_t grace_ms)
{
    if (grace_ms == 0 || session->seats == NULL)
        end_session(audience, session);
    else
        wheel_set(audience->graces, &session->grace,
                  hy_loop_now_ms(audience->worker->loop) + grace_ms);
}

/* ---- telling routers ---- */

void audience_retell(struct audience *audience)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct room *room = audience->rooms[i]; room != NULL; room = room->next)
            mark(audience, room);
}

bool audience_told(const struct audience *audience)
{
    return audience->dirty == NULL;
}

void audience_tell(struct audience *audience, uint64_t now_ms)
{
    wheel_turn(audience->graces, now_ms);
    if (now_ms >= audience->retell_ms) {
        audience->retell_ms = now_ms + RETELL_MS;
        audience_retell(audience);
    }
    while (audience->dirty != NULL) {
        struct room *room = audience->dirty;

        audience->dirty = room->next_dirty;
        room->dirty = false;
        tell(audience, room);
        if (room->count == 0)
            free_room(audience, room);
    }
}

enum hy_err audience_open(struct worker *worker, struct audience **audience)
{
    struct audience *a = calloc(1, sizeof *a);
    enum hy_err err = HY_ENOMEM;

    if (a == NULL)
        return err;
    a->worker = worker;
    err = wheel_open(hy_loop_now_ms(worker->loop), on_grace, a, &a->graces);
    if (err != HY_OK)
        audience_close(&a);
    *audience = a;
    return err;
}

void audience_close(struct audience **audience)
{
    struct audience *a = *audience;

    if (a == NULL)
        return;
    *audience = NULL;
    for (size_t i = 0; i < a->sessions.cap; i++)
        if (a->sessions.places[i].id != 0)
            end_session(a, a->sessions.places[i--].value); /* the hole may have been filled */
    while (a->dirty != NULL) {
        struct room *room = a->dirty;

        a->dirty = room->next_dirty;
        free_room(a, room);
    }
    wheel_close(&a->graces);
    idmap_free(&a->sessions);
    free(a);
}
