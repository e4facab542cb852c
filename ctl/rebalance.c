#include "ctl/rebalance.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/coordinate.h"

enum { PUTS = 64 }; /* of one change of the coordinator */

static const char backup_key[] = "backup", planning_key[] = "planning";

static bool say(char why[static 256], const char *text)
{
    snprintf(why, 256, "%s", text);
    return false;
}

/* ---- reading ---- */

struct reading {
    struct rebalance *rebalance;
    bool failed;
};

static void add_move(void *arg, const struct hy_coord_value *value)
{
    struct reading *reading = arg;
    struct rebalance *r = reading->rebalance;
    struct hy_move move, *more;

    if (hy_move_parse(value->text, &move) != HY_OK || move.id < r->now.first_move ||
        move.id - r->now.first_move >= r->now.moves)
        return; /* of one that was given up while it was planned */
    more = realloc(r->moves, (r->count + 1) * sizeof *more);
    reading->failed = reading->failed || more == NULL;
    if (more == NULL)
        return;
    r->moves = more;
    r->moves[r->count++] = move;
}

enum hy_err rebalance_read(const struct hy_coord *coord, struct rebalance *rebalance)
{
    struct reading reading = {.rebalance = rebalance};
    struct hy_coord_value value;

    *rebalance = (struct rebalance){0};
    if (!hy_coord_get(coord, HY_REBALANCE_KEY, &value))
        return HY_OK;
    rebalance->there = true;
    rebalance->changed = value.changed;
    if (hy_rebalance_parse(value.text, &rebalance->now) != HY_OK)
        return HY_EMALFORMED;
    hy_coord_each(coord, HY_MOVE_PREFIX, add_move, &reading);
    return reading.failed ? HY_ENOMEM : HY_OK;
}

void rebalance_free(struct rebalance *rebalance)
{
    free(rebalance->moves);
    *rebalance = (struct rebalance){0};
}

static bool read_it(const struct hy_coord *coord, struct rebalance *rebalance, char why[static 256])
{
    enum hy_err err = rebalance_read(coord, rebalance);

    if (err != HY_OK)
        snprintf(why, 256, "what the coordinator has of the last rebalance cannot be read: %s",
                 hy_err_text(err));
    return err == HY_OK;
}

static bool under_way(const struct rebalance *r)
{
    return r->there && !hy_rebalance_ended(r->now.state);
}

static bool hinders(const struct hy_coord *coord, const struct rebalance *r, char why[static 256])
{
    struct hy_coord_value value;

    if (under_way(r))
        snprintf(why, 256, "rebalance %u is %s; it ends first, or by hongyanctl rebalance cancel",
                 r->now.id, hy_rebalance_state_name(r->now.state));
    else if (hy_coord_get(coord, backup_key, &value))
        say(why, "a backup is being taken; slots move when it is done");
    else
        return false;
    return true;
}

bool rebalance_hindered(const struct hy_coord *coord, char why[static 256])
{
    struct rebalance r;
    bool hindered = !read_it(coord, &r, why) || hinders(coord, &r, why);

    rebalance_free(&r);
    return hindered;
}

/* ---- planning ---- */

struct members {
    bool there[HY_SHARDS_MAX]; /* has stores that stay */
    uint16_t list[HY_SHARDS_MAX];
    size_t count;
};

static void note_store(void *arg, const struct hy_node *node)
{
    struct members *m = arg;

    if (node->shard < HY_SHARDS_MAX && node->state != HY_NODE_LEAVING &&
        node->state != HY_NODE_LEFT)
        m->there[node->shard] = true;
}

static void find_members(const struct hy_fleet *fleet, struct members *m)
{
    const struct hy_shardmap *map = hy_fleet_map(fleet);

    *m = (struct members){0};
    hy_fleet_each(fleet, "store", note_store, m);
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        m->there[map->owner[slot]] = true;
}

/* Nothing moves from or to a shard that nobody leads. */
static bool all_led(const struct hy_fleet *fleet, const struct members *m, char why[static 256])
{
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++) {
        if (!m->there[i] || *hy_fleet_leader(fleet, i, NULL) != '\0')
            continue;
        snprintf(why, 256, "nobody leads shard %u now; hongyanctl status shows its stores", i);
        return false;
    }
    return true;
}

static bool can_drain(const struct members *m, int64_t shard, char why[static 256])
{
    size_t others = 0;

    for (int64_t i = 0; i < HY_SHARDS_MAX; i++)
        others += m->there[i] && i != shard;
    if (shard < 0 || shard >= HY_SHARDS_MAX || !m->there[shard])
        snprintf(why, 256, "there is no shard %d", (int)shard);
    else if (others == 0)
        snprintf(why, 256,
                 "shard %d is the only one: its slots have nowhere to go; hongyanctl shard add"
                 " starts another",
                 (int)shard);
    else
        return true;
    return false;
}

bool rebalance_plan(const struct hy_fleet *fleet, int64_t without, struct slotplan *plan,
                    char why[static 256])
{
    struct members m;
    enum hy_err err;

    *plan = (struct slotplan){0};
    find_members(fleet, &m);
    if (without != REBALANCE_ALL && !can_drain(&m, without, why))
        return false;
    if (!all_led(fleet, &m, why))
        return false;
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++)
        if (m.there[i] && i != without)
            m.list[m.count++] = (uint16_t)i;
    err = slotplan_make(hy_fleet_map(fleet), m.list, m.count, REBALANCE_RUN, plan);
    return err == HY_OK || say(why, hy_err_text(err));
}

/* ---- beginning ---- */

/* Many puts, some a change, all under the same guards. */
struct puts {
    const struct nodes_visit *visit;
    struct hy_coord_guard guards[4];
    size_t guard_count;
    struct hy_coord_put list[PUTS];
    char keys[PUTS][HY_COORD_KEY_MAX];
    char *texts[PUTS];
    size_t count;
    enum hy_err err;
};

static void flush(struct puts *p)
{
    struct hy_coord_change change = {p->guards, p->guard_count, p->list, p->count};

    if (p->count > 0 && p->err == HY_OK)
        p->err = coordinate(p->visit, &change);
    for (size_t i = 0; i < p->count; i++)
        free(p->texts[i]);
    p->count = 0;
}

/* text is taken; NULL: delete. */
static void put(struct puts *p, const char *key, char *text)
{
    struct hy_coord_put *one = &p->list[p->count];

    snprintf(p->keys[p->count], HY_COORD_KEY_MAX, "%s", key);
    *one = (struct hy_coord_put){.key = p->keys[p->count], .text = text};
    p->texts[p->count++] = text;
    if (p->count == PUTS)
        flush(p);
}

static void put_text(struct puts *p, const char *key, char *text)
{
    if (text != NULL)
        put(p, key, text);
    else
        p->err = HY_ENOMEM;
}

static void guard(struct puts *p, const char *key, uint64_t changed)
{
    p->guards[p->guard_count++] =
        (struct hy_coord_guard){key, changed == 0 ? HY_COORD_ABSENT : HY_COORD_CHANGED, changed};
}

/* Moves that go: those before the last rebalance, and (from `next` on) of one that was given up
 * while it was planned. Of the last one shards may have rows yet. */
struct old {
    uint32_t last, next;
    char (*keys)[HY_MOVE_KEY_MAX];
    size_t count;
};

static void note_old(void *arg, const struct hy_coord_value *value)
{
    struct old *old = arg;
    uint32_t id = (uint32_t)strtoul(value->key + strlen(HY_MOVE_PREFIX), NULL, 16);
    void *more;

    if (id >= old->last && id < old->next)
        return;
    more = realloc(old->keys, (old->count + 1) * sizeof *old->keys);
    if (more == NULL)
        return;
    old->keys = more;
    snprintf(old->keys[old->count++], HY_MOVE_KEY_MAX, "%s", value->key);
}

/* From here on another that plans makes our changes fail, and theirs are the moves. */
static void claim(struct puts *p)
{
    struct hy_coord_value value;
    char text[32];

    snprintf(text, sizeof text, "\"%016" PRIx64 "\"", hy_random64());
    put_text(p, planning_key, strdup(text));
    flush(p);
    if (p->err == HY_OK && hy_coord_get(p->visit->coord, planning_key, &value) &&
        strcmp(value.text, text) == 0)
        guard(p, planning_key, value.changed);
    else if (p->err == HY_OK)
        p->err = HY_EEXIST;
}

static void remove_old_moves(struct puts *p, const struct rebalance *last)
{
    struct old old = {.last = last->now.first_move, .next = last->now.first_move + last->now.moves};

    hy_coord_each(p->visit->coord, HY_MOVE_PREFIX, note_old, &old);
    for (size_t i = 0; i < old.count; i++)
        put(p, old.keys[i], NULL);
    flush(p);
    free(old.keys);
}

static void put_moves(struct puts *p, const struct slotplan *plan, uint32_t first_id)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct slotplan_move *at = &plan->moves[i];
        struct hy_move move = {.id = first_id + (uint32_t)i,
                               .first = at->first,
                               .last = at->last,
                               .from = at->from,
                               .to = at->to,
                               .state = HY_MOVE_PLANNED};
        char key[HY_MOVE_KEY_MAX];

        hy_move_key(move.id, key);
        put_text(p, key, hy_move_print(&move));
    }
    flush(p);
}

static bool said(enum hy_err err, char why[static 256])
{
    if (err == HY_EEXIST)
        say(why, "something else changed at the same time; look with hongyanctl rebalance status");
    else if (err == HY_ETIMEOUT)
        say(why, "the coordinator did not answer in time: it may have been done or not; look with"
                 " hongyanctl rebalance status");
    else
        say(why, hy_err_text(err));
    return err == HY_OK;
}

static void begin(struct puts *p, const struct rebalance *last, const struct slotplan *plan,
                  uint64_t rate)
{
    struct hy_rebalance next = {.id = last->now.id + 1,
                                .state = HY_REBALANCE_RUNNING,
                                .started_ms = hy_wall_ms(),
                                .rate_bytes_s = rate,
                                .first_move = last->now.first_move + last->now.moves,
                                .moves = (uint32_t)plan->count};
    struct hy_coord_value map;

    if (next.first_move == 0)
        next.first_move = 1;
    guard(p, HY_REBALANCE_KEY, last->changed);
    guard(p, "map", hy_coord_get(p->visit->coord, "map", &map) ? map.changed : 0);
    guard(p, backup_key, 0);
    claim(p);
    remove_old_moves(p, last);
    put_moves(p, plan, next.first_move);
    put_text(p, HY_REBALANCE_KEY, hy_rebalance_print(&next)); /* nothing starts without */
    put(p, planning_key, NULL);
    flush(p);
}

bool rebalance_begin(const struct nodes_visit *visit, const struct slotplan *plan, uint64_t rate,
                     char why[static 256])
{
    struct puts *p = calloc(1, sizeof *p);
    struct rebalance last = {0};
    bool good = false;

    if (p == NULL) {
        say(why, hy_err_text(HY_ENOMEM));
    } else if (read_it(visit->coord, &last, why) && !hinders(visit->coord, &last, why)) {
        p->visit = visit;
        begin(p, &last, plan, rate);
        good = said(p->err, why);
    }
    rebalance_free(&last);
    free(p);
    return good;
}

/* ---- wishes ---- */

static const char *refused(const struct rebalance *r, enum hy_rebalance_state wish)
{
    enum hy_rebalance_state now = r->now.state;

    if (!under_way(r))
        return "no rebalance is under way";
    if (now == HY_REBALANCE_CANCELLING)
        return "it is being cancelled already";
    if (wish == HY_REBALANCE_PAUSED && now == HY_REBALANCE_PAUSED)
        return "it is paused already";
    if (wish == HY_REBALANCE_RUNNING && now == HY_REBALANCE_RUNNING)
        return "it is running already";
    return NULL;
}

static enum hy_err put_state(const struct nodes_visit *visit, struct rebalance *r,
                             enum hy_rebalance_state state)
{
    struct hy_coord_guard guard = {HY_REBALANCE_KEY, HY_COORD_CHANGED, r->changed};
    struct hy_coord_put put = {.key = HY_REBALANCE_KEY};
    struct hy_coord_change change = {&guard, 1, &put, 1};
    enum hy_err err = HY_ENOMEM;
    char *text;

    r->now.state = state;
    text = hy_rebalance_print(&r->now);
    put.text = text;
    if (text != NULL)
        err = coordinate(visit, &change);
    free(text);
    return err;
}

bool rebalance_wish(const struct nodes_visit *visit, enum hy_rebalance_state state,
                    char why[static 256])
{
    struct rebalance r;
    const char *no = NULL;
    bool good = read_it(visit->coord, &r, why);

    if (good && (no = refused(&r, state)) != NULL)
        good = say(why, no);
    if (good)
        good = said(put_state(visit, &r, state), why);
    rebalance_free(&r);
    return good;
}

/* ---- stores that go ---- */

static bool touches(const struct rebalance *r, uint32_t shard)
{
    for (size_t i = 0; under_way(r) && i < r->count; i++)
        if (!hy_move_ended(r->moves[i].state) &&
            (r->moves[i].from == shard || r->moves[i].to == shard))
            return true;
    return false;
}

bool rebalance_spares(const struct nodes_visit *visit, uint32_t shard, char why[static 256])
{
    const struct hy_shardmap *map = hy_fleet_map(visit->fleet);
    uint32_t slots = 0;
    struct rebalance r;
    bool good = read_it(visit->coord, &r, why);

    for (uint32_t slot = hy_shardmap_next(map, shard, 0); slot < HY_SLOTS;
         slot = hy_shardmap_next(map, shard, slot + 1))
        slots++;
    if (good && slots > 0) {
        snprintf(why, 256, "shard %u owns %u slots; hongyanctl shard drain %u moves them away",
                 shard, slots, shard);
        good = false;
    } else if (good && touches(&r, shard)) {
        snprintf(why, 256, "shard %u has a part in rebalance %u, which is %s", shard, r.now.id,
                 hy_rebalance_state_name(r.now.state));
        good = false;
    }
    rebalance_free(&r);
    return good;
}
