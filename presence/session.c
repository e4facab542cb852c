#include "presence/session.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/clock.h"
#include "presence/device.h"
#include "presence/fifo.h"

enum { BUCKETS_MIN = 1024 };
static const uint64_t push_ms = 7ULL * 86400 * 1000; /* REST v4 6.4 */

struct sessions {
    struct sessions_config config;
    struct user **buckets;
    size_t bucket_count, users; /* a power of two */
    uint64_t seed;              /* names come from outside */
    struct fifo waiting;        /* sessions lost or over, by until_ms */
    struct fifo push;           /* users reachable by push */
};

/* ---- the table ---- */

enum hy_err sessions_open(const struct sessions_config *config, struct sessions **sessions)
{
    struct sessions *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HY_ENOMEM;
    s->config = *config;
    s->seed = hy_random64();
    s->bucket_count = BUCKETS_MIN;
    s->buckets = calloc(s->bucket_count, sizeof(struct user *));
    if (s->buckets == NULL) {
        sessions_close(&s);
        return HY_ENOMEM;
    }
    *sessions = s;
    return HY_OK;
}

static void free_user(struct user *user)
{
    while (user->sessions != NULL) {
        struct session *next = user->sessions->next;

        free(user->sessions);
        user->sessions = next;
    }
    free(user);
}

void sessions_close(struct sessions **sessions)
{
    struct sessions *s = *sessions;

    if (s == NULL)
        return;
    *sessions = NULL;
    for (size_t i = 0; s->buckets != NULL && i < s->bucket_count; i++)
        while (s->buckets[i] != NULL) {
            struct user *next = s->buckets[i]->next;

            free_user(s->buckets[i]);
            s->buckets[i] = next;
        }
    fifo_free(&s->waiting);
    fifo_free(&s->push);
    free(s->buckets);
    free(s);
}

void sessions_set_grace(struct sessions *sessions, uint64_t grace_ms)
{
    sessions->config.grace_ms = grace_ms;
}

static uint32_t hash_of(const struct sessions *sessions, uint32_t app, const char *name)
{
    return (uint32_t)XXH3_64bits_withSeed(name, strlen(name), sessions->seed + app);
}

static struct user **bucket_of(const struct sessions *sessions, uint32_t hash)
{
    return &sessions->buckets[hash & (sessions->bucket_count - 1)];
}

struct user *sessions_find(const struct sessions *sessions, uint32_t app, const char *name)
{
    uint32_t hash = hash_of(sessions, app, name);

    for (struct user *u = *bucket_of(sessions, hash); u != NULL; u = u->next)
        if (u->hash == hash && u->app == app && strcmp(u->name, name) == 0)
            return u;
    return NULL;
}

/* Twice the buckets; without memory the chains grow longer instead. */
static void grow(struct sessions *sessions)
{
    size_t old_count = sessions->bucket_count;
    struct user **old = sessions->buckets, **fresh = calloc(old_count * 2, sizeof(struct user *));

    if (fresh == NULL)
        return;
    sessions->buckets = fresh;
    sessions->bucket_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++)
        for (struct user *u = old[i], *next; u != NULL; u = next) {
            struct user **bucket = bucket_of(sessions, u->hash);

            next = u->next;
            u->next = *bucket;
            *bucket = u;
        }
    free(old);
}

struct user *sessions_make(struct sessions *sessions, uint32_t app, const char *name)
{
    struct user *user = sessions_find(sessions, app, name);
    size_t len = strlen(name) + 1;

    if (user != NULL)
        return user;
    user = calloc(1, sizeof *user + len);
    if (user == NULL)
        return NULL;
    memcpy(user->name, name, len);
    user->app = app;
    user->hash = hash_of(sessions, app, name);
    if (sessions->users++ >= sessions->bucket_count)
        grow(sessions);
    struct user **bucket = bucket_of(sessions, user->hash);

    user->next = *bucket;
    *bucket = user;
    return user;
}

void sessions_tidy(struct sessions *sessions, struct user *user)
{
    struct user **at = bucket_of(sessions, user->hash);

    if (user->sessions != NULL || user->watchers != 0 || user->pins != 0)
        return;
    while (*at != user)
        at = &(*at)->next;
    *at = user->next;
    sessions->users--;
    free(user);
}

void sessions_pin(struct user *user)
{
    user->pins++;
}

void sessions_unpin(struct sessions *sessions, struct user *user)
{
    user->pins--;
    sessions_tidy(sessions, user);
}

size_t sessions_users(const struct sessions *sessions)
{
    return sessions->users;
}

void sessions_each(struct sessions *sessions, void (*fn)(void *arg, struct user *user), void *arg)
{
    for (size_t i = 0; i < sessions->bucket_count; i++)
        for (struct user *u = sessions->buckets[i], *next; u != NULL; u = next) {
            next = u->next;
            fn(arg, u);
        }
}

size_t sessions_page(const struct sessions *sessions, size_t bucket, size_t most,
                     void (*fn)(void *arg, const struct user *user), void *arg)
{
    size_t seen = 0;

    for (; bucket < sessions->bucket_count && seen < most; bucket++)
        for (const struct user *u = sessions->buckets[bucket]; u != NULL; u = u->next, seen++)
            fn(arg, u);
    return bucket < sessions->bucket_count ? bucket : 0;
}

/* ---- a user's sessions ---- */

struct session *session_find(const struct user *user, uint64_t id)
{
    for (struct session *s = user->sessions; s != NULL; s = s->next)
        if (s->id == id)
            return s;
    return NULL;
}

bool user_online(const struct user *user)
{
    for (const struct session *s = user->sessions; s != NULL; s = s->next)
        if (s->state == SESSION_LIVES)
            return true;
    return false;
}

bool user_present(const struct user *user)
{
    for (const struct session *s = user->sessions; s != NULL; s = s->next)
        if (s->state != SESSION_OVER)
            return true;
    return false;
}

static void push_clear(struct user *user, int platform)
{
    user->push_platforms &= (uint16_t) ~(1u << platform);
}

/* Take a session off its worker, and the user off the counts if it was his last. */
static void detach(struct sessions *sessions, struct user *user, struct session *session,
                   enum session_state state)
{
    if (session->state == SESSION_LIVES) {
        worker_drop(session->worker, session->id, session->link);
        session->worker = NULL;
        session->state = (uint8_t)state;
        count_device(sessions->config.count, session->platform, -1);
        if (!user_online(user))
            count_user(sessions->config.count, user->app, -1);
        sessions->config.moved(sessions->config.ctx, user);
    }
    session->state = (uint8_t)state;
}

static void attach(struct sessions *sessions, struct user *user, struct session *session,
                   struct worker *worker, uint64_t link)
{
    bool first = !user_online(user);

    session->worker = worker;
    session->link = link;
    session->epoch = worker->epoch;
    session->bound_ms = (uint32_t)hy_steady_ms();
    session->state = SESSION_LIVES;
    worker_add(worker, session->id, link);
    count_device(sessions->config.count, session->platform, 1);
    if (first)
        count_user(sessions->config.count, user->app, 1);
    push_clear(user, session->platform);
    sessions->config.moved(sessions->config.ctx, user);
}

struct session *session_begin(struct sessions *sessions, struct user *user,
                              const struct session_start *start, struct worker *worker,
                              uint64_t link)
{
    size_t len = strlen(start->device) + 1;
    struct session *session = calloc(1, sizeof *session + len);

    if (session == NULL)
        return NULL;
    memcpy(session->device, start->device, len);
    session->id = start->id;
    session->platform = start->platform >= 0 && start->platform < 16 ? (uint8_t)start->platform : 0;
    session->state = SESSION_OVER;
    session->next = user->sessions;
    user->sessions = session;
    attach(sessions, user, session, worker, link);
    return session;
}

void session_bind(struct sessions *sessions, struct user *user, struct session *session,
                  struct worker *worker, uint64_t link)
{
    if (session->state == SESSION_LIVES && session->worker == worker && session->link == link) {
        session->epoch = worker->epoch;
        return;
    }
    detach(sessions, user, session, SESSION_LOST);
    attach(sessions, user, session, worker, link);
}

/* Remember when to forget a session. Without memory it is forgotten at once, which costs its owner
 * a new sign-in. */
static void wait_for_end(struct sessions *sessions, struct user *user, struct session *session,
                         uint64_t now_ms)
{
    struct fifo_item item = {now_ms + sessions->config.grace_ms, session->id, user};

    session->until_ms = item.at_ms;
    sessions_pin(user);
    if (fifo_push(&sessions->waiting, &item) == HY_OK)
        return;
    user->pins--; /* the caller still has him in hand */
    session_forget(sessions, user, session);
}

/* A mobile without a link can be reached by push for a week, if it did not sign out. */
static void push_remember(struct sessions *sessions, struct user *user, int platform,
                          uint64_t now_ms)
{
    if (!device_mobile(platform) || sessions->push.count >= sessions->config.push_max)
        return;
    user->push_until_ms = now_ms + push_ms;
    user->push_platforms |= (uint16_t)(1u << platform);
    if (user->push_queued)
        return;
    if (fifo_push(&sessions->push, &(struct fifo_item){user->push_until_ms, 0, user}) != HY_OK)
        return;
    user->push_queued = true;
    sessions_pin(user);
}

void session_lose(struct sessions *sessions, struct user *user, struct session *session,
                  uint64_t now_ms)
{
    if (session->state != SESSION_LIVES)
        return;
    push_remember(sessions, user, session->platform, now_ms);
    detach(sessions, user, session, SESSION_LOST);
    wait_for_end(sessions, user, session, now_ms);
}

void session_end(struct sessions *sessions, struct user *user, struct session *session,
                 uint64_t now_ms)
{
    if (session->state == SESSION_OVER)
        return;
    push_clear(user, session->platform);
    detach(sessions, user, session, SESSION_OVER);
    wait_for_end(sessions, user, session, now_ms);
    if (!user_present(user))
        sessions->config.gone(sessions->config.ctx, user, now_ms);
}

void session_forget(struct sessions *sessions, struct user *user, struct session *session)
{
    struct session **at = &user->sessions;

    detach(sessions, user, session, SESSION_OVER);
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    free(session);
}

/* ---- time ---- */

static void expire_session(struct sessions *sessions, const struct fifo_item *item, uint64_t now_ms)
{
    struct user *user = item->thing;
    struct session *session = session_find(user, item->id);

    /* It may have been resumed, and lost again since. */
    if (session != NULL && session->state != SESSION_LIVES && session->until_ms <= now_ms) {
        bool was_lost = session->state == SESSION_LOST;

        session_forget(sessions, user, session);
        if (was_lost && !user_present(user))
            sessions->config.gone(sessions->config.ctx, user, now_ms);
    }
    sessions_unpin(sessions, user);
}

static void expire_push(struct sessions *sessions, const struct fifo_item *item, uint64_t now_ms)
{
    struct user *user = item->thing;
    struct fifo_item again = {user->push_until_ms, 0, user};

    if (user->push_until_ms > now_ms && fifo_push(&sessions->push, &again) == HY_OK)
        return;
    user->push_platforms = 0;
    user->push_queued = false;
    sessions_unpin(sessions, user);
}

void sessions_expire(struct sessions *sessions, uint64_t now_ms)
{
    const struct fifo_item *first;

    while ((first = fifo_first(&sessions->waiting)) != NULL && first->at_ms <= now_ms) {
        struct fifo_item item = *first;

        fifo_pop(&sessions->waiting);
        expire_session(sessions, &item, now_ms);
    }
    while ((first = fifo_first(&sessions->push)) != NULL && first->at_ms <= now_ms) {
        struct fifo_item item = *first;

        fifo_pop(&sessions->push);
        expire_push(sessions, &item, now_ms);
    }
}
