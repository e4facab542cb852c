/* rows - records in memory: a bounded cache of decoded rows in front of the database, and the
 * changes of the batch under way.
 *
 * All records but those of the log are read and changed through here, so a decision sees what was
 * decided before it, and a row changed a hundred times in a batch is packed once. Decide first,
 * then change: there is no way back for one request alone. A row stays valid until rows_done() or
 * rows_forget(). The writer's thread only. */

#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/key.h"

struct rows;

/* Public only for msg and note; msg NULL: there is no such row. */
struct row {
    ProtobufCMessage *msg; /* malloc'ed parts; change it in place, then call rows_touch() */
    uint64_t note[3];      /* the user's own, kept while the row is in memory; starts 0 */
};

/* A cache of at most limit rows (a batch may go beyond it while it lasts). */
enum hy_err rows_open(struct db *db, size_t limit, struct rows **rows) HY_CHECKED;
void rows_close(struct rows **rows);

/* The row of the key; its msg is NULL when there is none. HY_EIO, HY_ECORRUPT, HY_ENOMEM. */
enum hy_err rows_get(struct rows *rows, enum family family, const struct key *key,
                     const ProtobufCMessageDescriptor *type, struct row **row) HY_CHECKED;

/* The same for a row that the database is known not to have: it is not asked. */
enum hy_err rows_get_new(struct rows *rows, enum family family, const struct key *key,
                         const ProtobufCMessageDescriptor *type, struct row **row) HY_CHECKED;

/* A row as it was committed, for reads: *msg is lent until the next change of rows, NULL: there is
 * none. What is not in memory is read through db, and kept while there is room. False: the batch
 * under way has changed it, so the database must be asked. */
bool rows_see(struct rows *rows, struct db *db, enum family family, const struct key *key,
              const ProtobufCMessageDescriptor *type, const ProtobufCMessage **msg,
              enum hy_err *err);

/* The value of a row, as it was committed and read in passing: keep it as if it had been asked for.
 * What is in memory already stays as it is. */
enum hy_err rows_bring(struct rows *rows, enum family family, const struct key *key,
                       const ProtobufCMessageDescriptor *type, const void *value,
                       size_t len) HY_CHECKED;

/* The row, if it is in memory; NULL: ask the database. Leaves the order of use as it is. */
struct row *rows_peek(const struct rows *rows, enum family family, const struct key *key);

/* The row was changed: write it with the batch. */
void rows_touch(struct rows *rows, struct row *row);

/* Give the row a message (taken, to be freed with malloc's free), instead of the one it had. */
void rows_set(struct rows *rows, struct row *row, ProtobufCMessage *msg);

/* Give the row what another row says of it (taken, as above; NULL: nothing any more). It is not
 * written unless it is touched later, but stays in memory as if it had been read. decided: the
 * other row is changed by the batch under way, and this goes with it if that fails. Returns whether
 * it is written all the same, as the batch has an older decision about this row to take back. */
bool rows_fill(struct rows *rows, struct row *row, ProtobufCMessage *msg, bool decided);

/* Was the row changed by the batch under way? */
bool rows_is_changed(const struct row *row);

/* Delete the row with the batch. */
void rows_remove(struct rows *rows, struct row *row);

/* Forget, without a write, all rows in memory whose keys begin with prefix: a range is being
 * deleted. */
void rows_drop_prefix(struct rows *rows, enum family family, const struct key *prefix);

/* Forget, between batches, all rows in memory. */
void rows_clear(struct rows *rows);

/* Put all changed rows into the batch. */
void rows_flush(struct rows *rows, struct batch *batch);

bool rows_changed(const struct rows *rows);

/* The batch was written: changed rows are clean; trims the cache. */
void rows_done(struct rows *rows);

/* The batch failed: forget the changed rows. */
void rows_forget(struct rows *rows);

/* Rows in memory. */
size_t rows_count(const struct rows *rows);

/* Set a text of a malloc'ed message. HY_ENOMEM leaves it. */
enum hy_err rows_text(char **field, const char *text) HY_CHECKED;

/* A deep copy that can be given to rows_set(); NULL without memory. */
ProtobufCMessage *rows_copy(const ProtobufCMessage *msg);

#endif
