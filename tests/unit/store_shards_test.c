#include "store_fixture.h"

#include <errno.h>
#include <time.h>

#include "common/clock.h"
#include "store/identity.h"

/* ---- two shards: what one decides, the other's indexes learn ---- */

struct pair {
    struct fixture *shards[2];
};

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);

    for (uint32_t i = 0; i < 2; i++)
        p->shards[i] = fixture_open(i, 2);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;

    fixture_close(p->shards[0]);
    fixture_close(p->shards[1]);
    free(p);
    return 0;
}

/* A name like prefix0, prefix1, ... in a slot of the shard. */
static void user_of(uint32_t shard, const char *prefix, char out[static 32])
{
    for (int i = 0;; i++) {
        snprintf(out, 32, "%s%d", prefix, i);
        if (hy_slot_shard(hy_slot_user(FIXTURE_APP, out), 2) == shard)
            return;
    }
}

/* Two users of shard 1 whose pair lives in shard 0. */
static void strangers(char a[static 32], char b[static 32])
{
    user_of(1, "anna", a);
    for (int i = 0;; i++) {
        snprintf(b, 32, "ben%d", i);
        if (hy_slot_shard(hy_slot_user(FIXTURE_APP, b), 2) == 1 &&
            hy_slot_shard(hy_slot_pair(FIXTURE_APP, a, b), 2) == 0)
            return;
    }
}

/* Turn shard 0 until it wants to send; false: it has nothing within a second. */
static bool wait_to_send(struct fixture *f)
{
    uint64_t until = hy_steady_ms() + 1000;
    const struct timespec moment = {0, 2000000};

    while (!f->sending && hy_steady_ms() < until) {
        store_turn(f->store);
        nanosleep(&moment, NULL);
    }
    return f->sending;
}

/* Give shard 1 what shard 0 sent; tell shard 0 so unless the answer is to be lost. */
static void deliver(struct pair *p, bool answer)
{
    struct fixture *from = p->shards[0], *to = p->shards[1];
    struct request req = {
        .kind = HY__BUS_KIND__STORE_EFFECTS, .payload = from->send_data, .len = from->send_len};
    Hy__EffectsRes *res;

    assert_int_equal(from->send_shard, 1);
    req.reply.id = to->next_id++;
    store_handle(to->store, &req);
    store_turn(to->store);
    res = fixture_take(to, req.reply.id, &hy__effects_res__descriptor);
    assert_int_equal(res->code, 0);
    DROP(res);
    from->sending = false;
    store_effects_answered(from->store, 1, from->send_token, answer);
}

static uint64_t index_time(struct fixture *f, const char *user)
{
    Hy__IndexRes *res = fixture_index(f, user);
    uint64_t time_ms = res->n_entries == 0 ? 0 : res->entries[0]->row->last_time_ms;

    DROP(res);
    return time_ms;
}

static void a_message_reaches_the_indexes_of_another_shard(void **state)
{
    struct pair *p = *state;
    char a[32], b[32];

    strangers(a, b);
    fixture_said(p->shards[0], (struct say){.from = a, .to = b});
    assert_true(wait_to_send(p->shards[0]));
    deliver(p, true);
    assert_int_equal(index_time(p->shards[1], a), p->shards[0]->now_ms);
    assert_int_equal(index_time(p->shards[1], b), p->shards[0]->now_ms);
}

static void a_lost_answer_and_a_restart_lose_and_repeat_nothing(void **state)
{
    struct pair *p = *state;
    char a[32], b[32];

    strangers(a, b);
    fixture_said(p->shards[0], (struct say){.from = a, .to = b});
    assert_true(wait_to_send(p->shards[0]));
    deliver(p, false);
    assert_true(wait_to_send(p->shards[0])); /* again */
    p->shards[0]->sending = false;
    fixture_restart(p->shards[0]);
    assert_true(wait_to_send(p->shards[0])); /* from the rows */
    deliver(p, true);
    assert_int_equal(index_time(p->shards[1], b), p->shards[0]->now_ms);
    /* Once told, the row goes, and a restart finds nothing to send. */
    assert_false(wait_to_send(p->shards[0]));
    fixture_restart(p->shards[0]);
    assert_false(wait_to_send(p->shards[0]));
}

static void an_old_effect_changes_nothing(void **state)
{
    struct pair *p = *state;
    struct fixture *to = p->shards[1];
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
        assert_int_equal(index_time(to, user), steps[i].then);
    }
}

static void requests_for_slots_of_others_are_refused(void **state)
{
    struct pair *p = *state;
    char a[32], b[32];

    strangers(a, b);
    assert_int_equal(fixture_said(p->shards[1], (struct say){.from = a, .to = b}).code,
                     HY_CODE_UNAVAILABLE);
}

static void a_directory_of_another_shard_is_refused(void **state)
{
    struct pair *p = *state;
    struct identity other = {"test", 1, 2}, cluster = {"other", 0, 2}, mine = {"test", 0, 2};
    char why[256];

    assert_int_equal(identity_check(p->shards[0]->dir, &mine, why), HY_OK);
    assert_int_equal(identity_check(p->shards[0]->dir, &other, why), HY_ECONFIG);
    assert_non_null(strstr(why, "shard=0"));
    assert_int_equal(identity_check(p->shards[0]->dir, &cluster, why), HY_ECONFIG);
}

/* ---- a disk that fails ---- */

struct bad_disk {
    int good_writes;
    enum hy_err err;
};

static enum hy_err fault(void *arg)
{
    struct bad_disk *d = arg;

    if (d->good_writes > 0) {
        d->good_writes--;
        return HY_OK;
    }
    return d->err;
}

static int setup_one(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int teardown_one(void **state)
{
    fixture_close(*state);
    return 0;
}

static struct said hello(struct fixture *f, const char *id)
{
    return fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = id, .hash = 1});
}

/* Tick until the shard takes writes again. */
static void wait_open(struct fixture *f)
{
    uint64_t until = hy_steady_ms() + 5000;
    const struct timespec moment = {0, 20000000};

    while (store_ready(f->store) != NULL && hy_steady_ms() < until) {
        store_tick(f->store);
        nanosleep(&moment, NULL);
    }
    assert_null(store_ready(f->store));
}

static void an_append_is_whole_or_absent_wherever_the_disk_fails(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 0;

    for (int good = 0; good < 4; good++) {
        struct bad_disk disk = {good, HY_EIO};
        Hy__HistoryRes *page;
        char id[16];

        store_set_fault(f->store, fault, &disk);
        for (int i = 0; i < 6; i++) {
            struct said said;

            snprintf(id, sizeof id, "%d-%d", good, i);
            said = hello(f, id);
            if (said.code == 0)
                assert_int_equal(said.seq, ++last);
            else
                assert_int_equal(said.code, HY_CODE_UNAVAILABLE);
        }
        assert_non_null(store_ready(f->store));
        store_set_fault(f->store, NULL, NULL);
        wait_open(f);
        page = fixture_page(f, (struct page){.user = "ben", .peer = "anna"});
        assert_int_equal(page->last_seq, last);
        assert_int_equal(page->n_msgs, last);
        DROP(page);
        /* What was refused can be sent again, once. */
        assert_int_equal(hello(f, id).seq, last + 1);
        assert_int_equal(hello(f, id).seq, last + 1);
        last++;
    }
    assert_int_equal(fixture_unread(f, "ben", "anna", false), last);
}

static void a_full_disk_has_its_own_code_for_every_request_of_the_batch(void **state)
{
    struct fixture *f = *state;
    struct bad_disk disk = {0, HY_EFULL};
    uint64_t ids[10];

    store_set_fault(f->store, fault, &disk);
    for (int i = 0; i < 10; i++)
        ids[i] = fixture_say(f, (struct say){.from = "anna", .to = "ben"});
    store_turn(f->store);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fixture_result(f, ids[i]).code, HY_CODE_DISK_FULL);
    assert_int_equal(hello(f, "later").code, HY_CODE_DISK_FULL);
    store_set_fault(f->store, NULL, NULL);
    wait_open(f);
    assert_int_equal(hello(f, "later").seq, 1);
}

/* Stalls this many times. */
static enum hy_err stall(void *arg)
{
    int *times = arg;

    return (*times)-- > 0 ? HY_EBUSY : HY_OK;
}

static void a_stall_delays_and_refuses_nothing(void **state)
{
    struct fixture *f = *state;
    struct say say = {.from = "anna", .to = "ben", .hash = 1};
    uint64_t ids[3];
    int times = 2;

    assert_int_equal(hello(f, "0").seq, 1);
    store_set_fault(f->store, stall, &times);
    for (int i = 0; i < 3; i++) {
        ids[i] = fixture_say(f, say); /* the first is stalled, the others wait behind it */
        store_turn(f->store);
        if (i < 2)
            assert_false(fixture_answered(f, ids[i]));
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(fixture_result(f, ids[i]).seq, i + 2);
    assert_null(store_ready(f->store));
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 4);
}

static void an_index_that_waits_for_a_warm_conversation_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    hello(f, "1");
    f->now_ms += 10;
    hello(f, "2"); /* warm: the index learns later, or when it is read */
    fixture_restart(f);
    assert_int_equal(index_time(f, "ben"), f->now_ms);
    f->now_ms += 10;
    hello(f, "3");
    f->now_ms += 10;
    hello(f, "4");
    assert_int_equal(index_time(f, "anna"), f->now_ms);
    assert_int_equal(index_time(f, "ben"), f->now_ms);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define ONE(test) cmocka_unit_test_setup_teardown(test, setup_one, teardown_one)
    const struct CMUnitTest tests[] = {
        T(a_message_reaches_the_indexes_of_another_shard),
        T(a_lost_answer_and_a_restart_lose_and_repeat_nothing),
        T(an_old_effect_changes_nothing),
        T(requests_for_slots_of_others_are_refused),
        T(a_directory_of_another_shard_is_refused),
        ONE(an_append_is_whole_or_absent_wherever_the_disk_fails),
        ONE(a_full_disk_has_its_own_code_for_every_request_of_the_batch),
        ONE(a_stall_delays_and_refuses_nothing),
        ONE(an_index_that_waits_for_a_warm_conversation_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
