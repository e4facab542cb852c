#include "router/users.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/codes.h"
#include "common/slot.h"
#include "router/memory.h"
#include "router/roll.h"
#include "router/users_entry.h"

/* Each newcomer looks at so many old ones for somebody to let go: the bound is soft, the turn is
 * not. */
enum { EVICT_LOOKS = 8 };

struct key {
    uint32_t app;
    const char *name;
};

static bool same_key(const void *item, const void *key)
{
    const struct entry *entry = item;
    const struct key *k = key;

    return entry->user.app == k->app && strcmp(entry->name, k->name) == 0;
}

enum hy_err users_open(const struct users_config *config, struct users **users)
{
    struct users *u = calloc(1, sizeof *u);

    if (u == NULL)
        return HY_ENOMEM;
    u->config = *config;
    u->count = hy_gauge("hongyan_router_users", "", "Users kept in the router's cache");
    u->loads =
        hy_counter("hongyan_router_user_loads_total", "", "Records of users read from the stores");
    *users = u;
    return HY_OK;
}

static void entry_free(struct entry *entry)
{
    free(entry->texts);
    free(entry->places);
    places_free(entry);
    free(entry);
}

void users_close(struct users **users)
{
    struct users *u = *users;

    if (u == NULL)
        return;
    *users = NULL;
    users_watch_close(u);
    for (struct entry *entry = u->newest, *next; entry != NULL; entry = next) {
        next = entry->older;
        entry_free(entry);
    }
    table_free(&u->by_key);
    free(u);
}

size_t users_count(const struct users *users)
{
    return users->by_key.count;
}

struct entry *users_find(const struct users *users, uint32_t app, const char *name)
{
    struct key key = {app, name};

    return table_find(&users->by_key, table_hash(app, name), same_key, &key);
}

/* ---- coming and going ---- */

static void link_newest(struct users *users, struct entry *entry)
{
    entry->older = users->newest;
    entry->newer = NULL;
    if (users->newest != NULL)
        users->newest->newer = entry;
    users->newest = entry;
    if (users->oldest == NULL)
        users->oldest = entry;
}

static void unlink_entry(struct users *users, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &users->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &users->oldest) = entry->newer;
}

static void forget(struct users *users, struct entry *entry)
{
    if (entry->presence >= 0)
        users_unwatch(users, entry->presence, entry->user.app, entry->name);
    if (places_other(entry) >= 0)
        users_unwatch(users, places_other(entry), entry->user.app, entry->name);
    unlink_entry(users, entry);
    table_remove(&users->by_key, entry->hash, entry);
    entry_free(entry);
}

/* Make room for a newcomer. Second chance: who was used since the last visit goes to the front once
 * more. That spares the hot path the moves that a strict order of use would cost. */
static void evict(struct users *users)
{
    for (int i = 0; i < EVICT_LOOKS && users->by_key.count >= users->config.cap; i++) {
        struct entry *entry = users->oldest;

        if (entry == NULL)
            return;
        if (entry->pins == 0 && !entry->queued && !entry->used) {
            forget(users, entry);
            continue;
        }
        entry->used = false;
        unlink_entry(users, entry);
        link_newest(users, entry);
    }
}

static struct entry *make(struct users *users, uint32_t app, const char *name)
{
    size_t len = strlen(name);
    struct entry *entry = memory_get(sizeof *entry + len + 1);

    evict(users);
    memcpy(entry->name, name, len + 1);
    entry->owner = users;
    entry->hash = table_hash(app, name);
    entry->presence = -1;
    entry->user = (struct user){.app = app, .name = entry->name, .nick = "", .face = ""};
    if (table_put(&users->by_key, entry->hash, entry) != HY_OK)
        abort(); /* as memory.h says */
    link_newest(users, entry);
    hy_set(users->count, (int64_t)users->by_key.count);
    return entry;
}

/* ---- records ---- */

static void keep_texts(struct entry *entry, const Hy__User *record)
{
    ProtobufCBinaryData nick = {0}, face = {0};

    for (size_t i = 0; i < record->n_profile; i++) {
        if (strcmp(record->profile[i]->name, "Tag_Profile_IM_Nick") == 0)
            nick = record->profile[i]->str;
        else if (strcmp(record->profile[i]->name, "Tag_Profile_IM_Image") == 0)
            face = record->profile[i]->str;
    }
    free(entry->texts);
    entry->texts = memory_get(nick.len + face.len + 2);
    if (nick.len > 0)
        memcpy(entry->texts, nick.data, nick.len);
    if (face.len > 0)
        memcpy(entry->texts + nick.len + 1, face.data, face.len);
    entry->user.nick = entry->texts;
    entry->user.face = entry->texts + nick.len + 1;
}

/* What an answer of the store means for the entry; 0 or the code of a failure. */
static uint32_t take_record(struct entry *entry, const Hy__UserRes *res)
{
    if (res == NULL)
        return HY_CODE_UNAVAILABLE;
    entry->user.exists = res->code == HY_CODE_OK && res->user != NULL && res->user->created_s > 0;
    if (entry->user.exists)
        keep_texts(entry, res->user);
    if (res->code == HY_CODE_PROFILE_UNKNOWN || res->code == HY_CODE_ACCOUNT_UNKNOWN)
        return HY_CODE_OK;
    return res->code;
}

static void read_record(struct entry *entry);

/* A failure, or nobody of that name, is an answer for those who wait now, be it for more than the
 * record, and for nobody else. */
static void told_once(struct entry *entry)
{
    for (struct user_wait *wait = entry->waits; wait != NULL; wait = wait->next) {
        if ((wait->need & USER_RECORD) == 0)
            continue;
        wait->need &= ~(unsigned)USER_RECORD;
        wait->code = entry->code;
    }
    entry->record = PART_NONE;
}

static void on_record(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct entry *entry = arg;
    struct hy_arena arena;
    Hy__UserRes *res = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__user_res__unpack(&arena.pb, answer->len, answer->payload);
    entry->code = err == HY_ETIMEOUT ? (uint32_t)HY_CODE_TIMEOUT : take_record(entry, res);
    hy_arena_free(&arena);
    entry->record = PART_KNOWN;
    if (entry->reread && entry->code == HY_CODE_OK) {
        entry->reread = false;
        read_record(entry);
    } else if (entry->code != HY_CODE_OK || !entry->user.exists) {
        told_once(entry);
    }
    users_wake(entry);
    entry->pins--;
}

static void read_record(struct entry *entry)
{
    struct users *users = entry->owner;
    uint16_t slot = hy_slot_user(entry->user.app, entry->name);
    struct hy_stores_call call = {
        .kind = HY__BUS_KIND__STORE_USER_GET,
        .where = hy_stores_at_slot(slot),
        .deadline_ms = users->config.deadline_ms,
        .done = on_record,
        .arg = entry,
    };
    Hy__UserReq req = HY__USER_REQ__INIT;

    req.app = entry->user.app;
    req.user = entry->name;
    entry->record = PART_LOADING;
    entry->pins++;
    hy_add(users->loads, 1);
    hy_stores_ask_pb(users->config.stores, &call, &req.base);
}

static bool record_waited_for(const struct entry *entry)
{
    const struct user_wait *wait = entry->waits;

    while (wait != NULL && (wait->need & USER_RECORD) == 0)
        wait = wait->next;
    return wait != NULL;
}

static void touch(struct entry *entry)
{
    if (entry->record == PART_LOADING)
        entry->reread = true;
    else if (record_waited_for(entry))
        read_record(entry);
    else
        entry->record = PART_NONE;
}

void users_touch(struct users *users, uint32_t app, const char *name)
{
    struct entry *entry = users_find(users, app, name);

    if (entry != NULL)
        touch(entry);
}

/* ---- waiting ---- */

static bool enough(const struct entry *entry, unsigned need)
{
    return ((need & USER_RECORD) == 0 || entry->record == PART_KNOWN) &&
           ((need & USER_PLACES) == 0 || entry->where == PART_KNOWN);
}

void users_wake(struct entry *entry)
{
    struct user_wait *ready = NULL, **end = &ready;

    /* Those who wake may come back at once: first take them all off the list. */
    for (struct user_wait **at = &entry->waits; *at != NULL;) {
        struct user_wait *wait = *at;

        if (!enough(entry, wait->need)) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        wait->next = NULL;
        wait->waiting = false;
        if ((wait->need & USER_RECORD) != 0)
            wait->code = entry->code;
        *end = wait;
        end = &wait->next;
    }
    entry->pins++;
    for (struct user_wait *next; ready != NULL; ready = next) {
        next = ready->next;
        ready->ready(ready->arg);
    }
    entry->pins--;
}

/* Ask for what is needed and not under way. */
static void load(struct entry *entry, unsigned need)
{
    if ((need & USER_RECORD) != 0 && entry->record == PART_NONE)
        read_record(entry);
    if ((need & USER_PLACES) == 0 || entry->where == PART_LOADING)
        return;
    if (entry->where == PART_NONE && entry->owner->config.roll != NULL &&
        roll_offline(entry->owner->config.roll, entry->user.app, entry->name)) {
        entry->where = PART_KNOWN; /* and presence will tell when he comes */
        entry->user.places_known = true;
        return;
    }
    /* With no presence process in sight there is nothing to wait for. */
    if (entry->where == PART_NONE ||
        (!entry->user.places_known &&
         presences_of(entry->owner->config.presences, entry->user.app, entry->name) >= 0)) {
        entry->where = PART_LOADING;
        users_watch(entry);
    }
}

bool users_want(struct users *users, uint32_t app, const char *name, unsigned need,
                struct user_wait *wait)
{
    struct entry *entry = users_find(users, app, name);

    if (entry == NULL)
        entry = make(users, app, name);
    entry->used = true;
    entry->pins++;
    load(entry, need);
    wait->user = &entry->user;
    wait->need = need;
    wait->code = HY_CODE_OK;
    wait->waiting = !enough(entry, need);
    if (wait->waiting) {
        wait->next = entry->waits;
        entry->waits = wait;
    }
    return !wait->waiting;
}

void users_release(struct users *users, struct user_wait *wait)
{
    struct entry *entry = (struct entry *)wait->user;

    (void)users;
    if (entry == NULL)
        return;
    if (wait->waiting) {
        struct user_wait **at = &entry->waits;

        while (*at != wait)
            at = &(*at)->next;
        *at = wait->next;
        wait->waiting = false;
    }
    wait->user = NULL;
    entry->pins--;
}

void users_delta(struct users *users, const struct hy_peer *presence, const Hy__Delta *delta)
{
    for (size_t i = 0; i < delta->n_touched; i++)
        users_touch(users, delta->touched[i]->app, delta->touched[i]->user);
    for (size_t i = 0; i < delta->n_users; i++)
        users_moved(users, presences_index(users->config.presences, presence), delta->users[i]);
}
