/* Presence on a real bus, with two gateway workers and a router made of a few lines each. */

#include "presence/presence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster.pb-c.h"
#include "common/bus.h"
#include "common/clock.h"
#include "common/codes.h"
#include "common/slot.h"
#include "presence/lease.h"

enum { APP = 1, PATIENCE_MS = 10000 };

/* A process at the other end of presence's bus. */
struct fake {
    struct hy_bus *bus;
    struct hy_peer *presence;
    unsigned kicks, register_asked;
    uint64_t kicked_session, kicked_link;
    int kicked_why;
};

static struct {
    struct hy_loop *loop;
    struct presence *presence;
    void *settings;
    struct fake gate[2], router;
    uint32_t multi_device;
    bool mute; /* the router confirms no delta */
    unsigned deltas, touched;
    size_t places; /* of the user told last */
    char delta_user[64], place_gateway[64];
    unsigned swept, reports;
    char swept_user[64], scan_user[64];
    uint32_t reported_users;
} w;

/* ---- the router ---- */

static void on_delta(const struct hy_record *record)
{
    Hy__Delta *delta = hy__delta__unpack(NULL, record->len, record->payload);

    assert_non_null(delta);
    w.deltas++;
    w.touched += (unsigned)delta->n_touched;
    if (delta->n_users > 0) {
        const Hy__UserSessions *last = delta->users[delta->n_users - 1];

        snprintf(w.delta_user, sizeof w.delta_user, "%s", last->user);
        w.places = last->n_places;
        if (last->n_places > 0)
            snprintf(w.place_gateway, sizeof w.place_gateway, "%s", last->places[0]->gateway);
    }
    hy__delta__free_unpacked(delta, NULL);
}

static void on_sweep(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SweepReq *req = hy__sweep_req__unpack(NULL, record->len, record->payload);
    Hy__SweepRes res = HY__SWEEP_RES__INIT;

    assert_non_null(req);
    w.swept += (unsigned)req->n_users;
    snprintf(w.swept_user, sizeof w.swept_user, "%s", req->users[0]->user);
    hy__sweep_req__free_unpacked(req, NULL);
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void on_scan(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__SweepScanRes res = HY__SWEEP_SCAN_RES__INIT;
    Hy__UserKey key = HY__USER_KEY__INIT, *keys[] = {&key};

    key.app = APP;
    key.user = w.scan_user;
    res.users = keys;
    res.n_users = *w.scan_user != '\0';
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void on_apps(struct hy_peer *peer, const struct hy_record *record)
{
    Hy__AppsRes res = HY__APPS_RES__INIT;
    Hy__App app = HY__APP__INIT, *apps[] = {&app};

    app.sdkappid = APP;
    app.multi_device = w.multi_device;
    app.sweep_interval_s = 1;
    app.sweep_grace_s = 0;
    res.version = 1;
    res.apps = apps;
    res.n_apps = 1;
    hy_bus_answer_pb(peer, record->kind, record->id, &res.base);
}

static void router_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    (void)ctx;
    switch (record->kind) {
    case HY__BUS_KIND__ROUTER_DELTA:
        on_delta(record);
        if (!w.mute)
            hy_bus_answer(peer, record->kind, record->id, NULL, 0);
        break;
    case HY__BUS_KIND__ROUTER_SWEEP:
        on_sweep(peer, record);
        break;
    case HY__BUS_KIND__ROUTER_SWEEP_SCAN:
        on_scan(peer, record);
        break;
    case HY__BUS_KIND__ROUTER_APPS:
        on_apps(peer, record);
        break;
    case HY__BUS_KIND__ROUTER_ONLINE: {
        Hy__OnlineReport *report = hy__online_report__unpack(NULL, record->len, record->payload);

        assert_non_null(report);
        w.reports++;
        w.reported_users = report->n_apps > 0 ? report->apps[0]->users : 0;
        hy__online_report__free_unpacked(report, NULL);
        hy_bus_answer(peer, record->kind, record->id, NULL, 0);
        break;
    }
    default:
        break;
    }
}

/* ---- the gateways ---- */

static void gate_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct fake *gate = ctx;

    (void)peer;
    if (record->kind == HY__BUS_KIND__GATEWAY_REGISTER) {
        gate->register_asked++;
    } else if (record->kind == HY__BUS_KIND__GATEWAY_KICK) {
        Hy__KickSession *kick = hy__kick_session__unpack(NULL, record->len, record->payload);

        assert_non_null(kick);
        gate->kicks++;
        gate->kicked_session = kick->session_id;
        gate->kicked_link = kick->link;
        gate->kicked_why = (int)kick->notice->why;
        hy__kick_session__free_unpacked(kick, NULL);
    }
}

/* ---- asking ---- */

struct asked {
    bool done;
    enum hy_err err;
    uint8_t bytes[4096];
    size_t len;
};

static void on_answer(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct asked *asked = arg;

    asked->done = true;
    asked->err = err;
    if (answer != NULL && answer->len <= sizeof asked->bytes) {
        memcpy(asked->bytes, answer->payload, answer->len);
        asked->len = answer->len;
    }
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        uint64_t end_ms_ = hy_steady_ms() + PATIENCE_MS;                                           \
        while (!(condition)) {                                                                     \
            hy_loop_turn(w.loop, 20);                                                              \
            if (hy_steady_ms() > end_ms_)                                                          \
                fail_msg("waited in vain for " #condition);                                        \
        }                                                                                          \
    } while (0)

static struct asked ask(struct fake *from, uint16_t kind, const ProtobufCMessage *msg)
{
    struct asked asked = {0};

    hy_bus_call_pb(
        from->bus,
        &(struct hy_call){.kind = kind, .peer = from->presence, .done = on_answer, .arg = &asked},
        msg);
    UNTIL(asked.done);
    assert_int_equal(asked.err, HY_OK);
    return asked;
}

static uint32_t open_session(struct fake *gate, const char *user, uint64_t id, uint64_t link,
                             int platform, bool resume)
{
    Hy__SessionOpen open = HY__SESSION_OPEN__INIT;
    Hy__Session session = HY__SESSION__INIT;
    char device[32];

    snprintf(device, sizeof device, "device-%d-%s", platform, gate == &w.gate[0] ? "a" : "b");
    session.app = APP;
    session.user = (char *)user;
    session.session_id = id;
    session.link = link;
    session.platform = (Hy__Platform)platform;
    session.device_id = device;
    session.multi_device = w.multi_device;
    open.session = &session;
    open.resume = resume;
    struct asked asked = ask(gate, HY__BUS_KIND__PRESENCE_OPEN, &open.base);
    Hy__SessionOpened *opened = hy__session_opened__unpack(NULL, asked.len, asked.bytes);

    assert_non_null(opened);
    uint32_t code = opened->code;

    hy__session_opened__free_unpacked(opened, NULL);
    return code;
}

static void close_session(struct fake *gate, const char *user, uint64_t id, uint64_t link, bool out)
{
    Hy__SessionClose close = HY__SESSION_CLOSE__INIT;

    close.app = APP;
    close.user = (char *)user;
    close.session_id = id;
    close.link = link;
    close.signed_out = out;
    ask(gate, HY__BUS_KIND__PRESENCE_CLOSE, &close.base);
}

/* The router watches a user; how many places has he now? */
static size_t watch(const char *user, bool *warming)
{
    Hy__WatchReq req = HY__WATCH_REQ__INIT;
    Hy__UserKey key = HY__USER_KEY__INIT, *keys[] = {&key};

    key.app = APP;
    key.user = (char *)user;
    req.users = keys;
    req.n_users = 1;
    struct asked asked = ask(&w.router, HY__BUS_KIND__PRESENCE_WATCH, &req.base);
    Hy__WatchRes *res = hy__watch_res__unpack(NULL, asked.len, asked.bytes);

    assert_non_null(res);
    assert_int_equal(res->n_users, 1);
    size_t places = res->users[0]->n_places;

    if (warming != NULL)
        *warming = res->warming;
    hy__watch_res__free_unpacked(res, NULL);
    return places;
}

static uint32_t state_of(const char *user)
{
    Hy__PresenceStateReq req = HY__PRESENCE_STATE_REQ__INIT;
    char *users[] = {(char *)user};

    req.app = APP;
    req.users = users;
    req.n_users = 1;
    req.detail = true;
    struct asked asked = ask(&w.router, HY__BUS_KIND__PRESENCE_STATE, &req.base);
    Hy__StateGetRes *res = hy__state_get_res__unpack(NULL, asked.len, asked.bytes);

    assert_non_null(res);
    uint32_t state = res->states[0]->state;

    hy__state_get_res__free_unpacked(res, NULL);
    return state;
}

static void register_none(struct fake *gate)
{
    Hy__Register reg = HY__REGISTER__INIT;

    reg.first = reg.last = true;
    ask(gate, HY__BUS_KIND__PRESENCE_REGISTER, &reg.base);
}

/* ---- the world ---- */

static const char *lease_ms = "60000";
static uint32_t multi_device = 1;

static void open_fake(struct fake *fake, const char *component, const char *name, const char *bind,
                      void (*record)(void *, struct hy_peer *, const struct hy_record *))
{
    const struct hy_bus_handler handler = {record, NULL};
    const struct hy_bus_config config = {.name = name,
                                         .component = component,
                                         .cluster_id = "test",
                                         .bind = bind,
                                         .curve_dir = HY_BUS_PLAIN};

    assert_int_equal(hy_bus_open(w.loop, &config, &handler, fake, &fake->bus), HY_OK);
}

static void dial(struct fake *fake)
{
    assert_int_equal(hy_bus_dial(fake->bus, "presence", "presence-0", presence_endpoint(w.presence),
                                 &fake->presence),
                     HY_OK);
    UNTIL(hy_peer_up(fake->presence));
}

static int setup(void **state)
{
    char routers[300];

    (void)state;
    memset(&w, 0, sizeof w);
    w.multi_device = multi_device;
    assert_int_equal(hy_loop_open(&w.loop), HY_OK);
    open_fake(&w.router, "router", "router-0", "tcp://127.0.0.1:*", router_record);
    snprintf(routers, sizeof routers, "router-0=%s", hy_bus_endpoint(w.router.bus));
    setenv("HONGYAN_PRESENCE__CLUSTER__ROUTERS", routers, 1);
    setenv("HONGYAN_PRESENCE__CLUSTER__ID", "test", 1);
    setenv("HONGYAN_PRESENCE__CLUSTER__CURVE_DIR", HY_BUS_PLAIN, 1);
    setenv("HONGYAN_PRESENCE__RESUME_GRACE_MS", "300", 1);
    setenv("HONGYAN_PRESENCE__WARM_MS", "100", 1);
    setenv("HONGYAN_PRESENCE__LEASE_MS", lease_ms, 1);
    setenv("HONGYAN_PRESENCE__COUNT_REPORT_MS", "100", 1);
    assert_int_equal(hy_settings_load(&presence_spec, NULL, stderr, &w.settings), HY_OK);
    assert_int_equal(presence_open(w.loop, w.settings, &w.presence), HY_OK);
    return 0;
}

/* Two gateways and the router are there, and presence is warm. */
static int setup_warm(void **state)
{
    bool warming = true;

    setup(state);
    open_fake(&w.gate[0], "gateway", "gateway-0/0", NULL, gate_record);
    open_fake(&w.gate[1], "gateway", "gateway-1/0", NULL, gate_record);
    dial(&w.gate[0]);
    dial(&w.gate[1]);
    dial(&w.router);
    UNTIL(w.gate[0].register_asked > 0 && w.gate[1].register_asked > 0);
    watch("nobody", &warming);
    assert_true(warming);
    register_none(&w.gate[0]);
    register_none(&w.gate[1]);
    while (warming)
        watch("nobody", &warming);
    UNTIL(presence_ready(w.presence) == NULL);
    UNTIL(w.reports > 0);
    w.deltas = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    presence_close(&w.presence);
    hy_bus_close(&w.gate[0].bus);
    hy_bus_close(&w.gate[1].bus);
    hy_bus_close(&w.router.bus);
    hy_settings_free(&presence_spec, &w.settings);
    hy_loop_close(&w.loop);
    return 0;
}

/* ---- the tests ---- */

static void a_watcher_knows_before_the_session_is_open(void **state)
{
    (void)state;
    assert_int_equal(watch("anna", NULL), 0);
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(w.deltas, 1);
    assert_string_equal(w.delta_user, "anna");
    assert_string_equal(w.place_gateway, "gateway-0/0");
    assert_int_equal(w.places, 1);
    assert_int_equal(watch("anna", NULL), 1);
    assert_int_equal(state_of("anna"), 1);
    UNTIL(w.reported_users == 1);
}

/* The hashes of one page of the roll; returns how many. */
static size_t roll(uint64_t hashes[static 8])
{
    Hy__RollReq req = HY__ROLL_REQ__INIT;
    struct asked asked = ask(&w.router, HY__BUS_KIND__PRESENCE_ROLL, &req.base);
    Hy__RollRes *res = hy__roll_res__unpack(NULL, asked.len, asked.bytes);
    size_t count;

    assert_non_null(res);
    assert_false(res->warming);
    assert_int_equal(res->cursor, 0);
    count = res->n_online;
    assert_in_range(count, 0, 8);
    memcpy(hashes, res->online, count * sizeof *hashes);
    hy__roll_res__free_unpacked(res, NULL);
    return count;
}

static void who_has_the_roll_is_told_of_everybody(void **state)
{
    uint64_t hashes[8];

    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(w.deltas, 0); /* nobody watches her */
    watch("ben", NULL);            /* watched, and not online: not on the roll */
    assert_int_equal(roll(hashes), 1);
    assert_int_equal(hashes[0], hy_user_hash(APP, "anna"));
    assert_int_equal(open_session(&w.gate[0], "cleo", 2, 12, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(w.deltas, 1); /* before her session was open */
    assert_string_equal(w.delta_user, "cleo");
    assert_int_equal(w.places, 1);
    close_session(&w.gate[0], "anna", 1, 11, true);
    UNTIL(w.deltas == 2);
    assert_string_equal(w.delta_user, "anna");
    assert_int_equal(w.places, 0);
    assert_int_equal(roll(hashes), 1);
    assert_int_equal(hashes[0], hy_user_hash(APP, "cleo"));
}

static void a_router_that_does_not_confirm_costs_300_ms_and_is_told_again(void **state)
{
    uint64_t began_ms;

    (void)state;
    watch("anna", NULL);
    w.mute = true;
    began_ms = hy_steady_ms();
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_in_range(hy_steady_ms() - began_ms, 250, 3000);
    w.mute = false;
    w.deltas = 0;
    UNTIL(w.deltas > 0);
    assert_int_equal(w.places, 1);
}

static void the_device_rule_kicks_with_a_reason(void **state)
{
    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_ANDROID, false),
                     0);
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_ANDROID, false),
                     0);
    assert_int_equal(w.gate[0].kicks, 0);
    /* the same installation again */
    assert_int_equal(open_session(&w.gate[0], "anna", 2, 12, HY__PLATFORM__PLATFORM_ANDROID, false),
                     0);
    UNTIL(w.gate[0].kicks == 1);
    assert_int_equal(w.gate[0].kicked_session, 1);
    assert_int_equal(w.gate[0].kicked_link, 11);
    assert_int_equal(w.gate[0].kicked_why, HY__KICKED_NOTICE__WHY__SAME_DEVICE);
    assert_int_equal(watch("anna", NULL), 1);
    /* what was kicked does not come back, neither by resuming nor by an old request */
    assert_int_equal(open_session(&w.gate[1], "anna", 1, 13, HY__PLATFORM__PLATFORM_ANDROID, true),
                     HY_CODE_SESSION_OVER);
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_ANDROID, false),
                     HY_CODE_SESSION_OVER);
}

static void another_device_is_kicked_where_the_app_says_so(void **state)
{
    teardown(state);
    multi_device = 3;
    setup_warm(state);
    multi_device = 1;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_IPHONE, false),
                     0);
    assert_int_equal(open_session(&w.gate[1], "anna", 2, 21, HY__PLATFORM__PLATFORM_ANDROID, false),
                     0);
    assert_int_equal(open_session(&w.gate[1], "anna", 3, 22, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(watch("anna", NULL), 3);
    assert_int_equal(open_session(&w.gate[1], "anna", 4, 23, HY__PLATFORM__PLATFORM_IPAD, false),
                     0);
    UNTIL(w.gate[0].kicks == 1);
    assert_int_equal(w.gate[0].kicked_why, HY__KICKED_NOTICE__WHY__OTHER_DEVICE);
    assert_int_equal(w.gate[1].kicks, 0);
    assert_int_equal(watch("anna", NULL), 3);
}

static void a_lost_session_is_resumed_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_IPHONE, false),
                     0);
    close_session(&w.gate[0], "anna", 1, 11, false);
    assert_int_equal(state_of("anna"), 3);
    assert_int_equal(open_session(&w.gate[1], "anna", 1, 21, HY__PLATFORM__PLATFORM_IPHONE, true),
                     0);
    assert_int_equal(state_of("anna"), 1);
    /* the old worker's late word about the old link changes nothing */
    close_session(&w.gate[0], "anna", 1, 11, false);
    assert_int_equal(watch("anna", NULL), 1);
    /* resumed while it still lives: the old link is dropped */
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 12, HY__PLATFORM__PLATFORM_IPHONE, true),
                     0);
    UNTIL(w.gate[1].kicks == 1);
    assert_int_equal(w.gate[1].kicked_link, 21);
    assert_int_equal(w.gate[1].kicked_why, HY__KICKED_NOTICE__WHY__TIMEOUT);
}

static void a_signed_out_session_is_over_at_once(void **state)
{
    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_IPHONE, false),
                     0);
    close_session(&w.gate[0], "anna", 1, 11, true);
    assert_int_equal(state_of("anna"), 2);
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 12, HY__PLATFORM__PLATFORM_IPHONE, true),
                     HY_CODE_SESSION_OVER);
}

static void who_stays_away_is_swept_and_who_is_there_is_not(void **state)
{
    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(open_session(&w.gate[0], "ben", 2, 12, HY__PLATFORM__PLATFORM_WEB, false), 0);
    close_session(&w.gate[0], "anna", 1, 11, false);
    UNTIL(w.swept == 1);
    assert_string_equal(w.swept_user, "anna");
    Hy__SweepHint hint = HY__SWEEP_HINT__INIT;
    Hy__UserKey carl = HY__USER_KEY__INIT, ben = HY__USER_KEY__INIT, *keys[] = {&ben, &carl};

    carl.app = ben.app = APP;
    carl.user = (char *)"carl";
    ben.user = (char *)"ben";
    hint.users = keys;
    hint.n_users = 2;
    assert_int_equal(
        hy_bus_send_pb(w.router.presence, HY__BUS_KIND__PRESENCE_SWEEP_HINT, 0, &hint.base), HY_OK);
    UNTIL(w.swept == 2);
    assert_string_equal(w.swept_user, "carl");
}

static void after_a_start_the_scan_finds_who_went_before(void **state)
{
    teardown(state);
    setup(state);
    strcpy(w.scan_user, "dora");
    dial(&w.router);
    open_fake(&w.gate[0], "gateway", "gateway-0/0", NULL, gate_record);
    dial(&w.gate[0]);
    register_none(&w.gate[0]);
    UNTIL(w.swept == 1);
    assert_string_equal(w.swept_user, "dora");
}

static void a_rest_kick_ends_all_sessions(void **state)
{
    Hy__KickUser kick = HY__KICK_USER__INIT;
    Hy__KickedNotice notice = HY__KICKED_NOTICE__INIT;

    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    assert_int_equal(open_session(&w.gate[1], "anna", 2, 21, HY__PLATFORM__PLATFORM_IPAD, false),
                     0);
    notice.why = HY__KICKED_NOTICE__WHY__REST_KICK;
    kick.app = APP;
    kick.user = (char *)"anna";
    kick.notice = &notice;
    ask(&w.router, HY__BUS_KIND__PRESENCE_KICK, &kick.base);
    UNTIL(w.gate[0].kicks == 1 && w.gate[1].kicks == 1);
    assert_int_equal(w.gate[1].kicked_why, HY__KICKED_NOTICE__WHY__REST_KICK);
    assert_int_equal(state_of("anna"), 2);
}

static void a_touch_is_told_to_watchers(void **state)
{
    Hy__Touch touch = HY__TOUCH__INIT;
    Hy__UserKey key = HY__USER_KEY__INIT, *keys[] = {&key};

    (void)state;
    watch("anna", NULL);
    key.app = APP;
    key.user = (char *)"anna";
    touch.users = keys;
    touch.n_users = 1;
    ask(&w.router, HY__BUS_KIND__PRESENCE_TOUCH, &touch.base);
    assert_int_equal(w.touched, 1);
}

static void a_silent_worker_loses_its_sessions(void **state)
{
    teardown(state);
    lease_ms = "1000";
    setup_warm(state);
    lease_ms = "60000";
    watch("anna", NULL);
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    /* no lease ever comes */
    UNTIL(w.places == 0);
    assert_int_equal(state_of("anna"), 2);
}

static void send_lease(struct fake *gate, uint64_t session, uint64_t link)
{
    Hy__Lease lease = HY__LEASE__INIT;
    struct tally tally = {0};

    tally_add(&tally, session, link);
    lease.sessions = tally.count;
    lease.digest = tally.digest;
    assert_int_equal(hy_bus_send_pb(gate->presence, HY__BUS_KIND__PRESENCE_LEASE, 0, &lease.base),
                     HY_OK);
}

static void a_lease_that_differs_leads_to_a_registration(void **state)
{
    Hy__Register reg = HY__REGISTER__INIT;
    Hy__Session session = HY__SESSION__INIT, *list[] = {&session};
    unsigned asked = w.gate[0].register_asked;

    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    send_lease(&w.gate[0], 2, 12);
    send_lease(&w.gate[0], 2, 12);
    UNTIL(w.gate[0].register_asked > asked);
    /* what was opened a moment ago may miss on the list, and is spared */
    reg.first = reg.last = true;
    ask(&w.gate[0], HY__BUS_KIND__PRESENCE_REGISTER, &reg.base);
    assert_int_equal(state_of("anna"), 1);
    session.app = APP;
    session.user = (char *)"ben";
    session.session_id = 2;
    session.link = 12;
    reg.first = reg.last = true;
    reg.sessions = list;
    reg.n_sessions = 1;
    ask(&w.gate[0], HY__BUS_KIND__PRESENCE_REGISTER, &reg.base);
    assert_int_equal(state_of("ben"), 1);
    close_session(&w.gate[0], "anna", 1, 11, true);
    asked = w.gate[0].register_asked;
    send_lease(&w.gate[0], 2, 12);
    send_lease(&w.gate[0], 2, 12);
    assert_int_equal(watch("ben", NULL), 1);
    assert_int_equal(w.gate[0].register_asked, asked);
}

static void after_a_stall_it_counts_anew(void **state)
{
    unsigned asked = w.gate[0].register_asked;
    bool warming = false;

    (void)state;
    assert_int_equal(open_session(&w.gate[0], "anna", 1, 11, HY__PLATFORM__PLATFORM_WEB, false), 0);
    usleep(1700000); /* nobody turns the loop */
    UNTIL(w.gate[0].register_asked > asked);
    watch("anna", &warming);
    assert_true(warming);
    assert_int_equal(state_of("anna"), 1);
}

static void bad_bytes_are_survived(void **state)
{
    (void)state;
    for (unsigned kind = HY__BUS_KIND__PRESENCE_OPEN; kind < HY__BUS_KIND__PRESENCE_COUNT + 2;
         kind++)
        assert_int_equal(hy_bus_send(w.router.presence, (uint16_t)kind, 7, "\xff\xff\xff", 3),
                         HY_OK);
    assert_int_equal(state_of("anna"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_warm, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_watcher_knows_before_the_session_is_open),
        TEST(who_has_the_roll_is_told_of_everybody),
        TEST(a_router_that_does_not_confirm_costs_300_ms_and_is_told_again),
        TEST(the_device_rule_kicks_with_a_reason),
        TEST(another_device_is_kicked_where_the_app_says_so),
        TEST(a_lost_session_is_resumed_elsewhere),
        TEST(a_signed_out_session_is_over_at_once),
        TEST(who_stays_away_is_swept_and_who_is_there_is_not),
        TEST(after_a_start_the_scan_finds_who_went_before),
        TEST(a_rest_kick_ends_all_sessions),
        TEST(a_touch_is_told_to_watchers),
        TEST(a_silent_worker_loses_its_sessions),
        TEST(a_lease_that_differs_leads_to_a_registration),
        TEST(after_a_stall_it_counts_anew),
        TEST(bad_bytes_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
