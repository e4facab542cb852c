#include "common/shardmap.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hy_shardmap_even(struct hy_shardmap *map, uint32_t shards)
{
    map->epoch = 1;
    map->shards = shards;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        map->owner[slot] = (uint16_t)hy_slot_shard((uint16_t)slot, shards);
}

/* ---- text to map ---- */

/* A run that follows one which begins at last (-1: it is the first). NULL, or what is wrong. */
static const char *read_run(const json_t *run, int64_t last, uint16_t *slot, uint16_t *shard)
{
    const json_t *from = json_array_get(run, 0), *owner = json_array_get(run, 1);

    if (json_array_size(run) != 2 || !json_is_integer(from) || !json_is_integer(owner))
        return "is not two numbers, slot and shard";
    if (last < 0 ? json_integer_value(from) != 0 : json_integer_value(from) <= last)
        return last < 0 ? "does not begin at slot 0" : "is not behind the one before";
    if (json_integer_value(from) >= HY_SLOTS)
        return "begins behind the last slot";
    if (json_integer_value(owner) < 0 || json_integer_value(owner) >= HY_SHARDS_MAX)
        return "has a shard out of range";
    *slot = (uint16_t)json_integer_value(from);
    *shard = (uint16_t)json_integer_value(owner);
    return NULL;
}

static void own_from(struct hy_shardmap *map, uint32_t slot, uint16_t shard)
{
    if (shard >= map->shards)
        map->shards = shard + 1U;
    for (; slot < HY_SLOTS; slot++)
        map->owner[slot] = shard;
}

static enum hy_err read_runs(const json_t *runs, struct hy_shardmap *map, char why[static 128])
{
    int64_t last = -1;

    if (json_array_size(runs) == 0) {
        snprintf(why, 128, "\"runs\" is not a list of runs");
        return HY_EMALFORMED;
    }
    for (size_t i = 0; i < json_array_size(runs); i++) {
        uint16_t slot, shard;
        const char *wrong = read_run(json_array_get(runs, i), last, &slot, &shard);

        if (wrong != NULL) {
            snprintf(why, 128, "run %zu %s", i, wrong);
            return HY_EMALFORMED;
        }
        own_from(map, slot, shard);
        last = slot;
    }
    return HY_OK;
}

static enum hy_err read_map(const json_t *root, struct hy_shardmap *map, char why[static 128])
{
    const json_t *epoch = json_object_get(root, "epoch");

    if (!json_is_integer(epoch) || json_integer_value(epoch) < 1) {
        snprintf(why, 128, "\"epoch\" is not a number from 1 on");
        return HY_EMALFORMED;
    }
    map->epoch = (uint64_t)json_integer_value(epoch);
    return read_runs(json_object_get(root, "runs"), map, why);
}

enum hy_err hy_shardmap_parse(const char *text, struct hy_shardmap *map, char why[static 128])
{
    struct hy_shardmap read = {0};
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    enum hy_err err = HY_EMALFORMED;

    if (root == NULL)
        snprintf(why, 128, "no JSON: %.100s", error.text);
    else
        err = read_map(root, &read, why);
    json_decref(root);
    if (err == HY_OK)
        *map = read;
    return err;
}

/* ---- map to text ---- */

enum { RUN_CHARS = sizeof "[16383,1023]," - 1 };

static bool run_begins(const struct hy_shardmap *map, uint32_t slot)
{
    return slot == 0 || map->owner[slot] != map->owner[slot - 1];
}

char *hy_shardmap_print(const struct hy_shardmap *map)
{
    size_t runs = 0, len, cap;

    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        runs += run_begins(map, slot);
    cap = runs * RUN_CHARS + sizeof "{\"epoch\":18446744073709551615,\"runs\":[]}";
    char *text = malloc(cap);

    if (text == NULL)
        return NULL;
    len = (size_t)snprintf(text, cap, "{\"epoch\":%llu,\"runs\":[", (unsigned long long)map->epoch);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        if (run_begins(map, slot))
            len += (size_t)snprintf(text + len, cap - len, "%s[%u,%u]", slot > 0 ? "," : "", slot,
                                    map->owner[slot]);
    snprintf(text + len, cap - len, "]}");
    return text;
}

uint32_t hy_shardmap_next(const struct hy_shardmap *map, uint32_t shard, uint32_t slot)
{
    while (slot < HY_SLOTS && map->owner[slot] != shard)
        slot++;
    return slot;
}
