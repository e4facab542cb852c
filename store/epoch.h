/* epoch - each reign of a shard has a number of its own, never used again; the rows that say where
 * each began are in every copy. */

#ifndef STORE_EPOCH_H
#define STORE_EPOCH_H

#include <stdint.h>

#include "common/err.h"
#include "store/db.h"

/* The last reign that the database knows of; 0: none. */
enum hy_err epoch_last(struct db *db, uint64_t *epoch) HY_CHECKED;

/* Put the row of a reign that begins with this batch, which is empty: its number, and its first
 * sequence. */
void epoch_put(struct db *db, struct db_batch *batch, uint64_t epoch);

#endif
