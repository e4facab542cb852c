#include "common/fleet.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/log.h"

enum { LEASE_S = 6, RETRY_MS = 500 };

struct known {
    struct known *next;
    struct hy_node node; /* points into texts */
    struct hy_node_text texts;
};

struct leader {
    char name[64];
    uint64_t epoch;
};

struct hy_fleet {
    struct hy_coord *coord;
    struct hy_timer *retry;
    struct hy_fleet_handler handler;
    void *ctx;
    char component[16], name[64], advertise[256];
    struct known *nodes;
    struct hy_shardmap map;
    struct leader *leaders; /* by shard */
    uint32_t leader_count;
    /* This node. */
    struct hy_node_text self_texts;
    struct hy_node self;
    bool registers;       /* self is to be there */
    bool settled;         /* the coordinator has it so */
    bool asking;          /* a change is under way */
    uint64_t wish, asked; /* numbers of what is wanted, and of the change under way */
};

/* ---- nodes ---- */

static struct known *find(const struct hy_fleet *fleet, const char *component, const char *name)
{
    for (struct known *k = fleet->nodes; k != NULL; k = k->next)
        if (strcmp(k->node.component, component) == 0 && strcmp(k->node.name, name) == 0)
            return k;
    return NULL;
}

static struct known *find_or_make(struct hy_fleet *fleet, const char *component, const char *name)
{
    struct known *known = find(fleet, component, name);

    if (known != NULL)
        return known;
    known = calloc(1, sizeof *known);
    if (known == NULL)
        abort(); /* some hundred bytes a process of the cluster; without them it is split */
    known->node.state = HY_NODE_LOST;
    LL_APPEND(fleet->nodes, known);
    return known;
}

static bool same(const struct hy_node *a, const struct hy_node *b)
{
    return strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->version, b->version) == 0 &&
           a->boot == b->boot && a->shard == b->shard && a->workers == b->workers &&
           a->state == b->state;
}

static void tell_node(const struct hy_fleet *fleet, const struct hy_node *node)
{
    if (fleet->handler.node != NULL)
        fleet->handler.node(fleet->ctx, node);
}

/* It is there. True when that is news. */
static bool node_there(struct hy_fleet *fleet, const char *key, const char *text,
                       struct known **known)
{
    struct hy_node_text texts;
    struct hy_node node;

    if (hy_node_parse(key, text, &texts, &node) != HY_OK) {
        hy_log_warn("fleet.malformed", "key=%s", key);
        return false;
    }
    *known = find_or_make(fleet, node.component, node.name);
    if ((*known)->node.component != NULL && same(&(*known)->node, &node))
        return false;
    (*known)->texts = texts;
    (*known)->node = node;
    (*known)->node.component = (*known)->texts.component;
    (*known)->node.name = (*known)->texts.name;
    (*known)->node.endpoint = (*known)->texts.endpoint;
    (*known)->node.version = (*known)->texts.version;
    return true;
}

static void on_node(struct hy_fleet *fleet, const struct hy_coord_value *value, bool tell)
{
    struct known *known = NULL;
    struct hy_node_text texts;
    struct hy_node node;

    if (value->text != NULL) {
        if (node_there(fleet, value->key, value->text, &known) && tell)
            tell_node(fleet, &known->node);
        return;
    }
    if (hy_node_parse(value->key, "{}", &texts, &node) != HY_OK)
        return;
    known = find(fleet, node.component, node.name);
    if (known == NULL)
        return;
    bool left = known->node.state == HY_NODE_LEAVING;

    known->node.state = left ? HY_NODE_LEFT : HY_NODE_LOST;
    hy_log_info("fleet.node", "node=%s state=%s", known->node.name, left ? "left" : "lost");
    tell_node(fleet, &known->node);
    LL_DELETE(fleet->nodes, known);
    free(known);
}

void hy_fleet_each(const struct hy_fleet *fleet, const char *component,
                   void (*fn)(void *arg, const struct hy_node *node), void *arg)
{
    for (const struct known *k = fleet->nodes; k != NULL; k = k->next)
        if (component == NULL || strcmp(k->node.component, component) == 0)
            fn(arg, &k->node);
}

bool hy_fleet_node(const struct hy_fleet *fleet, const char *component, const char *name,
                   struct hy_node *node)
{
    const struct known *known = find(fleet, component, name);

    if (known != NULL)
        *node = known->node;
    return known != NULL;
}

/* ---- slots and leaders ---- */

static void on_map(struct hy_fleet *fleet, const struct hy_coord_value *value, bool tell)
{
    char why[128];

    if (value->text == NULL)
        return; /* keep the last; somebody will put it back */
    if (hy_shardmap_parse(value->text, &fleet->map, why) != HY_OK) {
        hy_log_error("fleet.map_malformed", "why=\"%s\"", why);
        return;
    }
    if (tell && fleet->handler.map != NULL)
        fleet->handler.map(fleet->ctx);
}

static struct leader *leader_of(struct hy_fleet *fleet, uint32_t shard)
{
    if (shard >= fleet->leader_count) {
        struct leader *more = realloc(fleet->leaders, (shard + 1) * sizeof *more);

        if (more == NULL)
            abort();
        memset(more + fleet->leader_count, 0, (shard + 1 - fleet->leader_count) * sizeof *more);
        fleet->leaders = more;
        fleet->leader_count = shard + 1;
    }
    return &fleet->leaders[shard];
}

static bool parse_leader(const char *text, struct leader *leader)
{
    json_t *tree = json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(tree, "node"));
    bool good = name != NULL && strlen(name) < sizeof leader->name;

    if (good) {
        strcpy(leader->name, name);
        leader->epoch = (uint64_t)json_integer_value(json_object_get(tree, "epoch"));
    }
    json_decref(tree);
    return good;
}

/* "shard/N/leader" */
static void on_shard(struct hy_fleet *fleet, const struct hy_coord_value *value, bool tell)
{
    char *end;
    unsigned long shard = strtoul(value->key + strlen("shard/"), &end, 10);
    struct leader fresh = {0};

    if (strcmp(end, "/leader") != 0 || shard >= HY_SHARDS_MAX)
        return;
    if (value->text != NULL && !parse_leader(value->text, &fresh)) {
        hy_log_warn("fleet.malformed", "key=%s", value->key);
        return;
    }
    struct leader *leader = leader_of(fleet, (uint32_t)shard);

    if (fresh.epoch == leader->epoch && strcmp(fresh.name, leader->name) == 0)
        return;
    *leader = fresh;
    if (tell && fleet->handler.leader != NULL)
        fleet->handler.leader(fleet->ctx, (uint32_t)shard);
}

const struct hy_shardmap *hy_fleet_map(const struct hy_fleet *fleet)
{
    return &fleet->map;
}

/* The settings name one store for each shard: it leads. */
static const char *only_store(const struct hy_fleet *fleet, uint32_t shard)
{
    for (const struct known *k = fleet->nodes; k != NULL; k = k->next)
        if (k->node.shard == shard && strcmp(k->node.component, "store") == 0)
            return k->node.name;
    return "";
}

const char *hy_fleet_leader(const struct hy_fleet *fleet, uint32_t shard, uint64_t *epoch)
{
    const struct leader *leader = shard < fleet->leader_count ? &fleet->leaders[shard] : NULL;

    if (epoch != NULL)
        *epoch = leader != NULL ? leader->epoch : 0;
    if (hy_coord_static(fleet->coord))
        return only_store(fleet, shard);
    return leader != NULL ? leader->name : "";
}

/* ---- this node ---- */

static void push_self(struct hy_fleet *fleet);

static void on_pushed(void *arg, enum hy_err err, uint64_t revision)
{
    struct hy_fleet *fleet = arg;

    (void)revision;
    fleet->asking = false;
    fleet->settled = err == HY_OK && fleet->asked == fleet->wish;
    if (err == HY_OK && !fleet->settled)
        push_self(fleet);
    else if (err != HY_OK)
        hy_log_info("fleet.not_told", "node=%s why=\"%s\"", fleet->name, hy_err_text(err));
}

static void push_self(struct hy_fleet *fleet)
{
    char key[HY_COORD_KEY_MAX];
    char *text = NULL;
    struct hy_coord_put put = {.key = key, .leased = true};
    struct hy_coord_change change = {.puts = &put, .put_count = 1};

    if (fleet->asking || fleet->settled || fleet->wish == 0)
        return;
    snprintf(key, sizeof key, "node/%s/%s", fleet->component, fleet->name);
    if (fleet->registers)
        text = hy_node_print(&fleet->self);
    if (fleet->registers && text == NULL)
        return; /* the timer comes back */
    put.text = text;
    put.leased = fleet->registers;
    fleet->asking = true;
    fleet->asked = fleet->wish;
    hy_coord_change(fleet->coord, &change, on_pushed, fleet);
    free(text);
}

static void on_retry(void *arg)
{
    push_self(arg);
}

void hy_fleet_register(struct hy_fleet *fleet, const struct hy_node *self)
{
    if (hy_coord_static(fleet->coord))
        return;
    fleet->self = *self;
    snprintf(fleet->self_texts.endpoint, sizeof fleet->self_texts.endpoint, "%s",
             fleet->advertise[0] != '\0' && self->endpoint[0] != '\0' ? fleet->advertise
                                                                      : self->endpoint);
    snprintf(fleet->self_texts.version, sizeof fleet->self_texts.version, "%s", self->version);
    fleet->self.component = fleet->component;
    fleet->self.name = fleet->name;
    fleet->self.endpoint = fleet->self_texts.endpoint;
    fleet->self.version = fleet->self_texts.version;
    fleet->registers = self->state != HY_NODE_LEFT;
    fleet->wish++;
    fleet->settled = false;
    push_self(fleet);
}

bool hy_fleet_registered(const struct hy_fleet *fleet)
{
    return fleet->settled || hy_coord_static(fleet->coord);
}

/* Somebody took our value away, or an older process put its own over it. */
static void check_self(struct hy_fleet *fleet, const struct hy_coord_value *value)
{
    char key[HY_COORD_KEY_MAX];
    char *text;

    snprintf(key, sizeof key, "node/%s/%s", fleet->component, fleet->name);
    if (!fleet->settled || !fleet->registers || strcmp(key, value->key) != 0)
        return;
    text = hy_node_print(&fleet->self);
    fleet->settled = text == NULL || (value->text != NULL && strcmp(text, value->text) == 0);
    free(text);
    if (!fleet->settled)
        push_self(fleet);
}

/* ---- the coordinator ---- */

static void take(struct hy_fleet *fleet, const struct hy_coord_value *value, bool tell)
{
    if (strncmp(value->key, "node/", 5) == 0)
        on_node(fleet, value, tell);
    else if (strncmp(value->key, "shard/", 6) == 0)
        on_shard(fleet, value, tell);
    else if (strcmp(value->key, "map") == 0)
        on_map(fleet, value, tell);
}

static void on_changed(void *ctx, const struct hy_coord_value *value)
{
    struct hy_fleet *fleet = ctx;

    take(fleet, value, true);
    check_self(fleet, value);
    if (fleet->handler.value != NULL)
        fleet->handler.value(fleet->ctx, value);
}

static void on_first(void *arg, const struct hy_coord_value *value)
{
    take(arg, value, false);
}

static void on_leased(void *ctx)
{
    struct hy_fleet *fleet = ctx;

    fleet->settled = false;
    push_self(fleet);
}

static void on_lease_lost(void *ctx)
{
    struct hy_fleet *fleet = ctx;

    fleet->settled = false;
    if (fleet->handler.lease_lost != NULL)
        fleet->handler.lease_lost(fleet->ctx);
}

enum hy_err hy_fleet_open(struct hy_loop *loop, const struct hy_common_settings *settings,
                          const char *component, const struct hy_fleet_handler *handler, void *ctx,
                          struct hy_fleet **fleet, char why[static 256])
{
    static const struct hy_fleet_lease lease = {LEASE_S, ""};

    return hy_fleet_open_leased(loop, settings, component, &lease, handler, ctx, fleet, why);
}

enum hy_err hy_fleet_open_leased(struct hy_loop *loop, const struct hy_common_settings *settings,
                                 const char *component, const struct hy_fleet_lease *lease,
                                 const struct hy_fleet_handler *handler, void *ctx,
                                 struct hy_fleet **fleet, char why[static 256])
{
    static const struct hy_coord_handler events = {
        .changed = on_changed, .lease_lost = on_lease_lost, .leased = on_leased};
    struct hy_fleet *f = calloc(1, sizeof *f);
    enum hy_err err = HY_ENOMEM;

    snprintf(why, 256, "%s", hy_err_text(HY_ENOMEM));
    if (f == NULL)
        return err;
    if (handler != NULL)
        f->handler = *handler;
    f->ctx = ctx;
    snprintf(f->component, sizeof f->component, "%s", component);
    snprintf(f->name, sizeof f->name, "%s", settings->name);
    snprintf(f->advertise, sizeof f->advertise, "%s",
             settings->bus_advertise != NULL ? settings->bus_advertise : "");
    err = hy_coord_open(loop, settings, lease->seconds, lease->file, &events, f, &f->coord, why);
    if (err == HY_OK)
        err = hy_timer_open(loop, on_retry, f, &f->retry);
    if (err != HY_OK) {
        hy_fleet_close(&f);
        return err;
    }
    hy_coord_each(f->coord, "", on_first, f);
    if (!hy_coord_static(f->coord))
        hy_timer_every(f->retry, RETRY_MS);
    *fleet = f;
    return HY_OK;
}

void hy_fleet_close(struct hy_fleet **fleet)
{
    struct hy_fleet *f = *fleet;

    if (f == NULL)
        return;
    *fleet = NULL;
    hy_timer_close(&f->retry);
    hy_coord_close(&f->coord);
    while (f->nodes != NULL) {
        struct known *known = f->nodes;

        LL_DELETE(f->nodes, known);
        free(known);
    }
    free(f->leaders);
    free(f);
}

struct hy_coord *hy_fleet_coord(const struct hy_fleet *fleet)
{
    return fleet->coord;
}

bool hy_fleet_static(const struct hy_fleet *fleet)
{
    return hy_coord_static(fleet->coord);
}
