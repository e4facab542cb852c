/* What the coordinator tells of moves, and is asked. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "store/moves_int.h"

/* ---- what it tells ---- */

/* Where the move is, or belongs. */
static size_t place_of(const struct moves *m, uint32_t id)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (m->list[mid].move.id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct known *moves_find(const struct moves *m, uint32_t id)
{
    size_t at = place_of(m, id);

    return at < m->count && m->list[at].move.id == id ? &m->list[at] : NULL;
}

static bool ours(const struct moves *m, const struct hy_move *move)
{
    return move->id >= m->rebalance.first_move &&
           move->id - m->rebalance.first_move < m->rebalance.moves;
}

const struct known *moves_next(const struct moves *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct known *known = &m->list[i];

        if (known->move.from == m->config.shard && !hy_move_ended(known->move.state) &&
            ours(m, &known->move))
            return known;
    }
    return NULL;
}

static void forget(struct moves *m, uint32_t id)
{
    size_t at = place_of(m, id);

    if (at == m->count || m->list[at].move.id != id)
        return;
    memmove(&m->list[at], &m->list[at + 1], (m->count - at - 1) * sizeof *m->list);
    m->count--;
}

static void keep(struct moves *m, const struct known *known)
{
    size_t at = place_of(m, known->move.id);

    if (at == m->count || m->list[at].move.id != known->move.id) {
        if (m->count == m->size) {
            size_t size = m->size == 0 ? 64 : m->size * 2;
            struct known *list = realloc(m->list, size * sizeof *list);

            if (list == NULL)
                abort(); /* what was not heard of cannot be asked for again */
            m->list = list;
            m->size = size;
        }
        memmove(&m->list[at + 1], &m->list[at], (m->count - at) * sizeof *m->list);
        m->count++;
    }
    m->list[at] = *known;
}

/* What came twice, or late, is told by its revision. */
static void learn_move(struct moves *m, const struct hy_coord_value *value)
{
    uint32_t id = (uint32_t)strtoul(value->key + strlen(HY_MOVE_PREFIX), NULL, 16);
    struct known known = {.revision = value->changed};
    const struct known *was = moves_find(m, id);

    m->look_ended = true;
    if (value->text == NULL)
        forget(m, id);
    else if (was != NULL && was->revision >= value->changed)
        return;
    else if (hy_move_parse(value->text, &known.move) == HY_OK && known.move.id == id)
        keep(m, &known);
    else
        hy_log_error("store.move_unreadable", "key=%s text=\"%s\"", value->key, value->text);
}

static void learn_rebalance(struct moves *m, const struct hy_coord_value *value)
{
    struct hy_rebalance rebalance = {0};

    m->look_ended = true;
    if (value->text != NULL && hy_rebalance_parse(value->text, &rebalance) != HY_OK)
        hy_log_error("store.rebalance_unreadable", "text=\"%s\"", value->text);
    m->rebalance = rebalance;
    m->rebalance_revision = value->changed;
}

void moves_value(struct moves *moves, const struct hy_coord_value *value)
{
    if (strncmp(value->key, HY_MOVE_PREFIX, strlen(HY_MOVE_PREFIX)) == 0)
        learn_move(moves, value);
    else if (strcmp(value->key, HY_REBALANCE_KEY) == 0)
        learn_rebalance(moves, value);
}

static void learn(void *arg, const struct hy_coord_value *value)
{
    moves_value(arg, value);
}

void moves_learn_all(struct moves *m)
{
    hy_coord_each(m->config.coord, HY_MOVE_PREFIX, learn, m);
    hy_coord_each(m->config.coord, HY_REBALANCE_KEY, learn, m);
}

/* ---- what it is asked ---- */

static void changed(void *arg, enum hy_err err, uint64_t revision)
{
    struct moves *m = arg;

    (void)revision;
    m->changing = false;
    moves_learn_all(m); /* the copy shows what was done */
    if (m->change_what == MOVE_REST) {
        m->look_ended = m->look_ended || err != HY_OK;
    } else if (m->change_reign == m->reign) {
        if (err != HY_OK && err != HY_EEXIST)
            hy_log_warn("store.move_unasked", "what=\"%s\" why=\"%s\"",
                        move_do_name(m->change_what), hy_err_text(err));
        move_out_did(&m->out, hy_steady_ms(), m->change_what, err);
    }
    if (m->config.loop != NULL)
        hy_loop_again(m->config.loop);
}

static void change(struct moves *m, enum move_do what, const struct hy_coord_change *change)
{
    m->changing = true;
    m->change_what = what;
    m->change_reign = m->reign;
    hy_coord_change(m->config.coord, change, changed, m);
}

/* Say it of a move; with the map, if it is not NULL. */
static void put_move(struct moves *m, enum move_do what, const struct known *known,
                     const struct hy_move *move, const struct hy_coord_value *map,
                     const char *new_map)
{
    char key[HY_MOVE_KEY_MAX], *text = hy_move_print(move);
    struct hy_coord_guard guards[2] = {{key, HY_COORD_CHANGED, known->revision},
                                       {"map", HY_COORD_CHANGED, map == NULL ? 0 : map->changed}};
    struct hy_coord_put puts[2] = {{key, text, false}, {"map", new_map, false}};
    size_t count = map == NULL ? 1 : 2;

    hy_move_key(move->id, key);
    if (text == NULL)
        abort(); /* a few hundred bytes */
    change(m, what, &(struct hy_coord_change){guards, count, puts, count});
    free(text);
}

static void note_progress(const struct moves *m, struct hy_move *move)
{
    move->rows = m->rows;
    move->bytes = m->bytes;
}

static void ask_done(struct moves *m, const struct known *known, struct hy_move *move)
{
    struct hy_shardmap *map = malloc(sizeof *map);
    struct hy_coord_value value;
    char *text = NULL, why[128] = "there is none";
    enum hy_err err = map == NULL ? HY_ENOMEM : HY_OK;

    if (err == HY_OK && !hy_coord_get(m->config.coord, "map", &value))
        err = HY_ENOTFOUND;
    if (err == HY_OK)
        err = hy_shardmap_parse(value.text, map, why);
    if (err == HY_OK)
        err = hy_move_apply(move, map);
    if (err == HY_OK)
        text = hy_shardmap_print(map);
    if (text != NULL) {
        put_move(m, MOVE_ASK_DONE, known, move, &value, text);
    } else {
        hy_log_error("store.move_map", "move=%u why=\"%s\"", move->id, hy_err_text(err));
        move_out_did(&m->out, hy_steady_ms(), MOVE_ASK_DONE, HY_ETIMEOUT);
    }
    free(text);
    free(map);
}

void moves_ask(struct moves *m, enum move_do what, const struct known *known)
{
    struct hy_move move = known->move;

    switch (what) {
    case MOVE_ASK_COPYING:
        move.state = HY_MOVE_COPYING;
        move.attempt = m->out.asked;
        move.rows = move.bytes = move.total_rows = 0;
        snprintf(move.why, sizeof move.why, "%s%s%s",
                 m->out.failed == MOVE_REST ? "" : move_do_name(m->out.failed),
                 m->out.failed == MOVE_REST ? "" : ": ",
                 m->out.failed == MOVE_REST ? "" : hy_err_text(m->out.why));
        m->out.failed = MOVE_REST;
        break;
    case MOVE_ASK_FROZEN:
        move.state = HY_MOVE_FROZEN;
        note_progress(m, &move);
        break;
    case MOVE_ASK_DONE:
        move.state = HY_MOVE_DONE;
        note_progress(m, &move);
        move.total_rows = m->rows;
        move.freeze_ms = (hy_steady_us() - m->froze_us + 999) / 1000;
        ask_done(m, known, &move);
        return;
    default:
        move.state = HY_MOVE_CANCELLED;
        if (m->rebalance.state != HY_REBALANCE_CANCELLING)
            snprintf(move.why, sizeof move.why, "shard %u does not own all of the run", move.from);
        break;
    }
    put_move(m, what, known, &move, NULL, NULL);
}

void moves_ask_progress(struct moves *m, const struct known *known)
{
    struct hy_move move = known->move;

    note_progress(m, &move);
    put_move(m, MOVE_REST, known, &move, NULL, NULL);
}

/* All moves of the rebalance have ended: so has it. Every source may say so. */
void moves_ask_end(struct moves *m)
{
    struct hy_rebalance ended = m->rebalance;
    struct hy_coord_guard guard = {HY_REBALANCE_KEY, HY_COORD_CHANGED, m->rebalance_revision};
    struct hy_coord_put put = {.key = HY_REBALANCE_KEY};
    bool mine = false;
    char *text;

    m->look_ended = false;
    if (ended.id == 0 || hy_rebalance_ended(ended.state))
        return;
    for (uint32_t i = 0; i < ended.moves; i++) {
        const struct known *known = moves_find(m, ended.first_move + i);

        if (known == NULL || !hy_move_ended(known->move.state))
            return;
        mine = mine || known->move.from == m->config.shard;
    }
    if (!mine)
        return;
    ended.state =
        ended.state == HY_REBALANCE_CANCELLING ? HY_REBALANCE_CANCELLED : HY_REBALANCE_DONE;
    ended.ended_ms = core_now(m->config.core);
    text = hy_rebalance_print(&ended);
    if (text == NULL)
        abort();
    put.text = text;
    change(m, MOVE_REST, &(struct hy_coord_change){&guard, 1, &put, 1});
    free(text);
}
