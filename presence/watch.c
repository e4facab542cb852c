#include "presence/watch.h"

#include <stdlib.h>
#include <utlist.h>

#include "presence/watch_inner.h"

enum { FORGET_MS = 30000 }; /* the bus forgets a peer after 60 s */

enum hy_err watch_open(struct hy_bus *bus, size_t limit, struct watch **watch)
{
    static const char updates[] = "hongyan_presence_updates_total";
    static const char help[] = "changes told to routers, by kind; missed: not confirmed in time";
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return HY_ENOMEM;
    w->bus = bus;
    w->limit = limit;
    hy_arena_init(&w->arena);
    w->subscriptions = hy_gauge("hongyan_presence_subscriptions", "", "users that routers watch");
    w->moves = hy_counter(updates, "kind=\"places\"", help);
    w->touches = hy_counter(updates, "kind=\"record\"", help);
    w->missed = hy_counter(updates, "kind=\"missed\"", help);
    w->lag = hy_histogram_us("hongyan_presence_update_lag_seconds", "",
                             "from telling routers of a change to their confirmation");
    *watch = w;
    return HY_OK;
}

void watch_set_sessions(struct watch *watch, struct sessions *sessions)
{
    watch->sessions = sessions;
}

void watch_close(struct watch **watch)
{
    struct watch *w = *watch;

    if (w == NULL)
        return;
    *watch = NULL;
    for (unsigned i = 0; i < WATCH_ROUTERS_MAX; i++)
        free(w->routers[i].list);
    while (w->flights != NULL) {
        struct flight *flight = w->flights;

        DL_DELETE(w->flights, flight);
        free(flight);
    }
    while (w->waves != NULL) {
        struct wave *wave = w->waves;

        DL_DELETE(w->waves, wave);
        free(wave->replies);
        free(wave);
    }
    hy_arena_free(&w->arena);
    free(w);
}

size_t watch_count(const struct watch *watch)
{
    return watch->pairs;
}

static void set_pairs(struct watch *watch, size_t pairs)
{
    watch->pairs = pairs;
    hy_set(watch->subscriptions, (int64_t)pairs);
}

/* ---- who watches ---- */

static int find(const struct watch *watch, const struct hy_peer *peer)
{
    for (int i = 0; i < WATCH_ROUTERS_MAX; i++)
        if (watch->routers[i].peer == peer)
            return i;
    return -1;
}

static int find_or_take(struct watch *watch, struct hy_peer *peer)
{
    int i = find(watch, peer);

    if (i >= 0)
        return i;
    i = find(watch, NULL);
    if (i >= 0) {
        watch->routers[i].peer = peer;
        watch->routers[i].up = true;
    }
    return i;
}

/* Nothing waits to be told to this router. */
static void empty_list(struct watch *watch, unsigned r)
{
    struct router *router = &watch->routers[r];

    for (size_t i = 0; i < router->count; i++) {
        router->list[i]->unsent &= ~watch_bit(r);
        router->list[i]->touched &= ~watch_bit(r);
        sessions_unpin(watch->sessions, router->list[i]);
    }
    router->count = 0;
}

struct forgetting {
    struct watch *watch;
    unsigned router;
};

static void forget_user(void *arg, struct user *user)
{
    const struct forgetting *f = arg;

    if ((user->watchers & watch_bit(f->router)) == 0)
        return;
    user->watchers &= ~watch_bit(f->router);
    set_pairs(f->watch, f->watch->pairs - 1);
    sessions_tidy(f->watch->sessions, user);
}

/* This router watches nobody; it will ask again. */
static void forget(struct watch *watch, unsigned r)
{
    empty_list(watch, r);
    watch->rolling &= ~watch_bit(r);
    watch->routers[r].life++;
    sessions_each(watch->sessions, forget_user, &(struct forgetting){watch, r});
}

void watch_peer(struct watch *watch, struct hy_peer *peer, enum hy_peer_event event,
                uint64_t now_ms)
{
    int i = find(watch, peer);

    if (i < 0)
        return;
    if (event == HY_PEER_RESTARTED)
        forget(watch, (unsigned)i);
    watch->routers[i].up = event != HY_PEER_DOWN;
    watch->routers[i].down_ms = now_ms;
}

void watch_tidy(struct watch *watch, uint64_t now_ms)
{
    for (unsigned i = 0; i < WATCH_ROUTERS_MAX; i++) {
        struct router *router = &watch->routers[i];

        if (router->peer == NULL || router->up || now_ms < router->down_ms + FORGET_MS)
            continue;
        forget(watch, i);
        router->peer = NULL;
    }
}

enum hy_err watch_add(struct watch *watch, struct hy_peer *peer, struct user *user)
{
    int i = find_or_take(watch, peer);

    if (i < 0)
        return HY_EFULL;
    if ((user->watchers & watch_bit((unsigned)i)) != 0)
        return HY_OK;
    if (watch->pairs >= watch->limit)
        return HY_EFULL;
    user->watchers |= watch_bit((unsigned)i);
    set_pairs(watch, watch->pairs + 1);
    return HY_OK;
}

enum hy_err watch_roll(struct watch *watch, struct hy_peer *peer)
{
    int i = find_or_take(watch, peer);

    if (i < 0)
        return HY_EFULL;
    watch->rolling |= watch_bit((unsigned)i);
    return HY_OK;
}

void watch_drop(struct watch *watch, struct hy_peer *peer, struct user *user)
{
    int i = find(watch, peer);

    if (i >= 0 && (user->watchers & watch_bit((unsigned)i)) != 0) {
        user->watchers &= ~watch_bit((unsigned)i);
        set_pairs(watch, watch->pairs - 1);
    }
    sessions_tidy(watch->sessions, user);
}
