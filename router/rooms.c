#include "router/rooms.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "router/memory.h"
#include "router/table.h"

enum { ROOM_IDLE_MS = 3600 * 1000 };

struct crowd { /* at one gateway worker */
    struct gate *gate;
    uint32_t count;
};

struct saying {
    uint8_t *bytes;
    size_t len;
};

struct room {
    struct room *next, *prev;
    uint64_t hash, used_ms;
    struct crowd *crowds;
    size_t crowd_count;
    struct saying recent[ROOMS_RECENT]; /* a ring; next_saying is the oldest */
    size_t next_saying;
    uint32_t app;
    char group[];
};

struct rooms {
    struct push *push;
    struct table by_key;
    struct room *all;
    struct hy_metric *count;
    struct hy_histogram *fanout;
};

struct key {
    uint32_t app;
    const char *group;
};

static bool same_key(const void *item, const void *key)
{
    const struct room *room = item;
    const struct key *k = key;

    return room->app == k->app && strcmp(room->group, k->group) == 0;
}

enum hy_err rooms_open(struct push *push, struct rooms **rooms)
{
    struct rooms *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->push = push;
    r->count = hy_gauge("hongyan_router_rooms", "", "Live rooms in memory");
    r->fanout = hy_histogram_count("hongyan_router_fanout_recipients", "chat=\"live\"",
                                   "Links that one message was pushed to");
    *rooms = r;
    return HY_OK;
}

static struct room *find(const struct rooms *rooms, uint32_t app, const char *group)
{
    struct key key = {app, group};

    return table_find(&rooms->by_key, table_hash(app, group), same_key, &key);
}

static struct room *find_or_make(struct rooms *rooms, uint32_t app, const char *group)
{
    struct room *room = find(rooms, app, group);
    size_t len = strlen(group);

    if (room != NULL)
        return room;
    room = memory_get(sizeof *room + len + 1);
    memcpy(room->group, group, len + 1);
    room->app = app;
    room->hash = table_hash(app, group);
    room->used_ms = hy_steady_ms();
    if (table_put(&rooms->by_key, room->hash, room) != HY_OK)
        abort(); /* as memory.h says */
    room->next = rooms->all;
    if (room->next != NULL)
        room->next->prev = room;
    rooms->all = room;
    hy_set(rooms->count, (int64_t)rooms->by_key.count);
    return room;
}

static void drop(struct rooms *rooms, struct room *room)
{
    *(room->prev != NULL ? &room->prev->next : &rooms->all) = room->next;
    if (room->next != NULL)
        room->next->prev = room->prev;
    table_remove(&rooms->by_key, room->hash, room);
    hy_set(rooms->count, (int64_t)rooms->by_key.count);
    for (size_t i = 0; i < ROOMS_RECENT; i++)
        free(room->recent[i].bytes);
    free(room->crowds);
    free(room);
}

void rooms_close(struct rooms **rooms)
{
    struct rooms *r = *rooms;

    if (r == NULL)
        return;
    *rooms = NULL;
    while (r->all != NULL)
        drop(r, r->all);
    table_free(&r->by_key);
    free(r);
}

/* ---- audience ---- */

static void set_crowd(struct room *room, struct gate *gate, uint32_t count)
{
    for (size_t i = 0; i < room->crowd_count; i++) {
        if (room->crowds[i].gate != gate)
            continue;
        room->crowds[i].count = count;
        if (count == 0)
            room->crowds[i] = room->crowds[--room->crowd_count];
        return;
    }
    if (count == 0)
        return;
    room->crowds = memory_grow(room->crowds, (room->crowd_count + 1) * sizeof *room->crowds);
    room->crowds[room->crowd_count++] = (struct crowd){gate, count};
}

void rooms_audience(struct rooms *rooms, struct gate *gate, const Hy__Audience *audience)
{
    for (size_t i = 0; i < audience->n_rooms; i++) {
        const Hy__Room *told = audience->rooms[i];

        if (told->count > 0)
            set_crowd(find_or_make(rooms, told->app, told->group), gate, told->count);
        else if (find(rooms, told->app, told->group) != NULL)
            set_crowd(find(rooms, told->app, told->group), gate, 0);
    }
}

void rooms_expect(struct rooms *rooms, struct gate *gate, uint32_t app, const char *group)
{
    struct room *room = find_or_make(rooms, app, group);

    for (size_t i = 0; i < room->crowd_count; i++)
        if (room->crowds[i].gate == gate)
            return;
    set_crowd(room, gate, 1);
}

void rooms_gate_restarted(struct rooms *rooms, const struct gate *gate)
{
    for (struct room *room = rooms->all; room != NULL; room = room->next)
        set_crowd(room, (struct gate *)gate, 0);
}

uint32_t rooms_count(const struct rooms *rooms, uint32_t app, const char *group)
{
    const struct room *room = find(rooms, app, group);
    uint32_t count = 0;

    for (size_t i = 0; room != NULL && i < room->crowd_count; i++)
        if (gate_up(room->crowds[i].gate))
            count += room->crowds[i].count;
    return count;
}

/* ---- messages ---- */

static void keep(struct room *room, const struct rooms_post *post)
{
    struct saying *saying = &room->recent[room->next_saying];

    saying->bytes = memory_grow(saying->bytes, post->msg_len + 1);
    memcpy(saying->bytes, post->msg, post->msg_len);
    saying->len = post->msg_len;
    room->next_saying = (room->next_saying + 1) % ROOMS_RECENT;
}

void rooms_post(struct rooms *rooms, const struct rooms_post *post)
{
    struct room *room = find_or_make(rooms, post->app, post->group);
    uint32_t told = 0;

    room->used_ms = hy_steady_ms();
    if (post->msg != NULL)
        keep(room, post);
    for (size_t i = 0; i < room->crowd_count; i++) {
        push_to_room(rooms->push, room->crowds[i].gate, post->app, post->group,
                     post->except_session, &post->frame);
        told += room->crowds[i].count;
    }
    hy_observe_count(rooms->fanout, told);
}

size_t rooms_recent(const struct rooms *rooms, uint32_t app, const char *group,
                    struct hy_arena *arena, Hy__Msg *msgs[static ROOMS_RECENT])
{
    const struct room *room = find(rooms, app, group);
    size_t count = 0;

    for (size_t i = 0; room != NULL && i < ROOMS_RECENT; i++) {
        const struct saying *saying = &room->recent[(room->next_saying + i) % ROOMS_RECENT];

        if (saying->len == 0)
            continue;
        msgs[count] = hy__msg__unpack(&arena->pb, saying->len, saying->bytes);
        count += msgs[count] != NULL;
    }
    return count;
}

void rooms_forget(struct rooms *rooms, uint32_t app, const char *group)
{
    struct room *room = find(rooms, app, group);

    if (room != NULL)
        drop(rooms, room);
}

void rooms_tick(struct rooms *rooms, uint64_t now_ms)
{
    for (struct room *room = rooms->all, *next; room != NULL; room = next) {
        next = room->next;
        if (room->crowd_count == 0 && room->used_ms + ROOM_IDLE_MS < now_ms)
            drop(rooms, room);
    }
}
