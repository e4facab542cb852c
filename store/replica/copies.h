/* copies - sets of the copies of a shard, as the coordinator records those in sync.
 *
 * A copy is a node and the id of its database, a file born with an empty directory: what a wiped
 * disk holds is another copy. The boot of the machine tells whether it ran on since it was
 * recorded: after a loss of power a disk may lack the end of what it had confirmed. */

#ifndef STORE_REPLICA_COPIES_H
#define STORE_REPLICA_COPIES_H

#include <stdbool.h>
#include <stddef.h>

enum { COPIES_MAX = 7, COPY_NODE = 64, COPY_DB = 40 };

struct copy_id {
    char node[COPY_NODE];
    char db[COPY_DB];
    char boot[COPY_DB];
};

struct copies {
    size_t count;
    struct copy_id ids[COPIES_MAX];
};

/* The same database on the same node? */
bool copy_id_same(const struct copy_id *a, const struct copy_id *b);

/* ... and the machine ran on? */
bool copy_id_ran_on(const struct copy_id *a, const struct copy_id *b);

bool copies_have(const struct copies *set, const struct copy_id *id);
/* By node alone; NULL: none. */
const struct copy_id *copies_at(const struct copies *set, const char *node);

/* False: it is there already, or there is no room. */
bool copies_add(struct copies *set, const struct copy_id *id);
void copies_remove(struct copies *set, const struct copy_id *id);
void copies_join(struct copies *set, const struct copies *more);
/* The same copies, of the same boots. */
bool copies_same(const struct copies *a, const struct copies *b);

#endif
