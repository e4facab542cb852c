/* A run of slots goes from one shard to another, in one process; the test is the bus between them.
 */

#include "store_shards.h"

#include "common/coord.h"
#include "common/loop.h"
#include "common/moves.h"

static char store_0[] = "store-0=ipc:///tmp/0", store_1[] = "store-1=ipc:///tmp/1";
static char cluster[] = "test", *both[] = {store_0, store_1};
static struct hy_common_settings settings = {.cluster_id = cluster, .stores = {both, 2}};

static struct world {
    struct hy_loop *loop;
    struct hy_coord *coord;
    struct shards *p;
    uint16_t slot; /* of the pair that the tests talk about */
    char a[32], b[32];
    uint64_t parts, waits; /* that were delivered; that were to come again */
    bool deaf;             /* the last part of a run is not delivered */
    bool silent;           /* nobody tells a shard of the apps */
} w;

static void on_value(void *ctx, const struct hy_coord_value *value)
{
    static struct hy_shardmap map;
    char why[128];

    (void)ctx;
    for (int i = 0; i < 2; i++) {
        if (w.p->shard[i]->store == NULL)
            continue;
        store_coordinated(w.p->shard[i]->store, value);
        if (strcmp(value->key, "map") != 0 || value->text == NULL)
            continue;
        assert_int_equal(hy_shardmap_parse(value->text, &map, why), HY_OK);
        assert_int_equal(store_map(w.p->shard[i]->store, &map), HY_OK);
    }
}

static struct fixture *open_shard(uint32_t shard)
{
    struct fixture *f = fixture_open(shard, 2);
    char command[128];

    f->map_changes = true; /* from the beginning */
    store_close(&f->store);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    fixture_start(f);
    return f;
}

static int setup(void **state)
{
    static const struct hy_coord_handler handler = {.changed = on_value};
    char why[256];

    memset(&w, 0, sizeof w);
    w.p = calloc(1, sizeof *w.p);
    assert_int_equal(hy_loop_open(&w.loop), HY_OK);
    assert_int_equal(hy_coord_open(w.loop, &settings, 0, "", &handler, NULL, &w.coord, why), HY_OK);
    fixture_coord = w.coord;
    for (uint32_t i = 0; i < 2; i++)
        w.p->shard[i] = open_shard(i);
    strangers(w.a, w.b);
    w.slot = hy_slot_pair(FIXTURE_APP, w.a, w.b);
    *state = w.p;
    return 0;
}

static int teardown(void **state)
{
    (void)shards_teardown(state);
    fixture_coord = NULL;
    hy_coord_close(&w.coord);
    hy_loop_close(&w.loop);
    return 0;
}

/* ---- going on ---- */

static void deliver_effects(struct fixture *from)
{
    struct fixture *to = w.p->shard[from->send_shard];
    struct request req = {.kind = HY__BUS_KIND__STORE_EFFECTS,
                          .payload = from->send_data,
                          .len = from->send_len,
                          .reply = {.id = to->next_id++, .kind = HY__BUS_KIND__STORE_EFFECTS}};

    from->sending = false;
    to->answers[req.reply.id % FIXTURE_ANSWERS].there = false;
    store_handle(to->store, &req);
    store_turn(to->store);
    if (fixture_answered(to, req.reply.id))
        store_effects_answered(from->store, from->send_shard, from->send_token,
                               !fixture_elsewhere(to, req.reply.id));
}

static void deliver_part(struct fixture *from)
{
    struct fixture *to = w.p->shard[from->move_shard];
    struct fixture_answer *a;
    struct request req = {.kind = from->move_kind,
                          .payload = from->move_data,
                          .len = from->move_len,
                          .reply = {.id = to->next_id++, .kind = from->move_kind}};

    a = &to->answers[req.reply.id % FIXTURE_ANSWERS];
    a->there = false;
    store_handle(to->store, &req);
    store_turn(to->store);
    assert_true(a->there);
    if (a->kind == HY__BUS_KIND__STORE_ELSEWHERE) {
        w.waits++; /* asked again */
        return;
    }
    from->moving = false;
    w.parts++;
    store_move_answered(from->store, from->move_token, HY_OK, a->data, a->len);
}

/* That there is none, as the owner of the list says it. */
static void tell_apps(struct fixture *f)
{
    static const Hy__AppsRes res = HY__APPS_RES__INIT;
    uint8_t bytes[16];

    store_apps_learned(f->store, bytes, hy__apps_res__pack(&res, bytes));
}

static void go_on(void)
{
    hy_loop_turn(w.loop, 1);
    for (int i = 0; i < 2; i++) {
        struct fixture *f = w.p->shard[i];

        if (!w.silent)
            tell_apps(f);
        store_turn(f->store);
        if (f->sending)
            deliver_effects(f);
        if (f->moving && !(w.deaf && f->move_kind == HY__BUS_KIND__STORE_MOVE_END))
            deliver_part(f);
    }
}

static void nothing(void *arg, enum hy_err err, uint64_t revision)
{
    (void)revision;
    *(bool *)arg = true;
    assert_int_equal(err, HY_OK);
}

static void put(const char *key, const char *text)
{
    bool done = false;
    struct hy_coord_put put = {.key = key, .text = text};

    hy_coord_change(w.coord, &(struct hy_coord_change){.puts = &put, .put_count = 1}, nothing,
                    &done);
    while (!done)
        hy_loop_turn(w.loop, 1);
}

static void plan(uint32_t id, uint16_t first, uint16_t last, uint32_t from, uint32_t to)
{
    struct hy_move move = {.id = id, .first = first, .last = last, .from = from, .to = to};
    struct hy_rebalance rebalance = {.id = id, .first_move = id, .moves = 1};
    char key[HY_MOVE_KEY_MAX], *text = hy_move_print(&move);

    hy_move_key(id, key);
    put(key, text);
    free(text);
    text = hy_rebalance_print(&rebalance);
    put(HY_REBALANCE_KEY, text);
    free(text);
}

static struct hy_move move_now(uint32_t id)
{
    char key[HY_MOVE_KEY_MAX];
    struct hy_coord_value value;
    struct hy_move move;

    hy_move_key(id, key);
    assert_true(hy_coord_get(w.coord, key, &value));
    assert_int_equal(hy_move_parse(value.text, &move), HY_OK);
    return move;
}

static void until(uint32_t id, enum hy_move_state state)
{
    uint64_t began = hy_steady_ms();

    while (move_now(id).state != state && hy_steady_ms() < began + 5000)
        go_on();
    assert_int_equal(move_now(id).state, state);
}

/* A bit more, so that all know. */
static void settle(void)
{
    for (int i = 0; i < 20; i++)
        go_on();
}

/* The sequence that the message gets, from whichever shard serves it. */
static struct said say_there(uint32_t shard, const char *id)
{
    struct fixture *f = w.p->shard[shard];
    uint64_t asked = fixture_say(f, (struct say){.from = w.a, .to = w.b, .id = id}),
             began = hy_steady_ms();

    while (!fixture_answered(f, asked) && hy_steady_ms() < began + 5000)
        go_on();
    assert_true(fixture_answered(f, asked) && !fixture_elsewhere(f, asked));
    return fixture_result(f, asked);
}

static bool is_elsewhere(uint32_t shard)
{
    uint64_t asked =
        fixture_say(w.p->shard[shard], (struct say){.from = w.a, .to = w.b, .id = "nowhere"});

    store_turn(w.p->shard[shard]->store);
    return fixture_elsewhere(w.p->shard[shard], asked);
}

/* Messages of the pair, from the first. */
static size_t history(uint32_t shard, uint64_t *first)
{
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
    Hy__HistoryReq page = HY__HISTORY_REQ__INIT;
    Hy__HistoryRes *res;
    size_t count;

    page.conv_type = HY__CONV_TYPE__CONV_C2C;
    page.peer = w.b;
    page.count = 100;
    req.app = FIXTURE_APP;
    req.user = w.a;
    req.req = &page;
    res = ASK(w.p->shard[shard], HISTORY, req, Hy__HistoryRes, hy__history_res);
    assert_int_equal(res->code, 0);
    count = res->n_msgs;
    for (size_t i = 1; i < count; i++)
        assert_int_equal(llabs((long long)(res->msgs[i]->seq - res->msgs[i - 1]->seq)), 1);
    *first = count == 0                                      ? 0
             : res->msgs[count - 1]->seq < res->msgs[0]->seq ? res->msgs[count - 1]->seq
                                                             : res->msgs[0]->seq;
    DROP(res);
    return count;
}

/* ---- tests ---- */

static void a_run_moves_with_all_that_was_said(void **state)
{
    uint64_t first;
    char id[16];

    (void)state;
    for (int i = 1; i <= 10; i++) {
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(say_there(0, id).seq, i);
    }
    plan(1, w.slot, w.slot, 0, 1);
    until(1, HY_MOVE_COPYING);
    assert_int_equal(say_there(0, "11").seq, 11); /* it is served all the while */
    until(1, HY_MOVE_DONE);
    settle();
    assert_true(is_elsewhere(0));
    assert_int_equal(history(1, &first), 11);
    assert_int_equal(first, 1);
    assert_true(say_there(1, "11").duplicate); /* what was said is known there */
    assert_int_equal(say_there(1, "11").seq, 11);
    assert_int_equal(say_there(1, "12").seq, 12);
}

/* It would serve by the settings of an app that it does not know. */
static void a_shard_that_has_not_heard_of_the_apps_takes_nothing(void **state)
{
    (void)state;
    w.silent = true;
    plan(1, HY_SLOTS - 1, HY_SLOTS - 1, 1, 0); /* shard 1 keeps the list of apps */
    until(1, HY_MOVE_COPYING);
    for (int i = 0; i < 1000 && w.waits < 10; i++)
        go_on();
    assert_true(w.parts == 0 && w.waits > 0);
    w.silent = false;
    until(1, HY_MOVE_DONE);
}

static void a_run_comes_back_as_it_was(void **state)
{
    uint64_t first;

    (void)state;
    assert_int_equal(say_there(0, "1").seq, 1);
    plan(1, w.slot, w.slot, 0, 1);
    until(1, HY_MOVE_DONE);
    settle();
    assert_int_equal(say_there(1, "2").seq, 2);
    plan(2, w.slot, w.slot, 1, 0);
    until(2, HY_MOVE_DONE);
    settle();
    assert_true(is_elsewhere(1));
    assert_int_equal(say_there(0, "3").seq, 3);
    assert_int_equal(history(0, &first), 3);
}

static void a_frozen_run_lets_requests_wait_and_not_for_long(void **state)
{
    uint64_t asked, began;
    struct fixture *f = w.p->shard[0];

    (void)state;
    assert_int_equal(say_there(0, "1").seq, 1);
    w.deaf = true;
    plan(1, w.slot, w.slot, 0, 1);
    until(1, HY_MOVE_FROZEN);
    began = hy_steady_ms();
    while (!is_elsewhere(1)) /* it is not the target's yet */
        go_on();
    asked = fixture_say(f, (struct say){.from = w.a, .to = w.b, .id = "2"});
    go_on();
    while (!fixture_answered(f, asked) && hy_steady_ms() < began + 2000)
        go_on();
    assert_true(fixture_elsewhere(f, asked)); /* who asks tries again */
    w.deaf = false;
    until(1, HY_MOVE_DONE);
    settle();
    assert_int_equal(say_there(1, "2").seq, 2);
}

static void a_source_that_restarts_copies_again(void **state)
{
    uint64_t first;

    (void)state;
    assert_int_equal(say_there(0, "1").seq, 1);
    w.deaf = true;
    plan(1, w.slot, w.slot, 0, 1);
    until(1, HY_MOVE_FROZEN);
    for (int i = 0; i < 5; i++)
        go_on();
    fixture_restart(w.p->shard[0]); /* it finds its frozen row */
    w.p->shard[0]->moving = false;
    w.deaf = false;
    until(1, HY_MOVE_DONE);
    settle();
    assert_true(move_now(1).attempt > 1);
    assert_true(is_elsewhere(0));
    assert_int_equal(say_there(1, "2").seq, 2);
    assert_int_equal(history(1, &first), 2);
}

static void a_move_that_is_cancelled_leaves_nothing(void **state)
{
    struct hy_move move;
    char key[HY_MOVE_KEY_MAX], *text;
    uint64_t first;

    (void)state;
    assert_int_equal(say_there(0, "1").seq, 1);
    w.deaf = true;
    plan(1, w.slot, w.slot, 0, 1);
    until(1, HY_MOVE_FROZEN);
    for (int i = 0; i < 5; i++)
        go_on();
    move = move_now(1);
    move.state = HY_MOVE_CANCELLED;
    text = hy_move_print(&move);
    hy_move_key(1, key);
    put(key, text);
    free(text);
    w.deaf = false;
    settle();
    assert_int_equal(say_there(0, "2").seq, 2); /* as if nothing had been */
    assert_true(is_elsewhere(1));
    assert_int_equal(history(0, &first), 2);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_run_moves_with_all_that_was_said),
        T(a_shard_that_has_not_heard_of_the_apps_takes_nothing),
        T(a_run_comes_back_as_it_was),
        T(a_frozen_run_lets_requests_wait_and_not_for_long),
        T(a_source_that_restarts_copies_again),
        T(a_move_that_is_cancelled_leaves_nothing),
    };

    return cmocka_run_group_tests_name("store_moves", tests, NULL, NULL);
}
