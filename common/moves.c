#include "common/moves.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const move_states[HY_MOVE_STATES] = {
    [HY_MOVE_PLANNED] = "planned", [HY_MOVE_COPYING] = "copying",     [HY_MOVE_FROZEN] = "frozen",
    [HY_MOVE_DONE] = "done",       [HY_MOVE_CANCELLED] = "cancelled",
};

static const char *const rebalance_states[HY_REBALANCE_STATES] = {
    [HY_REBALANCE_RUNNING] = "running",       [HY_REBALANCE_PAUSED] = "paused",
    [HY_REBALANCE_CANCELLING] = "cancelling", [HY_REBALANCE_DONE] = "done",
    [HY_REBALANCE_CANCELLED] = "cancelled",
};

const char *hy_move_state_name(enum hy_move_state state)
{
    return move_states[state];
}

const char *hy_rebalance_state_name(enum hy_rebalance_state state)
{
    return rebalance_states[state];
}

bool hy_move_ended(enum hy_move_state state)
{
    return state == HY_MOVE_DONE || state == HY_MOVE_CANCELLED;
}

bool hy_rebalance_ended(enum hy_rebalance_state state)
{
    return state == HY_REBALANCE_DONE || state == HY_REBALANCE_CANCELLED;
}

void hy_move_key(uint32_t id, char key[static HY_MOVE_KEY_MAX])
{
    snprintf(key, HY_MOVE_KEY_MAX, HY_MOVE_PREFIX "%08x", id);
}

/* ---- reading ---- */

/* A number in a field that may be missing where least is 0. */
static bool number(const json_t *object, const char *name, uint64_t least, uint64_t most,
                   uint64_t *n)
{
    const json_t *value = json_object_get(object, name);

    *n = 0;
    if (value == NULL)
        return least == 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *n = (uint64_t)json_integer_value(value);
    return *n >= least && *n <= most;
}

static bool small(const json_t *object, const char *name, uint32_t least, uint32_t most,
                  uint32_t *n)
{
    uint64_t big;
    bool good = number(object, name, least, most, &big);

    *n = (uint32_t)big;
    return good;
}

static bool slot(const json_t *object, const char *name, uint16_t *n)
{
    uint32_t big;
    bool good = json_object_get(object, name) != NULL && small(object, name, 0, HY_SLOTS - 1, &big);

    *n = good ? (uint16_t)big : 0;
    return good;
}

static bool shard(const json_t *object, const char *name, uint32_t *n)
{
    return json_object_get(object, name) != NULL && small(object, name, 0, HY_SHARDS_MAX - 1, n);
}

static bool state(const json_t *object, const char *const *names, unsigned count, unsigned *n)
{
    const char *name = json_string_value(json_object_get(object, "state"));

    for (*n = 0; name != NULL && *n < count; ++*n)
        if (strcmp(name, names[*n]) == 0)
            return true;
    return false;
}

static bool read_move(const json_t *object, struct hy_move *move)
{
    const char *why = json_string_value(json_object_get(object, "why"));
    unsigned at;

    if (!small(object, "id", 1, UINT32_MAX, &move->id) || !slot(object, "first", &move->first) ||
        !slot(object, "last", &move->last) || move->first > move->last ||
        !shard(object, "from", &move->from) || !shard(object, "to", &move->to) ||
        move->from == move->to || !state(object, move_states, HY_MOVE_STATES, &at))
        return false;
    move->state = (enum hy_move_state)at;
    snprintf(move->why, sizeof move->why, "%s", why == NULL ? "" : why);
    return small(object, "attempt", 0, UINT32_MAX, &move->attempt) &&
           number(object, "rows", 0, UINT64_MAX, &move->rows) &&
           number(object, "bytes", 0, UINT64_MAX, &move->bytes) &&
           number(object, "total_rows", 0, UINT64_MAX, &move->total_rows) &&
           number(object, "freeze_ms", 0, UINT64_MAX, &move->freeze_ms);
}

static bool read_rebalance(const json_t *object, struct hy_rebalance *rebalance)
{
    unsigned at;

    if (!small(object, "id", 1, UINT32_MAX, &rebalance->id) ||
        !state(object, rebalance_states, HY_REBALANCE_STATES, &at))
        return false;
    rebalance->state = (enum hy_rebalance_state)at;
    return small(object, "first_move", 0, UINT32_MAX, &rebalance->first_move) &&
           small(object, "moves", 0, HY_SLOTS, &rebalance->moves) &&
           number(object, "started_ms", 0, UINT64_MAX, &rebalance->started_ms) &&
           number(object, "ended_ms", 0, UINT64_MAX, &rebalance->ended_ms) &&
           number(object, "rate_bytes_s", 0, UINT64_MAX, &rebalance->rate_bytes_s);
}

enum hy_err hy_move_parse(const char *text, struct hy_move *move)
{
    struct hy_move read = {0};
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = object != NULL && read_move(object, &read);

    json_decref(object);
    if (!good)
        return HY_EMALFORMED;
    *move = read;
    return HY_OK;
}

enum hy_err hy_rebalance_parse(const char *text, struct hy_rebalance *rebalance)
{
    struct hy_rebalance read = {0};
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool good = object != NULL && read_rebalance(object, &read);

    json_decref(object);
    if (!good)
        return HY_EMALFORMED;
    *rebalance = read;
    return HY_OK;
}

/* ---- printing ---- */

static char *print(json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return text;
}

static json_int_t n(uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (json_int_t)number;
}

/* A sentence that was cut may end within a character. */
static json_t *sentence(const char *text)
{
    json_t *string = json_string(text);

    return string == NULL ? json_string("?") : string;
}

char *hy_move_print(const struct hy_move *move)
{
    return print(json_pack("{s:I,s:I,s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "id", n(move->id),
                           "first", n(move->first), "last", n(move->last), "from", n(move->from),
                           "to", n(move->to), "state", move_states[move->state], "attempt",
                           n(move->attempt), "rows", n(move->rows), "bytes", n(move->bytes),
                           "total_rows", n(move->total_rows), "freeze_ms", n(move->freeze_ms),
                           "why", sentence(move->why)));
}

char *hy_rebalance_print(const struct hy_rebalance *rebalance)
{
    return print(json_pack("{s:I,s:s,s:I,s:I,s:I,s:I,s:I}", "id", n(rebalance->id), "state",
                           rebalance_states[rebalance->state], "started_ms",
                           n(rebalance->started_ms), "ended_ms", n(rebalance->ended_ms),
                           "rate_bytes_s", n(rebalance->rate_bytes_s), "first_move",
                           n(rebalance->first_move), "moves", n(rebalance->moves)));
}

/* ---- the map ---- */

enum hy_err hy_move_apply(const struct hy_move *move, struct hy_shardmap *map)
{
    for (uint32_t at = move->first; at <= move->last; at++)
        if (map->owner[at] != move->from)
            return HY_EDENIED;
    for (uint32_t at = move->first; at <= move->last; at++)
        map->owner[at] = (uint16_t)move->to;
    map->epoch++;
    map->shards = 0;
    for (uint32_t at = 0; at < HY_SLOTS; at++)
        if (map->owner[at] >= map->shards)
            map->shards = map->owner[at] + 1U;
    return HY_OK;
}
