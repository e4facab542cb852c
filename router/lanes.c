#include "router/lanes.h"

#include <stdlib.h>

#include "router/memory.h"

/* Linear: there are as many lanes as gateway workers. */
static struct lane *lane_of(const struct lanes *lanes, const struct gate *gate)
{
    for (size_t i = 0; i < lanes->count; i++)
        if (lanes->all[i].gate == gate)
            return &lanes->all[i];
    return NULL;
}

static struct lane *new_lane(struct lanes *lanes, struct gate *gate)
{
    struct lane *lane;

    lanes->all = memory_grow(lanes->all, (lanes->count + 1) * sizeof *lanes->all);
    lane = &lanes->all[lanes->count++];
    *lane = (struct lane){.gate = gate};
    return lane;
}

void lanes_add(struct lanes *lanes, const struct place *place)
{
    struct lane *lane = lane_of(lanes, place->gate);

    if (lane == NULL)
        lane = new_lane(lanes, place->gate);
    if (lane->count == lane->cap) {
        lane->cap = lane->cap == 0 ? 4 : lane->cap * 2;
        lane->links = memory_grow(lane->links, lane->cap * sizeof *lane->links);
    }
    lane->links[lane->count++] = place->link;
    lanes->links++;
}

void lanes_remove(struct lanes *lanes, const struct place *place)
{
    struct lane *lane = lane_of(lanes, place->gate);

    for (size_t i = 0; lane != NULL && i < lane->count; i++) {
        if (lane->links[i] != place->link)
            continue;
        lane->links[i] = lane->links[--lane->count];
        lanes->links--;
        return;
    }
}

static bool among(const struct place *place, const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (places[i].gate == place->gate && places[i].link == place->link)
            return true;
    return false;
}

void lanes_move(struct lanes *lanes, const struct place *before, size_t before_count,
                const struct place *now, size_t now_count)
{
    for (size_t i = 0; i < before_count; i++)
        if (!among(&before[i], now, now_count))
            lanes_remove(lanes, &before[i]);
    for (size_t i = 0; i < now_count; i++)
        if (!among(&now[i], before, before_count))
            lanes_add(lanes, &now[i]);
}

void lanes_push(const struct lanes *lanes, struct push *push, const struct place *except,
                const struct push_frame *frame)
{
    for (size_t i = 0; i < lanes->count; i++) {
        const struct lane *lane = &lanes->all[i];
        uint64_t link = except != NULL && except->gate == lane->gate ? except->link : 0;

        if (lane->count > 0)
            push_to_links(push, lane->gate, lane->links, lane->count, link, frame);
    }
}

void lanes_free(struct lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++)
        free(lanes->all[i].links);
    free(lanes->all);
    *lanes = (struct lanes){0};
}
