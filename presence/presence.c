#include "presence/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/slot.h"
#include "presence/inner.h"

enum {
    TICK_MS = 100,
    STALL_MS = 1500, /* as long as the others believe in a silent peer, about */
    REPORT_DEADLINE_MS = 5000,
    MOVED_MS = 5000, /* until those who left a user's old process have told it */
};

typedef struct presence_settings set;

static const struct hy_setting table[] = {
    HY_TEXT(set, bus_listen, "bus.listen", "tcp://127.0.0.1:*", false,
            "endpoint for gateways and routers, tcp or ipc; port * picks one"),
    HY_INT(set, lease_ms, "lease_ms", 10000, 1000, 600000, true,
           "a gateway worker silent this long loses its sessions, ms"),
    HY_INT(set, resume_grace_ms, "resume_grace_ms", 60000, 100, 3600000, true,
           "a session whose link was lost can be resumed this long, ms"),
    HY_INT(set, warm_ms, "warm_ms", 2000, 0, 60000, false,
           "after a start, time for gateways to register before anybody counts as offline, ms"),
    HY_INT(set, watch_max, "watch_max", 4000000, 1000, 1000000000, false,
           "most users watched, all routers together"),
    HY_INT(set, push_max, "push_max", 1000000, 0, 1000000000, false,
           "most users remembered as reachable by offline push"),
    HY_INT(set, count_report_ms, "count_report_ms", 10000, 100, 3600000, true,
           "how often the number of online users is reported for the daily peak, ms"),
    {0},
};

const struct hy_settings_spec presence_spec = {"presence", table, sizeof(struct presence_settings)};

/* ---- records ---- */

static bool on_seen(struct presence *p, struct hy_peer *peer, const struct hy_record *record)
{
    return hy_passage_seen(p->passage, peer, record);
}

static const struct handler {
    uint16_t kind;
    presence_handler *handle;
} handlers[] = {
    {HY__BUS_KIND__PRESENCE_OPEN, gates_open},
    {HY__BUS_KIND__PRESENCE_CLOSE, gates_close},
    {HY__BUS_KIND__PRESENCE_LEASE, gates_lease},
    {HY__BUS_KIND__PRESENCE_REGISTER, gates_register},
    {HY__BUS_KIND__PRESENCE_WATCH, questions_watch},
    {HY__BUS_KIND__PRESENCE_UNWATCH, questions_unwatch},
    {HY__BUS_KIND__PRESENCE_STATE, questions_state},
    {HY__BUS_KIND__PRESENCE_KICK, questions_kick},
    {HY__BUS_KIND__PRESENCE_TOUCH, questions_touch},
    {HY__BUS_KIND__PRESENCE_SWEEP_HINT, questions_hint},
    {HY__BUS_KIND__PRESENCE_COUNT, questions_count},
    {HY__BUS_KIND__PRESENCE_ROLL, questions_roll},
    {HY__BUS_KIND__NODE_SEEN, on_seen},
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    struct presence *p = ctx;

    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (handlers[i].kind != record->kind)
            continue;
        if (!handlers[i].handle(p, peer, record))
            hy_log_warn("record.malformed", "peer=%s kind=%u len=%zu", hy_peer_name(peer),
                        record->kind, record->len);
        hy_arena_reset(&p->arena);
        return;
    }
    hy_log_warn("record.unknown", "peer=%s kind=%u", hy_peer_name(peer), record->kind);
}

static void on_peer(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct presence *p = ctx;

    if (routers_peer(p->routers, peer, event) || hy_tier_peer(p->peers, peer, event))
        return;
    if (strcmp(hy_peer_component(peer), "router") == 0)
        watch_peer(p->watch, peer, event, hy_loop_now_ms(p->loop));
    else if (strcmp(hy_peer_component(peer), "gateway") == 0)
        gates_peer(p, peer, event);
}

/* ---- what the parts tell each other ---- */

static void on_moved(void *ctx, struct user *user)
{
    watch_moved(((struct presence *)ctx)->watch, user);
}

static void on_gone(void *ctx, struct user *user, uint64_t now_ms)
{
    sweeper_gone(((struct presence *)ctx)->sweeper, user, now_ms);
}

static void on_apps(void *ctx)
{
    sweeper_apps(((struct presence *)ctx)->sweeper);
}

static void on_turn(void *arg)
{
    watch_flush(((struct presence *)arg)->watch);
}

bool presence_owns(const struct presence *p, uint32_t app, const char *user)
{
    int i = hy_tier_home(p->peers, hy_slot_user(app, user));

    return i < 0 || strcmp(hy_tier_name(p->peers, i), p->name) == 0;
}

void presence_kick(struct presence *p, struct user *user, struct session *session,
                   const Hy__KickedNotice *notice)
{
    Hy__KickSession kick = HY__KICK_SESSION__INIT;
    struct hy_peer *gateway = NULL;

    if (session->state == SESSION_LIVES)
        gateway = hy_bus_find(p->bus, session->worker->name);
    kick.session_id = session->id;
    kick.link = session->link;
    kick.notice = (Hy__KickedNotice *)notice;
    /* If this is lost, the worker's lease differs from ours and it registers: then it is told
     * again. */
    if (gateway != NULL)
        (void)!hy_bus_send_pb(gateway, HY__BUS_KIND__GATEWAY_KICK, 0, &kick.base);
    hy_log_info("session.kicked", "app=%u user=\"%s\" session=%llu why=%d", user->app, user->name,
                (unsigned long long)session->id, (int)notice->why);
    hy_add(p->kicks, 1);
    session_end(p->sessions, user, session, hy_loop_now_ms(p->loop));
}

/* ---- time ---- */

static void tell_offline(void *arg, struct user *user)
{
    if (user->watchers != 0 && !user_online(user))
        watch_moved(arg, user);
}

/* Routers kept what they knew while we were warming; from now on what we say is the truth. */
static void be_warm(struct presence *p, uint64_t now_ms)
{
    p->warming = false;
    hy_log_info("presence.warm", "users=%zu online=%u after_ms=%llu", sessions_users(p->sessions),
                count_of(p->count, 0), (unsigned long long)(now_ms - p->started_ms));
    sessions_each(p->sessions, tell_offline, p->watch);
    sweeper_scan(p->sweeper);
}

static void end_warming(struct presence *p, uint64_t now_ms)
{
    bool all = now_ms >= p->started_ms + p->warm_ms && workers_registered(&p->workers);

    if (hy_passage_state(p->passage) != HY_NODE_JOINING &&
        (all || now_ms >= p->started_ms + p->warm_ms + p->lease_ms))
        be_warm(p, now_ms);
}

static void on_reported(void *arg, enum hy_err err, const struct hy_record *answer)
{
    (void)arg;
    (void)answer;
    if (err != HY_OK)
        hy_log_warn("count.not_reported", "why=\"%s\"", hy_err_text(err));
}

static void report(struct presence *p, uint64_t now_ms)
{
    if (hy_tier_moving(p->peers))
        p->moving_ms = now_ms;
    if (now_ms < p->report_ms + p->report_every_ms || p->warming || !routers_any_up(p->routers))
        return;
    if (p->moving_ms != 0 && now_ms < p->moving_ms + MOVED_MS)
        return; /* others have some of ours too, or we theirs */
    p->report_ms = now_ms;
    const Hy__OnlineReport *r = count_report(p->count, p->name, hy_wall_ms() / 1000, &p->arena);

    if (r != NULL)
        routers_ask(p->routers, 0, HY__BUS_KIND__ROUTER_ONLINE, REPORT_DEADLINE_MS, &r->base,
                    on_reported, p);
    hy_arena_reset(&p->arena);
}

/* We stood still (stopped, swapped, a suspended machine): what happened meanwhile went to others or
 * waits in sockets, and no lease ended by our clock alone. It is as after a start. */
static void begin_warming(struct presence *p, uint64_t now_ms)
{
    hy_log_warn("presence.stalled", "for_ms=%llu", (unsigned long long)(now_ms - p->tick_ms));
    p->warming = true;
    p->started_ms = now_ms;
    gates_recount(p);
}

static void on_tick(void *arg)
{
    struct presence *p = arg;
    uint64_t now_ms = hy_loop_now_ms(p->loop);

    if (now_ms > p->tick_ms + STALL_MS)
        begin_warming(p, now_ms);
    p->tick_ms = now_ms;
    gates_tick(p, now_ms);
    if (p->warming)
        end_warming(p, now_ms);
    sessions_expire(p->sessions, now_ms);
    watch_tidy(p->watch, now_ms);
    if (p->scan_ms != 0 && now_ms >= p->scan_ms) {
        p->scan_ms = 0;
        sweeper_scan(p->sweeper);
    }
    sweeper_tick(p->sweeper, now_ms);
    report(p, now_ms);
}

/* ---- the fleet ---- */

static void on_node(void *ctx, const struct hy_node *node)
{
    struct presence *p = ctx;

    routers_node(p->routers, node);
    hy_tier_node(p->peers, node);
}

/* Slots have moved. Who is offline of those that came is looked for when he can not be resumed any
 * more: we do not know whose link was lost lately. */
static void on_slots_moved(void *ctx)
{
    struct presence *p = ctx;
    uint64_t now_ms = hy_loop_now_ms(p->loop);

    if (hy_fleet_static(p->fleet))
        return;
    p->gained_ms = now_ms;
    p->scan_ms = now_ms + p->grace_ms + HY_TIER_HANDOVER_MS;
}

/* Users of other shards may be in other places. */
static void on_map(void *ctx)
{
    struct presence *p = ctx;

    if (!p->warming) /* after warming there is a scan anyway */
        sweeper_scan(p->sweeper);
}

static bool is_complete(void *ctx)
{
    return workers_registered(&((struct presence *)ctx)->workers);
}

static void on_step(void *ctx, enum hy_node_state state)
{
    struct presence *p = ctx;

    p->joined = state != HY_NODE_JOINING;
    /* All gateways that there are have registered. */
    if (state == HY_NODE_SERVING && is_complete(p))
        be_warm(p, hy_loop_now_ms(p->loop));
}

/* ---- start and end ---- */

static bool listed(const struct presence *p, const struct hy_text_list *list)
{
    char name[64], endpoint[256];

    for (size_t i = 0; i < list->count; i++)
        if (hy_settings_peer(list->items[i], name, endpoint) == HY_OK && strcmp(name, p->name) == 0)
            return true;
    return false;
}

void presence_reload(struct presence *p, const struct presence_settings *settings)
{
    p->lease_ms = (uint64_t)settings->lease_ms;
    p->grace_ms = (uint64_t)settings->resume_grace_ms;
    p->report_every_ms = (uint64_t)settings->count_report_ms;
    sessions_set_grace(p->sessions, p->grace_ms);
}

static enum hy_err open_bus(struct presence *p, const struct presence_settings *settings)
{
    static const struct hy_bus_handler handler = {on_record, on_peer};
    const struct hy_bus_config config = {
        .name = p->name,
        .component = "presence",
        .cluster_id = settings->common.cluster_id,
        .bind = settings->bus_listen,
        .curve_dir = *settings->common.curve_dir != '\0' ? settings->common.curve_dir : NULL,
    };
    enum hy_err err = hy_bus_open(p->loop, &config, &handler, p, &p->bus);

    if (err == HY_OK)
        err = watch_open(p->bus, (size_t)settings->watch_max, &p->watch);
    if (err == HY_OK)
        err = routers_open(&(struct routers_config){.loop = p->loop,
                                                    .bus = p->bus,
                                                    .fleet = p->fleet,
                                                    .changed = on_apps,
                                                    .peer = on_peer,
                                                    .ctx = p},
                           &p->routers);
    if (err == HY_OK)
        err = hy_tier_open(&(struct hy_tier_config){.loop = p->loop,
                                                    .bus = p->bus,
                                                    .component = "presence",
                                                    .self = p->name,
                                                    .moved = on_slots_moved,
                                                    .peer = on_peer,
                                                    .ctx = p},
                           &p->peers);
    return err;
}

static enum hy_err open_passage(struct presence *p)
{
    static const char *const diallers[] = {"gateway", "router", NULL};
    const struct hy_passage_config config = {.loop = p->loop,
                                             .bus = p->bus,
                                             .fleet = p->fleet,
                                             .diallers = diallers,
                                             .complete = is_complete,
                                             .changed = on_step,
                                             .ctx = p};

    p->joined = hy_fleet_static(p->fleet);
    return hy_passage_open(&config, &p->passage);
}

static enum hy_err open_parts(struct presence *p, const struct presence_settings *settings)
{
    static const struct hy_fleet_handler fleet = {.node = on_node, .map = on_map};
    char why[256];
    enum hy_err err =
        hy_fleet_open(p->loop, &settings->common, "presence", &fleet, p, &p->fleet, why);

    if (err != HY_OK)
        hy_log_error("fleet.not_opened", "why=\"%s\"", why);
    if (err == HY_OK)
        err = count_open(&p->count);
    if (err == HY_OK)
        err = open_bus(p, settings);
    if (err == HY_OK)
        err = open_passage(p);
    if (err == HY_OK)
        err =
            sessions_open(&(struct sessions_config){.grace_ms = (uint64_t)settings->resume_grace_ms,
                                                    .push_max = (size_t)settings->push_max,
                                                    .count = p->count,
                                                    .moved = on_moved,
                                                    .gone = on_gone,
                                                    .ctx = p},
                          &p->sessions);
    if (err == HY_OK)
        err = sweeper_open(p, &p->sweeper);
    if (err == HY_OK)
        err = hy_loop_on_turn(p->loop, on_turn, p);
    if (err == HY_OK)
        err = hy_timer_open(p->loop, on_tick, p, &p->tick);
    return err;
}

enum hy_err presence_open(struct hy_loop *loop, const struct presence_settings *settings,
                          struct presence **presence)
{
    enum hy_err err = HY_ENOMEM;
    struct presence *p = calloc(1, sizeof *p);

    if (p == NULL)
        return err;
    p->loop = loop;
    hy_arena_init(&p->arena);
    p->kicks =
        hy_counter("hongyan_presence_kicks_total", "", "sessions ended by a rule or by REST");
    p->refused = hy_counter("hongyan_presence_refused_total", "", "sessions that may not go on");
    if (snprintf(p->name, sizeof p->name, "%s", settings->common.name) < (int)sizeof p->name)
        err = open_parts(p, settings);
    if (err != HY_OK)
        goto fail;
    watch_set_sessions(p->watch, p->sessions);
    presence_reload(p, settings);
    p->warm_ms = (uint64_t)settings->warm_ms;
    p->started_ms = hy_steady_ms();
    p->report_ms = p->tick_ms = p->started_ms;
    p->warming = true;
    hy_timer_every(p->tick, TICK_MS);
    if (settings->common.presences.count > 0 && !listed(p, &settings->common.presences))
        hy_log_warn("presence.not_listed",
                    "name=%s why=\"cluster.presences does not name this process, "
                    "so it would sweep nobody\"",
                    p->name);
    *presence = p;
    return HY_OK;

fail:
    presence_close(&p);
    return err;
}

void presence_close(struct presence **presence)
{
    struct presence *p = *presence;

    if (p == NULL)
        return;
    *presence = NULL;
    hy_loop_off_turn(p->loop, on_turn, p);
    hy_timer_close(&p->tick);
    hy_passage_close(&p->passage);
    hy_fleet_close(&p->fleet);
    hy_bus_close(&p->bus);
    hy_tier_close(&p->peers);
    routers_close(&p->routers);
    watch_close(&p->watch);
    sweeper_close(&p->sweeper);
    sessions_close(&p->sessions);
    count_close(&p->count);
    workers_free(&p->workers);
    hy_arena_free(&p->arena);
    free(p);
}

void presence_leave(struct presence *p, void (*left)(void *arg), void *arg)
{
    hy_passage_leave(p->passage, left, arg);
}

const char *presence_endpoint(const struct presence *p)
{
    return hy_bus_endpoint(p->bus);
}

const char *presence_ready(void *presence)
{
    const struct presence *p = presence;

    if (!p->joined)
        return "it has not joined the fleet yet";
    return routers_any_up(p->routers) ? NULL : "no router is connected";
}
