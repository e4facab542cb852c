#include "router/stores.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/metrics.h"
#include "common/slot.h"

enum { STORE_RETRY_MS = 1000, SHARDS_MAX = 1024 };

/* Labels of the metric stay with its registry as long as the process lives. */
static char labels[SHARDS_MAX][20];

struct shard {
    struct hy_peer *peer;
    struct hy_metric *available;
    bool up;
};

struct stores {
    struct hy_bus *bus;
    uint32_t count;
    atomic_uint up;
    struct shard *shards;
};

static enum hy_err dial(struct stores *stores, uint32_t index, const char *item)
{
    struct shard *shard = &stores->shards[index];
    char name[64], endpoint[256];
    enum hy_err err = hy_settings_peer(item, name, endpoint);

    snprintf(labels[index], sizeof labels[index], "shard=\"%u\"", index);
    shard->available = hy_gauge("hongyan_router_shard_available", labels[index],
                                "1 when the shard's store is connected");
    if (err == HY_OK)
        err = hy_bus_dial(stores->bus, "store", name, endpoint, &shard->peer);
    return err;
}

enum hy_err stores_open(struct hy_bus *bus, const struct hy_text_list *list, struct stores **stores)
{
    enum hy_err err = HY_ENOMEM;
    struct stores *s = NULL;

    if (list->count == 0 || list->count > SHARDS_MAX)
        return HY_ECONFIG;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return err;
    s->bus = bus;
    s->count = (uint32_t)list->count;
    s->shards = calloc(list->count, sizeof *s->shards);
    if (s->shards == NULL)
        goto fail;
    for (uint32_t i = 0; i < s->count; i++) {
        err = dial(s, i, list->items[i]);
        if (err != HY_OK)
            goto fail;
    }
    *stores = s;
    return HY_OK;

fail:
    stores_close(&s);
    return err;
}

void stores_close(struct stores **stores)
{
    struct stores *s = *stores;

    if (s == NULL)
        return;
    *stores = NULL;
    free(s->shards);
    free(s);
}

uint32_t stores_count(const struct stores *stores)
{
    return stores->count;
}

uint32_t stores_shard(const struct stores *stores, uint16_t slot)
{
    return hy_slot_shard(slot, stores->count);
}

uint16_t stores_first_slot(const struct stores *stores, uint32_t shard)
{
    uint32_t low = 0, high = HY_SLOTS;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (hy_slot_shard((uint16_t)middle, stores->count) < shard)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint16_t)low;
}

bool stores_up(const struct stores *stores, uint32_t shard)
{
    return stores->shards[shard].up;
}

bool stores_any_up(const struct stores *stores)
{
    return atomic_load(&stores->up) > 0;
}

static struct hy_call bus_call(const struct stores *stores, const struct stores_call *call)
{
    return (struct hy_call){
        .kind = call->kind,
        .deadline_ms = call->deadline_ms,
        .retry_ms = STORE_RETRY_MS,
        .peer = stores->shards[call->shard].peer,
        .done = call->done,
        .arg = call->arg,
    };
}

uint64_t stores_ask(struct stores *stores, const struct stores_call *call, const void *payload,
                    size_t len)
{
    struct hy_call bus = bus_call(stores, call);

    return hy_bus_call(stores->bus, &bus, payload, len);
}

uint64_t stores_ask_pb(struct stores *stores, const struct stores_call *call,
                       const ProtobufCMessage *msg)
{
    struct hy_call bus = bus_call(stores, call);

    return hy_bus_call_pb(stores->bus, &bus, msg);
}

void stores_peer(struct stores *stores, const struct hy_peer *peer, enum hy_peer_event event)
{
    unsigned up = 0;

    for (uint32_t i = 0; i < stores->count; i++) {
        struct shard *shard = &stores->shards[i];

        if (shard->peer == peer) {
            shard->up = event != HY_PEER_DOWN;
            hy_set(shard->available, shard->up);
        }
        up += shard->up;
    }
    atomic_store(&stores->up, up);
}
