/* in - what a shard says to a part of a run that is to be its own. Pure.
 *
 * A part may come late, from a leader of the source that was replaced long ago: it must not touch
 * rows that are served, nor mix with those of another attempt. */

#ifndef STORE_MOVE_IN_H
#define STORE_MOVE_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/moves.h"
#include "records.pb-c.h"

enum move_in_say {
    MOVE_IN_BEGIN, /* away with what there is of the run; its row is new */
    MOVE_IN_TAKE,  /* these rows are the next */
    MOVE_IN_AGAIN, /* they were taken already: say so */
    MOVE_IN_STALE, /* this attempt is over */
    MOVE_IN_WAIT,  /* what is known here is too old to tell: ask again */
};

struct move_in_see {
    const Hy__MoveIn *row;      /* of the move; NULL: none */
    const struct hy_move *move; /* as the coordinator told last; NULL: it did not */
    uint32_t shard;             /* this one */
    bool owns;                  /* some slot of the run is this shard's */
    bool fresh; /* the map is as new as any that the shard acted upon, apps are known */
    bool taken; /* another move's row is about one of these slots, and it is not over */
};

struct move_part {
    uint32_t attempt;
    uint64_t seq;
};

enum move_in_say move_in_look(const struct move_in_see *see, const struct move_part *part);

/* What is to become of the row of a move, now and then. */
enum move_in_end {
    MOVE_IN_KEEP,
    MOVE_IN_FORGET, /* the run is this shard's: the row goes */
    MOVE_IN_DELETE, /* it will never be: the rows of the run go too */
};
enum move_in_end move_in_over(const struct move_in_see *see);

#endif
