/* Whatever is lost, refused, cut or read too early: every message is shown once, in order. Many
 * clients at a time, each with a gateway that misbehaves at random. */

#include "common/codes.h"
#include "common/log.h"
#include "tests/unit/sdk_fixture.h"

enum { PAIRS = 64, STORM_MS = 6000, CALM_MS = 20000, MESSAGES = 200 };

struct pair {
    struct fake fake;
    struct anna anna;
    unsigned seed, said;
    unsigned looked; /* pages when one was last read too early */
};

static unsigned draw(struct pair *pair, unsigned below)
{
    pair->seed = pair->seed * 1103515245 + 12345;
    return (pair->seed >> 8) % below;
}

static void ben_says(struct pair *pair)
{
    struct fake *fake = &pair->fake;

    fake->last_seq++;
    if (fake->link >= 0 && draw(pair, 3) > 0)
        fake_push(fake, fake->last_seq);
}

/* Late, early or again. */
static void push_any(struct pair *pair)
{
    struct fake *fake = &pair->fake;

    if (fake->link >= 0 && fake->last_seq > 0)
        fake_push(fake, 1 + draw(pair, (unsigned)fake->last_seq));
}

/* The next page was read before what is known by now; never two of them in a row. */
static void blind(struct pair *pair)
{
    if (pair->fake.pages < pair->looked + 2)
        return;
    pair->looked = pair->fake.pages;
    pair->fake.blind = 1;
}

/* For long enough that a client might give up; and the first page after that comes too early. */
static void refuse_pages(struct pair *pair)
{
    static const uint32_t codes[] = {HY_CODE_TIMEOUT, HY_CODE_APP_UNKNOWN, HY_CODE_BUSY};
    struct fake *fake = &pair->fake;

    if (fake->page_code == 0) {
        fake->page_code = codes[draw(pair, 3)];
    } else if (draw(pair, 12) == 0) {
        fake->page_code = 0;
        blind(pair);
    }
}

static void refuse_sends(struct pair *pair)
{
    pair->fake.send_code = HY_CODE_TIMEOUT;
    pair->fake.codes_left = draw(pair, 3);
}

static void say(struct pair *pair)
{
    switch (draw(pair, 10)) {
    case 0:
        if (draw(pair, 8) == 0)
            fake_cut(&pair->fake);
        break;
    case 1:
        pair->fake.resync = true;
        break;
    case 2:
        refuse_pages(pair);
        break;
    case 3:
        refuse_sends(pair);
        break;
    case 4:
        blind(pair);
        break;
    case 5:
        push_any(pair);
        break;
    case 6:
    case 7:
        anna_say(&pair->anna, "mine");
        pair->said++;
        break;
    default:
        ben_says(pair);
    }
}

static void turn(struct pair *pairs)
{
    for (int i = 0; i < PAIRS; i++)
        hy_loop_turn(pairs[i].fake.loop, i == 0 ? 1 : 0);
}

/* The last message is pushed, and pages are given. */
static void calm(struct pair *pair)
{
    struct fake *fake = &pair->fake;

    fake->page_code = 0;
    fake->codes_left = fake->blind = 0;
    fake->resync = true;
    fake->last_seq++;
}

static uint64_t ben_said(const struct fake *fake)
{
    uint64_t count = 0;

    for (uint64_t seq = 1; seq <= fake->last_seq; seq++)
        count += fake->own[seq][0] == '\0';
    return count;
}

static bool done(const struct pair *pair)
{
    return pair->anna.answers == pair->said && pair->anna.count >= ben_said(&pair->fake);
}

static void check(const struct pair *pair)
{
    unsigned shown = 0;

    for (uint64_t seq = 1; seq <= pair->fake.last_seq; seq++) {
        if (pair->fake.own[seq][0] != '\0')
            continue;
        if (shown == pair->anna.count || pair->anna.seqs[shown] != seq)
            fail_msg("message %llu of %llu was not shown, %llu was; %u of %u answered",
                     (unsigned long long)seq, (unsigned long long)pair->fake.last_seq,
                     (unsigned long long)(shown < pair->anna.count ? pair->anna.seqs[shown] : 0),
                     pair->anna.answers, pair->said);
        shown++;
    }
    assert_int_equal(pair->anna.count, shown);
    assert_int_equal(pair->anna.answers, pair->said);
}

static bool all_done(const struct pair *pairs)
{
    for (int i = 0; i < PAIRS; i++)
        if (!done(&pairs[i]))
            return false;
    return true;
}

static void every_message_is_shown_once_and_in_order(void **state)
{
    struct pair *pairs = calloc(PAIRS, sizeof *pairs);
    uint64_t until;

    (void)state;
    for (unsigned i = 0; i < PAIRS; i++) {
        pairs[i].seed = i;
        fake_open(&pairs[i].fake);
        anna_open(&pairs[i].fake, &pairs[i].anna);
        UNTIL(&pairs[i].fake, pairs[i].anna.state == HONGYAN_ONLINE);
    }
    for (until = hy_steady_ms() + STORM_MS; hy_steady_ms() < until; turn(pairs))
        for (int i = 0; i < PAIRS; i++)
            if (pairs[i].fake.last_seq + pairs[i].said < MESSAGES && draw(&pairs[i], 25) == 0)
                say(&pairs[i]);
    for (int i = 0; i < PAIRS; i++)
        calm(&pairs[i]);
    for (until = hy_steady_ms() + CALM_MS; hy_steady_ms() < until && !all_done(pairs);)
        turn(pairs);
    for (int i = 0; i < PAIRS; i++) {
        check(&pairs[i]);
        hongyan_close(&pairs[i].anna.client);
        fake_close(&pairs[i].fake);
    }
    free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_shown_once_and_in_order),
    };

    hy_log_set_level(HY_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
