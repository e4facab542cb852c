/* marks - what was decided or read and may not be told yet, in order.
 *
 * A mark passes when all that was written until then is committed and this copy is known to lead
 * still: by a lease that is trusted at that moment, or because all followers that count confirmed a
 * beat (its stamp) that was sent after the mark was made. */

#ifndef STORE_REPLICA_MARKS_H
#define STORE_REPLICA_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct mark {
    uint64_t seq;   /* to be committed */
    uint64_t stamp; /* of the first beat that proves it */
    uint64_t made_ms;
};

struct marks {
    struct mark *list; /* ring of those that wait */
    size_t room, first, count;
    uint64_t made, passed;        /* numbers of the newest mark, and of the newest that passed */
    uint64_t lost_from, lost_end; /* forgotten when the last reign ended: from .. end - 1 */
};

void marks_close(struct marks *marks);

/* A reign ends: what waits is forgotten and never passes. */
void marks_forget(struct marks *marks);

/* Make a mark; one that says the same and waits is used again. UINT64_MAX: out of
 * memory; it never passes. */
uint64_t marks_add(struct marks *marks, uint64_t seq, uint64_t stamp, uint64_t now_ms);

/* Let pass what may. proven: the newest stamp that all confirmed. True: some did. */
bool marks_pass(struct marks *marks, uint64_t commit, bool trusted, uint64_t proven);

/* Has this one passed? */
bool marks_passed(const struct marks *marks, uint64_t number);

/* The oldest that waits; NULL: none. The newest. */
const struct mark *marks_oldest(const struct marks *marks);
const struct mark *marks_newest(const struct marks *marks);

#endif
