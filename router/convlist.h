/* convlist - which conversations a user's list shows, and in which order. Pure. */

#ifndef ROUTER_CONVLIST_H
#define ROUTER_CONVLIST_H

#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"

/* A row learns of a message late: it may be this much older than its conversation's head. */
enum { CONVLIST_SLACK_MS = 60000 };

/* A conversation that may be in the list: the user's row, and, once asked, its head. */
struct convlist_item {
    const Hy__IndexEntry *entry;
    Hy__Conv *conv;
};

/* Those worth asking about: joined groups, whose order only their heads tell, and of the one-to-one
 * ones the newest cap that are not hidden and those that may be as new (CONVLIST_SLACK_MS), with the
 * pinned and the hidden ones among them (a newer message may have brought those back). items has
 * room for all entries; returns how many. */
size_t convlist_candidates(size_t count, Hy__IndexEntry *const *entries, uint32_t cap,
                           struct convlist_item *items);

/* With the heads known: drop what the user has no part in, and what is hidden and has nothing new;
 * fill in what the row knows (pinned, remind); order pinned first, then newest; keep cap. Returns
 * how many. */
size_t convlist_order(struct convlist_item *items, size_t count, uint32_t cap);

#endif
