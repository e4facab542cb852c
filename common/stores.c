#include "common/stores.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/metrics.h"
#include "common/slot.h"
#include "common/tier.h"

enum { STORE_RETRY_MS = 1000, ELSEWHERE_MS = 50 };

/* Labels of the metric stay with its registry as long as the process lives. */
static char labels[HY_SHARDS_MAX][20];

struct shard {
    struct hy_peer *peer;        /* its leader's; NULL: not known, or not dialled */
    struct hy_metric *available; /* NULL: not counted */
    uint64_t epoch; /* of the leader that a store told of, newer than what the coordinator told */
    char told[64];  /* that leader; "": none */
};

struct hy_stores {
    struct hy_bus *bus;
    const struct hy_fleet *fleet;
    struct hy_stores_options options;
    struct hy_tier *tier;
    struct shard *shards;
    uint32_t count;  /* of shards that a leader may be known of: */
    uint32_t owners; /* those that own slots, or did, come first */
    atomic_uint up;
};

/* ---- who leads ---- */

static void count_up(struct hy_stores *stores)
{
    unsigned up = 0;

    for (uint32_t i = 0; i < stores->count; i++) {
        if (stores->shards[i].available != NULL)
            hy_set(stores->shards[i].available, hy_stores_up(stores, i));
        up += hy_stores_up(stores, i);
    }
    atomic_store(&stores->up, up);
}

static struct hy_peer *peer_of(const struct hy_stores *stores, uint32_t shard)
{
    uint64_t epoch;
    const char *leader = hy_fleet_leader(stores->fleet, shard, &epoch);

    if (stores->shards[shard].told[0] != '\0' && stores->shards[shard].epoch > epoch)
        leader = stores->shards[shard].told;
    return hy_tier_at(stores->tier, hy_tier_find(stores->tier, leader));
}

/* Look up the leader; what its predecessor was asked goes to it at once. */
static void look_up(struct hy_stores *stores, uint32_t shard)
{
    struct hy_peer *peer = peer_of(stores, shard), *was = stores->shards[shard].peer;

    if (peer == was)
        return;
    stores->shards[shard].peer = peer;
    hy_bus_ask_again(stores->bus, was);
}

static void look_up_all(struct hy_stores *stores)
{
    for (uint32_t i = 0; i < stores->count; i++)
        look_up(stores, i);
    count_up(stores);
}

/* Have a place for so many shards. */
static void make_shards(struct hy_stores *stores, uint32_t count)
{
    struct shard *shards;

    if (count <= stores->count)
        return;
    shards = realloc(stores->shards, count * sizeof *shards);
    if (shards == NULL)
        abort(); /* as memory.h says */
    stores->shards = shards;
    for (uint32_t i = stores->count; i < count; i++) {
        shards[i] = (struct shard){0};
        snprintf(labels[i], sizeof labels[i], "shard=\"%u\"", i);
        if (stores->options.available != NULL)
            shards[i].available = hy_gauge(stores->options.available, labels[i],
                                           "1 when the shard's leading store is connected");
    }
    stores->count = count;
}

/* One that owns nothing any more is still there. */
static void make_owners(struct hy_stores *stores)
{
    uint32_t known = hy_fleet_map(stores->fleet)->shards;

    if (known > stores->owners)
        stores->owners = known;
    if (stores->owners == 0)
        stores->owners = 1;
    make_shards(stores, stores->owners);
}

/* A shard that is to own slots has stores before that. */
static void make_room_for(struct hy_stores *stores, const struct hy_node *node)
{
    if (node->shard < HY_SHARDS_MAX)
        make_shards(stores, node->shard + 1);
}

void hy_stores_node(struct hy_stores *stores, const struct hy_node *node)
{
    if (stores->options.not_own && node->shard == stores->options.own)
        return;
    make_room_for(stores, node);
    hy_tier_node(stores->tier, node);
    look_up_all(stores);
}

void hy_stores_map(struct hy_stores *stores)
{
    make_owners(stores);
    look_up_all(stores);
    hy_bus_ask_again(stores->bus, NULL);
}

void hy_stores_leader(struct hy_stores *stores, uint32_t shard)
{
    if (shard >= stores->count)
        return;
    look_up(stores, shard);
    count_up(stores);
}

bool hy_stores_peer(struct hy_stores *stores, const struct hy_peer *peer, enum hy_peer_event event)
{
    if (!hy_tier_peer(stores->tier, peer, event))
        return false;
    count_up(stores);
    return true;
}

/* ---- opening ---- */

static void add_node(void *arg, const struct hy_node *node)
{
    struct hy_stores *stores = arg;

    if (stores->options.not_own && node->shard == stores->options.own)
        return;
    make_room_for(stores, node);
    hy_tier_node(stores->tier, node);
}

/* A place is about to be empty. */
static void on_hang_up(void *ctx, struct hy_peer *peer, enum hy_peer_event event)
{
    struct hy_stores *stores = ctx;

    for (uint32_t i = 0; i < stores->count; i++)
        if (stores->shards[i].peer == peer)
            stores->shards[i].peer = NULL;
    (void)hy_stores_peer(stores, peer, event);
}

enum hy_err hy_stores_open(struct hy_loop *loop, struct hy_bus *bus, const struct hy_fleet *fleet,
                           const struct hy_stores_options *options, struct hy_stores **stores)
{
    struct hy_stores *s = calloc(1, sizeof *s);
    struct hy_tier_config config = {
        .loop = loop, .bus = bus, .component = "store", .peer = on_hang_up, .ctx = s};
    enum hy_err err = HY_ENOMEM;

    if (s == NULL)
        return err;
    s->bus = bus;
    s->fleet = fleet;
    s->options = *options;
    err = hy_tier_open(&config, &s->tier);
    if (err != HY_OK) {
        hy_stores_close(&s);
        return err;
    }
    hy_fleet_each(fleet, "store", add_node, s);
    make_owners(s);
    look_up_all(s);
    *stores = s;
    return HY_OK;
}

void hy_stores_close(struct hy_stores **stores)
{
    struct hy_stores *s = *stores;

    if (s == NULL)
        return;
    *stores = NULL;
    hy_tier_close(&s->tier);
    free(s->shards);
    free(s);
}

/* ---- asking ---- */

uint32_t hy_stores_count(const struct hy_stores *stores)
{
    return stores->owners;
}

bool hy_stores_owns(const struct hy_stores *stores, uint32_t shard)
{
    return hy_shardmap_next(hy_fleet_map(stores->fleet), shard, 0) < HY_SLOTS;
}

uint32_t hy_stores_shard(const struct hy_stores *stores, uint16_t slot)
{
    return hy_fleet_map(stores->fleet)->owner[slot];
}

uint32_t hy_stores_run_end(const struct hy_stores *stores, uint16_t slot)
{
    const struct hy_shardmap *map = hy_fleet_map(stores->fleet);
    uint32_t end = slot;

    while (end < HY_SLOTS && map->owner[end] == map->owner[slot])
        end++;
    return end;
}

bool hy_stores_up(const struct hy_stores *stores, uint32_t shard)
{
    const struct hy_peer *peer = shard < stores->count ? stores->shards[shard].peer : NULL;

    return peer != NULL && hy_peer_up(peer);
}

bool hy_stores_any_up(const struct hy_stores *stores)
{
    return atomic_load(&stores->up) > 0;
}

static uint32_t shard_at(const struct hy_stores *stores, uint64_t where)
{
    return (where & hy_stores_at_shard(0)) != 0 ? (uint32_t)(where & ~hy_stores_at_shard(0))
                                                : hy_stores_shard(stores, (uint16_t)where);
}

static struct hy_peer *pick(void *arg, const void *key)
{
    const struct hy_stores *stores = arg;
    uint32_t shard = shard_at(stores, *(const uint64_t *)key);

    return shard < stores->count ? stores->shards[shard].peer : NULL;
}

/* A store tells of a reign that the coordinator has not told us of yet. */
static void learn(struct hy_stores *stores, uint32_t shard, const Hy__Elsewhere *told)
{
    struct shard *s = &stores->shards[shard];
    uint64_t known;

    (void)hy_fleet_leader(stores->fleet, shard, &known);
    if (told->leader[0] == '\0' || strlen(told->leader) >= sizeof s->told || told->epoch <= known ||
        told->epoch <= s->epoch)
        return;
    strcpy(s->told, told->leader);
    s->epoch = told->epoch;
    look_up(stores, shard);
    count_up(stores);
}

/* Ask another at once, or the same one when it may know more. */
static uint32_t refused(void *arg, const void *key, struct hy_peer *by,
                        const struct hy_record *answer)
{
    struct hy_stores *stores = arg;
    uint32_t shard = shard_at(stores, *(const uint64_t *)key);
    Hy__Elsewhere *told = hy__elsewhere__unpack(NULL, answer->len, answer->payload);

    if (told != NULL && shard < stores->count &&
        told->map_epoch <= hy_fleet_map(stores->fleet)->epoch)
        learn(stores, shard, told);
    hy__elsewhere__free_unpacked(told, NULL);
    return pick(arg, key) != by && pick(arg, key) != NULL ? 0 : ELSEWHERE_MS;
}

static struct hy_call bus_call(struct hy_stores *stores, const struct hy_stores_call *call)
{
    return (struct hy_call){
        .kind = call->kind,
        .deadline_ms = call->deadline_ms,
        .retry_ms = STORE_RETRY_MS,
        .pick = pick,
        .pick_arg = stores,
        .pick_key = call->where,
        .done = call->done,
        .arg = call->arg,
        .refusal = HY__BUS_KIND__STORE_ELSEWHERE,
        .refused = refused,
    };
}

uint64_t hy_stores_ask(struct hy_stores *stores, const struct hy_stores_call *call,
                       const void *payload, size_t len)
{
    struct hy_call bus = bus_call(stores, call);

    return hy_bus_call(stores->bus, &bus, payload, len);
}

uint64_t hy_stores_ask_pb(struct hy_stores *stores, const struct hy_stores_call *call,
                          const ProtobufCMessage *msg)
{
    struct hy_call bus = bus_call(stores, call);

    return hy_bus_call_pb(stores->bus, &bus, msg);
}
