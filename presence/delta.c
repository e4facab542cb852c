#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/clock.h"
#include "common/log.h"
#include "presence/watch_inner.h"

enum {
    USERS_PER_DELTA = 2000,
    BUS_RETRY_MS = 10 * WATCH_CONFIRM_MS, /* never: what is told again is told anew */
};

static void enlist(struct watch *watch, unsigned r, struct user *user)
{
    struct router *router = &watch->routers[r];

    if ((user->unsent & watch_bit(r)) != 0)
        return;
    if (router->count == router->cap) {
        size_t cap = router->cap == 0 ? 64 : router->cap * 2;
        struct user **list = realloc(router->list, cap * sizeof(struct user *));

        if (list == NULL) {
            hy_log_error("watch.lost", "user=\"%s\" why=\"%s\"", user->name,
                         hy_err_text(HY_ENOMEM));
            return;
        }
        router->list = list;
        router->cap = cap;
    }
    router->list[router->count++] = user;
    user->unsent |= watch_bit(r);
    sessions_pin(user);
}

void watch_moved(struct watch *watch, struct user *user)
{
    for (uint64_t left = watch_told(watch, user); left != 0; left &= left - 1)
        enlist(watch, (unsigned)__builtin_ctzll(left), user);
    hy_add(watch->moves, 1);
}

void watch_touched(struct watch *watch, struct user *user)
{
    for (uint64_t left = user->watchers; left != 0; left &= left - 1)
        enlist(watch, (unsigned)__builtin_ctzll(left), user);
    user->touched |= user->watchers;
    hy_add(watch->touches, 1);
}

/* Is any of these routers there to be told? */
static bool any_up(const struct watch *watch, uint64_t routers)
{
    for (; routers != 0; routers &= routers - 1)
        if (watch->routers[__builtin_ctzll(routers)].up)
            return true;
    return false;
}

static bool join(struct watch *watch, const struct hy_reply *reply)
{
    struct wave *wave = watch->wave;

    if (wave == NULL) {
        wave = calloc(1, sizeof *wave);
        if (wave == NULL)
            return false;
        DL_APPEND(watch->waves, wave);
        watch->wave = wave;
    }
    if (wave->count == wave->cap) {
        size_t cap = wave->cap == 0 ? 16 : wave->cap * 2;
        struct hy_reply *replies = realloc(wave->replies, cap * sizeof *replies);

        if (replies == NULL)
            return false;
        wave->replies = replies;
        wave->cap = cap;
    }
    wave->replies[wave->count++] = *reply;
    return true;
}

void watch_reply(struct watch *watch, const struct user *user, const struct hy_reply *reply)
{
    if (!any_up(watch, user->unsent) || !join(watch, reply))
        hy_bus_reply(reply, NULL, 0);
}

/* ---- telling ---- */

bool watch_places(const struct user *user, struct hy_arena *arena, Hy__UserSessions *out)
{
    size_t count = 0;

    hy__user_sessions__init(out);
    out->app = user->app;
    out->user = (char *)user->name;
    for (const struct session *s = user->sessions; s != NULL; s = s->next)
        count += s->state == SESSION_LIVES;
    out->places = hy_arena_alloc(arena, (count + 1) * sizeof(Hy__Place *));
    Hy__Place *places = hy_arena_alloc(arena, (count + 1) * sizeof *places);

    if (out->places == NULL || places == NULL)
        return false;
    for (const struct session *s = user->sessions; s != NULL; s = s->next) {
        if (s->state != SESSION_LIVES)
            continue;
        Hy__Place *place = &places[out->n_places];

        hy__place__init(place);
        place->gateway = s->worker->name;
        place->link = s->link;
        place->session_id = s->id;
        place->platform = (Hy__Platform)s->platform;
        out->places[out->n_places++] = place;
    }
    return true;
}

static void wave_confirmed(struct watch *watch, struct wave *wave)
{
    if (--wave->deltas > 0)
        return;
    for (size_t i = 0; i < wave->count; i++)
        hy_bus_reply(&wave->replies[i], NULL, 0);
    DL_DELETE(watch->waves, wave);
    free(wave->replies);
    free(wave);
}

static void on_confirmed(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct flight *f = arg;
    struct watch *watch = f->watch;
    bool again = err != HY_OK && watch->routers[f->router].life == f->life;

    (void)answer;
    if (err == HY_OK)
        hy_observe_us(watch->lag, hy_steady_us() - f->sent_us);
    else
        hy_add(watch->missed, 1);
    for (size_t i = 0; i < f->count; i++) {
        if (again && (watch_told(watch, f->users[i]) & watch_bit(f->router)) != 0) {
            /* Perhaps it was; asking once more is cheap. */
            f->users[i]->touched |= f->users[i]->watchers & watch_bit(f->router);
            enlist(watch, f->router, f->users[i]);
        }
        sessions_unpin(watch->sessions, f->users[i]);
    }
    if (f->wave != NULL)
        wave_confirmed(watch, f->wave);
    DL_DELETE(watch->flights, f);
    free(f);
}

/* Fill a Delta with the last n users of a router's list. */
static bool fill(struct watch *watch, unsigned r, struct user *const *users, size_t n,
                 Hy__Delta *delta)
{
    struct hy_arena *arena = &watch->arena;
    Hy__UserSessions *rows = hy_arena_alloc(arena, n * sizeof *rows);
    Hy__UserKey *keys = hy_arena_alloc(arena, n * sizeof *keys);

    delta->users = hy_arena_alloc(arena, n * sizeof(Hy__UserSessions *));
    delta->touched = hy_arena_alloc(arena, n * sizeof(Hy__UserKey *));
    if (rows == NULL || keys == NULL || delta->users == NULL || delta->touched == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!watch_places(users[i], arena, &rows[i]))
            return false;
        delta->users[delta->n_users++] = &rows[i];
        if ((users[i]->touched & watch_bit(r)) == 0)
            continue;
        Hy__UserKey *key = &keys[delta->n_touched];

        hy__user_key__init(key);
        key->app = users[i]->app;
        key->user = users[i]->name;
        delta->touched[delta->n_touched++] = key;
    }
    return true;
}

/* Tell a router of up to USERS_PER_DELTA users; the pins of the list become the flight's. */
static bool tell(struct watch *watch, unsigned r)
{
    struct router *router = &watch->routers[r];
    size_t n = router->count < USERS_PER_DELTA ? router->count : USERS_PER_DELTA;
    struct user **users = router->list + router->count - n;
    struct flight *f = malloc(sizeof *f + n * sizeof(struct user *));
    Hy__Delta delta = HY__DELTA__INIT;
    bool good = f != NULL && fill(watch, r, users, n, &delta);

    if (!good) {
        hy_arena_reset(&watch->arena);
        free(f);
        return false;
    }
    *f = (struct flight){.watch = watch,
                         .wave = watch->wave,
                         .router = r,
                         .life = router->life,
                         .sent_us = hy_steady_us(),
                         .count = n};
    DL_APPEND(watch->flights, f);
    memcpy(f->users, users, n * sizeof(struct user *));
    for (size_t i = 0; i < n; i++) {
        users[i]->unsent &= ~watch_bit(r);
        users[i]->touched &= ~watch_bit(r);
    }
    router->count -= n;
    if (f->wave != NULL)
        f->wave->deltas++;
    hy_bus_call_pb(watch->bus,
                   &(struct hy_call){
                       .kind = HY__BUS_KIND__ROUTER_DELTA,
                       .deadline_ms = WATCH_CONFIRM_MS,
                       .retry_ms = BUS_RETRY_MS,
                       .peer = router->peer,
                       .done = on_confirmed,
                       .arg = f,
                   },
                   &delta.base);
    hy_arena_reset(&watch->arena);
    return true;
}

void watch_flush(struct watch *watch)
{
    for (unsigned r = 0; r < WATCH_ROUTERS_MAX; r++)
        while (watch->routers[r].up && watch->routers[r].count > 0)
            if (!tell(watch, r))
                break;
    if (watch->wave == NULL)
        return;
    if (watch->wave->deltas == 0) { /* nothing could be told: do not keep them waiting */
        watch->wave->deltas = 1;
        wave_confirmed(watch, watch->wave);
    }
    watch->wave = NULL;
}
