#include "store/move/in.h"

#include "store/move/broken.h"

static bool attempt_lives(const struct move_in_see *see, uint32_t attempt)
{
    return see->move->attempt == attempt && see->move->to == see->shard &&
           !hy_move_ended(see->move->state);
}

/* The coordinator's word counts: nothing older than what it says may begin. */
static enum move_in_say look_at_first(const struct move_in_see *see, uint32_t attempt)
{
    if (see->row != NULL && see->row->attempt >= attempt)
        return see->row->attempt == attempt ? MOVE_IN_AGAIN : MOVE_IN_STALE;
    if (see->move == NULL || see->move->attempt < attempt || !see->fresh || see->taken)
        return MOVE_IN_WAIT;
    if (!attempt_lives(see, attempt) || see->owns)
        return MOVE_IN_STALE;
    return MOVE_IN_BEGIN;
}

enum move_in_say move_in_look(const struct move_in_see *see, const struct move_part *part)
{
    if (part->seq == 0)
        return look_at_first(see, part->attempt);
    if (see->row == NULL ||
        (see->row->attempt != part->attempt && !move_broken(MOVE_BROKEN_ATTEMPT)))
        return MOVE_IN_STALE;
    if (part->seq <= see->row->seq)
        return MOVE_IN_AGAIN;
    if (see->row->complete || see->owns || part->seq != see->row->seq + 1)
        return MOVE_IN_STALE;
    return MOVE_IN_TAKE;
}

enum move_in_end move_in_over(const struct move_in_see *see)
{
    if (see->move == NULL || !see->fresh || !hy_move_ended(see->move->state))
        return MOVE_IN_KEEP;
    if (see->move->state == HY_MOVE_CANCELLED)
        return see->owns ? MOVE_IN_FORGET : MOVE_IN_DELETE;
    return see->owns ? MOVE_IN_FORGET : MOVE_IN_KEEP; /* the map that says so is on its way */
}
