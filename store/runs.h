/* runs - messages as pages show them, kept in memory: RUN_ROWS places of a log in a row, encoded
 * one behind the other, so that a page is a copy of a piece or two.
 *
 * What is in a log does not change, but for messages that are blanked (runs_blanked()); rows that
 * expire are told by their times. The newest run of a log grows when it is asked for again. What
 * was used least goes when the memory is full.
 *
 * One belongs to the loop's thread, which writes too: what it finds is what was committed. A thread
 * that reads has one of its own for the read, and what it loaded is handed on: runs_adopt(). */

#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "store/convlog.h"

enum { RUN_ROWS = 32 };

struct run;
struct runs;

/* Keep about so many bytes. */
enum hy_err runs_open(size_t bytes, struct runs **runs) HY_CHECKED;
void runs_close(struct runs **runs);

/* Forget all: there is another database. NULL is fine. */
void runs_clear(struct runs *runs);

/* Where to look. */
struct runs_place {
    const struct convlog *log;
    uint64_t seq, last; /* the place, and the last of the log */
    uint64_t ahead;     /* a place that will be looked at too: loaded with it, if it is near */
};

/* The run that holds a place, with all that the log has of it. Read through db what is missing.
 * Good until runs_trim(). HY_EBUSY: not in memory (db is db_in_memory()). */
enum hy_err runs_get(struct runs *runs, struct db *db, const struct runs_place *at,
                     const struct run **run) HY_CHECKED;

/* The same run if it is there with place seq, else NULL. Reads nothing. */
const struct run *runs_find(struct runs *runs, const struct convlog *log, uint64_t seq);

/* Does the run hold the place? */
bool run_holds(const struct run *run, uint64_t seq);

/* The row of a place that it holds; false: the log has none. field: the row's message as field 1 of
 * an answer, lent. */
bool run_row(const struct run *run, uint64_t seq, struct value_log *row,
             ProtobufCBinaryData *field);

/* The batch under way rewrites rows of this log; its runs go when runs_settle() tells that the
 * batch is over. Until then they are what was committed. */
void runs_blanked(struct runs *runs, const struct convlog *log);
void runs_settle(struct runs *runs);

/* Take out all that was loaded, to be adopted elsewhere or freed. NULL: nothing. */
struct run *runs_release(struct runs *runs);
void runs_free(struct run *list);

/* Grows when runs that were loaded before may hold what is not true any more. */
uint64_t runs_generation(const struct runs *runs);

/* Take a list over from another thread, which began to load it when the generation was this one. */
void runs_adopt(struct runs *runs, struct run *list, uint64_t generation);

/* Give back memory over the limit. */
void runs_trim(struct runs *runs);

size_t runs_bytes(const struct runs *runs);

#endif
