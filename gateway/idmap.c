#include "gateway/idmap.h"

#include <stdlib.h>

#include "common/slot.h"

static size_t home(const struct idmap *map, uint64_t id)
{
    return (size_t)hy_mix64(id) & (map->cap - 1);
}

/* Where id is, or the empty place where it would be. */
static struct idmap_place *seek(const struct idmap *map, uint64_t id)
{
    size_t i = home(map, id);

    while (map->places[i].id != 0 && map->places[i].id != id)
        i = (i + 1) & (map->cap - 1);
    return &map->places[i];
}

void *idmap_get(const struct idmap *map, uint64_t id)
{
    return map->cap == 0 ? NULL : seek(map, id)->value;
}

static enum hy_err grow(struct idmap *map)
{
    struct idmap bigger = {.cap = map->cap == 0 ? 16 : map->cap * 2, .count = map->count};

    bigger.places = calloc(bigger.cap, sizeof *bigger.places);
    if (bigger.places == NULL)
        return HY_ENOMEM;
    for (size_t i = 0; i < map->cap; i++)
        if (map->places[i].id != 0)
            *seek(&bigger, map->places[i].id) = map->places[i];
    free(map->places);
    *map = bigger;
    return HY_OK;
}

enum hy_err idmap_put(struct idmap *map, uint64_t id, void *value)
{
    struct idmap_place *place;

    if (map->count + 1 > map->cap / 4 * 3 && grow(map) != HY_OK)
        return HY_ENOMEM;
    place = seek(map, id);
    map->count += place->id == 0;
    *place = (struct idmap_place){id, value};
    return HY_OK;
}

void idmap_drop(struct idmap *map, uint64_t id)
{
    size_t mask = map->cap - 1, hole, i;

    if (map->cap == 0 || seek(map, id)->id == 0)
        return;
    hole = i = (size_t)(seek(map, id) - map->places);
    for (;;) { /* move back what would not be found across the hole */
        i = (i + 1) & mask;
        if (map->places[i].id == 0)
            break;
        if (((i - home(map, map->places[i].id)) & mask) >= ((i - hole) & mask)) {
            map->places[hole] = map->places[i];
            hole = i;
        }
    }
    map->places[hole] = (struct idmap_place){0};
    map->count--;
}

void idmap_free(struct idmap *map)
{
    free(map->places);
    *map = (struct idmap){0};
}
