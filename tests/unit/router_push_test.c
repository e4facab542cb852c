#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "router/lanes.h"
#include "router/push.h"

/* What the last records to a gate said. */
static struct {
    struct push *push;
    struct gate *gate;
    char peer; /* its address stands for the gateway's peer */
    unsigned pushes, items;
    uint64_t seq, mark;
    char links[256]; /* of the last item */
    char room[64];
    uint64_t except;
    char frame[64];
    enum hy_err answer;
} w;

static struct hy_peer *peer(void)
{
    return (struct hy_peer *)&w.peer;
}

static void take_item(const Hy__PushItem *item)
{
    w.items++;
    w.links[0] = w.room[0] = '\0';
    for (size_t i = 0; i < item->n_links; i++)
        snprintf(w.links + strlen(w.links), sizeof w.links - strlen(w.links), "%llu ",
                 (unsigned long long)item->links[i]);
    if (item->room != NULL)
        snprintf(w.room, sizeof w.room, "%u/%s", item->room->app, item->room->group);
    w.except = item->except_session;
    snprintf(w.frame, sizeof w.frame, "%.*s", (int)item->frame.len, (char *)item->frame.data);
}

static enum hy_err keep(struct hy_peer *to, uint16_t kind, uint64_t id, const void *payload,
                        size_t len)
{
    assert_ptr_equal(to, peer());
    assert_int_equal(id, 0);
    if (w.answer != HY_OK)
        return w.answer;
    if (kind == HY__BUS_KIND__GATEWAY_PUSH_MARK) {
        Hy__PushMark *mark = hy__push_mark__unpack(NULL, len, payload);

        w.mark = mark->seq;
        hy__push_mark__free_unpacked(mark, NULL);
    } else {
        Hy__Push *push = hy__push__unpack(NULL, len, payload);

        assert_non_null(push);
        w.pushes++;
        w.seq = push->seq;
        for (size_t i = 0; i < push->n_items; i++)
            take_item(push->items[i]);
        hy__push__free_unpacked(push, NULL);
    }
    return HY_OK;
}

static int setup(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    assert_int_equal(push_open(keep, 0, &w.push), HY_OK);
    w.gate = push_gate(w.push, "gateway-0/0");
    push_peer(w.push, "gateway-0/0", peer(), HY_PEER_UP);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    push_close(&w.push);
    return 0;
}

static const struct push_frame hello = {(const uint8_t *)"hello", 5, 0};

static void say(uint64_t link)
{
    push_target(w.push, w.gate, link);
    push_to_targets(w.push, &hello);
}

static void a_turn_leaves_as_one_record(void **state)
{
    (void)state;
    say(1);
    say(2);
    push_target(w.push, w.gate, 3);
    push_target(w.push, w.gate, 400000000000);
    assert_int_equal(push_to_targets(w.push, &hello), 2);
    assert_int_equal(w.pushes, 0);
    push_flush(w.push);
    assert_int_equal(w.pushes, 1);
    assert_int_equal(w.items, 3);
    assert_int_equal(w.seq, 1);
    assert_string_equal(w.links, "3 400000000000 ");
    assert_string_equal(w.frame, "hello");
    push_flush(w.push);
    assert_int_equal(w.pushes, 1);
}

static void records_are_counted_from_one(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 5; i++) {
        say(i);
        push_flush(w.push);
        assert_int_equal(w.seq, i);
    }
    push_mark(w.push);
    assert_int_equal(w.mark, 5);
}

static void a_skip_leaves_a_gap(void **state)
{
    (void)state;
    say(1);
    push_skip(w.push);
    assert_int_equal(w.seq, 1); /* what was gathered goes before the gap */
    say(2);
    push_flush(w.push);
    assert_int_equal(w.seq, 3);
    push_skip(w.push);
    push_mark(w.push);
    assert_int_equal(w.mark, 4); /* a mark shows a gap that nothing follows */
}

static void what_cannot_be_sent_is_counted(void **state)
{
    (void)state;
    w.answer = HY_EBUSY;
    say(1);
    push_flush(w.push);
    w.answer = HY_OK;
    say(2);
    push_flush(w.push);
    assert_int_equal(w.pushes, 1);
    assert_int_equal(w.seq, 2);
}

static void a_gate_that_is_away_sees_what_it_missed(void **state)
{
    (void)state;
    push_peer(w.push, "gateway-0/0", peer(), HY_PEER_DOWN);
    say(1);
    push_flush(w.push);
    push_peer(w.push, "gateway-0/0", peer(), HY_PEER_UP);
    say(2);
    push_flush(w.push);
    assert_int_equal(w.pushes, 1);
    assert_true(w.seq > 1);
}

static void a_gate_that_restarted_begins_anew(void **state)
{
    (void)state;
    say(1);
    push_flush(w.push);
    push_peer(w.push, "gateway-0/0", peer(), HY_PEER_RESTARTED);
    say(2);
    push_flush(w.push);
    assert_int_equal(w.seq, 1);
}

static void the_test_switch_loses_every_third(void **state)
{
    struct push *lossy;
    struct gate *gate;

    (void)state;
    assert_int_equal(push_open(keep, 3, &lossy), HY_OK);
    gate = push_gate(lossy, "g");
    push_peer(lossy, "g", peer(), HY_PEER_UP);
    for (int i = 0; i < 9; i++) {
        push_target(lossy, gate, 1);
        push_to_targets(lossy, &hello);
        push_flush(lossy);
    }
    assert_int_equal(w.pushes, 6);
    push_mark(lossy);
    assert_int_equal(w.mark, 9);
    push_close(&lossy);
}

static void a_room_is_one_item(void **state)
{
    (void)state;
    push_to_room(w.push, w.gate, 7, "live", 99, &hello);
    push_flush(w.push);
    assert_int_equal(w.items, 1);
    assert_string_equal(w.room, "7/live");
    assert_int_equal(w.except, 99);
    assert_string_equal(w.links, "");
}

static void a_large_batch_leaves_early(void **state)
{
    static uint8_t big[100000];
    struct push_frame frame = {big, sizeof big, 1};

    (void)state;
    for (uint64_t i = 1; i <= 10; i++) {
        push_target(w.push, w.gate, i);
        push_to_targets(w.push, &frame);
    }
    assert_true(w.pushes >= 2);
    push_flush(w.push);
    assert_int_equal(w.items, 10);
    assert_int_equal(w.seq, w.pushes);
}

/* ---- lanes ---- */

static void lanes_follow_their_members(void **state)
{
    struct gate *other = push_gate(w.push, "gateway-1/0");
    struct place before[] = {{w.gate, 1, 10}, {other, 2, 11}};
    struct place now[] = {{w.gate, 3, 12}, {other, 2, 11}};
    struct place neighbour = {w.gate, 4, 13};
    struct lanes lanes = {0};

    (void)state;
    lanes_move(&lanes, NULL, 0, before, 2);
    lanes_add(&lanes, &neighbour);
    assert_int_equal(lanes.links, 3);
    lanes_move(&lanes, before, 2, now, 2);
    assert_int_equal(lanes.links, 3);
    lanes_push(&lanes, w.push, NULL, &hello);
    push_flush(w.push);
    assert_string_equal(w.links, "4 3 ");
    lanes_move(&lanes, now, 2, NULL, 0);
    assert_int_equal(lanes.links, 1);
    lanes_free(&lanes);
}

static void the_sender_is_left_out_at_his_own_gate_only(void **state)
{
    struct gate *other = push_gate(w.push, "gateway-1/0");
    struct place sender = {w.gate, 5, 10}, same_number = {other, 5, 11},
                 peer_here = {w.gate, 6, 12};
    struct lanes lanes = {0};

    (void)state;
    push_peer(w.push, "gateway-1/0", peer(), HY_PEER_UP);
    lanes_add(&lanes, &sender);
    lanes_add(&lanes, &same_number);
    lanes_push(&lanes, w.push, &sender, &hello);
    push_flush(w.push);
    assert_int_equal(w.items, 1); /* none for the gate where only the sender is */
    assert_string_equal(w.links, "5 ");
    lanes_add(&lanes, &peer_here);
    lanes_remove(&lanes, &same_number);
    lanes_push(&lanes, w.push, &sender, &hello);
    push_flush(w.push);
    assert_string_equal(w.links, "6 ");
    lanes_free(&lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_leaves_as_one_record, setup, teardown),
        cmocka_unit_test_setup_teardown(records_are_counted_from_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_skip_leaves_a_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gate_that_is_away_sees_what_it_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_gate_that_restarted_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(the_test_switch_loses_every_third, setup, teardown),
        cmocka_unit_test_setup_teardown(a_room_is_one_item, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_batch_leaves_early, setup, teardown),
        cmocka_unit_test_setup_teardown(lanes_follow_their_members, setup, teardown),
        cmocka_unit_test_setup_teardown(the_sender_is_left_out_at_his_own_gate_only, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
