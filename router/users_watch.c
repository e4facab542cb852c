/* users_watch - the side of users that faces presence. */

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log.h"
#include "router/memory.h"
#include "router/roll.h"
#include "router/users_entry.h"

enum { WATCH_BATCH = 500, WATCH_DEADLINE_MS = 2000 };

/* One question to presence about several users. */
struct watch {
    struct users *users;
    struct watch *next, **link; /* in users->asked */
    int presence;               /* -1: nobody is up, whoever comes first */
    uint64_t number;
    size_t count;
    struct entry *entries[WATCH_BATCH];
};

static struct watch *watch_new(struct users *users, int presence)
{
    struct watch *watch = memory_get(sizeof *watch);

    watch->users = users;
    watch->presence = presence;
    watch->number = ++users->watches;
    watch->next = users->asked;
    watch->link = &users->asked;
    if (watch->next != NULL)
        watch->next->link = &watch->next;
    users->asked = watch;
    return watch;
}

static void watch_free(struct watch *watch)
{
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    free(watch);
}

void users_watch(struct entry *entry)
{
    struct users *users = entry->owner;

    if (entry->queued)
        return;
    entry->queued = true;
    entry->next_watch = users->to_watch;
    users->to_watch = entry;
}

void users_unwatch(struct users *users, int presence, uint32_t app, const char *name)
{
    struct unwatch *unwatch = memory_get(sizeof *unwatch + strlen(name) + 1);

    strcpy(unwatch->name, name);
    unwatch->presence = presence;
    unwatch->app = app;
    unwatch->next = users->to_unwatch;
    users->to_unwatch = unwatch;
}

void users_watch_close(struct users *users)
{
    while (users->to_unwatch != NULL) {
        struct unwatch *unwatch = users->to_unwatch;

        users->to_unwatch = unwatch->next;
        free(unwatch);
    }
    for (struct watch *watch = users->asked, *next; watch != NULL; watch = next) {
        next = watch->next;
        free(watch);
    }
}

/* ---- what is told ---- */

void users_moved(struct users *users, int presence, const Hy__UserSessions *told)
{
    struct entry *entry = users_find(users, told->app, told->user);

    if (entry == NULL) {
        if (users->config.roll == NULL || !roll_tells(users->config.roll, presence))
            users_unwatch(users, presence, told->app, told->user);
        return;
    }
    if (entry->presence < 0 && entry->where == PART_KNOWN && entry->user.places_known)
        users_watch(entry); /* he was on no roll: from now on he is watched as any other */
    else if (!places_asked(entry, presence)) /* after a fail-over the old one may still speak */
        return;
    (void)places_take(entry, presence, told);
}

/* ---- answers ---- */

/* No answer. What was known may be old by now, and of two both must be known in the end: ask again.
 * Else who needs him next does. */
static void not_answered(struct entry *entry, int presence)
{
    places_forgot(entry, presence);
    if (entry->sources != NULL || entry->user.places_known)
        users_watch(entry);
}

static void answered(struct entry *entry, int presence, const Hy__UserSessions *told, bool warming)
{
    bool known = entry->user.places_known, owner = entry->presence == presence;

    if (told == NULL) {
        not_answered(entry, presence);
    } else if (!(warming && known && owner && told->n_places == 0)) {
        /* A place that nobody told us of may have missed what was pushed meanwhile. */
        if (places_take(entry, presence, told) && known)
            push_skip(entry->owner->config.push);
        entry->user.places_known = known || owner;
    }
    if (!owner)
        return; /* he whose word counts is still to be heard, or has been */
    entry->where = PART_KNOWN;
    users_wake(entry);
}

/* The second one, asked before, is the owner now. */
static void known(struct entry *entry)
{
    entry->user.places_known = true;
    entry->where = PART_KNOWN;
    users_wake(entry);
}

static void on_watched(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct watch *watch = arg;
    struct hy_arena arena;
    Hy__WatchRes *res = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__watch_res__unpack(&arena.pb, answer->len, answer->payload);
    if (res == NULL || res->n_users != watch->count) {
        hy_log_warn("users.watch_failed", "users=%zu why=\"%s\"", watch->count, hy_err_text(err));
        res = NULL;
    }
    for (size_t i = 0; i < watch->count; i++) {
        struct entry *entry = watch->entries[i];

        /* Asked elsewhere since: that answer will count. */
        if (entry->presence == watch->presence || places_asked(entry, watch->presence))
            answered(entry, watch->presence, res == NULL ? NULL : res->users[i],
                     res != NULL && res->warming);
        entry->pins--;
    }
    hy_arena_free(&arena);
    watch_free(watch);
}

/* ---- questions ---- */

static void ask(struct watch *watch)
{
    struct presences *presences = watch->users->config.presences;
    struct presences_call call = {
        .kind = HY__BUS_KIND__PRESENCE_WATCH,
        .index = watch->presence,
        .deadline_ms = WATCH_DEADLINE_MS,
        .done = on_watched,
        .arg = watch,
    };
    Hy__WatchReq req = HY__WATCH_REQ__INIT;
    Hy__UserKey keys[WATCH_BATCH], *pointers[WATCH_BATCH];

    for (size_t i = 0; i < watch->count; i++) {
        hy__user_key__init(&keys[i]);
        keys[i].app = watch->entries[i]->user.app;
        keys[i].user = watch->entries[i]->name;
        pointers[i] = &keys[i];
    }
    req.n_users = watch->count;
    req.users = pointers;
    presences_ask(presences, &call, &req.base);
}

/* Put an entry into the open question to a process; full ones leave. */
static void add(struct watch **open, struct entry *entry, int presence)
{
    struct watch *watch = *open;

    if (watch == NULL)
        *open = watch = watch_new(entry->owner, presence);
    entry->pins++;
    watch->entries[watch->count++] = entry;
    if (watch->count < WATCH_BATCH)
        return;
    ask(watch);
    *open = NULL;
}

static void flush_watches(struct users *users)
{
    struct presences *presences = users->config.presences;
    size_t count = presences_count(presences) + 1;
    struct watch **open;

    if (users->to_watch == NULL)
        return;
    open = memory_get(count * sizeof(struct watch *));
    while (users->to_watch != NULL) {
        struct entry *entry = users->to_watch;
        int owner = presences_of(presences, entry->user.app, entry->name);
        int other = presences_other(presences, entry->user.app, entry->name);
        bool ask_of[2];

        users->to_watch = entry->next_watch;
        entry->queued = false;
        if (owner < 0 && entry->where != PART_LOADING && other < 0)
            continue; /* who is known keeps his places until there is somebody to ask */
        if (places_from(entry, owner, other, ask_of))
            known(entry);
        if (ask_of[0] || (owner < 0 && entry->where == PART_LOADING))
            add(&open[owner + 1], entry, owner);
        if (ask_of[1])
            add(&open[other + 1], entry, other);
    }
    for (size_t i = 0; i < count; i++)
        if (open[i] != NULL)
            ask(open[i]);
    free(open);
}

/* Tell one process of at most WATCH_BATCH users to forget, and drop them from the list. */
static void tell_unwatch(struct users *users, int presence)
{
    Hy__WatchReq req = HY__WATCH_REQ__INIT;
    Hy__UserKey keys[WATCH_BATCH], *pointers[WATCH_BATCH];
    struct unwatch *told = NULL, **at = &users->to_unwatch;

    while (*at != NULL && req.n_users < WATCH_BATCH) {
        struct unwatch *unwatch = *at;

        if (unwatch->presence != presence) {
            at = &unwatch->next;
            continue;
        }
        *at = unwatch->next;
        unwatch->next = told;
        told = unwatch;
        hy__user_key__init(&keys[req.n_users]);
        keys[req.n_users].app = unwatch->app;
        keys[req.n_users].user = unwatch->name;
        pointers[req.n_users] = &keys[req.n_users];
        req.n_users++;
    }
    req.users = pointers;
    presences_tell(users->config.presences, presence, HY__BUS_KIND__PRESENCE_UNWATCH, &req.base);
    for (struct unwatch *next; told != NULL; told = next) {
        next = told->next;
        free(told);
    }
}

void users_flush(struct users *users)
{
    /* First: who is to be forgotten and is wanted again in the same turn must end up watched. */
    while (users->to_unwatch != NULL)
        tell_unwatch(users, users->to_unwatch->presence);
    flush_watches(users);
    if (users->settles == UINT64_MAX)
        users->settles = users->watches;
}

/* ---- presence processes come and go ---- */

static void look_again(struct users *users, int forgot)
{
    const struct presences *presences = users->config.presences;

    for (struct entry *entry = users->newest; entry != NULL; entry = entry->older) {
        bool asked = places_asked(entry, forgot);

        if (entry->where == PART_NONE)
            continue;
        if (asked)
            places_forgot(entry, forgot);
        if (asked || presences_of(presences, entry->user.app, entry->name) != entry->presence ||
            presences_other(presences, entry->user.app, entry->name) != places_other(entry))
            users_watch(entry);
    }
    users->settles = UINT64_MAX; /* known once they are asked */
}

void users_presence(struct users *users, const struct hy_peer *presence, enum hy_peer_event event)
{
    look_again(users,
               event == HY_PEER_DOWN ? -1 : presences_index(users->config.presences, presence));
}

void users_slots_moved(struct users *users)
{
    look_again(users, -1);
}

bool users_settled(const struct users *users)
{
    if (users->to_watch != NULL || users->settles == UINT64_MAX)
        return false;
    for (const struct watch *watch = users->asked; watch != NULL; watch = watch->next)
        if (watch->number <= users->settles)
            return false;
    return true;
}
