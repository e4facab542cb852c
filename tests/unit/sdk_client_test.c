#include "common/codes.h"
#include "tests/unit/sdk_fixture.h"

static void assert_run(const struct anna *anna, uint64_t first, uint64_t last)
{
    assert_int_equal(anna->count, last - first + 1);
    for (unsigned i = 0; i < anna->count; i++)
        assert_int_equal(anna->seqs[i], first + i);
}

static void open_online(struct fake *fake, struct anna *anna)
{
    anna_open(fake, anna);
    UNTIL(fake, anna->state == HONGYAN_ONLINE);
}

static void close_both(struct fake *fake, struct anna *anna)
{
    hongyan_close(&anna->client);
    fake_close(fake);
}

static void the_stream_begins_behind_what_there_was(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.last_seq = 40;
    open_online(&fake, &anna);
    fake.last_seq = 41;
    fake_push(&fake, 41);
    UNTIL(&fake, anna.count > 0);
    assert_run(&anna, 41, 41);
    assert_int_equal(fake.pages, 0);
    close_both(&fake, &anna);
}

static void the_whole_backlog_comes_when_it_is_wanted(void **state)
{
    struct fake fake;
    struct anna anna;
    const char *addresses[1];
    struct hongyan_config config;

    (void)state;
    fake_open(&fake);
    fake.first_seq = 4;
    fake.last_seq = 50;
    config = anna_config(&fake, &anna, addresses);
    config.backlog = HONGYAN_FROM_FIRST;
    assert_int_equal(hongyan_open(fake.loop, &config, &anna.client), HY_OK);
    UNTIL(&fake, anna.count == 47);
    assert_run(&anna, 4, 50);
    close_both(&fake, &anna);
}

static void lost_pushes_are_pulled_and_come_in_order(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.last_seq = 60;
    fake_push(&fake, 1);
    fake_push(&fake, 2);
    fake_push(&fake, 60);
    fake_push(&fake, 59);
    UNTIL(&fake, anna.count >= 60);
    assert_run(&anna, 1, 60);
    close_both(&fake, &anna);
}

/* Pages that have nothing for us are no reason to wait, or to give up. */
static void a_long_stretch_that_is_hidden_is_passed_over(void **state)
{
    struct fake fake;
    struct anna anna;
    uint64_t began_ms;

    (void)state;
    fake_open(&fake);
    fake.hidden = 1000;
    open_online(&fake, &anna);
    fake.last_seq = 1003;
    began_ms = hy_steady_ms();
    fake_push(&fake, 1003);
    UNTIL(&fake, anna.count >= 3);
    assert_run(&anna, 1001, 1003);
    assert_int_equal(fake.pages, 26); /* of 40 places each */
    assert_true(hy_steady_ms() - began_ms < 26 * 200);
    close_both(&fake, &anna);
}

/* She misses 1 .. 29, and so many pages were refused. */
static void open_missing(struct fake *fake, struct anna *anna, uint32_t code, unsigned pages)
{
    fake_open(fake);
    open_online(fake, anna);
    fake->last_seq = 30;
    fake->page_code = code;
    fake_push(fake, 30);
    UNTIL(fake, fake->pages >= pages);
    assert_int_equal(anna->count, 0);
    fake->page_code = 0;
}

/* A router that does not know the app yet says nothing about a conversation. */
static void a_refused_page_leaves_nothing_out(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_missing(&fake, &anna, HY_CODE_APP_UNKNOWN, 2);
    UNTIL(&fake, anna.count >= 30);
    assert_run(&anna, 1, 30);
    close_both(&fake, &anna);
}

/* However often pages were refused: one that was read too early shows no hole. */
static void a_page_from_before_leaves_nothing_out(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_missing(&fake, &anna, HY_CODE_TIMEOUT, 5);
    fake.blind = 1;
    UNTIL(&fake, anna.count >= 30);
    assert_run(&anna, 1, 30);
    close_both(&fake, &anna);
}

/* What was lost on the server's side is not waited for for ever. */
static void what_is_never_there_is_passed_over(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.last_seq = 2;
    fake.blind = FAKE_MOST;
    fake_push(&fake, 2);
    UNTIL(&fake, anna.count >= 1);
    assert_run(&anna, 2, 2);
    assert_true(fake.pages > 5);
    close_both(&fake, &anna);
}

static void a_push_that_comes_twice_is_shown_once(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.last_seq = 3;
    for (int i = 0; i < 2; i++)
        for (uint64_t seq = 1; seq <= 3; seq++)
            fake_push(&fake, seq);
    UNTIL(&fake, anna.count >= 3);
    hy_loop_turn(fake.loop, 10);
    assert_run(&anna, 1, 3);
    close_both(&fake, &anna);
}

static void a_pong_with_resync_finds_what_nobody_pushed(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.last_seq = 5;
    open_online(&fake, &anna);
    fake.last_seq = 30;
    fake.resync = true;
    UNTIL(&fake, anna.count >= 25);
    assert_run(&anna, 6, 30);
    close_both(&fake, &anna);
}

static void a_new_conversation_begins_with_its_first_message(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.hide_list = true;
    fake.last_seq = 7;
    fake.server_ms = 1000 + 8; /* messages up to 7 are older than the session */
    open_online(&fake, &anna);
    fake.last_seq = 10;
    fake_push(&fake, 10);
    UNTIL(&fake, anna.count >= 3);
    assert_run(&anna, 8, 10);
    close_both(&fake, &anna);
}

static void what_was_missed_while_away_comes_after_the_resume(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.last_seq = 2;
    open_online(&fake, &anna);
    fake_push(&fake, 2);
    fake_cut(&fake);
    fake.last_seq = 45;
    UNTIL(&fake, anna.count >= 43);
    assert_run(&anna, 3, 45);
    assert_int_equal(fake.sign_ins, 1);
    assert_int_equal(fake.resumes, 1);
    close_both(&fake, &anna);
}

static void a_conversation_that_fell_out_of_the_list_is_asked_for(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.last_seq = 2;
    open_online(&fake, &anna);
    fake.hide_list = true;
    fake_cut(&fake);
    fake.last_seq = 3;
    UNTIL(&fake, anna.count >= 1);
    assert_run(&anna, 3, 3);
    fake.last_seq = 4; /* the look found nothing more, and left no false mark */
    fake_push(&fake, 4);
    UNTIL(&fake, anna.count >= 2);
    assert_run(&anna, 3, 4);
    close_both(&fake, &anna);
}

static void a_session_that_is_over_is_begun_anew(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.resume_code = HY_CODE_SESSION_OVER;
    fake_cut(&fake);
    UNTIL(&fake, anna.onlines == 2);
    assert_int_equal(fake.sign_ins, 2);
    close_both(&fake, &anna);
}

static void a_refused_ticket_ends_the_client(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    fake.sign_in_code = HY_CODE_SIG_EXPIRED;
    anna_open(&fake, &anna);
    UNTIL(&fake, anna.state == HONGYAN_KICKED);
    assert_int_equal(anna.code, HY_CODE_SIG_EXPIRED);
    assert_int_equal(
        hongyan_send_text(anna.client, HY__CONV_TYPE__CONV_C2C, "ben", "x", NULL, NULL),
        HY_ECLOSED);
    close_both(&fake, &anna);
}

static void sends_that_were_not_answered_go_again_in_order(void **state)
{
    struct fake fake;
    struct anna anna;
    char text[16];

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.mute = true;
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "%d", i);
        anna_say(&anna, text);
    }
    UNTIL(&fake, fake.sent == 1);
    fake.mute = false;
    fake_cut(&fake);
    UNTIL(&fake, anna.answers == 5);
    assert_int_equal(fake.sent, 6);
    assert_string_equal(fake.sends[0], fake.sends[1]); /* the same client id: the store knows it */
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(anna.acked[i], i + 1);
    close_both(&fake, &anna);
}

static void a_busy_cluster_is_asked_again_and_nothing_overtakes(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.send_code = HY_CODE_BUSY;
    fake.codes_left = 2;
    anna_say(&anna, "one");
    anna_say(&anna, "two");
    UNTIL(&fake, anna.answers == 2);
    assert_int_equal(fake.sent, 4);
    assert_string_equal(fake.sends[0], fake.sends[2]);
    assert_string_not_equal(fake.sends[2], fake.sends[3]);
    assert_true(anna.codes[0] == 0 && anna.codes[1] == 0);
    close_both(&fake, &anna);
}

static void a_refusal_is_told_at_once(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.send_code = HY_CODE_MSG_TOO_LONG;
    fake.codes_left = 1;
    anna_say(&anna, "long");
    UNTIL(&fake, anna.answers == 1);
    assert_int_equal(anna.codes[0], HY_CODE_MSG_TOO_LONG);
    assert_int_equal(fake.sent, 1);
    close_both(&fake, &anna);
}

/* The first try may have been taken, or may be yet. */
static void a_refusal_after_a_try_without_an_answer_is_asked_again(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.mute = true;
    anna_say(&anna, "one");
    UNTIL(&fake, fake.sent == 1);
    fake.mute = false;
    fake.send_code = HY_CODE_GROUP_MUTED;
    fake.codes_left = 2;
    fake_cut(&fake);
    UNTIL(&fake, anna.answers == 1);
    assert_int_equal(anna.codes[0], 0);
    assert_int_equal(fake.sent, 4);
    fake.send_code = HY_CODE_TIMEOUT; /* not known either */
    fake.codes_left = 1;
    anna_say(&anna, "two");
    UNTIL(&fake, fake.sent == 5);
    fake.send_code = HY_CODE_MSG_EMPTY; /* but wrong at every try */
    fake.codes_left = 1;
    UNTIL(&fake, anna.answers == 2);
    assert_int_equal(anna.codes[1], HY_CODE_MSG_EMPTY);
    close_both(&fake, &anna);
}

static void own_messages_count_and_are_not_shown(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    anna_say(&anna, "mine");
    UNTIL(&fake, anna.answers == 1);
    fake.last_seq = 2;
    fake_push(&fake, 2);
    UNTIL(&fake, anna.count == 1);
    assert_run(&anna, 2, 2);
    assert_int_equal(fake.pages, 0); /* no gap was seen */
    close_both(&fake, &anna);
}

static void closing_ends_what_waits(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    fake_open(&fake);
    open_online(&fake, &anna);
    fake.mute = true;
    anna_say(&anna, "never");
    hongyan_close(&anna.client);
    assert_null(anna.client);
    assert_int_equal(anna.answers, 1);
    assert_int_equal(anna.codes[0], HY_CODE_TIMEOUT);
    fake_close(&fake);
}

static void close_in_callback(void *ctx, const Hy__Msg *msg)
{
    struct anna *anna = ctx;

    anna->seqs[anna->count++] = msg->seq;
    hongyan_close(&anna->client);
}

static void closing_in_a_callback_is_fine(void **state)
{
    struct fake fake;
    struct anna anna;
    const char *addresses[1];
    struct hongyan_config config;

    (void)state;
    fake_open(&fake);
    config = anna_config(&fake, &anna, addresses);
    config.events.message = close_in_callback;
    assert_int_equal(hongyan_open(fake.loop, &config, &anna.client), HY_OK);
    UNTIL(&fake, anna.state == HONGYAN_ONLINE);
    fake.last_seq = 3;
    for (uint64_t seq = 1; seq <= 3; seq++)
        fake_push(&fake, seq);
    UNTIL(&fake, anna.client == NULL);
    assert_int_equal(anna.count, 1);
    fake_close(&fake);
}

static void bad_settings_are_refused(void **state)
{
    struct fake fake;
    struct anna anna;
    const char *addresses[1];
    struct hongyan_config config;

    (void)state;
    fake_open(&fake);
    config = anna_config(&fake, &anna, addresses);
    addresses[0] = "nowhere";
    assert_int_equal(hongyan_open(fake.loop, &config, &anna.client), HY_ECONFIG);
    addresses[0] = fake.address;
    config.identifier = "";
    assert_int_equal(hongyan_open(fake.loop, &config, &anna.client), HY_ECONFIG);
    fake_close(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_begins_behind_what_there_was),
        cmocka_unit_test(the_whole_backlog_comes_when_it_is_wanted),
        cmocka_unit_test(lost_pushes_are_pulled_and_come_in_order),
        cmocka_unit_test(a_long_stretch_that_is_hidden_is_passed_over),
        cmocka_unit_test(a_refused_page_leaves_nothing_out),
        cmocka_unit_test(a_page_from_before_leaves_nothing_out),
        cmocka_unit_test(what_is_never_there_is_passed_over),
        cmocka_unit_test(a_push_that_comes_twice_is_shown_once),
        cmocka_unit_test(a_pong_with_resync_finds_what_nobody_pushed),
        cmocka_unit_test(a_new_conversation_begins_with_its_first_message),
        cmocka_unit_test(what_was_missed_while_away_comes_after_the_resume),
        cmocka_unit_test(a_conversation_that_fell_out_of_the_list_is_asked_for),
        cmocka_unit_test(a_session_that_is_over_is_begun_anew),
        cmocka_unit_test(a_refused_ticket_ends_the_client),
        cmocka_unit_test(sends_that_were_not_answered_go_again_in_order),
        cmocka_unit_test(a_busy_cluster_is_asked_again_and_nothing_overtakes),
        cmocka_unit_test(a_refusal_is_told_at_once),
        cmocka_unit_test(a_refusal_after_a_try_without_an_answer_is_asked_again),
        cmocka_unit_test(own_messages_count_and_are_not_shown),
        cmocka_unit_test(closing_ends_what_waits),
        cmocka_unit_test(closing_in_a_callback_is_fine),
        cmocka_unit_test(bad_settings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
