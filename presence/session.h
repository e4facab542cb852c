/* session - who is signed in: a table of users and their sessions.
 *
 * A session lives (a gateway worker holds its link), is lost (its link went; it can be resumed
 * until its grace is over), or is over (kicked or signed out; remembered for the same time so that
 * a resume of it is refused). This file keeps the numbers of workers and counts right; rules about
 * who may stay are in device.h. One thread. */

#ifndef PRESENCE_SESSION_H
#define PRESENCE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "presence/count.h"
#include "presence/worker.h"

struct sessions;

enum session_state { SESSION_LIVES, SESSION_LOST, SESSION_OVER };

struct session {
    struct session *next;
    uint64_t id, link;
    uint64_t until_ms;     /* lost or over: when it is forgotten */
    struct worker *worker; /* that holds the link; NULL unless it lives */
    uint32_t epoch;        /* of the worker's registration that named it */
    uint32_t bound_ms;     /* when it came to its worker; the lower 32 bits */
    uint8_t state;         /* enum session_state */
    uint8_t platform;      /* Hy__Platform */
    char device[];
};

struct user {
    struct user *next; /* in the table */
    struct session *sessions;
    uint64_t watchers, unsent, touched; /* watch.h's: a bit for each router */
    uint64_t push_until_ms;             /* reachable by offline push until then */
    uint32_t hash;
    uint32_t app;
    uint32_t pins;           /* reasons to keep the entry besides sessions and watchers */
    uint16_t push_platforms; /* bits: mobiles whose link was lost without signing out */
    bool push_queued;        /* waits for push_until_ms */
    bool sweep_queued;       /* waits to be swept */
    char name[];
};

struct sessions_config {
    uint64_t grace_ms; /* a lost session can be resumed this long */
    size_t push_max;   /* users remembered as reachable by push */
    struct count *count;
    void (*moved)(void *ctx, struct user *user); /* other places now */
    void (*gone)(void *ctx, struct user *user,
                 uint64_t now_ms); /* nothing lives or can be resumed */
    void *ctx;
};

/* What a new session is. Texts are copied. */
struct session_start {
    uint64_t id;
    int platform;
    const char *device;
};

/* config is copied. */
enum hy_err sessions_open(const struct sessions_config *config,
                          struct sessions **sessions) HY_CHECKED;
void sessions_close(struct sessions **sessions);

void sessions_set_grace(struct sessions *sessions, uint64_t grace_ms);

/* The user, or NULL. */
struct user *sessions_find(const struct sessions *sessions, uint32_t app, const char *name);

/* The user; made if he is not there. NULL: no memory. Call sessions_tidy() when he may be idle. */
struct user *sessions_make(struct sessions *sessions, uint32_t app, const char *name);

/* Forget the user if nothing keeps him. */
void sessions_tidy(struct sessions *sessions, struct user *user);

/* Keep the entry, and let it go (and tidy). */
void sessions_pin(struct user *user);
void sessions_unpin(struct sessions *sessions, struct user *user);

/* How many users are in the table. */
size_t sessions_users(const struct sessions *sessions);

/* Visit all users. fn may change and tidy the user it is given. */
void sessions_each(struct sessions *sessions, void (*fn)(void *arg, struct user *user), void *arg);

/* Visit about most users, from a bucket on; returns the bucket to go on with, 0 at the end. Who is
 * there all the while is visited, perhaps twice, however the table grows meanwhile. */
size_t sessions_page(const struct sessions *sessions, size_t bucket, size_t most,
                     void (*fn)(void *arg, const struct user *user), void *arg);

struct session *session_find(const struct user *user, uint64_t id);

/* Is any session alive? */
bool user_online(const struct user *user);

/* Is any session alive or to be resumed? */
bool user_present(const struct user *user);

/* Add a session that lives on worker. NULL: no memory. */
struct session *session_begin(struct sessions *sessions, struct user *user,
                              const struct session_start *start, struct worker *worker,
                              uint64_t link);

/* It lives on worker from now on, wherever it was. */
void session_bind(struct sessions *sessions, struct user *user, struct session *session,
                  struct worker *worker, uint64_t link);

/* Its link is gone; it may be resumed. */
void session_lose(struct sessions *sessions, struct user *user, struct session *session,
                  uint64_t now_ms);

/* It was kicked or signed out. */
void session_end(struct sessions *sessions, struct user *user, struct session *session,
                 uint64_t now_ms);

/* Forget it at once, as if it had never been. */
void session_forget(struct sessions *sessions, struct user *user, struct session *session);

/* Forget what is lost or over for longer than the grace time, and old push reachability. */
void sessions_expire(struct sessions *sessions, uint64_t now_ms);

#endif
