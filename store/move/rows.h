/* rows - changes of rows as they go from one shard to another, one behind the other.
 *
 * A row: op u8 (enum db_change_kind), family u8, length of the key u16, of the value u32,
 * big-endian, key, value. Of a deleted range the value is its end. Pure. */

#ifndef STORE_MOVE_ROWS_H
#define STORE_MOVE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "store/db.h"

/* Slots first..last. */
struct move_run {
    uint16_t first, last;
};

/* Does all that is changed lie in the run? */
bool move_row_in(const struct move_run *run, const struct db_change *row);

/* The first key of the run, and the first one behind it, in any family. */
void move_run_keys(const struct move_run *run, struct key *first, struct key *end);

/* Append a row. HY_ENOMEM; HY_ETOOBIG: no row of ours is so long. */
enum hy_err move_rows_put(struct hy_buf *buf, const struct db_change *row) HY_CHECKED;

/* Walk: begin with at and end, then next while it returns true. bad: it ended because the bytes are
 * no rows. */
struct move_rows_walk {
    const uint8_t *at, *end;
    bool bad;
};
bool move_rows_next(struct move_rows_walk *walk, struct db_change *row);

/* The hash of all parts up to this one. */
uint64_t move_rows_hash(uint64_t before, const void *rows, size_t len);

#endif
