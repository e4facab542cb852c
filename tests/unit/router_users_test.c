/* Where users are, as a router knows it, while presence processes come, go, restart, move slots and
 * do not answer. The processes are played here, at random: whatever happened, in the end nobody
 * waits for ever, and every change is heard of. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/slot.h"
#include "router/roll.h"
#include "router/users.h"

enum { APP = 7, USERS = 6, PROCESSES = 3, QUESTIONS = 512, WANTS = 64, ROUNDS = 8 };

/* What a router asked and has no answer to yet. */
struct question {
    hy_call_fn *done;
    void *arg;
    int of; /* a presence process; ANY; STORE */
    bool roll;
    uint64_t call;
    unsigned count;
    unsigned users[USERS];
};

enum { ANY = -1, STORE = -2 };

/* Somebody who needs a user. */
struct want {
    struct user_wait wait;
    unsigned need;
    bool used, ready;
};

static struct {
    unsigned seed;
    struct push *push;
    struct users *users;
    struct roll *roll;     /* NULL: everybody is asked for */
    char peers[PROCESSES]; /* their addresses stand for the peers */
    bool up[PROCESSES];
    bool watched[PROCESSES][USERS];
    bool rolled[PROCESSES]; /* tells of everybody */
    int home[USERS];        /* whose the user is, if it is up */
    int second[USERS];      /* who knows about him as well; -1: nobody */
    unsigned places[USERS];
    struct question questions[QUESTIONS];
    unsigned asked;
    uint64_t calls;
    struct want wants[WANTS];
} w;

static unsigned draw(unsigned below)
{
    w.seed = w.seed * 1103515245 + 12345;
    return (w.seed >> 8) % below;
}

static void name_of(unsigned user, char name[static 8])
{
    snprintf(name, 8, "u%u", user);
}

static unsigned user_of(const char *name)
{
    return (unsigned)atoi(name + 1);
}

static struct hy_peer *peer_of(int process)
{
    return (struct hy_peer *)&w.peers[process];
}

/* ---- what the router asks of others; in place of presences.c and stores.c ---- */

size_t presences_count(const struct presences *presences)
{
    (void)presences;
    return PROCESSES;
}

bool presences_serves(const struct presences *presences, int index)
{
    (void)presences;
    return index >= 0;
}

int presences_of(const struct presences *presences, uint32_t app, const char *user)
{
    int home = w.home[user_of(user)];

    (void)presences;
    assert_int_equal(app, APP);
    for (int i = 0; i < PROCESSES; i++)
        if (w.up[(home + i) % PROCESSES])
            return (home + i) % PROCESSES;
    return -1;
}

int presences_other(const struct presences *presences, uint32_t app, const char *user)
{
    int second = w.second[user_of(user)];

    if (second < 0 || !w.up[second] || second == presences_of(presences, app, user))
        return -1;
    return second;
}

int presences_index(const struct presences *presences, const struct hy_peer *peer)
{
    (void)presences;
    return (int)((const char *)peer - w.peers);
}

static struct question *ask(int of, hy_call_fn *done, void *arg)
{
    struct question *question = &w.questions[w.asked++];

    assert_true(w.asked < QUESTIONS);
    *question = (struct question){.done = done, .arg = arg, .of = of, .call = ++w.calls};
    return question;
}

uint64_t presences_ask(struct presences *presences, const struct presences_call *call,
                       const ProtobufCMessage *msg)
{
    const Hy__WatchReq *req = (const Hy__WatchReq *)msg;
    struct question *question = ask(call->index, call->done, call->arg);

    (void)presences;
    question->roll = call->kind == HY__BUS_KIND__PRESENCE_ROLL;
    if (question->roll)
        return question->call;
    assert_int_equal(call->kind, HY__BUS_KIND__PRESENCE_WATCH);
    assert_true(req->n_users > 0 && req->n_users <= USERS);
    for (size_t i = 0; i < req->n_users; i++)
        question->users[question->count++] = user_of(req->users[i]->user);
    return question->call;
}

void presences_cancel(struct presences *presences, uint64_t call)
{
    (void)presences;
    for (unsigned i = 0; i < w.asked; i++)
        if (call != 0 && w.questions[i].call == call)
            w.questions[i] = w.questions[--w.asked];
}

void presences_tell(struct presences *presences, int index, uint16_t kind,
                    const ProtobufCMessage *msg)
{
    const Hy__WatchReq *req = (const Hy__WatchReq *)msg;

    (void)presences;
    assert_int_equal(kind, HY__BUS_KIND__PRESENCE_UNWATCH);
    for (size_t i = 0; i < req->n_users && w.up[index]; i++)
        w.watched[index][user_of(req->users[i]->user)] = false;
}

uint64_t hy_stores_ask_pb(struct hy_stores *stores, const struct hy_stores_call *call,
                          const ProtobufCMessage *msg)
{
    (void)stores, (void)msg;
    ask(STORE, call->done, call->arg);
    return 1;
}

/* ---- what is answered ---- */

/* Where a user is: links 1, 2, ... at one gateway. */
struct told {
    Hy__UserSessions user;
    Hy__Place places[4], *list[4];
    char name[8];
};

static Hy__UserSessions *tell(struct told *told, unsigned user)
{
    name_of(user, told->name);
    hy__user_sessions__init(&told->user);
    told->user.app = APP;
    told->user.user = told->name;
    for (unsigned i = 0; i < w.places[user]; i++) {
        hy__place__init(&told->places[i]);
        told->places[i].gateway = (char *)"gateway-0/0";
        told->places[i].link = i + 1;
        told->list[i] = &told->places[i];
    }
    told->user.n_places = w.places[user];
    told->user.places = told->list;
    return &told->user;
}

static struct question take(unsigned i)
{
    struct question question = w.questions[i];

    w.questions[i] = w.questions[--w.asked];
    return question;
}

static void answer_with(const struct question *question, const ProtobufCMessage *msg)
{
    uint8_t bytes[4096];
    struct hy_record record = {.payload = bytes, .len = protobuf_c_message_pack(msg, bytes)};

    question->done(question->arg, HY_OK, &record);
}

static void answer_record(const struct question *question)
{
    Hy__UserRes res = HY__USER_RES__INIT;
    Hy__User user = HY__USER__INIT;

    user.created_s = 1;
    res.user = &user;
    answer_with(question, &res.base);
}

static int asked_of(const struct question *question)
{
    for (int i = 0; question->of == ANY && i < PROCESSES; i++)
        if (w.up[i])
            return i;
    return question->of >= 0 && w.up[question->of] ? question->of : -1;
}

/* It arrives, and the answer may not. */
static void arrive(const struct question *question)
{
    for (unsigned i = 0; i < question->count; i++)
        w.watched[asked_of(question)][question->users[i]] = true;
}

static void answer_watch(const struct question *question)
{
    struct told told[USERS];
    Hy__UserSessions *list[USERS];
    Hy__WatchRes res = HY__WATCH_RES__INIT;

    arrive(question);
    for (unsigned i = 0; i < question->count; i++)
        list[i] = tell(&told[i], question->users[i]);
    res.n_users = question->count;
    res.users = list;
    answer_with(question, &res.base);
}

static void answer_roll(const struct question *question)
{
    Hy__RollRes res = HY__ROLL_RES__INIT;
    uint64_t online[USERS];

    res.online = online;
    w.rolled[question->of] = true;
    for (unsigned i = 0; i < USERS; i++) {
        char name[8];

        name_of(i, name);
        if (w.places[i] > 0)
            online[res.n_online++] = hy_user_hash(APP, name);
    }
    answer_with(question, &res.base);
}

static bool can_answer(unsigned i)
{
    return w.questions[i].of == STORE || asked_of(&w.questions[i]) >= 0;
}

static void answer(unsigned i)
{
    struct question question = take(i);

    if (question.of == STORE)
        answer_record(&question);
    else if (question.roll)
        answer_roll(&question);
    else
        answer_watch(&question);
}

static void lapse(unsigned i)
{
    struct question question = take(i);

    question.done(question.arg, draw(2) == 0 ? HY_ETIMEOUT : HY_EBUSY, NULL);
}

/* ---- what happens ---- */

static void change_places(unsigned user)
{
    struct told told;
    Hy__UserSessions *list[1];
    Hy__Delta delta = HY__DELTA__INIT;

    w.places[user] = (w.places[user] + 1 + draw(3)) % 4;
    list[0] = tell(&told, user);
    delta.n_users = 1;
    delta.users = list;
    for (int i = 0; i < PROCESSES; i++) {
        if (!w.up[i] || (!w.watched[i][user] && !w.rolled[i]))
            continue;
        if (w.roll != NULL)
            roll_delta(w.roll, peer_of(i), &delta);
        users_delta(w.users, peer_of(i), &delta);
    }
}

static void change_record(unsigned user)
{
    char name[8];

    name_of(user, name);
    users_touch(w.users, APP, name);
}

static void forget_watched(int process)
{
    memset(w.watched[process], 0, sizeof w.watched[process]);
    w.rolled[process] = false;
}

static void tell_of(int process, enum hy_peer_event event)
{
    if (w.roll != NULL)
        roll_peer(w.roll, peer_of(process), event);
    users_presence(w.users, peer_of(process), event);
}

static void come_or_go(int process)
{
    bool restarts = w.up[process] && draw(2) == 0;

    forget_watched(process);
    w.up[process] = restarts || !w.up[process];
    tell_of(process, restarts ? HY_PEER_RESTARTED : w.up[process] ? HY_PEER_UP : HY_PEER_DOWN);
}

/* A planned move goes one step on, or begins, or an unplanned one happens. */
static void move(unsigned user)
{
    if (w.second[user] < 0) {
        w.second[user] = (int)draw(PROCESSES);
    } else if (draw(2) == 0) {
        int was = w.home[user];

        w.home[user] = w.second[user];
        w.second[user] = draw(4) == 0 ? -1 : was;
    } else {
        w.second[user] = -1;
    }
    users_slots_moved(w.users);
}

/* All of them exist, so whoever asked for a record has it, or hears why not. */
static void check_record(const struct want *want)
{
    if ((want->need & USER_RECORD) != 0 && want->wait.code == 0)
        assert_true(want->wait.user->exists);
}

static void on_ready(void *arg)
{
    struct want *want = arg;

    want->ready = true;
    check_record(want);
}

static void want(struct want *want, unsigned user, unsigned need)
{
    char name[8];

    name_of(user, name);
    *want = (struct want){.need = need, .used = true, .wait = {.ready = on_ready, .arg = want}};
    want->ready = users_want(w.users, APP, name, need, &want->wait);
    if (want->ready)
        check_record(want);
}

static void release(struct want *want)
{
    users_release(w.users, &want->wait);
    want->used = false;
}

static void want_or_release(void)
{
    struct want *some = &w.wants[draw(WANTS)];

    if (!some->used)
        want(some, draw(USERS), draw(2) == 0 ? USER_PLACES : USER_PLACES | USER_RECORD);
    else if (some->ready || draw(4) == 0)
        release(some);
}

static void question_step(void)
{
    unsigned i = w.asked > 0 ? draw(w.asked) : 0, what = draw(8);

    if (w.asked == 0)
        return;
    if (what == 0) {
        lapse(i);
    } else if (what == 1 && w.questions[i].count > 0 && can_answer(i)) {
        arrive(&w.questions[i]);
    } else if (can_answer(i)) {
        answer(i);
    }
}

static void quiet_step(void)
{
    switch (draw(9)) {
    case 0:
        change_places(draw(USERS));
        break;
    case 8:
        change_record(draw(USERS));
        break;
    case 1:
    case 2:
    case 3:
        want_or_release();
        break;
    case 4:
        users_flush(w.users);
        if (w.roll != NULL)
            roll_tick(w.roll);
        break;
    default:
        question_step();
    }
}

static void step(void)
{
    switch (draw(10)) {
    case 0:
        come_or_go((int)draw(PROCESSES));
        break;
    case 1:
        move(draw(USERS));
        break;
    default:
        quiet_step();
    }
}

/* ---- how it ends ---- */

/* All are there, and moves end. */
static void heal(void)
{
    for (int i = 0; i < PROCESSES; i++) {
        if (w.up[i])
            continue;
        w.up[i] = true;
        tell_of(i, HY_PEER_UP);
    }
    for (unsigned i = 0; i < USERS; i++) {
        if (w.second[i] < 0)
            continue;
        if (draw(2) == 0)
            w.home[i] = w.second[i];
        w.second[i] = -1;
        users_slots_moved(w.users);
    }
}

/* Every question has an answer, or its deadline passes. */
static void settle(void)
{
    for (int turns = 0; turns < 100; turns++) {
        users_flush(w.users);
        if (w.asked == 0)
            return;
        while (w.asked > 0) {
            if (can_answer(0))
                answer(0);
            else
                lapse(0);
        }
    }
    fail_msg("questions without end");
}

static void nobody_waits(unsigned seed)
{
    for (unsigned i = 0; i < WANTS; i++)
        if (w.wants[i].used && !w.wants[i].ready)
            fail_msg("seed %u: somebody waits for ever for %s", seed, w.wants[i].wait.user->name);
}

static void everybody_is_found(const char *when)
{
    for (unsigned i = 0; i < USERS; i++) {
        struct want one;

        want(&one, i, USER_PLACES | USER_RECORD);
        settle();
        if (!one.ready)
            fail_msg("u%u is waited for for ever %s", i, when);
        if (!one.wait.user->places_known)
            fail_msg("where u%u is is not known %s", i, when);
        if (one.wait.user->place_count != w.places[i])
            fail_msg("u%u has %u places, not %zu, %s", i, w.places[i], one.wait.user->place_count,
                     when);
        release(&one);
    }
}

static void on_moved(void *ctx, struct user *user, const struct place *places, size_t count)
{
    (void)ctx, (void)user, (void)places, (void)count;
}

static enum hy_err drop(struct hy_peer *peer, uint16_t kind, uint64_t id, const void *payload,
                        size_t len)
{
    (void)peer, (void)kind, (void)id, (void)payload, (void)len;
    return HY_OK;
}

static void begin(unsigned seed, bool up)
{
    struct users_config config = {.cap = 4, .deadline_ms = 1000, .moved = on_moved};

    memset(&w, 0, sizeof w);
    w.seed = seed;
    assert_int_equal(push_open(drop, 0, &w.push), HY_OK);
    config.push = w.push;
    if (draw(2) == 0)
        assert_int_equal(roll_open(NULL, &w.roll), HY_OK);
    config.roll = w.roll;
    assert_int_equal(users_open(&config, &w.users), HY_OK);
    for (unsigned i = 0; i < USERS; i++) {
        w.home[i] = (int)draw(PROCESSES);
        w.second[i] = -1;
    }
    for (int i = 0; i < PROCESSES; i++) {
        w.up[i] = up;
        if (up)
            tell_of(i, HY_PEER_UP);
    }
}

static void end(void)
{
    for (unsigned i = 0; i < WANTS; i++)
        if (w.wants[i].used)
            release(&w.wants[i]);
    while (w.asked > 0)
        answer(0);
    users_close(&w.users);
    roll_close(&w.roll);
    push_close(&w.push);
}

static void play(unsigned steps, void (*one)(void))
{
    while (steps-- > 0)
        one();
}

static void test_nobody_waits_for_ever_and_all_is_heard(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 5000; seed++) {
        begin(seed, draw(2) == 0);
        for (int round = 0; round < ROUNDS; round++) {
            play(draw(30), step);
            play(draw(30), quiet_step);
            settle();
            nobody_waits(seed);
        }
        heal();
        play(30, quiet_step);
        settle();
        nobody_waits(seed);
        everybody_is_found("at first");
        for (unsigned i = 0; i < USERS; i++)
            change_places(i);
        everybody_is_found("after a change");
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_waits_for_ever_and_all_is_heard),
    };

    hy_log_set_level(HY_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
