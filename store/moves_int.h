/* moves_int - what the files of moves share. */

#ifndef STORE_MOVES_INT_H
#define STORE_MOVES_INT_H

#include "store/move/in.h"
#include "store/move/out.h"
#include "store/move/rows.h"
#include "store/moves.h"
#include "store/replica/worker.h"
#include "store/slots.h"

struct known { /* a move, as the coordinator told last */
    struct hy_move move;
    uint64_t revision;
};

/* A part of the run, as the database had it when the part was begun. */
struct reading {
    struct job job;
    struct moves *moves;
    struct db_scan *scan;
    enum family family;
    struct key from, last; /* last: of those read */
    struct hy_buf rows;
    uint64_t count;
    bool family_ended;
    bool busy, ready;
    enum hy_err err;
};

struct moves {
    struct moves_config config;
    struct worker *worker;
    struct db *db; /* while it leads */
    uint64_t reign;
    const struct hy_shardmap *map;
    struct slots slots;

    /* what the coordinator told */
    struct known *list; /* by id */
    size_t count, size;
    struct hy_rebalance rebalance; /* id 0: none */
    uint64_t rebalance_revision;
    bool look_ended; /* the rebalance may have ended */

    /* what it is asked */
    bool changing;
    uint64_t change_reign;
    enum move_do change_what; /* REST: to note progress, or the end of the rebalance */

    /* the run that leaves */
    struct move_out out;
    struct move_run run;
    uint32_t to;
    struct reading reading;
    bool reads;        /* changes are noted in tee */
    bool scanned;      /* all has been read */
    struct hy_buf tee; /* what changed since the part began that is read, or was read last */
    uint64_t tee_rows;
    bool tee_bad;          /* there was no memory */
    struct hy_buf message; /* rows of the part that is sent */
    uint64_t message_rows;
    uint64_t seq, hash; /* of the part sent last */
    uint64_t rows, bytes;
    uint64_t token; /* of what was asked last; 0: it was answered */
    uint64_t tokens;
    uint64_t send_from_ms; /* by the rate */
    uint64_t told_ms;      /* progress */
    uint64_t mark;         /* of the frozen row */
    uint64_t froze_us;
    uint64_t cleaned_ms;
    uint16_t clean_from; /* the slot where cleaning goes on */
};

enum { MOVE_PART_BYTES = 256 << 10, MOVE_SMALL_BYTES = 64 << 10 };

/* moves_coord.c */
const struct known *moves_find(const struct moves *m, uint32_t id);
const struct known *moves_next(const struct moves *m); /* the first that is to leave; NULL: none */
void moves_ask(struct moves *m, enum move_do what, const struct known *known);
void moves_ask_progress(struct moves *m, const struct known *known);
void moves_ask_end(struct moves *m);
void moves_learn_all(struct moves *m);

/* moves_read.c: reading and noting */
void moves_read_begin(struct moves *m);
void moves_read_stop(struct moves *m);
bool moves_read_ready(const struct moves *m); /* is there a part to send? */
bool moves_read_small(const struct moves *m); /* all was read, and little has changed since */
enum hy_err moves_read_take(struct moves *m) HY_CHECKED; /* into message; and go on reading */
enum hy_err moves_read_rest(struct moves *m) HY_CHECKED; /* all that has changed, into message */

/* moves_in.c */
void moves_clean_in(struct moves *m);

/* Delete, in the batch, the rows of the slots from..run->last, of most slots; returns the slot
 * where to go on, run->last + 1: all is done. */
enum hy_err moves_wipe(struct moves *m, const struct move_run *run, uint32_t from, unsigned most,
                       uint32_t *next) HY_CHECKED;

#endif
