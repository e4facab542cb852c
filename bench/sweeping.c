/* sweeping - see sweeping.h. */

#include "bench/sweeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster.pb-c.h"
#include "common/arena.h"
#include "common/bus.h"
#include "common/clock.h"
#include "common/settings.h"
#include "common/slot.h"
#include "ctl/cluster.h"
#include "ctl/http.h"

enum {
    HINTS_AT_ONCE = 1000,
    PROCESSES = 64,
    UP_MS = 10000,
    SWEEP_MS = 3600000,
    CALM_MS = 1000,
    REST_MS = 900000, /* a compaction of all that an import of a million groups wrote */
    METRICS_BYTES = 1 << 20,
    CHECKS = 64, /* under way */
};

/* ---- the bus ---- */

/* Processes of one component. */
struct tier {
    struct hy_peer *peers[PROCESSES];
    char names[PROCESSES][64];
    const char *list[PROCESSES];
    size_t count;
};

struct line {
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct tier presences, routers;
};

static void on_record(void *ctx, struct hy_peer *peer, const struct hy_record *record)
{
    (void)ctx;
    (void)peer;
    (void)record;
}

static enum hy_err dial(struct line *line, struct tier *tier, const char *component,
                        const json_t *list)
{
    enum hy_err err = HY_OK;

    for (size_t i = 0; i < json_array_size(list) && i < PROCESSES && err == HY_OK; i++) {
        char endpoint[256];

        err =
            hy_settings_peer(json_string_value(json_array_get(list, i)), tier->names[i], endpoint);
        if (err == HY_OK)
            err = hy_bus_dial(line->bus, component, tier->names[i], endpoint, &tier->peers[i]);
        tier->list[i] = tier->names[i];
        tier->count = i + 1;
    }
    return err;
}

static bool all_up(const struct tier *tier)
{
    for (size_t i = 0; i < tier->count; i++)
        if (!hy_peer_up(tier->peers[i]))
            return false;
    return tier->count > 0;
}

static void line_close(struct line *line)
{
    hy_bus_close(&line->bus);
    hy_loop_close(&line->loop);
}

static enum hy_err line_open(const struct target *target, struct line *line)
{
    static const struct hy_bus_handler handler = {.record = on_record};
    uint64_t end = hy_steady_ms() + UP_MS;
    struct cluster cluster;
    const json_t *bus;
    char name[64];
    enum hy_err err = cluster_load(target->dir, NULL, 0, &cluster);

    *line = (struct line){0};
    if (err != HY_OK)
        return err;
    snprintf(name, sizeof name, "bench-%d-%08x", (int)getpid(), (unsigned)hy_random64());
    bus = json_object_get(cluster.json, "bus");
    err = hy_loop_open(&line->loop);
    if (err == HY_OK)
        err = hy_bus_open(line->loop,
                          &(struct hy_bus_config){
                              .name = name,
                              .component = "ctl",
                              .cluster_id = cluster.id,
                              .curve_dir = *cluster.curve_dir == '\0' ? NULL : cluster.curve_dir},
                          &handler, line, &line->bus);
    if (err == HY_OK)
        err = dial(line, &line->presences, "presence", json_object_get(bus, "presences"));
    if (err == HY_OK)
        err = dial(line, &line->routers, "router", json_object_get(bus, "routers"));
    while (err == HY_OK && !(all_up(&line->presences) && all_up(&line->routers))) {
        hy_loop_turn(line->loop, 50);
        if (hy_steady_ms() > end)
            err = HY_ETIMEOUT;
    }
    cluster_free(&cluster);
    if (err != HY_OK) {
        fprintf(stderr, "the bus: %s\n", hy_err_text(err));
        line_close(line);
    }
    return err;
}

/* ---- the metric that counts ---- */

static uint64_t metric(const struct target *target, const char *component, const char *name)
{
    char *body = malloc(METRICS_BYTES);
    double sum = 0;

    for (size_t i = 0; body != NULL && i < target->processes; i++) {
        const char *port = target->metrics[i] == NULL ? NULL : strrchr(target->metrics[i], ':');

        if (port == NULL || strncmp(target->names[i], component, strlen(component)) != 0 ||
            http_get((uint16_t)strtoul(port + 1, NULL, 10), "/metrics", 5000, body,
                     METRICS_BYTES) != 200)
            continue;
        for (const char *line = body; line != NULL && *line != '\0';) {
            if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ')
                sum += strtod(line + strlen(name), NULL);
            line = strchr(line, '\n');
            line += line != NULL;
        }
    }
    free(body);
    return (uint64_t)sum;
}

static uint64_t removed_so_far(const struct target *target)
{
    return metric(target, "presence", "hongyan_presence_sweep_removed_total");
}

/* ---- being gone ---- */

static uint64_t to_be_removed(const struct sweeping *s)
{
    uint64_t count = 0;

    for (uint32_t g = 0; g < s->world->groups; g++)
        for (uint32_t k = 2; k < s->world->members; k++)
            count += world_among(world_member(s->world, g, k), s->from, s->to);
    return count;
}

/* Users of one presence process. */
struct hints {
    Hy__SweepHint hint;
    Hy__UserKey keys[HINTS_AT_ONCE], *list[HINTS_AT_ONCE];
    char names[HINTS_AT_ONCE][32];
};

static void tell(const struct line *line, size_t presence, struct hints *hints)
{
    hints->hint.users = hints->list;
    if (hints->hint.n_users > 0 &&
        hy_bus_send_pb(line->presences.peers[presence], HY__BUS_KIND__PRESENCE_SWEEP_HINT, 0,
                       &hints->hint.base) != HY_OK)
        fprintf(stderr, "hints were lost\n");
    hints->hint.n_users = 0;
    hy_loop_turn(line->loop, 0);
}

static enum hy_err hint(const struct sweeping *s, const struct line *line)
{
    struct hints *hints = calloc(line->presences.count, sizeof *hints);

    if (hints == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < line->presences.count; i++)
        hy__sweep_hint__init(&hints[i].hint);
    for (uint32_t n = 0; n < s->world->users; n++) {
        char name[32];
        struct hints *h;
        size_t at;
        int i;

        if (!world_among(n, s->from, s->to))
            continue;
        snprintf(name, sizeof name, "away%u", n);
        i = hy_slot_pick(hy_slot_user(s->target->sdkappid, name), line->presences.list,
                         line->presences.count);
        h = &hints[i];
        at = h->hint.n_users++;
        memcpy(h->names[at], name, sizeof name);
        hy__user_key__init(&h->keys[at]);
        h->keys[at].app = s->target->sdkappid;
        h->keys[at].user = h->names[at];
        h->list[at] = &h->keys[at];
        if (h->hint.n_users == HINTS_AT_ONCE)
            tell(line, (size_t)i, h);
    }
    for (size_t i = 0; i < line->presences.count; i++)
        tell(line, i, &hints[i]);
    free(hints);
    return HY_OK;
}

/* ---- presence after its start ---- */

struct warm {
    size_t asked, cold;
};

static void on_roll(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct warm *warm = arg;
    struct hy_arena arena;
    const Hy__RollRes *res = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        res = hy__roll_res__unpack(&arena.pb, record->len, record->payload);
    warm->cold += res == NULL || res->warming;
    warm->asked--;
    hy_arena_free(&arena);
}

static size_t count_cold(const struct line *line)
{
    Hy__RollReq req = HY__ROLL_REQ__INIT;
    struct warm warm = {.asked = line->presences.count};

    for (size_t i = 0; i < line->presences.count; i++)
        hy_bus_call_pb(line->bus,
                       &(struct hy_call){.kind = HY__BUS_KIND__PRESENCE_ROLL,
                                         .peer = line->presences.peers[i],
                                         .done = on_roll,
                                         .arg = &warm},
                       &req.base);
    while (warm.asked > 0)
        hy_loop_turn(line->loop, 100);
    return warm.cold;
}

enum hy_err sweeping_warm(const struct target *target)
{
    uint64_t end = hy_steady_ms() + UP_MS * 3;
    struct line line;
    enum hy_err err = line_open(target, &line);

    if (err != HY_OK)
        return err;
    while (err == HY_OK && count_cold(&line) > 0) {
        hy_loop_turn(line.loop, 100);
        if (hy_steady_ms() > end)
            err = HY_ETIMEOUT;
    }
    for (end = hy_steady_ms() + CALM_MS; err == HY_OK && hy_steady_ms() < end;)
        hy_loop_turn(line.loop, 100); /* for the scan, which finds nothing yet */
    if (err != HY_OK)
        fprintf(stderr, "presence does not know who is online\n");
    line_close(&line);
    return err;
}

enum hy_err sweeping_run(struct sweeping *s)
{
    uint64_t expected = to_be_removed(s), before = removed_so_far(s->target);
    uint64_t begun_us, end;
    struct usage from, to;
    struct line line;
    enum hy_err err = line_open(s->target, &line);

    if (err != HY_OK)
        return err;
    usage_now(s->target, &from);
    begun_us = hy_steady_us();
    end = hy_steady_ms() + SWEEP_MS;
    err = hint(s, &line);
    while (err == HY_OK && (s->removed = removed_so_far(s->target) - before) < expected) {
        hy_loop_turn(line.loop, 100);
        if (hy_steady_ms() > end)
            err = HY_ETIMEOUT;
    }
    usage_now(s->target, &to);
    usage_since(&to, &from, &s->used);
    s->seconds = (double)(hy_steady_us() - begun_us) / 1e6;
    line_close(&line);
    if (err == HY_OK && s->removed > expected)
        err = HY_ECORRUPT;
    if (err != HY_OK)
        fprintf(stderr, "the sweep removed %llu of %llu: %s\n", (unsigned long long)s->removed,
                (unsigned long long)expected, hy_err_text(err));
    return err;
}

void sweeping_rest(const struct target *target, struct usage *used)
{
    struct usage first, last, now, step;
    uint64_t end = hy_steady_ms() + REST_MS;

    usage_now(target, &first);
    last = first;
    do {
        sleep(2);
        usage_now(target, &now);
        usage_since(&now, &last, &step);
        last = now;
    } while (usage_cpu_all_us(&step) > 200000 && hy_steady_ms() < end);
    usage_since(&now, &first, used);
}

/* ---- looking ---- */

struct look {
    const struct sweeping *s;
    struct line *line;
    uint32_t next, done, under_way, bad;
};

struct question {
    struct look *look;
    uint32_t g;
};

static bool named(const Hy__MembersGetRes *res, const char *name)
{
    for (size_t i = 0; i < res->n_members; i++)
        if (strcmp(res->members[i]->user, name) == 0)
            return true;
    return false;
}

/* Exactly those who should be are members, and the number says so. */
static bool good(const struct sweeping *s, uint32_t g, const Hy__MembersGetRes *res)
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < s->world->members; k++) {
        bool stays = k < 2 || !world_among(world_member(s->world, g, k), 0, s->to);
        char name[32];

        world_name(s->world, g, k, name);
        if (named(res, name) != stays)
            return false;
        count += stays;
    }
    return res->n_members == count && res->total == count;
}

static void on_members(void *arg, enum hy_err err, const struct hy_record *record)
{
    struct question *q = arg;
    struct look *look = q->look;
    struct hy_arena arena;
    const Hy__Frame *frame = NULL;

    hy_arena_init(&arena);
    if (err == HY_OK)
        frame = hy__frame__unpack(&arena.pb, record->len, record->payload);
    if (frame == NULL || frame->code != 0 || frame->body_case != HY__FRAME__BODY_MEMBERS_GET_RES ||
        !good(look->s, q->g, frame->members_get_res)) {
        if (look->bad++ == 0)
            fprintf(stderr, "group m%u has not the members that it should have\n", q->g);
    }
    hy_arena_free(&arena);
    look->under_way--;
    look->done++;
    free(q);
}

static void ask(struct look *look)
{
    const struct sweeping *s = look->s;
    struct question *q = malloc(sizeof *q);
    Hy__RouterCall call = HY__ROUTER_CALL__INIT;
    Hy__Caller caller = HY__CALLER__INIT;
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MembersGetReq req = HY__MEMBERS_GET_REQ__INIT;
    uint8_t bytes[128];
    char group[16];

    if (q == NULL)
        return;
    *q = (struct question){look, (uint32_t)((uint64_t)look->next++ * s->world->groups / s->check)};
    snprintf(group, sizeof group, "m%u", q->g);
    req.group = group;
    req.limit = 1000;
    frame.id = 1;
    frame.body_case = HY__FRAME__BODY_MEMBERS_GET;
    frame.members_get = &req;
    call.frame = (ProtobufCBinaryData){hy__frame__pack(&frame, bytes), bytes};
    caller.app = s->target->sdkappid;
    caller.admin = true;
    caller.user = s->target->admin;
    call.caller = &caller;
    look->under_way++;
    hy_bus_call_pb(look->line->bus,
                   &(struct hy_call){.kind = HY__BUS_KIND__ROUTER_CALL,
                                     .deadline_ms = 30000,
                                     .peer = look->line->routers.peers[0],
                                     .done = on_members,
                                     .arg = q},
                   &call.base);
}

enum hy_err sweeping_check(const struct sweeping *sweeping)
{
    struct sweeping s = *sweeping;
    struct line line;
    struct look look = {.s = &s, .line = &line};
    enum hy_err err = line_open(s.target, &line);

    if (err != HY_OK)
        return err;
    if (s.check > s.world->groups)
        s.check = s.world->groups;
    while (look.done < s.check) {
        while (look.under_way < CHECKS && look.next < s.check)
            ask(&look);
        hy_loop_turn(line.loop, 100);
    }
    line_close(&line);
    if (look.bad == 0)
        return HY_OK;
    fprintf(stderr, "%u of %u groups have the wrong members\n", look.bad, s.check);
    return HY_ECORRUPT;
}
