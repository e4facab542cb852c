#include "common/passage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "cluster.pb-c.h"
#include "common/log.h"

enum { TICK_MS = 50 };

struct seen {
    struct seen *next;
    uint64_t boot;
    enum hy_node_state state;
    char name[HY_BUS_NAME_MAX + 1];
};

struct hy_passage {
    struct hy_passage_config config;
    struct hy_timer *tick;
    struct seen *seen;
    enum hy_node_state state;
    bool told;         /* the coordinator has been told of this node */
    uint64_t since_ms; /* in this state */
    void (*left)(void *arg);
    void *left_arg;
};

/* ---- who has seen it ---- */

bool hy_passage_seen(struct hy_passage *passage, const struct hy_peer *peer,
                     const struct hy_record *record)
{
    Hy__NodeSeen *msg = hy__node_seen__unpack(NULL, record->len, record->payload);
    struct seen *seen = NULL;

    if (msg == NULL)
        return false;
    LL_FOREACH(passage->seen, seen)
    {
        if (strcmp(seen->name, hy_peer_name(peer)) == 0)
            break;
    }
    if (seen == NULL) {
        seen = calloc(1, sizeof *seen);
        if (seen != NULL) {
            snprintf(seen->name, sizeof seen->name, "%s", hy_peer_name(peer));
            LL_PREPEND(passage->seen, seen);
        }
    }
    if (seen != NULL) {
        seen->boot = hy_peer_boot(peer);
        seen->state = (enum hy_node_state)msg->state;
    }
    hy__node_seen__free_unpacked(msg, NULL);
    return true;
}

/* The one of this name that is connected now has. */
static bool has_seen(const struct hy_passage *passage, const char *name)
{
    const struct hy_peer *peer = hy_bus_find_dialler(passage->config.bus, name);
    const struct seen *seen;

    if (peer == NULL || !hy_peer_up(peer))
        return passage->state != HY_NODE_JOINING; /* nobody, so nothing to wait for */
    LL_FOREACH(passage->seen, seen)
    {
        if (strcmp(seen->name, name) == 0)
            return seen->boot == hy_peer_boot(peer) && seen->state == passage->state;
    }
    return false;
}

struct looking {
    const struct hy_passage *passage;
    const char *missing; /* one of them */
    char name[HY_BUS_NAME_MAX + 1];
};

static void look_for(struct looking *looking, const char *format, const char *name, uint32_t i)
{
    char full[HY_BUS_NAME_MAX + 1];

    snprintf(full, sizeof full, format, name, i);
    if (looking->missing != NULL || has_seen(looking->passage, full))
        return;
    strcpy(looking->name, full);
    looking->missing = looking->name;
}

static void look_at(void *arg, const struct hy_node *node)
{
    struct looking *looking = arg;

    if (node->workers == 0)
        look_for(looking, "%s", node->name, 0);
    for (uint32_t i = 0; i < node->workers; i++)
        look_for(looking, "%s/%u", node->name, i);
}

/* Somebody who has not seen the state yet; NULL: all have. */
static const char *missing(struct looking *looking)
{
    const struct hy_passage *passage = looking->passage;

    for (const char *const *c = passage->config.diallers; *c != NULL && looking->missing == NULL;
         c++)
        hy_fleet_each(passage->config.fleet, *c, look_at, looking);
    return looking->missing;
}

/* ---- steps ---- */

static void step(struct hy_passage *passage, enum hy_node_state state)
{
    struct hy_node self = {.component = "",
                           .name = "",
                           .endpoint = hy_bus_endpoint(passage->config.bus),
                           .version = HY_VERSION,
                           .boot = hy_bus_boot(passage->config.bus),
                           .state = state};
    static const char *const names[] = {"joining", "serving", "leaving", "left"};

    hy_log_info("passage.step", "state=%s after_ms=%llu", names[state],
                (unsigned long long)(hy_loop_now_ms(passage->config.loop) - passage->since_ms));
    passage->state = state;
    passage->told = true;
    passage->since_ms = hy_loop_now_ms(passage->config.loop);
    hy_fleet_register(passage->config.fleet, &self);
    if (passage->config.changed != NULL)
        passage->config.changed(passage->config.ctx, state);
}

static bool asked(bool (*question)(void *ctx), void *ctx)
{
    return question == NULL || question(ctx);
}

/* Is it time to leave this state? */
static bool due(const struct hy_passage *passage, bool (*own)(void *ctx))
{
    struct looking looking = {.passage = passage};
    const char *who = missing(&looking);
    bool late = hy_loop_now_ms(passage->config.loop) >= passage->since_ms + HY_PASSAGE_STEP_MS;

    if (hy_fleet_registered(passage->config.fleet) && who == NULL &&
        asked(own, passage->config.ctx))
        return true;
    if (late)
        hy_log_warn("passage.not_waited", "state=%d for=\"%s\"", (int)passage->state,
                    who != NULL ? who : "itself");
    return late;
}

static void finish(struct hy_passage *passage)
{
    void (*left)(void *arg) = passage->left;

    passage->left = NULL;
    hy_timer_stop(passage->tick);
    if (left != NULL)
        left(passage->left_arg);
}

static void on_tick(void *arg)
{
    struct hy_passage *passage = arg;
    const struct hy_passage_config *config = &passage->config;

    if (!passage->told) {
        if (asked(config->ready, config->ctx))
            step(passage, HY_NODE_JOINING);
        return;
    }
    switch (passage->state) {
    case HY_NODE_JOINING:
        if (due(passage, config->complete))
            step(passage, HY_NODE_SERVING);
        break;
    case HY_NODE_LEAVING:
        if (due(passage, NULL))
            step(passage, HY_NODE_LEFT);
        break;
    case HY_NODE_LEFT:
        if (due(passage, config->idle))
            finish(passage);
        break;
    case HY_NODE_SERVING:
    case HY_NODE_LOST:
        break;
    }
}

void hy_passage_leave(struct hy_passage *passage, void (*left)(void *arg), void *arg)
{
    passage->left = left;
    passage->left_arg = arg;
    if (!passage->told || hy_fleet_static(passage->config.fleet))
        finish(passage);
    else
        step(passage, passage->state == HY_NODE_JOINING ? HY_NODE_LEFT : HY_NODE_LEAVING);
}

enum hy_node_state hy_passage_state(const struct hy_passage *passage)
{
    return passage->state;
}

enum hy_err hy_passage_open(const struct hy_passage_config *config, struct hy_passage **passage)
{
    struct hy_passage *p = calloc(1, sizeof *p);
    enum hy_err err = HY_ENOMEM;

    if (p == NULL)
        return err;
    p->config = *config;
    p->state = HY_NODE_SERVING;
    p->since_ms = hy_loop_now_ms(config->loop);
    err = hy_timer_open(config->loop, on_tick, p, &p->tick);
    if (err != HY_OK) {
        free(p);
        return err;
    }
    if (!hy_fleet_static(config->fleet)) {
        p->state = HY_NODE_JOINING;
        hy_timer_every(p->tick, TICK_MS);
    }
    *passage = p;
    return HY_OK;
}

void hy_passage_close(struct hy_passage **passage)
{
    struct hy_passage *p = *passage;

    if (p == NULL)
        return;
    *passage = NULL;
    hy_timer_close(&p->tick);
    while (p->seen != NULL) {
        struct seen *seen = p->seen;

        LL_DELETE(p->seen, seen);
        free(seen);
    }
    free(p);
}
