/* insync - who counts, and what all who count have on disk: the commit rule.
 *
 * A joiner counts before the change that records it is sent, a leaver until its change is
 * confirmed; while it is not known whether a change happened, both sets count. So whoever the
 * coordinator names as in sync has everything that was ever told. */

#ifndef STORE_REPLICA_INSYNC_H
#define STORE_REPLICA_INSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/replica/copies.h"

struct insync {
    struct copies recorded; /* as the coordinator has it */
    struct copies asked;    /* as a change under way would have it; none: empty */
    struct copies joining;  /* count already, their change is not sent yet */
    size_t min;             /* fewer and nothing is committed */
    uint64_t floor;         /* where the reign began: all before may have been told by others */
    uint64_t commit;        /* highest sequence that all who count have; only grows */
};

/* A reign begins, at sequence floor, with this set. Nothing is known to be committed. */
void insync_begin(struct insync *insync, const struct copies *set, size_t min, uint64_t floor);

/* All who count. */
void insync_counted(const struct insync *insync, struct copies *counted);

/* Up to where has a copy everything on disk? */
typedef uint64_t insync_has_fn(void *arg, const struct copy_id *id);

/* Look again. True: commit moved. */
bool insync_advance(struct insync *insync, insync_has_fn *has, void *arg);

/* From now on this copy counts as well. False: it does already. */
bool insync_count(struct insync *insync, const struct copy_id *id);

/* Those who joined and fell silent before their change was sent count no longer. */
typedef bool insync_silent_fn(void *arg, const struct copy_id *id);
void insync_uncount(struct insync *insync, insync_silent_fn *silent, void *arg);

/* Who is a copy of the set now: of which boot? False: nobody knows. */
typedef bool insync_now_fn(void *arg, const struct copy_id *id, struct copy_id *now);

/* A change to send: the recorded set, with those who joined and have all that may have been told,
 * without those who are silent as long as min remain; a member whose machine started anew is
 * recorded so once it has all that. False: nothing to change, or one is under way. */
struct insync_asker {
    insync_has_fn *has;
    insync_silent_fn *silent;
    insync_now_fn *now;
    void *arg;
};
bool insync_plan(const struct insync *insync, const struct insync_asker *asker, struct copies *set);

/* It was sent; its outcome is not known yet. */
void insync_ask(struct insync *insync, const struct copies *set);

/* It is known: the coordinator has this set, and no earlier change can happen any more. */
void insync_settle(struct insync *insync, const struct copies *recorded);

#endif
