/* out - what the leader of a source does next about a run that leaves. Pure.
 *
 * Its rules: rows are told to the target in the order in which they changed; a run is frozen by a
 * row of this shard, so that no leader to come serves it; the decision is asked for only when the
 * target has everything on its disks and the frozen row has passed; and a run is thawed only
 * when the coordinator has said that the attempt which froze it can win no more: it was cancelled,
 * or another attempt has begun. What it asks of the coordinator may have an unknown outcome: then
 * it looks again. */

#ifndef STORE_MOVE_OUT_H
#define STORE_MOVE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/moves.h"

/* What to do. All but REST are answered by move_out_did(), later or at once; until then it is REST.
 */
enum move_do {
    MOVE_REST,
    MOVE_ASK_COPYING,   /* coordinator: state copying, the next attempt */
    MOVE_SEND_FIRST,    /* target: part 0; then note what changes, and begin to read */
    MOVE_SEND_ROWS,     /* target: what was read, and what changed of that */
    MOVE_ASK_FROZEN,    /* coordinator: state frozen; it answers, so it will answer again soon */
    MOVE_FREEZE,        /* write the row that freezes the run */
    MOVE_SEND_LAST,     /* target: what changed until then */
    MOVE_ASK_DONE,      /* coordinator: state done, and the map */
    MOVE_ASK_CANCELLED, /* coordinator: state cancelled */
    MOVE_THAW,          /* take the frozen row away, and serve */
    MOVE_GO,            /* it is the target's: note that rows are to be deleted, later */
};

struct move_see {
    uint64_t now_ms;
    const struct hy_move
        *move;                /* the one under way, as the coordinator told last: that of the frozen
                                 row, else the first of this source that has not ended; NULL: none */
    bool running, cancelling; /* the rebalance */
    bool owns;                /* by the map all of the run is this shard's */
    bool ready;               /* there is something to send, and it may be sent now */
    bool small;               /* all was read, and little has changed since what was sent last */
    bool passed;              /* the frozen row has passed (replica.h) */
};

enum move_phase { MOVE_IDLE, MOVE_BEGUN, MOVE_COPIES, MOVE_FREEZES, MOVE_FROZE, MOVE_SENT };

struct move_out {
    enum move_phase phase;
    enum move_do busy;        /* what is being done */
    uint32_t id, attempt;     /* of the phase */
    uint32_t asked_id, asked; /* the move and attempt that are asked for */
    bool frozen;              /* there is a frozen row, of these: */
    uint32_t frozen_id, frozen_attempt;
    uint64_t rest_until_ms; /* the coordinator did not answer */
    uint64_t again_ms;      /* an attempt failed: no other begins before */
    enum move_do failed; /* the last that failed, and how; REST: none did */
    enum hy_err why;
};

/* A reign begins; there may be a frozen row (id 0: none). */
void move_out_lead(struct move_out *out, uint32_t frozen_id, uint32_t frozen_attempt);

enum move_do move_out_next(struct move_out *out, const struct move_see *see);

/* It was done, or not. HY_EEXIST: a guard did not hold; HY_ETIMEOUT: nobody knows. */
void move_out_did(struct move_out *out, uint64_t now_ms, enum move_do what, enum hy_err err);

/* Is this the attempt under way here? */
bool move_out_lives(const struct move_out *out, const struct hy_move *move);

const char *move_do_name(enum move_do what);

#endif
