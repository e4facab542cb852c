/* convlog - the log of one conversation: places and times.
 *
 * Times never fall along the log and rows only go from its old end, so times are found by halving.
 * Any thread; sees what is committed. */

#ifndef STORE_CONVLOG_H
#define STORE_CONVLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "store/db.h"
#include "store/value.h"

/* Which log. */
struct convlog {
    struct key_home home;
    int conv_type; /* Hy__ConvType */
    uint64_t conversation;
};

/* A walk over part of a log. */
struct convlog_walk {
    struct convlog log;
    struct db_scan *scan;
    bool valid;
    uint64_t seq;
    struct value_log row; /* lent until the walk moves */
    size_t bytes;         /* of the row */
};

/* Walk places low to high, both included. Starts nowhere. */
enum hy_err convlog_open(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                         struct convlog_walk *walk) HY_CHECKED;
void convlog_close(struct convlog_walk *walk);

/* Go to the first row at or after / the last at or before seq. walk->valid tells. Rows that do not
 * decode are stepped over. */
void convlog_seek(struct convlog_walk *walk, uint64_t seq);
void convlog_seek_back(struct convlog_walk *walk, uint64_t seq);
void convlog_next(struct convlog_walk *walk);
void convlog_prev(struct convlog_walk *walk);

struct convlog_place {
    uint64_t seq, time_ms;
};

/* The lowest place in low..high whose message was sent at or after time_ms; seq high + 1: none. */
enum hy_err convlog_since(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                          uint64_t time_ms, struct convlog_place *place) HY_CHECKED;

/* How many messages in low..high count as unread for user: not their own, not marked otherwise.
 * Looks at no more than most rows, the newest. */
enum hy_err convlog_unread(struct db *db, const struct convlog *log, uint64_t low, uint64_t high,
                           const char *user, uint32_t most, uint32_t *count) HY_CHECKED;

/* The key of a place. */
void convlog_key(const struct convlog *log, uint64_t seq, struct key *key);

#endif
