#include "common/tier.h"

#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/log.h"
#include "common/slot.h"

enum {
    TICK_MS = 100,
    FORGET_MS = 30000, /* a node that is down and not in the coordinator */
    AGAIN_MS = 60000,  /* until its place is used again: longer than any call about it */
};

struct place {
    struct hy_peer *peer; /* NULL: hung up, or this process */
    enum hy_node_state state;
    uint64_t boot;     /* as the coordinator has it; 0: not told */
    uint64_t since_ms; /* in this state, or hung up */
    uint64_t down_ms;
    bool used, self, hanging; /* hanging: up, and about to be hung up */
    bool lately;              /* it is serving, or has left, since a moment ago */
    char name[64], endpoint[256];
};

struct hy_tier {
    struct hy_tier_config config;
    char component[16], self[64];
    struct hy_timer *tick;
    struct place *places;
    size_t count;
    /* For hy_slot_pick(); NULL where not to be picked. */
    const char **owners, **others, **homes;
    bool moving; /* the two differ */
};

/* ---- who may be picked ---- */

static bool up(const struct place *place)
{
    return place->used && !place->hanging &&
           (place->self || (place->peer != NULL && hy_peer_up(place->peer)));
}

/* The process that is connected is the one that the coordinator knows. */
static bool same_boot(const struct place *place)
{
    return place->self || place->boot == 0 || place->state == HY_NODE_LOST ||
           hy_peer_boot(place->peer) == place->boot;
}

/* LOST: as long as it is up it serves, whatever became of its lease. */
static bool owns(const struct place *place)
{
    return place->state == HY_NODE_SERVING || place->state == HY_NODE_LEAVING ||
           place->state == HY_NODE_LOST;
}

static bool is_other(const struct place *place)
{
    switch (place->state) {
    case HY_NODE_JOINING:
        return true;
    case HY_NODE_SERVING:
        return !place->lately;
    case HY_NODE_LEFT:
        return place->lately;
    case HY_NODE_LOST:
        return true;
    case HY_NODE_LEAVING:
        break;
    }
    return false;
}

static void pick_from(struct hy_tier *tier, bool strictly)
{
    tier->moving = false;
    for (size_t i = 0; i < tier->count; i++) {
        const struct place *place = &tier->places[i];
        bool good = up(place) && (!strictly || same_boot(place));

        tier->owners[i] = good && owns(place) ? place->name : NULL;
        tier->others[i] = good && is_other(place) ? place->name : NULL;
        tier->homes[i] = place->used && owns(place) ? place->name : NULL;
        tier->moving = tier->moving || (tier->owners[i] == NULL) != (tier->others[i] == NULL);
    }
}

static bool any(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] != NULL)
            return true;
    return false;
}

static void rebuild(struct hy_tier *tier)
{
    pick_from(tier, true);
    if (!any(tier->owners, tier->count) && !any(tier->others, tier->count))
        pick_from(tier, false);
}

static bool plain(const struct place *place)
{
    return !place->used ? place->since_ms == 0 : place->state == HY_NODE_SERVING && !place->lately;
}

/* The clock runs only while something goes on. */
static void set_clock(struct hy_tier *tier)
{
    for (size_t i = 0; i < tier->count; i++) {
        if (plain(&tier->places[i]))
            continue;
        hy_timer_set(tier->tick, TICK_MS);
        return;
    }
}

static void moved(struct hy_tier *tier)
{
    rebuild(tier);
    set_clock(tier);
    if (tier->config.moved != NULL)
        tier->config.moved(tier->config.ctx);
}

/* ---- places ---- */

int hy_tier_find(const struct hy_tier *tier, const char *name)
{
    for (size_t i = 0; i < tier->count; i++)
        if (tier->places[i].used && strcmp(tier->places[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int grow(struct hy_tier *tier)
{
    size_t count = tier->count + 1;
    struct place *places = realloc(tier->places, count * sizeof *places);
    const char **owners = realloc(tier->owners, count * sizeof(char *));
    const char **others = realloc(tier->others, count * sizeof(char *));
    const char **homes = realloc(tier->homes, count * sizeof(char *));

    if (places == NULL || owners == NULL || others == NULL || homes == NULL)
        abort(); /* as fleet.c: without a few hundred bytes there is no cluster */
    tier->homes = homes;
    tier->places = places;
    tier->owners = owners;
    tier->others = others;
    places[tier->count] = (struct place){0};
    owners[tier->count] = others[tier->count] = homes[tier->count] = NULL;
    tier->count = count;
    rebuild(tier); /* names have moved */
    return (int)(count - 1);
}

static int take_place(struct hy_tier *tier, const char *name, uint64_t now_ms)
{
    int i = -1;

    for (size_t k = 0; k < tier->count && i < 0; k++)
        if (!tier->places[k].used && now_ms >= tier->places[k].since_ms + AGAIN_MS)
            i = (int)k;
    if (i < 0)
        i = grow(tier);
    tier->places[i] =
        (struct place){.used = true, .self = strcmp(name, tier->self) == 0, .state = HY_NODE_LEFT};
    strncpy(tier->places[i].name, name, sizeof tier->places[i].name - 1);
    return i;
}

static void hang_up(struct hy_tier *tier, struct place *place)
{
    struct hy_peer *peer = place->peer;

    if (peer == NULL)
        return;
    place->hanging = true;
    if (hy_peer_up(peer) && tier->config.peer != NULL)
        tier->config.peer(tier->config.ctx, peer, HY_PEER_DOWN);
    place->peer = NULL;
    place->hanging = false;
    hy_bus_ask_again(tier->config.bus, peer);
    hy_bus_undial(tier->config.bus, &peer);
}

static void forget(struct hy_tier *tier, struct place *place, uint64_t now_ms)
{
    hang_up(tier, place);
    hy_log_info("tier.forgot", "node=%s", place->name);
    place->used = false;
    place->since_ms = now_ms;
}

static void dial(struct hy_tier *tier, struct place *place, const char *endpoint)
{
    enum hy_err err;

    if (place->self || (place->peer != NULL && strcmp(place->endpoint, endpoint) == 0))
        return;
    hang_up(tier, place);
    strncpy(place->endpoint, endpoint, sizeof place->endpoint - 1);
    err = hy_bus_dial(tier->config.bus, tier->component, place->name, endpoint, &place->peer);
    if (err != HY_OK)
        hy_log_error("tier.not_dialled", "node=%s endpoint=\"%s\" why=\"%s\"", place->name,
                     endpoint, hy_err_text(err));
}

/* ---- states ---- */

/* Was it known in another state before? One that serves when it is first seen has done so for long,
 * as far as anybody here can tell. */
static bool is_lately(enum hy_node_state was, bool known, enum hy_node_state is)
{
    if (is == HY_NODE_SERVING)
        return known && was == HY_NODE_JOINING;
    return is == HY_NODE_LEFT;
}

void hy_tier_node(struct hy_tier *tier, const struct hy_node *node)
{
    uint64_t now_ms = hy_loop_now_ms(tier->config.loop);
    int i;

    if (strcmp(node->component, tier->component) != 0)
        return;
    i = hy_tier_find(tier, node->name);
    bool known = i >= 0, gone = node->state == HY_NODE_LEFT || node->state == HY_NODE_LOST;

    if (!known && gone)
        return;
    if (!known)
        i = take_place(tier, node->name, now_ms);
    struct place *place = &tier->places[i];

    place->lately = is_lately(place->state, known, node->state) ||
                    (place->lately && place->state == node->state);
    place->state = node->state;
    place->since_ms = now_ms;
    if (!gone) {
        place->boot = node->boot;
        dial(tier, place, node->endpoint);
    }
    if (gone && !up(place))
        place->down_ms = place->down_ms == 0 ? now_ms : place->down_ms;
    moved(tier);
}

static void tell_seen(struct hy_tier *tier, int i)
{
    struct place *place = &tier->places[i];
    Hy__NodeSeen seen = HY__NODE_SEEN__INIT;

    if (!up(place) || place->self || !same_boot(place))
        return;
    if (place->state == HY_NODE_LEFT && hy_bus_asked(tier->config.bus, place->peer) > 0)
        return;
    if (tier->config.done != NULL && !tier->config.done(tier->config.ctx, i, place->state))
        return;
    seen.state = (uint32_t)place->state;
    (void)!hy_bus_send_pb(place->peer, HY__BUS_KIND__NODE_SEEN, 0, &seen.base); /* told again */
}

/* True when slots moved by the passing of time. */
static bool look_at(struct hy_tier *tier, int i, uint64_t now_ms)
{
    struct place *place = &tier->places[i];
    bool old = place->lately && now_ms >= place->since_ms + HY_TIER_HANDOVER_MS, gone;

    if (!place->used) {
        if (now_ms >= place->since_ms + AGAIN_MS)
            place->since_ms = 0;
        return false;
    }
    if (old)
        place->lately = false;
    if (place->state == HY_NODE_JOINING || place->state == HY_NODE_LEAVING ||
        place->state == HY_NODE_LEFT)
        tell_seen(tier, i);
    gone = (place->state == HY_NODE_LEFT && (!up(place) || old)) ||
           (place->state == HY_NODE_LOST && !up(place) && now_ms >= place->down_ms + FORGET_MS);
    if (gone)
        forget(tier, place, now_ms);
    return old || gone;
}

static void on_tick(void *arg)
{
    struct hy_tier *tier = arg;
    uint64_t now_ms = hy_loop_now_ms(tier->config.loop);
    bool any_moved = false;

    for (size_t i = 0; i < tier->count; i++)
        any_moved = look_at(tier, (int)i, now_ms) || any_moved;
    if (any_moved)
        moved(tier);
    else
        set_clock(tier);
}

bool hy_tier_peer(struct hy_tier *tier, const struct hy_peer *peer, enum hy_peer_event event)
{
    int i = hy_tier_index(tier, peer);

    if (i < 0)
        return false;
    tier->places[i].down_ms = event == HY_PEER_DOWN ? hy_loop_now_ms(tier->config.loop) : 0;
    rebuild(tier);
    return true;
}

/* ---- asking ---- */

size_t hy_tier_places(const struct hy_tier *tier)
{
    return tier->count;
}

static const struct place *used_at(const struct hy_tier *tier, int i)
{
    return i >= 0 && (size_t)i < tier->count && tier->places[i].used ? &tier->places[i] : NULL;
}

struct hy_peer *hy_tier_at(const struct hy_tier *tier, int i)
{
    const struct place *place = used_at(tier, i);

    return place != NULL ? place->peer : NULL;
}

const char *hy_tier_name(const struct hy_tier *tier, int i)
{
    const struct place *place = used_at(tier, i);

    return place != NULL ? place->name : NULL;
}

bool hy_tier_up(const struct hy_tier *tier, int i)
{
    const struct place *place = used_at(tier, i);

    return place != NULL && up(place);
}

int hy_tier_index(const struct hy_tier *tier, const struct hy_peer *peer)
{
    for (size_t i = 0; peer != NULL && i < tier->count; i++)
        if (tier->places[i].used && tier->places[i].peer == peer)
            return (int)i;
    return -1;
}

int hy_tier_owner(const struct hy_tier *tier, uint16_t slot)
{
    return hy_slot_pick(slot, tier->owners, tier->count);
}

int hy_tier_other(const struct hy_tier *tier, uint16_t slot)
{
    int owner, other;

    if (!tier->moving)
        return -1;
    owner = hy_tier_owner(tier, slot);
    other = hy_slot_pick(slot, tier->others, tier->count);
    return other != owner ? other : -1;
}

int hy_tier_home(const struct hy_tier *tier, uint16_t slot)
{
    return hy_slot_pick(slot, tier->homes, tier->count);
}

int hy_tier_any(const struct hy_tier *tier)
{
    for (size_t i = 0; i < tier->count; i++)
        if (tier->owners[i] != NULL)
            return (int)i;
    return -1;
}

bool hy_tier_serves(const struct hy_tier *tier, int i)
{
    return used_at(tier, i) != NULL && owns(&tier->places[i]);
}

bool hy_tier_moving(const struct hy_tier *tier)
{
    return tier->moving;
}

/* ---- opening ---- */

enum hy_err hy_tier_open(const struct hy_tier_config *config, struct hy_tier **tier)
{
    struct hy_tier *t = calloc(1, sizeof *t);
    enum hy_err err = HY_ENOMEM;

    if (t == NULL)
        return err;
    t->config = *config;
    strncpy(t->component, config->component, sizeof t->component - 1);
    if (config->self != NULL)
        strncpy(t->self, config->self, sizeof t->self - 1);
    err = hy_timer_open(config->loop, on_tick, t, &t->tick);
    if (err != HY_OK) {
        free(t);
        return err;
    }
    *tier = t;
    return HY_OK;
}

void hy_tier_close(struct hy_tier **tier)
{
    struct hy_tier *t = *tier;

    if (t == NULL)
        return;
    *tier = NULL;
    hy_timer_close(&t->tick);
    free(t->places);
    free(t->owners);
    free(t->others);
    free(t->homes);
    free(t);
}
