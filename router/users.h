/* users - the accounts this router has to do with: do they exist, what are they called, where are
 * they online.
 *
 * A bounded cache. Records come from the store, places from presence, which tells every change
 * until the router forgets the user. Who does not exist is not remembered, so an account is seen as
 * soon as it is made. Belongs to the router's loop. */

#ifndef ROUTER_USERS_H
#define ROUTER_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/bus.h"
#include "common/err.h"
#include "common/stores.h"
#include "router/presences.h"
#include "router/push.h"

struct roll;
struct users;
struct seat;

/* One session of a user. */
struct place {
    struct gate *gate;
    uint64_t link, session;
};

/* What is known of a user; lent, and to be read in the same turn only. */
struct user {
    uint32_t app;
    bool exists;       /* with USER_RECORD */
    bool places_known; /* presence has told; else there may be places nobody knows */
    const char *name, *nick, *face;
    const struct place *places;
    size_t place_count;
    struct seat *seats; /* the routes' that he is part of; theirs alone */
};

enum user_need {
    USER_RECORD = 1, /* exists, nick, face */
    USER_PLACES = 2, /* places; never fails, see places_known */
};

/* Somebody who needs a user: memory of the caller, from users_want() to users_release(). */
struct user_wait {
    struct user *user;
    uint32_t code; /* 0, or the code why the record could not be read */
    void (*ready)(void *arg);
    void *arg;
    unsigned need;
    bool waiting; /* ready is still to be called */
    struct user_wait *next;
};

struct users_config {
    struct hy_stores *stores;
    struct presences *presences;
    struct roll *roll; /* who is certainly offline; may be NULL */
    struct push *push;
    size_t cap;           /* users kept, not counting those that somebody needs now */
    uint32_t deadline_ms; /* to read a record */
    /* The places of a user in a seat are about to change to these. */
    void (*moved)(void *ctx, struct user *user, const struct place *places, size_t count);
    void *ctx;
};

/* The config is copied. */
enum hy_err users_open(const struct users_config *config, struct users **users) HY_CHECKED;

/* Nobody may be waiting; the bus is closed. NULL is fine. */
void users_close(struct users **users);

/* Find what is needed of a user. True: it is there, in wait->user. False: wait->ready(wait->arg) is
 * called when it is. Set ready and arg before. The user stays until users_release(). */
bool users_want(struct users *users, uint32_t app, const char *name, unsigned need,
                struct user_wait *wait);

/* Let go of a user; a call of ready that is still to come will not come. */
void users_release(struct users *users, struct user_wait *wait);

/* Presence says that places changed, or that records are to be read again. */
void users_delta(struct users *users, const struct hy_peer *presence, const Hy__Delta *delta);

/* A record was changed by this router: read it again when it is needed. */
void users_touch(struct users *users, uint32_t app, const char *name);

/* A presence process came, restarted or went: ask the right ones for everybody. */
void users_presence(struct users *users, const struct hy_peer *presence, enum hy_peer_event event);

/* Users have other presence processes, or a second one beside them, or no longer one. */
void users_slots_moved(struct users *users);

/* Have those answered who were asked because of that? */
bool users_settled(const struct users *users);

/* Ask and un-ask presence for the users of this turn, one record each; at the end of a turn. */
void users_flush(struct users *users);

/* How many are kept. */
size_t users_count(const struct users *users);

#endif
