#include "router/roll.h"

#include <stdlib.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/slot.h"
#include "router/memory.h"
#include "router/numberset.h"

enum { PAGE_DEADLINE_MS = 5000 };

/* What one presence process has told. */
struct voice {
    struct roll *roll;
    struct numberset online;
    uint64_t call; /* of the page asked for; 0: none */
    int index;
    bool up;
    bool whole; /* all pages are here */
};

struct roll {
    struct presences *presences;
    struct voice **voices; /* by the process's number; NULL: not heard of */
    size_t count;
    struct hy_metric *known;
};

enum hy_err roll_open(struct presences *presences, struct roll **roll)
{
    struct roll *r = calloc(1, sizeof *r);

    if (r == NULL)
        return HY_ENOMEM;
    r->presences = presences;
    r->known = hy_gauge("hongyan_router_roll_users", "",
                        "Users known to be online, as presence tells of all");
    *roll = r;
    return HY_OK;
}

void roll_close(struct roll **roll)
{
    struct roll *r = *roll;

    if (r == NULL)
        return;
    *roll = NULL;
    for (size_t i = 0; i < r->count; i++) {
        if (r->voices[i] != NULL)
            numberset_free(&r->voices[i]->online);
        free(r->voices[i]);
    }
    free(r->voices);
    free(r);
}

static struct voice *voice_at(const struct roll *roll, int i)
{
    return i >= 0 && (size_t)i < roll->count ? roll->voices[i] : NULL;
}

static struct voice *voice_make(struct roll *roll, int i)
{
    size_t count = (size_t)i + 1;

    if (count > roll->count) {
        roll->voices = memory_grow(roll->voices, count * sizeof(struct voice *));
        for (; roll->count < count; roll->count++)
            roll->voices[roll->count] = NULL;
    }
    if (roll->voices[i] == NULL) {
        roll->voices[i] = memory_get(sizeof(struct voice));
        roll->voices[i]->roll = roll;
        roll->voices[i]->index = i;
    }
    return roll->voices[i];
}

/* Of those that serve: one that joins knows what others know too. */
static void count(const struct roll *roll)
{
    size_t sum = 0;

    for (size_t i = 0; i < roll->count; i++)
        if (roll->voices[i] != NULL && presences_serves(roll->presences, (int)i))
            sum += roll->voices[i]->online.count;
    hy_set(roll->known, (int64_t)sum);
}

/* ---- pages ---- */

static void ask(struct voice *voice, uint64_t cursor);

static void take_page(struct voice *voice, const Hy__RollRes *page)
{
    if (page->warming)
        return; /* the next tick asks again */
    for (size_t i = 0; i < page->n_online; i++)
        if (page->online[i] != 0)
            numberset_add(&voice->online, page->online[i]);
    count(voice->roll);
    if (page->cursor != 0)
        ask(voice, page->cursor);
    else
        voice->whole = true;
}

static void on_page(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct voice *voice = arg;
    struct hy_arena arena;
    const Hy__RollRes *page = NULL;

    voice->call = 0;
    hy_arena_init(&arena);
    if (err == HY_OK)
        page = hy__roll_res__unpack(&arena.pb, answer->len, answer->payload);
    if (page != NULL)
        take_page(voice, page);
    else
        hy_log_warn("roll.no_page", "presence=%d why=\"%s\"", voice->index, hy_err_text(err));
    hy_arena_free(&arena);
}

static void ask(struct voice *voice, uint64_t cursor)
{
    struct presences_call call = {
        .kind = HY__BUS_KIND__PRESENCE_ROLL,
        .index = voice->index,
        .deadline_ms = PAGE_DEADLINE_MS,
        .done = on_page,
        .arg = voice,
    };
    Hy__RollReq req = HY__ROLL_REQ__INIT;

    req.cursor = cursor;
    voice->call = presences_ask(voice->roll->presences, &call, &req.base);
}

/* From the beginning: what was known may have changed untold. */
static void begin(struct voice *voice)
{
    presences_cancel(voice->roll->presences, voice->call);
    numberset_free(&voice->online);
    voice->whole = false;
    ask(voice, 0);
}

void roll_tick(struct roll *roll)
{
    for (size_t i = 0; i < roll->count; i++) {
        struct voice *voice = roll->voices[i];

        if (voice != NULL && voice->up && !voice->whole && voice->call == 0)
            begin(voice);
    }
}

/* ---- changes ---- */

void roll_peer(struct roll *roll, const struct hy_peer *presence, enum hy_peer_event event)
{
    int i = presences_index(roll->presences, presence);
    struct voice *voice = i < 0 ? NULL : voice_make(roll, i);

    if (voice == NULL)
        return;
    voice->up = event != HY_PEER_DOWN;
    voice->whole = false;
    if (voice->up) {
        begin(voice);
        return;
    }
    presences_cancel(roll->presences, voice->call);
    voice->call = 0;
    numberset_free(&voice->online);
    count(roll);
}

void roll_delta(struct roll *roll, const struct hy_peer *presence, const Hy__Delta *delta)
{
    struct voice *voice = voice_at(roll, presences_index(roll->presences, presence));

    if (voice == NULL)
        return;
    for (size_t k = 0; k < delta->n_users; k++) {
        const Hy__UserSessions *user = delta->users[k];
        uint64_t hash = hy_user_hash(user->app, user->user);

        if (user->n_places > 0)
            numberset_add(&voice->online, hash);
        else
            numberset_remove(&voice->online, hash);
    }
    count(roll);
}

bool roll_tells(const struct roll *roll, int presence)
{
    const struct voice *voice = voice_at(roll, presence);

    return voice != NULL && voice->whole;
}

bool roll_online(const struct roll *roll, uint32_t app, const char *user)
{
    uint64_t hash = hy_user_hash(app, user);

    for (size_t i = 0; i < roll->count; i++)
        if (roll->voices[i] != NULL && numberset_has(&roll->voices[i]->online, hash))
            return true;
    return false;
}

bool roll_offline(const struct roll *roll, uint32_t app, const char *user)
{
    uint64_t hash = hy_user_hash(app, user);
    size_t serving = 0;

    for (size_t i = 0; i < presences_count(roll->presences); i++) {
        const struct voice *voice = voice_at(roll, (int)i);
        bool serves = presences_serves(roll->presences, (int)i);

        if (serves && (voice == NULL || !voice->whole))
            return false;
        if (voice != NULL && numberset_has(&voice->online, hash))
            return false;
        serving += serves;
    }
    return serving > 0;
}
