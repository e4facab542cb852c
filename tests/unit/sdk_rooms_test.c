/* A client in a live room: nothing can be pulled, so each link has to join again. */

#include "common/codes.h"
#include "tests/unit/sdk_fixture.h"

struct heard {
    unsigned answers;
};

static void on_answer(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    (void)code;
    (void)info;
    (void)answer;
    ((struct heard *)arg)->answers++;
}

static void join(struct fake *fake, struct anna *anna)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupJoinReq req = HY__GROUP_JOIN_REQ__INIT;
    struct heard heard = {0};

    req.group = (char *)"room";
    frame.body_case = HY__FRAME__BODY_GROUP_JOIN;
    frame.group_join = &req;
    assert_int_equal(hongyan_request(anna->client, &frame, on_answer, &heard), HY_OK);
    UNTIL(fake, heard.answers == 1);
}

static void quit(struct fake *fake, struct anna *anna)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__GroupQuitReq req = HY__GROUP_QUIT_REQ__INIT;
    struct heard heard = {0};

    req.group = (char *)"room";
    frame.body_case = HY__FRAME__BODY_GROUP_QUIT;
    frame.group_quit = &req;
    assert_int_equal(hongyan_request(anna->client, &frame, on_answer, &heard), HY_OK);
    UNTIL(fake, heard.answers == 1);
}

/* Online, and in the room, where 1 and 2 were said before. */
static void open_seated(struct fake *fake, struct anna *anna)
{
    fake_open(fake);
    fake->room_first = 1;
    fake->room_last = 2;
    anna_open(fake, anna);
    UNTIL(fake, anna->state == HONGYAN_ONLINE);
    join(fake, anna);
}

static void close_both(struct fake *fake, struct anna *anna)
{
    hongyan_close(&anna->client);
    fake_close(fake);
}

static void say_in_room(struct fake *fake, uint64_t seq)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MsgNotice notice = HY__MSG_NOTICE__INIT;
    Hy__Msg msg, *msgs[] = {&msg};

    fake_room_message(seq, &msg);
    notice.msgs = msgs;
    notice.n_msgs = 1;
    frame.body_case = HY__FRAME__BODY_MSG_NOTICE;
    frame.msg_notice = &notice;
    fake_write(fake, &frame);
}

static void assert_shown(const struct anna *anna, uint64_t first, uint64_t last)
{
    assert_int_equal(anna->count, last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++)
        assert_int_equal(anna->seqs[seq - first], seq);
}

static void a_room_is_joined_again_and_nothing_comes_twice(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_seated(&fake, &anna);
    say_in_room(&fake, 3);
    UNTIL(&fake, anna.count == 1);
    fake.room_last = 6; /* said while anna has no link */
    fake_cut(&fake);
    UNTIL(&fake, anna.count >= 4);
    assert_int_equal(fake.resumes, 1);
    assert_int_equal(fake.joins, 2);
    assert_shown(&anna, 3, 6);
    close_both(&fake, &anna);
}

static void a_join_that_fails_for_a_while_is_tried_again(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_seated(&fake, &anna);
    fake.room_last = 4;
    fake.join_code = HY_CODE_UNAVAILABLE;
    fake_cut(&fake);
    UNTIL(&fake, anna.count >= 2);
    assert_int_equal(fake.joins, 3);
    assert_shown(&anna, 3, 4);
    close_both(&fake, &anna);
}

static void a_room_that_is_no_more_is_forgotten(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_seated(&fake, &anna);
    fake.join_code = HY_CODE_GROUP_UNKNOWN;
    fake_cut(&fake);
    UNTIL(&fake, fake.joins == 2);
    anna_say(&anna, "its answer comes after that of the join");
    UNTIL(&fake, anna.answers == 1);
    fake_cut(&fake);
    UNTIL(&fake, fake.resumes == 2 && fake.lists == 3);
    assert_int_equal(fake.joins, 2);
    close_both(&fake, &anna);
}

static void who_left_stays_away(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_seated(&fake, &anna);
    quit(&fake, &anna);
    fake_cut(&fake);
    UNTIL(&fake, fake.resumes == 1 && fake.lists == 2);
    fake.last_seq = 1;
    fake_push(&fake, 1);
    UNTIL(&fake, anna.count == 1);
    assert_int_equal(fake.joins, 1);
    close_both(&fake, &anna);
}

/* The answer to one's own message may overtake the push of one that was said before. */
static void ones_own_message_hides_nothing(void **state)
{
    struct fake fake;
    struct anna anna;

    (void)state;
    open_seated(&fake, &anna);
    fake.last_seq = 3;
    assert_int_equal(
        hongyan_send_text(anna.client, HY__CONV_TYPE__CONV_GROUP, "room", "four", anna_sent, &anna),
        HY_OK);
    UNTIL(&fake, anna.answers == 1);
    assert_int_equal(anna.acked[0], 4);
    say_in_room(&fake, 3);
    say_in_room(&fake, 5);
    UNTIL(&fake, anna.count == 2);
    assert_int_equal(anna.seqs[0], 3);
    assert_int_equal(anna.seqs[1], 5);
    close_both(&fake, &anna);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_is_joined_again_and_nothing_comes_twice),
        cmocka_unit_test(a_join_that_fails_for_a_while_is_tried_again),
        cmocka_unit_test(a_room_that_is_no_more_is_forgotten),
        cmocka_unit_test(who_left_stays_away),
        cmocka_unit_test(ones_own_message_hides_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
