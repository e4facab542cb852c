/* pair - the head of a C2C conversation: its places, unread counts and read marks.
 *
 * The functions on Hy__Pair decide and know no database; the others find the row. Side 0 is the
 * user that sorts first. */

#ifndef STORE_PAIR_H
#define STORE_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "store/convlog.h"
#include "store/core.h"

struct telling;

/* Where a message goes. */
struct place {
    uint64_t seq, time_ms;
};

/* One more message from a side: counts it as unread for the other unless flags or self say no. */
struct place pair_take(Hy__Pair *pair, int side, bool self, uint32_t flags, uint64_t now_ms);

/* Is a message now the first, or the first after a pause? A user's list is right though the index
 * lags behind a conversation that goes on: the router allows for twice PAIR_PAUSE_MS
 * (CONVLIST_SLACK_MS), which leaves an index this long to learn. */
enum { PAIR_PAUSE_MS = 30000 };
bool pair_wakes(const Hy__Pair *pair, uint64_t now_ms);

/* A side has read up to seq (0: all); left is how many unread messages stay, used only when seq is
 * not the newest. False: the mark was already there or beyond. */
bool pair_read(Hy__Pair *pair, int side, uint64_t seq, uint32_t left);

/* A side forgets all so far. */
void pair_clear(Hy__Pair *pair, int side);

/* A pair, found. */
struct pair_ref {
    struct row *row;
    Hy__Pair *pair; /* NULL: they have not talked yet */
    struct key_home home;
    const char *users[2];
    int side; /* of the user who asked */
};

/* Find the pair of user and peer, whose texts must be good for keys. */
enum hy_err pair_find(struct core *core, uint32_t app, const char *user, const char *peer,
                      struct pair_ref *ref) HY_CHECKED;

/* Make it, if it is not there. */
enum hy_err pair_make(struct core *core, struct pair_ref *ref) HY_CHECKED;

/* Remember that the indexes of the sides (bit 0, bit 1) are to show the pair's newest state. */
void pair_show(struct core *core, const struct pair_ref *ref, unsigned sides);

/* What an answer about the pair has to wait for: that other shards know of a message that just woke
 * it for some sides (bits; 0: of one before, under way). Lent; NULL: nothing. */
struct telling *pair_telling(struct core *core, const struct pair_ref *ref, unsigned woken);

/* Put the index changes of all pairs shown in this batch: straight into it for users of this shard,
 * through the outbox for others. */
void pair_flush(struct core *core);

/* The batch is over: forget which pairs it showed. */
void pair_forget(struct core *core);

/* The pair's log. */
struct convlog pair_log(const struct pair_ref *ref);

#endif
