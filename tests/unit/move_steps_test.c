/* The steps of source and target (store/move): what they do next, and what they refuse. */

#include "store/move/in.h"
#include "store/move/out.h"
#include "store/move/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST_MS = 1000 };

static struct hy_move planned(void)
{
    return (struct hy_move){.id = 7, .first = 10, .last = 20, .from = 1, .to = 2};
}

/* A source to whom all is well. */
static struct move_see calm(const struct hy_move *move)
{
    return (struct move_see){.now_ms = FIRST_MS,
                             .move = move,
                             .running = true,
                             .owns = true,
                             .ready = true,
                             .passed = true};
}

static void does(struct move_out *out, const struct move_see *see, enum move_do what,
                 enum hy_err err)
{
    assert_int_equal(move_out_next(out, see), what);
    assert_int_equal(move_out_next(out, see), MOVE_REST); /* one thing at a time */
    move_out_did(out, see->now_ms, what, err);
}

/* To where the run is frozen and the target has been told the last. */
static void to_the_last(struct move_out *out, struct hy_move *move, struct move_see *see)
{
    move_out_lead(out, 0, 0);
    does(out, see, MOVE_ASK_COPYING, HY_OK);
    move->state = HY_MOVE_COPYING;
    move->attempt++;
    does(out, see, MOVE_SEND_FIRST, HY_OK);
    does(out, see, MOVE_SEND_ROWS, HY_OK);
    see->small = true;
    does(out, see, MOVE_ASK_FROZEN, HY_OK);
    move->state = HY_MOVE_FROZEN;
    does(out, see, MOVE_FREEZE, HY_OK);
}

static void a_run_is_copied_frozen_and_gone(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    to_the_last(&out, &move, &see);
    does(&out, &see, MOVE_SEND_LAST, HY_OK);
    see.passed = false;
    assert_int_equal(move_out_next(&out, &see), MOVE_REST); /* a leader to come might serve it */
    see.passed = true;
    does(&out, &see, MOVE_ASK_DONE, HY_OK);
    move.state = HY_MOVE_DONE;
    assert_int_equal(move_out_next(&out, &see), MOVE_REST); /* the map is on its way */
    see.owns = false;
    does(&out, &see, MOVE_GO, HY_OK);
    see.move = NULL;
    assert_int_equal(move_out_next(&out, &see), MOVE_REST);
}

static void what_is_frozen_is_thawed_when_no_decision_can_come_any_more(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    to_the_last(&out, &move, &see);
    does(&out, &see, MOVE_SEND_LAST, HY_ETIMEOUT);
    does(&out, &see, MOVE_ASK_COPYING, HY_ETIMEOUT); /* nobody knows: still frozen */
    assert_int_equal(move_out_next(&out, &see), MOVE_REST);
    see.now_ms += 100;
    does(&out, &see, MOVE_ASK_COPYING, HY_OK);
    move.state = HY_MOVE_COPYING;
    move.attempt++;
    does(&out, &see, MOVE_THAW, HY_OK);
    assert_int_equal(move_out_next(&out, &see), MOVE_REST); /* not over and over */
    see.now_ms += 1000;
    see.small = false;
    does(&out, &see, MOVE_SEND_FIRST, HY_OK);
}

static void a_new_leader_asks_before_it_thaws(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    move.state = HY_MOVE_FROZEN;
    move.attempt = 3;
    move_out_lead(&out, 7, 3);
    see.move = NULL; /* not heard of: it may have been decided */
    assert_int_equal(move_out_next(&out, &see), MOVE_REST);
    see.move = &move;
    does(&out, &see, MOVE_ASK_COPYING, HY_EEXIST); /* the old one's decision won */
    move.state = HY_MOVE_DONE;
    see.owns = false;
    does(&out, &see, MOVE_GO, HY_OK);
}

static void a_cancelled_move_is_left_at_once(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    to_the_last(&out, &move, &see);
    move.state = HY_MOVE_CANCELLED;
    does(&out, &see, MOVE_THAW, HY_OK);
    assert_int_equal(move_out_next(&out, &see), MOVE_REST);
    /* Of one that is planned the word is the source's. */
    move = planned();
    see.cancelling = true;
    see.running = false;
    does(&out, &see, MOVE_ASK_CANCELLED, HY_OK);
}

static void nothing_begins_while_it_is_paused_and_what_began_ends(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    move_out_lead(&out, 0, 0);
    see.running = false;
    assert_int_equal(move_out_next(&out, &see), MOVE_REST);
    see.running = true;
    does(&out, &see, MOVE_ASK_COPYING, HY_OK);
    see.running = false;
    move.state = HY_MOVE_COPYING;
    move.attempt = 1;
    does(&out, &see, MOVE_SEND_FIRST, HY_OK);
    does(&out, &see, MOVE_SEND_ROWS, HY_OK);
}

static void a_run_of_somebody_else_does_not_move(void **state)
{
    struct hy_move move = planned();
    struct move_see see = calm(&move);
    struct move_out out;

    (void)state;
    move_out_lead(&out, 0, 0);
    see.owns = false;
    does(&out, &see, MOVE_ASK_CANCELLED, HY_OK);
}

/* ---- the target ---- */

static struct move_in_see target(const struct hy_move *move, const Hy__MoveIn *row)
{
    return (struct move_in_see){.row = row, .move = move, .shard = 2, .fresh = true};
}

static enum move_in_say say(const struct move_in_see *see, uint32_t attempt, uint64_t seq)
{
    return move_in_look(see, &(struct move_part){attempt, seq});
}

static void parts_are_taken_once_and_in_order(void **state)
{
    struct hy_move move = planned();
    Hy__MoveIn row = HY__MOVE_IN__INIT;
    struct move_in_see see = target(&move, NULL);

    (void)state;
    move.state = HY_MOVE_COPYING;
    move.attempt = 2;
    assert_int_equal(say(&see, 2, 0), MOVE_IN_BEGIN);
    assert_int_equal(say(&see, 2, 1), MOVE_IN_STALE);
    see.row = &row;
    row.attempt = 2;
    row.seq = 4;
    assert_int_equal(say(&see, 2, 0), MOVE_IN_AGAIN); /* it wipes nothing that came after it */
    assert_int_equal(say(&see, 2, 4), MOVE_IN_AGAIN);
    assert_int_equal(say(&see, 2, 5), MOVE_IN_TAKE);
    assert_int_equal(say(&see, 2, 6), MOVE_IN_STALE);
    row.complete = true;
    assert_int_equal(say(&see, 2, 5), MOVE_IN_STALE);
}

static void an_old_attempt_touches_nothing(void **state)
{
    struct hy_move move = planned();
    Hy__MoveIn row = HY__MOVE_IN__INIT;
    struct move_in_see see = target(&move, &row);

    (void)state;
    move.state = HY_MOVE_COPYING;
    move.attempt = row.attempt = 3;
    assert_int_equal(say(&see, 2, 0), MOVE_IN_STALE);
    assert_int_equal(say(&see, 2, 1), MOVE_IN_STALE);
    assert_int_equal(say(&see, 4, 0), MOVE_IN_WAIT); /* the coordinator has not told of it */
    move.attempt = 4;
    assert_int_equal(say(&see, 4, 0), MOVE_IN_BEGIN);
    see.fresh = false;
    assert_int_equal(say(&see, 4, 0), MOVE_IN_WAIT);
    see.fresh = true;
    see.owns = true;
    assert_int_equal(say(&see, 4, 0), MOVE_IN_STALE);
    see.owns = false;
    see.taken = true;
    assert_int_equal(say(&see, 4, 0), MOVE_IN_WAIT);
    see.taken = false;
    move.state = HY_MOVE_CANCELLED;
    assert_int_equal(say(&see, 4, 0), MOVE_IN_STALE);
}

static void hidden_rows_go_when_the_move_was_cancelled_only(void **state)
{
    struct hy_move move = planned();
    Hy__MoveIn row = HY__MOVE_IN__INIT;
    struct move_in_see see = target(&move, &row);

    (void)state;
    move.state = HY_MOVE_FROZEN;
    assert_int_equal(move_in_over(&see), MOVE_IN_KEEP);
    move.state = HY_MOVE_DONE;
    assert_int_equal(move_in_over(&see), MOVE_IN_KEEP); /* the map is on its way */
    see.owns = true;
    assert_int_equal(move_in_over(&see), MOVE_IN_FORGET);
    move.state = HY_MOVE_CANCELLED;
    assert_int_equal(move_in_over(&see), MOVE_IN_FORGET);
    see.owns = false;
    assert_int_equal(move_in_over(&see), MOVE_IN_DELETE);
    see.fresh = false;
    assert_int_equal(move_in_over(&see), MOVE_IN_KEEP);
}

/* ---- rows ---- */

static void rows_read_as_they_were_put(void **state)
{
    static const uint8_t key[] = {0, 10, 1, 2}, end[] = {0, 21};
    struct db_change rows[] = {
        {DB_PUT, FAMILY_LOG, key, (const uint8_t *)"value", 4, 5},
        {DB_DELETE, FAMILY_INDEX, key, NULL, 4, 0},
        {DB_DELETE_RANGE, FAMILY_ENTITY, key, end, 4, 2},
        {DB_PUT, FAMILY_OUTBOX, key, (const uint8_t *)"", 4, 0},
    };
    struct move_run run = {10, 20};
    struct move_rows_walk walk;
    struct db_change row;
    struct hy_buf buf = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(move_row_in(&run, &rows[i]));
        assert_int_equal(move_rows_put(&buf, &rows[i]), HY_OK);
    }
    walk = (struct move_rows_walk){.at = buf.data, .end = buf.data + buf.len};
    for (int i = 0; i < 4; i++) {
        assert_true(move_rows_next(&walk, &row));
        assert_int_equal(row.kind, rows[i].kind);
        assert_int_equal(row.family, rows[i].family);
        assert_int_equal(row.value_len, rows[i].value_len);
        assert_memory_equal(row.key, key, 4);
    }
    assert_false(move_rows_next(&walk, &row));
    assert_false(walk.bad);
    for (size_t cut = 1; cut < buf.len; cut++) { /* no part of it is more than whole rows */
        walk = (struct move_rows_walk){.at = buf.data, .end = buf.data + cut};
        while (move_rows_next(&walk, &row))
            assert_true(row.value + row.value_len <= buf.data + cut);
    }
    hy_buf_free(&buf);
}

static void rows_of_other_slots_are_known(void **state)
{
    static const uint8_t before[] = {0, 9, 1}, inside[] = {0, 20, 1}, behind[] = {0, 21},
                         beyond[] = {0, 21, 1};
    struct move_run run = {10, 20};
    struct db_change row = {DB_PUT, FAMILY_LOG, before, NULL, 3, 0};

    (void)state;
    assert_false(move_row_in(&run, &row));
    row.key = beyond;
    assert_false(move_row_in(&run, &row));
    row.key = inside;
    assert_true(move_row_in(&run, &row));
    row.key_len = 1;
    assert_false(move_row_in(&run, &row));
    row = (struct db_change){DB_DELETE_RANGE, FAMILY_LOG, inside, behind, 3, 2};
    assert_true(move_row_in(&run, &row));
    row.value = beyond;
    row.value_len = 3;
    assert_false(move_row_in(&run, &row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_copied_frozen_and_gone),
        cmocka_unit_test(what_is_frozen_is_thawed_when_no_decision_can_come_any_more),
        cmocka_unit_test(a_new_leader_asks_before_it_thaws),
        cmocka_unit_test(a_cancelled_move_is_left_at_once),
        cmocka_unit_test(nothing_begins_while_it_is_paused_and_what_began_ends),
        cmocka_unit_test(a_run_of_somebody_else_does_not_move),
        cmocka_unit_test(parts_are_taken_once_and_in_order),
        cmocka_unit_test(an_old_attempt_touches_nothing),
        cmocka_unit_test(hidden_rows_go_when_the_move_was_cancelled_only),
        cmocka_unit_test(rows_read_as_they_were_put),
        cmocka_unit_test(rows_of_other_slots_are_known),
    };

    return cmocka_run_group_tests_name("move_steps", tests, NULL, NULL);
}
