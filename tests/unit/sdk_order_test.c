#include "sdk/c/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/c/call.h"
#include "sdk/c/conv.h"

/* Offer a message as a push brings it; returns how many came out, checking that they ascend. */
static unsigned push(struct order *order, uint64_t seq)
{
    unsigned out = 0;
    uint8_t byte = (uint8_t)seq, *bytes = NULL;
    size_t len = 0;

    switch (order_offer(order, seq)) {
    case ORDER_OLD:
        return 0;
    case ORDER_EARLY:
        assert_int_equal(order_keep(order, seq, &byte, 1), HY_OK);
        return 0;
    case ORDER_NEXT:
        out = 1;
        break;
    }
    while (order_pop(order, &bytes, &len)) {
        assert_true(bytes == NULL || *bytes == (uint8_t)order->last);
        free(bytes);
        out++;
    }
    return out;
}

static void whatever_the_order_of_arrival_each_comes_once_and_in_place(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 200; seed++) {
        struct order order = {0};
        unsigned out = 0, random = seed;

        order_begin(&order, 0);
        for (int i = 0; i < 2000 && out < 30; i++) {
            random = random * 1103515245 + 12345;
            out += push(&order, 1 + (random >> 16) % 30);
            assert_int_equal(out, order.last);
        }
        assert_int_equal(out, 30);
        assert_false(order_hungry(&order));
        order_reset(&order);
    }
}

static void what_is_missing_makes_hungry_until_it_is_settled(void **state)
{
    struct order order = {0};

    (void)state;
    order_begin(&order, 10);
    assert_false(order_hungry(&order));
    assert_int_equal(push(&order, 13), 0);
    assert_true(order_hungry(&order));
    order_settle(&order, 12); /* 11 and 12 are not for us */
    assert_true(order_hungry(&order));
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert_true(order_pop(&order, &bytes, &len));
    free(bytes);
    assert_false(order_hungry(&order));
    order_reset(&order);
}

static void too_much_that_is_early_drops_the_highest(void **state)
{
    struct order order = {0};

    (void)state;
    order_begin(&order, 0);
    for (uint64_t seq = 2; seq < 2 + ORDER_KEPT + 50; seq++)
        push(&order, seq);
    assert_int_equal(order.early_count, ORDER_KEPT);
    assert_int_equal(push(&order, 1), ORDER_KEPT + 1);
    assert_true(order_hungry(&order)); /* the rest is pulled */
    order_reset(&order);
}

static void before_it_is_known_where_a_stream_begins_all_is_kept(void **state)
{
    struct order order = {0};

    (void)state;
    assert_int_equal(push(&order, 7), 0);
    assert_int_equal(push(&order, 6), 0);
    assert_int_equal(order_first_early(&order), 6);
    assert_false(order_hungry(&order));
    order_begin(&order, 5);
    uint8_t *bytes = NULL;
    size_t len = 0;

    assert_true(order_pop(&order, &bytes, &len));
    free(bytes);
    assert_int_equal(order.last, 6);
    order_reset(&order);
}

static void a_live_room_shows_what_comes_and_waits_for_nothing(void **state)
{
    struct order order = {.live = true};

    (void)state;
    assert_int_equal(push(&order, 5), 1);
    assert_int_equal(push(&order, 9), 1);
    assert_int_equal(push(&order, 9), 0);
    assert_int_equal(push(&order, 8), 0);
    assert_false(order_hungry(&order));
    order_reset(&order);
}

/* ---- lanes ---- */

static struct call *add(struct calls *calls, struct conv *conv, uint64_t id)
{
    Hy__Frame frame = HY__FRAME__INIT;
    struct call *call = NULL;

    frame.id = id;
    call = calls_add(calls, &frame);
    lane_add(conv, call);
    return call;
}

static void drop(struct calls *calls, struct conv *conv, struct call *call)
{
    lane_remove(conv, call);
    calls_remove(calls, call);
    free(call);
}

static void a_lane_lets_as_many_go_as_its_window(void **state)
{
    struct calls calls = {0};
    struct convs convs = {0};
    struct conv *conv = convs_get(&convs, HY__CONV_TYPE__CONV_C2C, "ben");
    struct call *a = add(&calls, conv, 1), *b = add(&calls, conv, 2), *c = add(&calls, conv, 3);
    uint64_t retry = UINT64_MAX;

    (void)state;
    assert_ptr_equal(lane_next(conv, 2, 0, &retry), a);
    lane_sent(conv, a);
    assert_ptr_equal(lane_next(conv, 2, 0, &retry), b);
    lane_sent(conv, b);
    assert_null(lane_next(conv, 2, 0, &retry));
    assert_ptr_equal(calls_find(&calls, 2), b);
    drop(&calls, conv, a);
    assert_ptr_equal(lane_next(conv, 2, 0, &retry), c);
    drop(&calls, conv, b);
    drop(&calls, conv, c);
    assert_null(calls.first);
    convs_free(&convs);
}

static void with_a_window_of_one_nothing_overtakes_what_waits(void **state)
{
    struct calls calls = {0};
    struct convs convs = {0};
    struct conv *conv = convs_get(&convs, HY__CONV_TYPE__CONV_GROUP, "g");
    struct call *a = add(&calls, conv, 1), *b = add(&calls, conv, 2);
    uint64_t retry = UINT64_MAX;

    (void)state;
    lane_sent(conv, a);
    lane_again(conv, a, 500);
    assert_null(lane_next(conv, 1, 100, &retry));
    assert_int_equal(retry, 500);
    assert_ptr_equal(lane_next(conv, 1, 500, &retry), a);
    assert_ptr_equal(lane_next(conv, 8, 100, &retry), b); /* who allows more, allows that */
    drop(&calls, conv, b);
    drop(&calls, conv, a);
    convs_free(&convs);
}

static void conversations_are_found_by_type_and_name(void **state)
{
    struct convs convs = {0};
    char name[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "user%d", i);
        assert_non_null(convs_get(&convs, HY__CONV_TYPE__CONV_C2C, name));
    }
    assert_int_equal(convs.count, 1000);
    assert_string_equal(convs_find(&convs, HY__CONV_TYPE__CONV_C2C, "user77")->peer, "user77");
    assert_null(convs_find(&convs, HY__CONV_TYPE__CONV_GROUP, "user77"));
    assert_ptr_equal(convs_get(&convs, HY__CONV_TYPE__CONV_C2C, "user5"),
                     convs_find(&convs, HY__CONV_TYPE__CONV_C2C, "user5"));
    convs_free(&convs);
}

static void pauses_grow_to_their_cap_and_are_never_none(void **state)
{
    (void)state;
    for (uint64_t random = 0; random < 1000; random++) {
        assert_in_range(call_jitter_ms(1, 100, 5000, random), 1, 100);
        assert_in_range(call_jitter_ms(3, 100, 5000, random), 1, 400);
        assert_in_range(call_jitter_ms(60, 100, 5000, random * 7919), 1, 5000);
    }
}

static void a_text_becomes_the_body_that_the_schema_makes(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40000; len = len * 2 + 1) {
        char *text = malloc(len + 1), *back = malloc(len + 1);
        uint8_t *out = malloc(len + 32);
        Hy__Body *body = NULL;
        size_t size = 0;

        memset(text, 'x', len);
        text[len] = '\0';
        size = hongyan_text_body(text, len, out, len + 32);
        body = hy__body__unpack(NULL, size, out);
        assert_non_null(body);
        assert_string_equal(body->elems[0]->text->text, text);
        assert_int_equal(hongyan_body_text(out, size, back, len + 1), len);
        assert_string_equal(back, text);
        assert_int_equal(hongyan_text_body(text, len, out, size - 1), 0);
        hy__body__free_unpacked(body, NULL);
        free(out);
        free(back);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_order_of_arrival_each_comes_once_and_in_place),
        cmocka_unit_test(what_is_missing_makes_hungry_until_it_is_settled),
        cmocka_unit_test(too_much_that_is_early_drops_the_highest),
        cmocka_unit_test(before_it_is_known_where_a_stream_begins_all_is_kept),
        cmocka_unit_test(a_live_room_shows_what_comes_and_waits_for_nothing),
        cmocka_unit_test(a_lane_lets_as_many_go_as_its_window),
        cmocka_unit_test(with_a_window_of_one_nothing_overtakes_what_waits),
        cmocka_unit_test(conversations_are_found_by_type_and_name),
        cmocka_unit_test(pauses_grow_to_their_cap_and_are_never_none),
        cmocka_unit_test(a_text_becomes_the_body_that_the_schema_makes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
