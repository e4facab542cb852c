/* restore_index - do the users' indexes agree with the conversations, over all shards?
 *
 * Backups of shards that were cut together agree, but for what waits in outboxes. Else a shard may
 * know of what another has forgotten. What conversations say is right. */

#ifndef STORE_RESTORE_INDEX_H
#define STORE_RESTORE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct restore_index {
    uint64_t looked;   /* rows of indexes, members, sides of pairs */
    uint64_t waiting;  /* the outbox will tell them */
    uint64_t behind;   /* conversations newer than the index says, and nothing waits */
    uint64_t ahead;    /* indexes newer than the conversation */
    uint64_t missing;  /* members without a row in their index */
    uint64_t orphans;  /* rows of conversations or memberships that are not there */
    uint64_t repaired; /* of all these */
};

/* Look at the databases of all shards and mend what is wrong; behind: also what is behind, which
 * may be as it should (a message that its sender did not want to see). */
enum hy_err restore_index_check(struct db *const *dbs, uint32_t shards, bool behind,
                                struct restore_index *result, char why[static 256]) HY_CHECKED;

#endif
