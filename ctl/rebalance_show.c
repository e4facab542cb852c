/* What operators see of a rebalance. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/rebalance.h"

enum { BAR = 30 };

static uint32_t slots_of(const struct hy_move *move)
{
    return move->last - move->first + 1U;
}

struct sums {
    uint32_t slots, moved;
    uint32_t states[HY_MOVE_STATES];
    uint64_t rows, bytes, freeze_ms; /* the longest freeze */
    double done;                     /* slots, parts of moves too */
};

/* How much of a move that goes on is copied; its rows are about known. */
static double part_of(const struct hy_move *move)
{
    if (move->state == HY_MOVE_DONE || move->state == HY_MOVE_FROZEN)
        return 1;
    if (move->state != HY_MOVE_COPYING || move->total_rows == 0)
        return 0;
    return move->rows >= move->total_rows ? 1 : (double)move->rows / (double)move->total_rows;
}

static struct sums sum(const struct rebalance *r)
{
    struct sums s = {0};

    for (size_t i = 0; i < r->count; i++) {
        const struct hy_move *move = &r->moves[i];

        s.slots += slots_of(move);
        s.states[move->state]++;
        s.rows += move->rows;
        s.bytes += move->bytes;
        s.done += part_of(move) * slots_of(move);
        if (move->state == HY_MOVE_DONE)
            s.moved += slots_of(move);
        if (move->state == HY_MOVE_DONE && move->freeze_ms > s.freeze_ms)
            s.freeze_ms = move->freeze_ms;
    }
    return s;
}

double rebalance_progress(const struct rebalance *rebalance)
{
    struct sums s = sum(rebalance);

    return s.slots == 0 ? 1 : s.done / s.slots;
}

static void print_bar(FILE *out, double progress)
{
    int full = (int)(progress * BAR);

    fputc('[', out);
    for (int i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '-', out);
    fprintf(out, "] %3d %%", (int)(progress * 100));
}

/* As long as it goes on as it went. */
static void print_left(FILE *out, const struct rebalance *r, double progress, uint64_t now_ms)
{
    double ms = now_ms > r->now.started_ms ? (double)(now_ms - r->now.started_ms) : 0;

    if (r->now.state == HY_REBALANCE_RUNNING && progress > 0.02)
        fprintf(out, ", about %.0f s left", ms * (1 - progress) / progress / 1000);
    else if (r->now.ended_ms > r->now.started_ms)
        fprintf(out, ", took %.1f s", (double)(r->now.ended_ms - r->now.started_ms) / 1000);
}

void rebalance_print(FILE *out, const struct rebalance *rebalance, uint64_t now_ms)
{
    struct sums s = sum(rebalance);
    double progress = rebalance_progress(rebalance);

    fprintf(out, "rebalance %u %-10s ", rebalance->now.id,
            hy_rebalance_state_name(rebalance->now.state));
    print_bar(out, progress);
    fprintf(out, "  %u of %u slots, %u of %zu moves, %.1f MB", s.moved, s.slots,
            s.states[HY_MOVE_DONE], rebalance->count, (double)s.bytes / 1e6);
    print_left(out, rebalance, progress, now_ms);
}

void rebalance_print_moves(FILE *out, const struct rebalance *rebalance)
{
    for (size_t i = 0; i < rebalance->count; i++) {
        const struct hy_move *move = &rebalance->moves[i];

        if (move->state != HY_MOVE_COPYING && move->state != HY_MOVE_FROZEN && move->why[0] == '\0')
            continue;
        fprintf(out, "  slots %5u-%-5u  shard %u to %u  %-9s %3d %%  %.1f MB", move->first,
                move->last, move->from, move->to, hy_move_state_name(move->state),
                (int)(part_of(move) * 100), (double)move->bytes / 1e6);
        if (move->attempt > 1)
            fprintf(out, "  attempt %u", move->attempt);
        if (move->why[0] != '\0')
            fprintf(out, "  (%s)", move->why);
        fputc('\n', out);
    }
}

/* ---- JSON ---- */

static json_t *move_json(const struct hy_move *move)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "id",
                     (json_int_t)move->id, "first", (json_int_t)move->first, "last",
                     (json_int_t)move->last, "from", (json_int_t)move->from, "to",
                     (json_int_t)move->to, "state", hy_move_state_name(move->state), "attempt",
                     (json_int_t)move->attempt, "rows", (json_int_t)move->rows, "total_rows",
                     (json_int_t)move->total_rows, "bytes", (json_int_t)move->bytes, "freeze_ms",
                     (json_int_t)move->freeze_ms, "why", move->why);
}

json_t *rebalance_json(const struct rebalance *rebalance)
{
    const struct hy_rebalance *now = &rebalance->now;
    struct sums s = sum(rebalance);
    json_t *out, *moves = json_array(), *states = json_object();

    if (!rebalance->there) {
        json_decref(moves);
        json_decref(states);
        return json_pack("{s:s}", "state", "none");
    }
    for (size_t i = 0; i < rebalance->count; i++)
        json_array_append_new(moves, move_json(&rebalance->moves[i]));
    for (int i = 0; i < HY_MOVE_STATES; i++)
        json_object_set_new(states, hy_move_state_name((enum hy_move_state)i),
                            json_integer(s.states[i]));
    out = json_pack("{s:I, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "id",
                    (json_int_t)now->id, "state", hy_rebalance_state_name(now->state), "started_ms",
                    (json_int_t)now->started_ms, "ended_ms", (json_int_t)now->ended_ms,
                    "rate_bytes_s", (json_int_t)now->rate_bytes_s, "progress",
                    rebalance_progress(rebalance), "slots", (json_int_t)s.slots, "slots_moved",
                    (json_int_t)s.moved, "rows", (json_int_t)s.rows, "bytes", (json_int_t)s.bytes,
                    "longest_freeze_ms", (json_int_t)s.freeze_ms, "states", states, "moves", moves);
    return out;
}

/* ---- plans ---- */

struct stream { /* from one shard to another */
    uint32_t slots, moves;
    uint64_t bytes;
};

static uint64_t about(const struct slotplan *plan, const uint64_t *bytes, uint32_t from,
                      uint32_t slots)
{
    return plan->have[from] == 0 ? 0 : bytes[from] / plan->have[from] * slots;
}

static struct stream stream_of(const struct slotplan *plan, const uint64_t *bytes, uint32_t from,
                               uint32_t to)
{
    struct stream s = {0};

    for (size_t i = 0; i < plan->count; i++) {
        const struct slotplan_move *move = &plan->moves[i];

        if (move->from != from || move->to != to)
            continue;
        s.slots += move->last - move->first + 1U;
        s.moves++;
    }
    s.bytes = about(plan, bytes, from, s.slots);
    return s;
}

void rebalance_print_plan(FILE *out, const struct slotplan *plan,
                          const uint64_t bytes[static HY_SHARDS_MAX])
{
    uint64_t all = 0;

    fprintf(out, "%-6s %6s %7s %6s %10s\n", "from", "to", "slots", "moves", "about MB");
    for (uint32_t from = 0; from < HY_SHARDS_MAX; from++) {
        for (uint32_t to = 0; plan->have[from] > plan->want[from] && to < HY_SHARDS_MAX; to++) {
            struct stream s = stream_of(plan, bytes, from, to);

            if (s.slots > 0)
                fprintf(out, "%-6u %6u %7u %6u %10.1f\n", from, to, s.slots, s.moves,
                        (double)s.bytes / 1e6);
            all += s.bytes;
        }
    }
    fprintf(out, "%-6s %6s %7u %6zu %10.1f\n\n%-6s %7s %7s\n", "all", "", plan->slots, plan->count,
            (double)all / 1e6, "shard", "slots", "then");
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++)
        if (plan->have[i] > 0 || plan->want[i] > 0)
            fprintf(out, "%-6u %7u %7u\n", i, plan->have[i], plan->want[i]);
}

json_t *rebalance_plan_json(const struct slotplan *plan, const uint64_t bytes[static HY_SHARDS_MAX])
{
    json_t *moves = json_array(), *shards = json_array();
    uint64_t all = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct slotplan_move *move = &plan->moves[i];
        uint64_t some = about(plan, bytes, move->from, move->last - move->first + 1U);

        json_array_append_new(moves,
                              json_pack("{s:i, s:i, s:i, s:i, s:I}", "first", (int)move->first,
                                        "last", (int)move->last, "from", (int)move->from, "to",
                                        (int)move->to, "bytes", (json_int_t)some));
        all += some;
    }
    for (uint32_t i = 0; i < HY_SHARDS_MAX; i++)
        if (plan->have[i] > 0 || plan->want[i] > 0)
            json_array_append_new(shards, json_pack("{s:I, s:I, s:I}", "shard", (json_int_t)i,
                                                    "slots", (json_int_t)plan->have[i], "then",
                                                    (json_int_t)plan->want[i]));
    return json_pack("{s:I, s:I, s:o, s:o}", "slots", (json_int_t)plan->slots, "bytes",
                     (json_int_t)all, "shards", shards, "moves", moves);
}
