/* moves - slots that go from one shard to another while both serve: the values "rebalance" and
 * "move/ID" of the coordinator, as text and back.
 *
 * A rebalance is an operator's wish, and the moves that make it up; a move is a run of slots. Who
 * plans puts the moves first, 64 a change (the coordinator's limit), and "rebalance" last: nothing
 * begins without one that runs. The leader of the source takes a move through its states, one of
 * its moves at a time, in the order of their ids:
 *
 *   planned -> copying -> frozen -> done
 *                 ^---------'   (again, with the next attempt: a leader or a target was lost)
 *
 * The change to done is the one that also puts the map with the run at its new owner, epoch + 1.
 * The change to cancelled may be made by anybody, from any state that is not an end, guarded by the
 * value's revision: of it and of that to done only one can win. Each attempt to copy has a number
 * of its own; what an older one left behind counts for nothing.
 *
 * Running: as above. Paused: no move is begun, one that is under way ends. Cancelling: the sources
 * cancel what has not ended. Who ends the last move puts done, or cancelled. Values of moves stay
 * while a shard may have rows of them: only those of the rebalance before the last may be taken
 * away. Pure. */

#ifndef COMMON_MOVES_H
#define COMMON_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/shardmap.h"

#define HY_REBALANCE_KEY "rebalance"
#define HY_MOVE_PREFIX "move/"

enum {
    HY_MOVE_KEY_MAX = 16,     /* with the NUL */
    HY_MOVE_SLOTS_MOST = 512, /* of a run that is planned: what freezes and is retried together */
    HY_REBALANCE_RATE = 8 << 20, /* bytes/s, of each source, unless told otherwise */
};

enum hy_move_state {
    HY_MOVE_PLANNED,
    HY_MOVE_COPYING,
    HY_MOVE_FROZEN, /* all is copied: requests for the run wait until the target has it, some ms */
    HY_MOVE_DONE,
    HY_MOVE_CANCELLED,
    HY_MOVE_STATES,
};

enum hy_rebalance_state {
    HY_REBALANCE_RUNNING,
    HY_REBALANCE_PAUSED,
    HY_REBALANCE_CANCELLING,
    HY_REBALANCE_DONE,
    HY_REBALANCE_CANCELLED,
    HY_REBALANCE_STATES,
};

struct hy_move {
    uint32_t id; /* from 1; never used again */
    uint16_t first, last;
    uint32_t from, to; /* shards */
    enum hy_move_state state;
    uint32_t attempt;     /* 0: none was made yet */
    uint64_t rows, bytes; /* copied in this attempt, told once a second */
    uint64_t total_rows;  /* about what there is to copy; 0: not known yet */
    uint64_t freeze_ms;   /* of a move that is done: how long requests waited */
    char why[128];        /* the last attempt failed, or it was cancelled; "" */
};

struct hy_rebalance {
    uint32_t id;
    enum hy_rebalance_state state;
    uint64_t started_ms, ended_ms; /* wall clock; 0: not yet */
    uint64_t rate_bytes_s;         /* of each source; 0: as fast as it goes */
    uint32_t first_move, moves;    /* ids of its moves: first_move, ... first_move + moves - 1 */
};

/* HY_EMALFORMED: *move or *rebalance is as before. What is not known is passed over. */
enum hy_err hy_move_parse(const char *text, struct hy_move *move) HY_CHECKED;
enum hy_err hy_rebalance_parse(const char *text, struct hy_rebalance *rebalance) HY_CHECKED;

/* As text; free() it. NULL: no memory. */
char *hy_move_print(const struct hy_move *move);
char *hy_rebalance_print(const struct hy_rebalance *rebalance);

/* "move/0000002a", in the order of ids. */
void hy_move_key(uint32_t id, char key[static HY_MOVE_KEY_MAX]);

/* "planned", ... */
const char *hy_move_state_name(enum hy_move_state state);
const char *hy_rebalance_state_name(enum hy_rebalance_state state);

/* Done or cancelled? */
bool hy_move_ended(enum hy_move_state state);
bool hy_rebalance_ended(enum hy_rebalance_state state);

/* The map with the run at the target, epoch + 1. HY_EDENIED: the source does not own all of it. */
enum hy_err hy_move_apply(const struct hy_move *move, struct hy_shardmap *map) HY_CHECKED;

#endif
