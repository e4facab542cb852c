/* index - a user's index of conversations, in the user's slot.
 *
 * An entry is two rows: what the conversation says (order, membership; written by messages and
 * membership changes) and the user's own marks (pin, remind, hidden). Apart, neither writer needs
 * to read the other's. */

#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/core.h"

/* What a pair or a group of this shard says to the index of a user of this shard: newer than all
 * before, so nothing is read, and a group that was left leaves no row behind where slots never
 * move. */
void index_put_pair(struct core *core, uint32_t app, const char *user, const char *peer,
                    const Hy__Pair *pair);
void index_put_group(struct core *core, uint32_t app, const char *user, const char *group,
                     const Hy__IndexRow *row);

/* The same, as an effect. */
void index_put_row(struct core *core, const Hy__Effect *effect);

/* What another shard says: taken if it is newer than what is there. */
enum hy_err index_apply(struct core *core, const Hy__Effect *effect) HY_CHECKED;

/* Is a newer than b (NULL: nothing)? Incarnations first, then versions. */
bool index_newer(const Hy__IndexRow *a, const Hy__IndexRow *b);

/* Change the user's own marks: PIN, UNPIN, REMIND, HIDE. */
enum hy_err index_mark(struct core *core, uint32_t app, const char *user, const Hy__ConvSetReq *set,
                       uint64_t last_seq) HY_CHECKED;

#endif
