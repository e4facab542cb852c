#include "ctl/slotplan.h"

#include <stdbool.h>
#include <stdlib.h>

/* While a plan is made. */
struct making {
    struct slotplan *plan;
    uint16_t owner[HY_SLOTS]; /* after the moves so far */
    uint32_t now[HY_SHARDS_MAX];
    uint16_t top[HY_SHARDS_MAX]; /* the highest slot of a shard is here or below */
    uint32_t most;
    size_t room;
};

/* ---- how many each is to have ---- */

/* Who has most keeps most: of two shards the first gets the slot that is left over. */
static bool before(const struct slotplan *plan, uint16_t a, uint16_t b)
{
    return plan->have[a] != plan->have[b] ? plan->have[a] > plan->have[b] : a < b;
}

static size_t place_of(const struct slotplan *plan, const uint16_t *shards, size_t count, size_t i)
{
    size_t place = 0;

    for (size_t k = 0; k < count; k++)
        place += before(plan, shards[k], shards[i]);
    return place;
}

static enum hy_err set_want(struct slotplan *plan, const uint16_t *shards, size_t count)
{
    bool seen[HY_SHARDS_MAX] = {false};

    if (count == 0)
        return HY_ECONFIG;
    for (size_t i = 0; i < count; i++) {
        if (shards[i] >= HY_SHARDS_MAX || seen[shards[i]])
            return HY_ECONFIG;
        seen[shards[i]] = true;
    }
    for (size_t i = 0; i < count; i++)
        plan->want[shards[i]] =
            (uint32_t)(HY_SLOTS / count) + (place_of(plan, shards, count, i) < HY_SLOTS % count);
    return HY_OK;
}

/* ---- moves ---- */

/* The highest slot of a shard that gives some away. */
static uint16_t highest(struct making *m, uint16_t shard)
{
    while (m->owner[m->top[shard]] != shard)
        m->top[shard]--;
    return m->top[shard];
}

/* The next shard from `shard` on that has too few; HY_SHARDS_MAX: none. */
static uint32_t next_poor(const struct making *m, uint32_t shard)
{
    while (shard < HY_SHARDS_MAX && m->now[shard] >= m->plan->want[shard])
        shard++;
    return shard;
}

/* As much of the highest run of a shard as it has too much, the other too little, and a move may
 * have. */
static struct slotplan_move pick(struct making *m, uint16_t from, uint16_t to)
{
    uint32_t last = highest(m, from), first = last;
    uint32_t most = m->now[from] - m->plan->want[from], room = m->plan->want[to] - m->now[to];

    if (most > room)
        most = room;
    if (most > m->most)
        most = m->most;
    while (first > 0 && last - first + 1 < most && m->owner[first - 1] == from)
        first--;
    return (struct slotplan_move){(uint16_t)first, (uint16_t)last, from, to};
}

static enum hy_err add_move(struct making *m, const struct slotplan_move *move)
{
    struct slotplan *plan = m->plan;
    uint32_t slots = move->last - move->first + 1U;

    if (plan->count == m->room) {
        size_t room = m->room == 0 ? 64 : 2 * m->room;
        struct slotplan_move *more = realloc(plan->moves, room * sizeof *more);

        if (more == NULL)
            return HY_ENOMEM;
        plan->moves = more;
        m->room = room;
    }
    plan->moves[plan->count++] = *move;
    plan->slots += slots;
    m->now[move->from] -= slots;
    m->now[move->to] += slots;
    for (uint32_t slot = move->first; slot <= move->last; slot++)
        m->owner[slot] = move->to;
    return HY_OK;
}

/* Each source in turn, all to the first target that has room. */
static enum hy_err make_moves(struct making *m)
{
    enum hy_err err = HY_OK;
    uint32_t poor = next_poor(m, 0);

    for (uint32_t shard = 0; shard < HY_SHARDS_MAX && err == HY_OK; shard++) {
        while (err == HY_OK && m->now[shard] > m->plan->want[shard]) {
            struct slotplan_move move = pick(m, (uint16_t)shard, (uint16_t)poor);

            err = add_move(m, &move);
            poor = next_poor(m, poor);
        }
    }
    return err;
}

/* ---- taking turns ---- */

struct turn {
    uint32_t round; /* how many moves of its source come first */
    uint32_t number;
    struct slotplan_move move;
};

static int by_round(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    if (x->round != y->round)
        return x->round < y->round ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static enum hy_err take_turns(struct slotplan *plan)
{
    uint32_t rounds[HY_SHARDS_MAX] = {0};
    struct turn *turns = plan->count == 0 ? NULL : calloc(plan->count, sizeof *turns);

    if (turns == NULL)
        return plan->count == 0 ? HY_OK : HY_ENOMEM;
    for (size_t i = 0; i < plan->count; i++)
        turns[i] = (struct turn){rounds[plan->moves[i].from]++, (uint32_t)i, plan->moves[i]};
    qsort(turns, plan->count, sizeof *turns, by_round);
    for (size_t i = 0; i < plan->count; i++)
        plan->moves[i] = turns[i].move;
    free(turns);
    return HY_OK;
}

enum hy_err slotplan_make(const struct hy_shardmap *map, const uint16_t *shards, size_t count,
                          uint32_t most, struct slotplan *plan)
{
    struct making *m = calloc(1, sizeof *m);
    enum hy_err err = m == NULL ? HY_ENOMEM : HY_OK;

    *plan = (struct slotplan){0};
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        plan->have[map->owner[slot]]++;
    if (err == HY_OK)
        err = set_want(plan, shards, count);
    if (err == HY_OK) {
        m->plan = plan;
        m->most = most;
        for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
            m->owner[slot] = map->owner[slot];
        for (uint32_t shard = 0; shard < HY_SHARDS_MAX; shard++)
            m->now[shard] = plan->have[shard];
        for (uint32_t shard = 0; shard < HY_SHARDS_MAX; shard++)
            m->top[shard] = HY_SLOTS - 1;
        err = make_moves(m);
    }
    if (err == HY_OK)
        err = take_turns(plan);
    free(m);
    if (err != HY_OK)
        slotplan_free(plan);
    return err;
}

void slotplan_free(struct slotplan *plan)
{
    free(plan->moves);
    *plan = (struct slotplan){0};
}
