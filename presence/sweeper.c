#include "presence/sweeper.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/slot.h"
#include "presence/inner.h"
#include "presence/sweep.h"

enum {
    BATCH = 100000, /* users of one ROUTER_SWEEP: who leave together cost a group one change */
    DEADLINE_MS = 15000,
    SWEEP_DEADLINE_MS = 600000, /* what came of a flight that takes longer is not waited for */
    SCAN_PAGE = 1000,
    SCAN_PAUSE_MS = 1000,    /* after a page that failed */
    SCAN_QUEUE_MAX = 100000, /* more are not fetched before these are gone */
};

static const struct sweep_rule usual = {.interval_s = 300, .grace_s = 60};

/* Users on their way through a router. */
struct flight {
    struct sweeper *sweeper;
    uint32_t app;
    size_t count;
    struct user *users[];
};

struct sweeper {
    struct presence *presence;
    struct sweep *queue;
    struct flight *flight; /* one at a time; NULL: none */
    struct {               /* the scan of the stores */
        bool running, asking, again;
        uint32_t shard;
        struct hy_buf cursor;
        uint64_t next_ms;
    } scan;
    uint32_t *on; /* apps with the sweep on, as last seen */
    size_t on_count;
    struct hy_metric *handed, *removed, *waiting;
};

enum hy_err sweeper_open(struct presence *presence, struct sweeper **sweeper)
{
    struct sweeper *s = calloc(1, sizeof *s);

    if (s == NULL)
        return HY_ENOMEM;
    s->presence = presence;
    s->handed = hy_counter("hongyan_presence_sweep_users_total", "",
                           "offline users handed to routers by the sweep");
    s->removed =
        hy_counter("hongyan_presence_sweep_removed_total", "", "memberships that the sweep ended");
    s->waiting =
        hy_gauge("hongyan_presence_sweep_waiting", "", "offline users waiting for the sweep");
    if (sweep_open(&s->queue) != HY_OK) {
        free(s);
        return HY_ENOMEM;
    }
    *sweeper = s;
    return HY_OK;
}

void sweeper_close(struct sweeper **sweeper)
{
    struct sweeper *s = *sweeper;

    if (s == NULL)
        return;
    *sweeper = NULL;
    free(s->flight);
    sweep_close(&s->queue);
    hy_buf_free(&s->scan.cursor);
    free(s->on);
    free(s);
}

static struct sweep_rule rule_of(void *arg, uint32_t app)
{
    const struct sweeper *s = arg;
    const Hy__App *settings = hy_apps_find(routers_apps(s->presence->routers), app);

    if (settings == NULL || settings->sweep_interval_s == 0)
        return usual;
    return (struct sweep_rule){settings->sweep_interval_s, settings->sweep_grace_s};
}

static void enqueue(struct sweeper *s, struct user *user, uint64_t since_ms)
{
    if (user->sweep_queued)
        return;
    enum hy_err err = sweep_add(s->queue, user->app, user, since_ms);

    if (err != HY_OK) {
        hy_log_warn("sweep.not_queued", "app=%u user=\"%s\" why=\"%s\"", user->app, user->name,
                    hy_err_text(err));
        return;
    }
    user->sweep_queued = true;
    sessions_pin(user);
}

void sweeper_gone(struct sweeper *s, struct user *user, uint64_t now_ms)
{
    if (presence_owns(s->presence, user->app, user->name))
        enqueue(s, user, now_ms);
}

void sweeper_hint(struct sweeper *s, uint32_t app, const char *name)
{
    if (*name == '\0' || !presence_owns(s->presence, app, name))
        return;
    struct user *user = sessions_make(s->presence->sessions, app, name);

    if (user == NULL)
        return;
    if (!user_present(user))
        enqueue(s, user, hy_loop_now_ms(s->presence->loop));
    sessions_tidy(s->presence->sessions, user);
}

/* ---- handing over ---- */

/* Is this user, in the order of the flight, the next of those who failed? */
static bool failed(const Hy__SweepRes *res, size_t *next, const struct user *user)
{
    const Hy__UserKey *key = *next < res->n_failed ? res->failed[*next] : NULL;

    if (key == NULL || key->app != user->app || strcmp(key->user, user->name) != 0)
        return false;
    ++*next;
    return true;
}

static void on_swept(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct flight *f = arg;
    struct sweeper *s = f->sweeper;
    struct presence *p = s->presence;
    size_t next = 0;
    Hy__SweepRes *res =
        err == HY_OK ? hy__sweep_res__unpack(&p->arena.pb, answer->len, answer->payload) : NULL;

    if (res == NULL)
        hy_log_warn("sweep.failed", "app=%u users=%zu why=\"%s\"", f->app, f->count,
                    hy_err_text(err));
    else
        hy_add(s->removed, res->removed);
    for (size_t i = 0; i < f->count; i++) {
        struct user *user = f->users[i];

        if ((res == NULL || failed(res, &next, user)) && !user_present(user))
            enqueue(s, user, hy_loop_now_ms(p->loop));
        sessions_unpin(p->sessions, user);
    }
    hy_arena_reset(&p->arena);
    s->flight = NULL;
    free(f);
}

/* Keep those of the flight who are still offline. */
static void drop_present(struct sweeper *s, struct flight *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++) {
        const struct user *user = f->users[i];

        f->users[i]->sweep_queued = false;
        /* Whose slot went elsewhere may be back there. */
        if (user_present(user) || !presence_owns(s->presence, user->app, user->name))
            sessions_unpin(s->presence->sessions, f->users[i]);
        else
            f->users[kept++] = f->users[i];
    }
    f->count = kept;
}

static bool send_flight(struct sweeper *s, struct flight *f)
{
    struct hy_arena *arena = &s->presence->arena;
    Hy__SweepReq req = HY__SWEEP_REQ__INIT;
    Hy__UserKey *keys = hy_arena_alloc(arena, f->count * sizeof *keys);

    req.users = hy_arena_alloc(arena, f->count * sizeof(Hy__UserKey *));
    if (keys == NULL || req.users == NULL)
        return false;
    for (size_t i = 0; i < f->count; i++) {
        hy__user_key__init(&keys[i]);
        keys[i].app = f->users[i]->app;
        keys[i].user = f->users[i]->name;
        req.users[i] = &keys[i];
    }
    req.n_users = f->count;
    s->flight = f;
    hy_add(s->handed, (int64_t)f->count);
    routers_ask_once(s->presence->routers, hy_slot_user(f->app, f->users[0]->name),
                     HY__BUS_KIND__ROUTER_SWEEP, SWEEP_DEADLINE_MS, &req.base, on_swept, f);
    hy_arena_reset(arena);
    return true;
}

/* Nobody takes them now: they wait on. */
static void put_back(struct sweeper *s, struct flight *f)
{
    for (size_t i = 0; i < f->count; i++) {
        enqueue(s, f->users[i], hy_loop_now_ms(s->presence->loop));
        sessions_unpin(s->presence->sessions, f->users[i]);
    }
    free(f);
}

static void hand_over(struct sweeper *s, uint64_t now_ms)
{
    size_t most = sweep_waiting(s->queue) < BATCH ? sweep_waiting(s->queue) : BATCH;
    struct flight *f;

    if (s->flight != NULL || most == 0)
        return;
    f = calloc(1, sizeof *f + most * sizeof(struct user *));
    if (f == NULL)
        return;
    f->sweeper = s;
    f->count = sweep_take(s->queue, now_ms, rule_of, s, &f->app, (void **)f->users, most);
    drop_present(s, f);
    if (f->count == 0)
        free(f);
    else if (!send_flight(s, f))
        put_back(s, f);
}

/* ---- the scan ---- */

void sweeper_scan(struct sweeper *s)
{
    s->scan.again = s->scan.running; /* what was read may have been before the switch */
    if (s->scan.running)
        return;
    s->scan.running = true;
    s->scan.shard = 0;
    s->scan.cursor.len = 0;
    s->scan.next_ms = 0;
}

static uint32_t shards(const struct sweeper *s)
{
    uint32_t known = hy_fleet_map(s->presence->fleet)->shards;

    return known > 0 ? known : 1;
}

static void end_scan(struct sweeper *s)
{
    hy_log_info("sweep.scanned", "shards=%u waiting=%zu", shards(s), sweep_waiting(s->queue));
    s->scan.running = false;
    if (s->scan.again)
        sweeper_scan(s);
}

static void take_page(struct sweeper *s, const Hy__SweepScanRes *res)
{
    for (size_t i = 0; i < res->n_users; i++)
        sweeper_hint(s, res->users[i]->app, res->users[i]->user);
    s->scan.cursor.len = 0;
    if (res->cursor.len > 0 &&
        hy_buf_put(&s->scan.cursor, res->cursor.data, res->cursor.len) == HY_OK)
        return;
    if (++s->scan.shard >= shards(s))
        end_scan(s);
}

static void on_scanned(void *arg, enum hy_err err, const struct hy_record *answer)
{
    struct sweeper *s = arg;
    struct presence *p = s->presence;
    Hy__SweepScanRes *res =
        err == HY_OK ? hy__sweep_scan_res__unpack(&p->arena.pb, answer->len, answer->payload)
                     : NULL;

    s->scan.asking = false;
    if (res != NULL && res->code == 0) {
        take_page(s, res);
    } else {
        hy_log_warn("sweep.scan_failed", "shard=%u code=%u why=\"%s\"", s->scan.shard,
                    res != NULL ? res->code : 0, hy_err_text(err));
        s->scan.next_ms = hy_loop_now_ms(p->loop) + SCAN_PAUSE_MS;
    }
    hy_arena_reset(&p->arena);
}

static void ask_page(struct sweeper *s, uint64_t now_ms)
{
    Hy__SweepScanReq req = HY__SWEEP_SCAN_REQ__INIT;

    if (!s->scan.running || s->scan.asking || now_ms < s->scan.next_ms ||
        sweep_waiting(s->queue) >= SCAN_QUEUE_MAX || !routers_any_up(s->presence->routers))
        return;
    s->scan.asking = true;
    req.shard = s->scan.shard;
    req.cursor = (ProtobufCBinaryData){s->scan.cursor.len, s->scan.cursor.data};
    req.limit = SCAN_PAGE;
    routers_ask(s->presence->routers, (uint16_t)(s->scan.shard % HY_SLOTS),
                HY__BUS_KIND__ROUTER_SWEEP_SCAN, DEADLINE_MS, &req.base, on_scanned, s);
}

/* ---- apps that turn the sweep on ---- */

struct look {
    struct sweeper *sweeper;
    uint32_t *on;
    size_t count, cap;
    bool fresh;
};

static void look_at(void *arg, const Hy__App *app)
{
    struct look *look = arg;
    const struct sweeper *s = look->sweeper;
    bool known = false;

    if (app->sweep == 0 || look->count == look->cap)
        return;
    for (size_t i = 0; i < s->on_count; i++)
        known |= s->on[i] == app->sdkappid;
    look->fresh |= !known;
    look->on[look->count++] = app->sdkappid;
}

static void count_app(void *arg, const Hy__App *app)
{
    (void)app;
    ++*(size_t *)arg;
}

void sweeper_apps(struct sweeper *s)
{
    struct look look = {.sweeper = s};

    hy_apps_each(routers_apps(s->presence->routers), count_app, &look.cap);
    look.on = calloc(look.cap + 1, sizeof *look.on);
    if (look.on == NULL)
        return;
    hy_apps_each(routers_apps(s->presence->routers), look_at, &look);
    free(s->on);
    s->on = look.on;
    s->on_count = look.count;
    if (look.fresh && !s->presence->warming) /* after warming there is a scan anyway */
        sweeper_scan(s);
}

void sweeper_tick(struct sweeper *s, uint64_t now_ms)
{
    /* Without a gateway nobody would tell us who is online: perhaps it is us who are cut off. */
    if (s->presence->warming || !workers_any_up(&s->presence->workers))
        return;
    hand_over(s, now_ms);
    ask_page(s, now_ms);
    hy_set(s->waiting, (int64_t)sweep_waiting(s->queue));
}
