/* watch_inner - what watch.c (who watches) and delta.c (what they are told) share. */

#ifndef PRESENCE_WATCH_INNER_H
#define PRESENCE_WATCH_INNER_H

#include "common/metrics.h"
#include "presence/watch.h"

struct router {
    struct hy_peer *peer; /* NULL: this place is free */
    bool up;
    uint64_t down_ms;
    uint32_t life;      /* +1 with every restart; what was under way before is void */
    struct user **list; /* pinned users with something unsent */
    size_t count, cap;
};

/* Those who wait for the Deltas of one turn. */
struct wave {
    struct wave *prev, *next; /* in watch.waves */
    size_t deltas;            /* not confirmed yet */
    struct hy_reply *replies;
    size_t count, cap;
};

/* One Delta on its way. */
struct flight {
    struct flight *prev, *next; /* in watch.flights */
    struct watch *watch;
    struct wave *wave;
    unsigned router;
    uint32_t life;
    uint64_t sent_us;
    size_t count;
    struct user *users[];
};

struct watch {
    struct hy_bus *bus;
    struct sessions *sessions;
    struct router routers[WATCH_ROUTERS_MAX];
    struct wave *wave;  /* of this turn; NULL as long as nobody waits */
    struct wave *waves; /* all */
    struct flight *flights;
    uint64_t rolling; /* routers that are told of everybody, bits */
    size_t pairs, limit;
    struct hy_arena arena;
    struct hy_metric *subscriptions, *moves, *touches, *missed;
    struct hy_histogram *lag;
};

/* Who is to be told of the user, bits. */
static inline uint64_t watch_told(const struct watch *watch, const struct user *user)
{
    return user->watchers | watch->rolling;
}

static inline uint64_t watch_bit(unsigned router)
{
    return 1ULL << router;
}

#endif
