#include <stdio.h>

#include "ctl/admin.h"
#include "ctl/files.h"
#include "ctl/first_app.h"
#include "ctl/readiness.h"
#include "ctl/supervisor_inside.h"

enum {
    TICK_MS = 20,        /* while starting */
    LATER_TICK_MS = 100, /* a process that ended is started again at once, without a tick */
    STARTS = 4,          /* tries of a process to come up, at the start of all */
};

static void complain(struct supervisor *s)
{
    char text[512];

    for (size_t i = 0; i < s->count; i++) {
        const char *why = readiness_why_not(s->layout, &s->children[i], text, sizeof text);

        if (s->children[i].part <= s->started && why != NULL)
            fprintf(stderr, "hongyanctl: %s is not ready: %s\n", s->children[i].name, why);
    }
}

static bool all_ready(struct supervisor *s)
{
    char text[512];

    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].part <= s->started &&
            readiness_why_not(s->layout, &s->children[i], text, sizeof text) != NULL)
            return false;
    return true;
}

/* Something ends again and again before it is up. */
static bool is_hopeless(const struct supervisor *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].failures > STARTS && !s->children[i].ports_told)
            return true;
    return false;
}

/* Let all parts up to this one run, and wait until they are ready. */
static enum hy_err start_parts(struct supervisor *s, int part, uint64_t end_ms)
{
    s->started = part;
    supervisor_tick(s);
    while (!s->stopping && !all_ready(s)) {
        if (hy_loop_now_ms(s->loop) >= end_ms || is_hopeless(s)) {
            complain(s);
            return HY_ETIMEOUT;
        }
        hy_loop_turn(s->loop, TICK_MS);
    }
    return s->stopping ? HY_ECLOSED : HY_OK;
}

/* The stores have it when this returns, all others within a second. */
static enum hy_err make_first_app(struct supervisor *s, uint64_t end_ms, uint64_t *known_ms)
{
    const char *routers[PLAN_MOST];
    char curve_dir[4096];
    struct admin_config config = {.cluster_id = s->layout->id, .routers = routers};
    uint64_t now = hy_loop_now_ms(s->loop);
    bool changed = false;
    enum hy_err err = HY_OK;

    config.router_count = json_array_size(s->endpoints[PART_ROUTER]);
    for (size_t i = 0; i < config.router_count; i++)
        routers[i] = json_string_value(json_array_get(s->endpoints[PART_ROUTER], i));
    files_path(curve_dir, "%s/keys", s->layout->dir);
    if (s->curve)
        config.curve_dir = curve_dir;
    err = first_app_put(s->loop, s->layout, s->plan, &config,
                        (uint32_t)(end_ms > now ? end_ms - now : 1), &changed);
    *known_ms = changed ? hy_loop_now_ms(s->loop) + ADMIN_KNOWN_MS : 0;
    return err;
}

enum hy_err supervisor_start(struct supervisor *s)
{
    uint64_t end = hy_loop_now_ms(s->loop) + (uint64_t)s->plan->wait_s * 1000, known_ms = 0;
    enum hy_err err = HY_OK;

    hy_timer_every(s->tick, TICK_MS);
    err = start_parts(s, PART_ROUTER, end);
    if (err == HY_OK)
        err = make_first_app(s, end, &known_ms);
    if (err == HY_OK)
        err = start_parts(s, PART_GATEWAY, end);
    if (err != HY_OK)
        return err;
    supervisor_report(s); /* the demo reads it */
    s->running = true;
    err = start_parts(s, PARTS, end);
    while (err == HY_OK && !s->stopping && hy_loop_now_ms(s->loop) < known_ms)
        hy_loop_turn(s->loop, TICK_MS);
    supervisor_report(s);
    hy_timer_every(s->tick, LATER_TICK_MS);
    return err;
}
