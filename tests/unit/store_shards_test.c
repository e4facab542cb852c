#include "store_shards.h"

#include <unistd.h>

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

static void requests_for_slots_of_others_are_sent_elsewhere(void **state)
{
    struct shards *p = *state;
    char a[32], b[32];

    Hy__IndexReq index = HY__INDEX_REQ__INIT;
    uint64_t said, read;
    Hy__Elsewhere *elsewhere;

    strangers(a, b);
    said = fixture_say(p->shard[1], (struct say){.from = a, .to = b});
    index.app = FIXTURE_APP;
    index.user = a;
    read = fixture_put(p->shard[0], HY__BUS_KIND__STORE_INDEX, &index.base);
    for (int i = 0; i < 2; i++)
        store_turn(p->shard[i]->store);
    assert_true(fixture_elsewhere(p->shard[1], said));
    assert_true(fixture_elsewhere(p->shard[0], read));
    elsewhere = hy__elsewhere__unpack(NULL, p->shard[1]->answers[said].len,
                                      p->shard[1]->answers[said].data);
    assert_string_equal(elsewhere->leader, "");
    assert_int_equal(elsewhere->map_epoch, 1);
    DROP(elsewhere);
}

static void a_directory_of_another_shard_is_refused(void **state)
{
    struct shards *p = *state;
    const char *dir = p->shard[0]->dir; /* shard 0 of 2 */
    static struct hy_shardmap one, two, four, moved;
    const struct {
        struct identity mine;
        enum hy_err err;
        const char *why;
    } rows[] = {
        {{"test", 0, &two, true}, HY_OK, ""},
        {{"test", 1, &two, true}, HY_ECONFIG, "shard=0"},
        {{"other", 0, &two, true}, HY_ECONFIG, "cluster=test"},
        {{"test", 0, &one, true}, HY_ECONFIG, "never had slot 8192"},
        {{"test", 0, &four, true}, HY_ECONFIG, "has slot 4096"}, /* its rows did not move along */
        {{"test", 0, &moved, false}, HY_OK, ""}, /* where they move, rows say which there are */
        {{"test", 1, &moved, false}, HY_ECONFIG, "shard=0"},
    };
    char why[256];

    hy_shardmap_even(&one, 1);
    hy_shardmap_even(&two, 2);
    hy_shardmap_even(&four, 4);
    moved = two;
    moved.owner[HY_SLOTS - 1] = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        why[0] = '\0';
        assert_int_equal(identity_check(dir, &rows[i].mine, why), rows[i].err);
        assert_non_null(strstr(why, rows[i].why));
    }
}

/* Uneven shares are told slot by slot. */
static void a_directory_knows_its_slots(void **state)
{
    static struct hy_shardmap map;
    struct identity mine = {"test", 1, &map, true};
    char dir[] = "/tmp/hongyan-identity-XXXXXX", path[64], why[256];

    (void)state;
    assert_non_null(mkdtemp(dir));
    hy_shardmap_even(&map, 2);
    map.owner[3] = map.owner[5] = map.owner[6] = 1;
    map.owner[16000] = 0;
    assert_int_equal(identity_check(dir, &mine, why), HY_OK);
    assert_int_equal(identity_check(dir, &mine, why), HY_OK);
    map.owner[4] = 1;
    assert_int_equal(identity_check(dir, &mine, why), HY_ECONFIG);
    assert_non_null(strstr(why, "never had slot 4"));
    snprintf(path, sizeof path, "%s/identity", dir);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, shards_setup, shards_teardown)
    const struct CMUnitTest tests[] = {
        T(a_message_reaches_the_indexes_of_another_shard),
        T(a_lost_answer_and_a_restart_lose_and_repeat_nothing),
        T(an_old_effect_changes_nothing),
        T(requests_for_slots_of_others_are_sent_elsewhere),
        T(a_directory_of_another_shard_is_refused),
        T(a_directory_knows_its_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
