/* users_entry - how users.c, users_watch.c and users_places.c keep a user. For these only. */

#ifndef ROUTER_USERS_ENTRY_H
#define ROUTER_USERS_ENTRY_H

#include "common/metrics.h"
#include "router/table.h"
#include "router/users.h"

enum part { PART_NONE, PART_LOADING, PART_KNOWN };

struct sources;

struct entry {
    struct user user; /* first: the wait of a caller points here */
    struct users *owner;
    uint64_t hash;
    struct entry *newer, *older; /* in the order of arrival, for eviction */
    struct entry *next_watch;    /* in users->to_watch */
    struct user_wait *waits;
    char *texts; /* nick and face */
    struct place *places;
    struct sources *sources; /* while two processes are asked for them; else NULL */
    uint32_t pins, code;
    int presence;          /* the process that was asked for the places; -1 none */
    uint8_t record, where; /* enum part */
    bool used;             /* since eviction last came by */
    bool reread;           /* touched while the record was being read */
    bool queued;           /* in users->to_watch */
    char name[];
};

/* Users whom presence need not tell us about any more. */
struct unwatch {
    struct unwatch *next;
    int presence;
    uint32_t app;
    char name[];
};

struct watch;

struct users {
    struct users_config config;
    struct table by_key;
    struct entry *newest, *oldest;
    struct entry *to_watch;
    struct unwatch *to_unwatch;
    struct watch *asked; /* questions to presence that are under way */
    uint64_t watches;    /* questions so far */
    uint64_t settles;    /* those up to here are about slots that moved last */
    struct hy_metric *count, *loads;
};

/* Wake those for whom enough is known now. */
void users_wake(struct entry *entry);

/* Put the user in the next question to presence. */
void users_watch(struct entry *entry);

/* Tell presence, in the next flush, that this user is of no interest. */
void users_unwatch(struct users *users, int presence, uint32_t app, const char *name);

/* Presence process number presence tells where somebody is now. */
void users_moved(struct users *users, int presence, const Hy__UserSessions *told);

/* ---- users_places.c ---- */

/* Is this process one that was asked for the user? */
bool places_asked(const struct entry *entry, int presence);

/* It has told. Returns whether a place is new. */
bool places_take(struct entry *entry, int presence, const Hy__UserSessions *told);

/* From now on these two count (-1: none); *ask says which of them has to be asked. Returns whether
 * the owner has told already, as the second one. */
bool places_from(struct entry *entry, int owner, int other, bool ask[static 2]);

/* The second one that was asked; -1: none. */
int places_other(const struct entry *entry);

/* It has forgotten that it was asked. */
void places_forgot(struct entry *entry, int presence);

void places_free(struct entry *entry);

/* Find an entry; NULL when the user is not kept. */
struct entry *users_find(const struct users *users, uint32_t app, const char *name);

/* Drop the questions that were not asked yet, and those that nobody will answer any more. */
void users_watch_close(struct users *users);

#endif
