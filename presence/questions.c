/* What routers ask: watches, states, kicks, hints. */

#include <string.h>

#include "common/log.h"
#include "common/slot.h"
#include "presence/device.h"
#include "presence/inner.h"

bool questions_watch(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__WatchReq *req = hy__watch_req__unpack(&p->arena.pb, record->len, record->payload);
    Hy__WatchRes res = HY__WATCH_RES__INIT;

    if (req == NULL)
        return false;
    Hy__UserSessions *rows = hy_arena_alloc(&p->arena, (req->n_users + 1) * sizeof *rows);

    res.users = hy_arena_alloc(&p->arena, (req->n_users + 1) * sizeof(Hy__UserSessions *));
    res.warming = p->warming;
    if (rows == NULL || res.users == NULL)
        return true; /* no answer: the router asks again */
    for (size_t i = 0; i < req->n_users; i++) {
        struct user *user = sessions_make(p->sessions, req->users[i]->app, req->users[i]->user);
        enum hy_err err = user != NULL ? watch_add(p->watch, peer, user) : HY_ENOMEM;

        if (err != HY_OK) {
            hy_log_warn("watch.refused", "router=%s watched=%zu why=\"%s\"", hy_peer_name(peer),
                        watch_count(p->watch), hy_err_text(err));
            if (user != NULL)
                sessions_tidy(p->sessions, user);
            return true;
        }
        if (!watch_places(user, &p->arena, &rows[i]))
            return true;
        res.users[res.n_users++] = &rows[i];
    }
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    return true;
}

bool questions_unwatch(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__WatchReq *req = hy__watch_req__unpack(&p->arena.pb, record->len, record->payload);

    if (req == NULL)
        return false;
    for (size_t i = 0; i < req->n_users; i++) {
        struct user *user = sessions_find(p->sessions, req->users[i]->app, req->users[i]->user);

        if (user != NULL)
            watch_drop(p->watch, peer, user);
    }
    return true;
}

/* ---- everybody ---- */

enum { ROLL_PAGE = 20000 };

struct roll {
    uint64_t *online;
    size_t count, size;
};

static void note_online(void *arg, const struct user *user)
{
    struct roll *roll = arg;

    if (user_online(user) && roll->count < roll->size)
        roll->online[roll->count++] = hy_user_hash(user->app, user->name);
}

bool questions_roll(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__RollReq *req = hy__roll_req__unpack(&p->arena.pb, record->len, record->payload);
    Hy__RollRes res = HY__ROLL_RES__INIT;
    struct roll roll = {.size = sessions_users(p->sessions)};

    if (req == NULL)
        return false;
    /* One that joins tells what it knows so far, and then every change: it is not believed before
     * it serves. */
    res.warming = p->warming && hy_passage_state(p->passage) != HY_NODE_JOINING;
    if (!res.warming) {
        roll.online = hy_arena_alloc(&p->arena, (roll.size + 1) * sizeof *roll.online);
        if (roll.online == NULL || watch_roll(p->watch, peer) != HY_OK)
            return true; /* no answer: the router asks presence about each user, as before */
        res.cursor = sessions_page(p->sessions, (size_t)req->cursor, ROLL_PAGE, note_online, &roll);
        res.online = roll.online;
        res.n_online = roll.count;
    }
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    return true;
}

/* ---- online state ---- */

enum { STATE_ONLINE = 1, STATE_OFFLINE = 2, STATE_PUSH = 3, PLATFORMS = 16 };

/* The state on each platform that has one; 0 for the others. Returns that of the user. */
static uint32_t states_of(const struct user *user, uint64_t now_ms,
                          uint8_t states[static PLATFORMS])
{
    bool push = user->push_until_ms > now_ms && user->push_platforms != 0;

    for (int i = 0; push && i < PLATFORMS; i++)
        if ((user->push_platforms & (1u << i)) != 0)
            states[i] = STATE_PUSH;
    for (const struct session *s = user->sessions; s != NULL; s = s->next)
        if (s->state == SESSION_LIVES)
            states[s->platform % PLATFORMS] = STATE_ONLINE;
    if (user_online(user))
        return STATE_ONLINE;
    return push ? STATE_PUSH : STATE_OFFLINE;
}

static bool add_detail(struct hy_arena *arena, const uint8_t states[static PLATFORMS],
                       Hy__UserState *out)
{
    Hy__PlatformState *rows = hy_arena_alloc(arena, PLATFORMS * sizeof *rows);

    out->detail = hy_arena_alloc(arena, PLATFORMS * sizeof(Hy__PlatformState *));
    if (rows == NULL || out->detail == NULL)
        return false;
    for (int i = 0; i < PLATFORMS; i++) {
        if (states[i] == 0)
            continue;
        hy__platform_state__init(&rows[i]);
        rows[i].platform = (Hy__Platform)i;
        rows[i].state = states[i];
        out->detail[out->n_detail++] = &rows[i];
    }
    return true;
}

bool questions_state(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__PresenceStateReq *req =
        hy__presence_state_req__unpack(&p->arena.pb, record->len, record->payload);
    Hy__StateGetRes res = HY__STATE_GET_RES__INIT;

    if (req == NULL)
        return false;
    Hy__UserState *rows = hy_arena_alloc(&p->arena, (req->n_users + 1) * sizeof *rows);

    res.states = hy_arena_alloc(&p->arena, (req->n_users + 1) * sizeof(Hy__UserState *));
    if (rows == NULL || res.states == NULL)
        return true;
    for (size_t i = 0; i < req->n_users; i++) {
        const struct user *user = sessions_find(p->sessions, req->app, req->users[i]);
        uint8_t states[PLATFORMS] = {0};

        hy__user_state__init(&rows[i]);
        rows[i].user = req->users[i];
        rows[i].state = STATE_OFFLINE;
        if (user != NULL)
            rows[i].state = states_of(user, hy_loop_now_ms(p->loop), states);
        if (req->detail && !add_detail(&p->arena, states, &rows[i]))
            return true;
        res.states[res.n_states++] = &rows[i];
    }
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    return true;
}

bool questions_count(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__CountReq *req = hy__count_req__unpack(&p->arena.pb, record->len, record->payload);
    Hy__CountRes res = HY__COUNT_RES__INIT;

    if (req == NULL)
        return false;
    res.online_users = count_of(p->count, req->app);
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
    return true;
}

/* ---- kicks, touches, hints ---- */

bool questions_kick(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__KickUser *kick = hy__kick_user__unpack(&p->arena.pb, record->len, record->payload);
    Hy__KickedNotice plain = HY__KICKED_NOTICE__INIT;
    struct hy_reply reply = hy_bus_reply_to(peer, record);

    if (kick == NULL)
        return false;
    struct user *user = sessions_find(p->sessions, kick->app, kick->user);

    if (user == NULL) {
        hy_bus_reply(&reply, NULL, 0);
        return true;
    }
    plain.why = HY__KICKED_NOTICE__WHY__REST_KICK;
    sessions_pin(user);
    for (struct session *s = user->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->state != SESSION_OVER)
            presence_kick(p, user, s, kick->notice != NULL ? kick->notice : &plain);
    }
    user->push_platforms = 0;
    watch_reply(p->watch, user, &reply);
    sessions_unpin(p->sessions, user);
    return true;
}

bool questions_touch(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__Touch *touch = hy__touch__unpack(&p->arena.pb, record->len, record->payload);
    struct hy_reply reply = hy_bus_reply_to(peer, record);
    const struct user *waits_for = NULL;

    if (touch == NULL)
        return false;
    for (size_t i = 0; i < touch->n_users; i++) {
        struct user *user = sessions_find(p->sessions, touch->users[i]->app, touch->users[i]->user);

        if (user == NULL)
            continue;
        watch_touched(p->watch, user);
        /* All of a turn are told together, so waiting for one that is watched is enough. */
        if (waits_for == NULL || user->unsent != 0)
            waits_for = user;
    }
    if (waits_for != NULL)
        watch_reply(p->watch, waits_for, &reply);
    else
        hy_bus_reply(&reply, NULL, 0);
    return true;
}

bool questions_hint(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SweepHint *hint = hy__sweep_hint__unpack(&p->arena.pb, record->len, record->payload);

    (void)peer;
    if (hint == NULL)
        return false;
    for (size_t i = 0; i < hint->n_users; i++)
        sweeper_hint(p->sweeper, hint->users[i]->app, hint->users[i]->user);
    return true;
}
