#include "store_fixture.h"

static int setup(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static void places_are_contiguous_for_both_senders(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "1"}).seq, 1);
    assert_int_equal(fixture_said(f, (struct say){.from = "ben", .to = "anna", .id = "1"}).seq, 2);
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "2"}).seq, 3);
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "cleo", .id = "2"}).seq, 1);
}

static void one_turn_is_one_order_and_answers_come_after_it(void **state)
{
    struct fixture *f = *state;
    uint64_t ids[50];
    char name[16];

    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "c%d", i);
        ids[i] = fixture_say(f, (struct say){.from = "anna", .to = "ben", .id = name});
    }
    for (int i = 0; i < 50; i++)
        assert_false(fixture_answered(f, ids[i]));
    store_turn(f->store);
    for (int i = 0; i < 50; i++)
        assert_int_equal(fixture_result(f, ids[i]).seq, i + 1);
}

static void a_retry_gets_the_first_answer_in_the_same_turn_later_and_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct say say = {.from = "anna", .to = "ben", .id = "x", .hash = 7};
    uint64_t first = fixture_say(f, say), again = fixture_say(f, say);
    struct said a, b;

    store_turn(f->store);
    a = fixture_result(f, first);
    b = fixture_result(f, again);
    assert_int_equal(a.seq, 1);
    assert_int_equal(b.seq, 1);
    assert_int_equal(a.time_ms, b.time_ms);
    assert_true(b.duplicate);
    f->now_ms += 5000;
    b = fixture_said(f, say);
    assert_int_equal(b.seq, 1);
    assert_int_equal(b.time_ms, a.time_ms);
    fixture_restart(f);
    b = fixture_said(f, say);
    assert_int_equal(b.seq, 1);
    assert_int_equal(b.time_ms, a.time_ms);
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "y"}).seq, 2);
}

static void another_content_under_the_same_id_is_refused(void **state)
{
    struct fixture *f = *state;

    fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "x", .hash = 7});
    assert_int_equal(
        fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "x", .hash = 8}).code,
        HY_CODE_CLIENT_ID_REUSED);
    /* The same id of another sender, or to another conversation, is another message. */
    assert_int_equal(
        fixture_said(f, (struct say){.from = "ben", .to = "anna", .id = "x", .hash = 8}).seq, 2);
    assert_int_equal(
        fixture_said(f, (struct say){.from = "anna", .to = "cleo", .id = "x", .hash = 8}).seq, 1);
}

static void an_id_is_remembered_as_long_as_was_asked(void **state)
{
    struct fixture *f = *state;
    struct say say = {.from = "anna", .to = "ben", .id = "x", .hash = 7, .dedupe_s = 300};

    fixture_said(f, say);
    f->now_ms += 299 * 1000;
    assert_int_equal(fixture_said(f, say).seq, 1);
    f->now_ms += 2 * 1000;
    assert_int_equal(fixture_said(f, say).seq, 2);
}

static void time_never_falls_along_a_conversation(void **state)
{
    struct fixture *f = *state;
    struct said first = fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "1"}),
                second;

    f->now_ms -= 3600 * 1000;
    second = fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "2"});
    assert_int_equal(second.time_ms, first.time_ms);
    fixture_restart(f);
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "3"}).time_ms,
                     first.time_ms);
}

static void unread_counts_each_side_exactly(void **state)
{
    struct fixture *f = *state;
    uint32_t unread;

    for (int i = 0; i < 5; i++)
        fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    fixture_said(f, (struct say){.from = "ben", .to = "anna"});
    fixture_said(f,
                 (struct say){.from = "anna", .to = "ben", .flags = HY__MSG_FLAG__MSG_NO_UNREAD});
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 5);
    assert_int_equal(fixture_unread(f, "anna", "ben", false), 1);
    /* 1..5 anna, 6 ben, 7 does not count: read up to 3 leaves 4 and 5. */
    assert_int_equal(fixture_read(f, "ben", "anna", false, 3, &unread).seq, 3);
    assert_int_equal(unread, 2);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 2);
    /* A mark never goes back. */
    assert_int_equal(fixture_read(f, "ben", "anna", false, 1, &unread).seq, 3);
    assert_int_equal(unread, 2);
    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 3);
    assert_int_equal(fixture_read(f, "ben", "anna", false, 0, &unread).seq, 8);
    assert_int_equal(unread, 0);
    fixture_restart(f);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 0);
    assert_int_equal(fixture_unread(f, "anna", "ben", false), 1);
}

static void notes_to_oneself_are_never_unread(void **state)
{
    struct fixture *f = *state;

    fixture_said(f, (struct say){.from = "anna", .to = "anna"});
    assert_int_equal(fixture_unread(f, "anna", "anna", false), 0);
}

static void heads_show_the_newest_message_that_may_be_shown(void **state)
{
    struct fixture *f = *state;
    Hy__HeadsRes *res;

    fixture_said(f, (struct say){.from = "anna", .to = "ben", .text = "one"});
    fixture_said(f, (struct say){.from = "anna",
                                 .to = "ben",
                                 .text = "two",
                                 .flags = HY__MSG_FLAG__MSG_NO_SELF_SYNC});
    fixture_said(
        f, (struct say){
               .from = "anna", .to = "ben", .text = "three", .flags = HY__MSG_FLAG__MSG_NO_LAST});
    res = fixture_heads(f, "ben", "anna", false);
    assert_int_equal(res->convs[0]->last_msg->seq, 2);
    assert_int_equal(res->convs[0]->last_seq, 3);
    assert_int_equal(res->convs[0]->first_seq, 1);
    DROP(res);
    res = fixture_heads(f, "anna", "ben", false);
    assert_int_equal(res->convs[0]->last_msg->seq, 1);
    assert_memory_equal(res->convs[0]->last_msg->body.data, "one", 3);
    DROP(res);
    res = fixture_heads(f, "anna", "nobody", false);
    assert_int_equal(res->convs[0]->type, HY__CONV_TYPE__CONV_NONE);
    DROP(res);
}

static void online_only_messages_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        fixture_said(
            f, (struct say){.from = "anna", .to = "ben", .flags = HY__MSG_FLAG__MSG_ONLINE_ONLY})
            .code,
        HY_CODE_PARAM);
}

static void both_indexes_know_the_conversation(void **state)
{
    struct fixture *f = *state;
    Hy__IndexRes *res;

    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    f->now_ms += 1000;
    fixture_said(f, (struct say){.from = "anna", .to = "cleo"});
    res = fixture_index(f, "anna");
    assert_int_equal(res->n_entries, 2);
    assert_string_equal(res->entries[0]->peer, "ben");
    assert_int_equal(res->entries[0]->row->last_time_ms, f->now_ms - 1000);
    assert_string_equal(res->entries[1]->peer, "cleo");
    DROP(res);
    res = fixture_index(f, "cleo");
    assert_int_equal(res->n_entries, 1);
    assert_string_equal(res->entries[0]->peer, "anna");
    DROP(res);
}

static void marks_stay_apart_from_what_messages_say(void **state)
{
    struct fixture *f = *state;
    Hy__StoreConvSetReq req = HY__STORE_CONV_SET_REQ__INIT;
    Hy__ConvSetReq set = HY__CONV_SET_REQ__INIT;
    Hy__StoreRes *res;
    Hy__IndexRes *index;

    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    set.type = HY__CONV_TYPE__CONV_C2C;
    set.peer = (char *)"anna";
    set.op = HY__CONV_SET_REQ__OP__PIN;
    req.app = FIXTURE_APP;
    req.user = (char *)"ben";
    req.req = &set;
    res = ASK(f, CONV_SET, req, Hy__StoreRes, hy__store_res);
    assert_int_equal(res->code, 0);
    DROP(res);
    set.op = HY__CONV_SET_REQ__OP__HIDE;
    req.last_seq = 1;
    res = ASK(f, CONV_SET, req, Hy__StoreRes, hy__store_res);
    DROP(res);
    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    index = fixture_index(f, "ben");
    assert_true(index->entries[0]->row->pinned);
    assert_int_equal(index->entries[0]->row->hidden_seq, 1);
    assert_int_equal(index->entries[0]->row->version, 2);
    DROP(index);
}

static void clearing_hides_the_past_from_one_side_only(void **state)
{
    struct fixture *f = *state;
    Hy__StoreConvSetReq req = HY__STORE_CONV_SET_REQ__INIT;
    Hy__ConvSetReq set = HY__CONV_SET_REQ__INIT;
    Hy__StoreRes *res;
    Hy__HistoryRes *page;

    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    set.type = HY__CONV_TYPE__CONV_C2C;
    set.peer = (char *)"anna";
    set.op = HY__CONV_SET_REQ__OP__CLEAR;
    req.app = FIXTURE_APP;
    req.user = (char *)"ben";
    req.req = &set;
    res = ASK(f, CONV_SET, req, Hy__StoreRes, hy__store_res);
    assert_int_equal(res->code, 0);
    DROP(res);
    fixture_said(f, (struct say){.from = "anna", .to = "ben"});
    page = fixture_page(f, (struct page){.user = "ben", .peer = "anna"});
    assert_int_equal(page->n_msgs, 1);
    assert_int_equal(page->first_seq, 3);
    DROP(page);
    page = fixture_page(f, (struct page){.user = "anna", .peer = "ben"});
    assert_int_equal(page->n_msgs, 3);
    DROP(page);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(places_are_contiguous_for_both_senders),
        T(one_turn_is_one_order_and_answers_come_after_it),
        T(a_retry_gets_the_first_answer_in_the_same_turn_later_and_after_a_restart),
        T(another_content_under_the_same_id_is_refused),
        T(an_id_is_remembered_as_long_as_was_asked),
        T(time_never_falls_along_a_conversation),
        T(unread_counts_each_side_exactly),
        T(notes_to_oneself_are_never_unread),
        T(heads_show_the_newest_message_that_may_be_shown),
        T(online_only_messages_are_refused),
        T(both_indexes_know_the_conversation),
        T(marks_stay_apart_from_what_messages_say),
        T(clearing_hides_the_past_from_one_side_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
