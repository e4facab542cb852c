/* rebalance - what an operator does with slots: plan, begin, pause, cancel, see how far it is.
 *
 * The stores move them (common/moves.h says who puts which value of the coordinator); here only
 * values are read and put. What fails says why in a sentence. */

#ifndef CTL_REBALANCE_H
#define CTL_REBALANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/moves.h"
#include "ctl/nodes.h"
#include "ctl/slotplan.h"

enum { REBALANCE_RUN = 256, REBALANCE_ALL = -1 };

/* The last one, as the coordinator has it. */
struct rebalance {
    bool there; /* was there ever one? */
    struct hy_rebalance now;
    uint64_t changed; /* the value's revision */
    struct hy_move *moves;
    size_t count;
};
enum hy_err rebalance_read(const struct hy_coord *coord, struct rebalance *rebalance) HY_CHECKED;
void rebalance_free(struct rebalance *rebalance);

/* Is one under way, or a backup, so that another must not begin? why says which. */
bool rebalance_hindered(const struct hy_coord *coord, char why[static 256]);

/* All shards that have stores are to share the slots, but `without` (REBALANCE_ALL: all). */
bool rebalance_plan(const struct hy_fleet *fleet, int64_t without, struct slotplan *plan,
                    char why[static 256]);

/* Have a plan carried out: it starts when this returns true. rate: bytes/s of each source. */
bool rebalance_begin(const struct nodes_visit *visit, const struct slotplan *plan, uint64_t rate,
                     char why[static 256]);

/* Pause, go on (running), cancel (cancelling). */
bool rebalance_wish(const struct nodes_visit *visit, enum hy_rebalance_state state,
                    char why[static 256]);

/* May the stores of a shard go? Not while it owns slots or is to get some. */
bool rebalance_spares(const struct nodes_visit *visit, uint32_t shard, char why[static 256]);

/* ---- telling (rebalance_show.c) ---- */

/* How much of it is done, from 0 to 1. */
double rebalance_progress(const struct rebalance *rebalance);

/* A line with a bar, without an end. */
void rebalance_print(FILE *out, const struct rebalance *rebalance, uint64_t now_ms);

/* The moves under way, and what went wrong with those that try again, a line each. */
void rebalance_print_moves(FILE *out, const struct rebalance *rebalance);
json_t *rebalance_json(const struct rebalance *rebalance);

/* What a plan moves, by source and target. bytes: of each shard, about; 0: not known. */
void rebalance_print_plan(FILE *out, const struct slotplan *plan,
                          const uint64_t bytes[static HY_SHARDS_MAX]);
json_t *rebalance_plan_json(const struct slotplan *plan,
                            const uint64_t bytes[static HY_SHARDS_MAX]);

#endif
