/* epoch - the rows of reigns in a database: each reign of a shard has a number of its own, never
 * used again, and the rows that say where each began are in every copy. */

#ifndef STORE_EPOCH_H
#define STORE_EPOCH_H

#include <stdint.h>

#include "common/err.h"
#include "store/db.h"
#include "store/replica/epochs.h"

/* Add all that the database knows of to a table, which is empty. */
enum hy_err epoch_table(struct db *db, struct epochs *epochs) HY_CHECKED;

/* The last of them; 0: none. */
enum hy_err epoch_last(struct db *db, uint64_t *epoch) HY_CHECKED;

/* Put the row of a reign that begins with this batch, which is empty: its number, and its first
 * sequence. */
void epoch_put(struct db *db, struct db_batch *batch, uint64_t epoch);

#endif
