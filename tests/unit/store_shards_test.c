#include "store_shards.h"

#include "store/identity.h"

/* ---- two shards: what one decides, the other's indexes learn ---- */

static void a_message_reaches_the_indexes_of_another_shard(void **state)
{
    struct shards *p = *state;
    char a[32], b[32];

    meet(p, a, b);
    assert_int_equal(fixture_index_time(p->shard[1], a), p->shard[0]->now_ms);
    assert_int_equal(fixture_index_time(p->shard[1], b), p->shard[0]->now_ms);
}

static void a_lost_answer_and_a_restart_lose_and_repeat_nothing(void **state)
{
    struct shards *p = *state;
    char a[32], b[32];

    strangers(a, b);
    say(p, a, b, "1");
    assert_true(wait_to_send(p->shard[0]));
    deliver(p, false);
    assert_true(wait_to_send(p->shard[0])); /* again */
    p->shard[0]->sending = false;
    fixture_restart(p->shard[0]);
    assert_true(wait_to_send(p->shard[0])); /* from the rows */
    deliver(p, true);
    assert_int_equal(fixture_index_time(p->shard[1], b), p->shard[0]->now_ms);
    /* Once told, the row goes, and a restart finds nothing to send. */
    assert_false(wait_to_send(p->shard[0]));
    fixture_restart(p->shard[0]);
    assert_false(wait_to_send(p->shard[0]));
}

static void an_old_effect_changes_nothing(void **state)
{
    struct shards *p = *state;
    struct fixture *to = p->shard[1];
    Hy__EffectsReq req = HY__EFFECTS_REQ__INIT;
    Hy__Effect effect = HY__EFFECT__INIT, *effects[1] = {&effect};
    Hy__IndexRow row = HY__INDEX_ROW__INIT;
    static const struct {
        uint64_t conversation, version, time_ms, then;
    } steps[] = {{1, 5, 500, 500}, {1, 4, 400, 500}, {1, 5, 501, 500},
                 {1, 6, 600, 600}, {2, 1, 700, 700}, {1, 9, 900, 700}};
    char user[32];

    user_of(1, "anna", user);
    effect.app = FIXTURE_APP;
    effect.user = user;
    effect.type = HY__CONV_TYPE__CONV_C2C;
    effect.peer = (char *)"ben";
    effect.row = &row;
    req.n_effects = 1;
    req.effects = effects;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        Hy__EffectsRes *res;

        row.conversation = steps[i].conversation;
        row.version = steps[i].version;
        row.last_time_ms = steps[i].time_ms;
        res = ASK(to, EFFECTS, req, Hy__EffectsRes, hy__effects_res);
        DROP(res);
        assert_int_equal(fixture_index_time(to, user), steps[i].then);
    }
}

static void requests_for_slots_of_others_are_refused(void **state)
{
    struct shards *p = *state;
    char a[32], b[32];

    strangers(a, b);
    assert_int_equal(fixture_said(p->shard[1], (struct say){.from = a, .to = b}).code,
                     HY_CODE_UNAVAILABLE);
}

static void a_directory_of_another_shard_is_refused(void **state)
{
    struct shards *p = *state;
    struct identity other = {"test", 1, 2}, cluster = {"other", 0, 2}, mine = {"test", 0, 2};
    char why[256];

    assert_int_equal(identity_check(p->shard[0]->dir, &mine, why), HY_OK);
    assert_int_equal(identity_check(p->shard[0]->dir, &other, why), HY_ECONFIG);
    assert_non_null(strstr(why, "shard=0"));
    assert_int_equal(identity_check(p->shard[0]->dir, &cluster, why), HY_ECONFIG);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, shards_setup, shards_teardown)
    const struct CMUnitTest tests[] = {
        T(a_message_reaches_the_indexes_of_another_shard),
        T(a_lost_answer_and_a_restart_lose_and_repeat_nothing),
        T(an_old_effect_changes_nothing),
        T(requests_for_slots_of_others_are_refused),
        T(a_directory_of_another_shard_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
