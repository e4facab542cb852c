#include "store/move/out.h"

#include "store/move/broken.h"

enum { AGAIN_MS = 1000, ASK_AGAIN_MS = 50 };

static const struct {
    const char *name;
    enum move_phase then; /* when it was done */
    bool asks;            /* the coordinator */
    bool sets;            /* then counts */
} doings[] = {
    [MOVE_REST] = {"rest", MOVE_IDLE, false, false},
    [MOVE_ASK_COPYING] = {"ask copying", MOVE_BEGUN, true, true},
    [MOVE_SEND_FIRST] = {"send first", MOVE_COPIES, false, true},
    [MOVE_SEND_ROWS] = {"send rows", MOVE_COPIES, false, true},
    [MOVE_ASK_FROZEN] = {"ask frozen", MOVE_FREEZES, true, true},
    [MOVE_FREEZE] = {"freeze", MOVE_FROZE, false, true},
    [MOVE_SEND_LAST] = {"send last", MOVE_SENT, false, true},
    [MOVE_ASK_DONE] = {"ask done", MOVE_SENT, true, true},
    [MOVE_ASK_CANCELLED] = {"ask cancelled", MOVE_IDLE, true, true},
    [MOVE_THAW] = {"thaw", MOVE_IDLE, false, false},
    [MOVE_GO] = {"go", MOVE_IDLE, false, true},
};

const char *move_do_name(enum move_do what)
{
    return doings[what].name;
}

void move_out_lead(struct move_out *out, uint32_t frozen_id, uint32_t frozen_attempt)
{
    *out = (struct move_out){
        .frozen = frozen_id != 0, .frozen_id = frozen_id, .frozen_attempt = frozen_attempt};
}

bool move_out_lives(const struct move_out *out, const struct hy_move *move)
{
    return out->phase != MOVE_IDLE && out->id == move->id && out->attempt == move->attempt &&
           (move->state == HY_MOVE_COPYING || move->state == HY_MOVE_FROZEN);
}

/* ---- what is next ---- */

static enum move_do begin(const struct move_out *out, const struct move_see *see)
{
    if (see->now_ms < out->rest_until_ms || (!out->frozen && see->now_ms < out->again_ms))
        return MOVE_REST; /* what is frozen is not let wait */
    return see->cancelling || !see->owns ? MOVE_ASK_CANCELLED : MOVE_ASK_COPYING;
}

static enum move_do next_frozen(const struct move_out *out, const struct move_see *see)
{
    const struct hy_move *move = see->move;

    if (see->now_ms < out->rest_until_ms)
        return MOVE_REST;
    if (move == NULL || move->id != out->frozen_id)
        return MOVE_REST; /* no word of it: it may have been decided */
    if (move->state == HY_MOVE_DONE)
        return see->owns ? MOVE_REST : MOVE_GO;
    if (move->state == HY_MOVE_CANCELLED || move->attempt > out->frozen_attempt)
        return MOVE_THAW;
    if (!move_out_lives(out, move))
        return move_broken(MOVE_BROKEN_THAW) ? MOVE_THAW : begin(out, see);
    if (out->phase == MOVE_FROZE)
        return MOVE_SEND_LAST;
    return see->passed ? MOVE_ASK_DONE : MOVE_REST;
}

static enum move_do next_copying(const struct move_out *out, const struct move_see *see)
{
    switch (out->phase) {
    case MOVE_BEGUN:
        return see->now_ms < out->again_ms ? MOVE_REST : MOVE_SEND_FIRST;
    case MOVE_COPIES:
        if (see->small && see->now_ms >= out->rest_until_ms)
            return MOVE_ASK_FROZEN;
        return see->ready ? MOVE_SEND_ROWS : MOVE_REST;
    case MOVE_FREEZES:
        return MOVE_FREEZE;
    default:
        return MOVE_REST;
    }
}

static enum move_do next_open(struct move_out *out, const struct move_see *see)
{
    if (see->move == NULL || hy_move_ended(see->move->state)) {
        out->phase = MOVE_IDLE;
        return MOVE_REST;
    }
    if (move_out_lives(out, see->move))
        return see->cancelling ? begin(out, see) : next_copying(out, see);
    out->phase = MOVE_IDLE;
    if (see->move->state == HY_MOVE_PLANNED && !see->running && !see->cancelling)
        return MOVE_REST;
    return begin(out, see);
}

enum move_do move_out_next(struct move_out *out, const struct move_see *see)
{
    if (out->busy != MOVE_REST)
        return MOVE_REST;
    out->busy = out->frozen ? next_frozen(out, see) : next_open(out, see);
    if (out->busy == MOVE_ASK_COPYING) {
        out->asked_id = see->move->id;
        out->asked = see->move->attempt + 1;
    }
    if (out->busy == MOVE_FREEZE) {
        out->frozen_id = out->id;
        out->frozen_attempt = out->attempt;
    }
    return out->busy;
}

/* ---- what came of it ---- */

static void done(struct move_out *out, enum move_do what)
{
    if (doings[what].sets)
        out->phase = doings[what].then;
    if (what == MOVE_ASK_COPYING) {
        out->id = out->asked_id;
        out->attempt = out->asked;
    }
    if (what == MOVE_FREEZE)
        out->frozen = true;
    if (what == MOVE_THAW || what == MOVE_GO)
        out->frozen = false;
}

static void not_done(struct move_out *out, uint64_t now_ms, enum move_do what, enum hy_err err)
{
    bool again = err == HY_EEXIST; /* what is known is old: the news is here by now */

    out->failed = what;
    out->why = err;
    if (doings[what].asks) {
        out->rest_until_ms = now_ms + (again ? 0 : ASK_AGAIN_MS);
        return; /* the phase is as it was; the next look tells whether it lives */
    }
    if (what == MOVE_THAW || what == MOVE_GO) {
        out->rest_until_ms = now_ms + ASK_AGAIN_MS;
        return;
    }
    out->phase = MOVE_IDLE;
    out->again_ms = now_ms + AGAIN_MS;
}

void move_out_did(struct move_out *out, uint64_t now_ms, enum move_do what, enum hy_err err)
{
    if (out->busy != what)
        return; /* of another reign */
    out->busy = MOVE_REST;
    if (err != HY_OK) {
        not_done(out, now_ms, what, err);
        return;
    }
    done(out, what);
}
