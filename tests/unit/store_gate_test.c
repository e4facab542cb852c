#include "store_replica.h"

#include "common/loop.h"
#include "store/gate.h"
#include "store_shards.h"

/* One shard whose replica is the test's; shard 0 of two where others are to be told. */

static int setup_one(void **state)
{
    *state = fixture_open(0, 1);
    return 0;
}

static int setup_first(void **state)
{
    *state = fixture_open(0, 2);
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    return 0;
}

static uint64_t said_by(struct fixture *f, const char *from, const char *to, const char *id)
{
    return fixture_say(f, (struct say){.from = from, .to = to, .id = id, .hash = 1});
}

static uint64_t ask_page(struct fixture *f, const char *user, const char *peer)
{
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
    Hy__HistoryReq inner = HY__HISTORY_REQ__INIT;

    inner.conv_type = HY__CONV_TYPE__CONV_C2C;
    inner.peer = (char *)peer;
    req.app = FIXTURE_APP;
    req.user = (char *)user;
    req.req = &inner;
    return fixture_put(f, HY__BUS_KIND__STORE_HISTORY, &req.base);
}

static uint64_t ask_index(struct fixture *f, const char *user)
{
    Hy__IndexReq req = HY__INDEX_REQ__INIT;

    req.app = FIXTURE_APP;
    req.user = (char *)user;
    return fixture_put(f, HY__BUS_KIND__STORE_INDEX, &req.base);
}

static uint64_t ask_group(struct fixture *f, const char *group)
{
    Hy__GroupReq req = HY__GROUP_REQ__INIT;

    req.app = FIXTURE_APP;
    req.group = (char *)group;
    return fixture_put(f, HY__BUS_KIND__STORE_GROUP_GET, &req.base);
}

static uint64_t ask_apps(struct fixture *f)
{
    Hy__AppsReq req = HY__APPS_REQ__INIT;

    return fixture_put(f, HY__BUS_KIND__STORE_APPS, &req.base);
}

static uint64_t change_app(struct fixture *f, uint32_t days)
{
    Hy__AppPutReq req = HY__APP_PUT_REQ__INIT;
    Hy__App app = fixture_app();

    app.retention_days = days;
    req.app = &app;
    return fixture_put(f, HY__BUS_KIND__STORE_APP_PUT, &req.base);
}

static uint64_t make_group(struct fixture *f, const char *type, const char *group)
{
    Hy__StoreGroupCreateReq req = HY__STORE_GROUP_CREATE_REQ__INIT;
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;

    info.group = (char *)group;
    info.type = (char *)type;
    info.name = (char *)"Walkers";
    info.owner = (char *)"anna";
    req.app = FIXTURE_APP;
    req.operator_id = (char *)"anna";
    req.info = &info;
    return fixture_put(f, HY__BUS_KIND__STORE_GROUP_CREATE, &req.base);
}

static uint64_t say_live(struct fixture *f, const char *id)
{
    return fixture_say(
        f, (struct say){
               .from = "anna", .to = "live", .id = id, .group = true, .admin = true, .hash = 1});
}

/* Everything that answers, one of each. */
enum { QUESTIONS = 8 };

static void ask_all(struct fixture *f, uint64_t ids[static QUESTIONS])
{
    int n = 0;

    ids[n++] = said_by(f, "anna", "ben", "q");
    ids[n++] = ask_page(f, "ben", "anna");
    ids[n++] = ask_index(f, "ben");
    ids[n++] = ask_group(f, "live");
    ids[n++] = ask_apps(f);
    ids[n++] = change_app(f, 9);
    ids[n++] = say_live(f, "q");
    ids[n++] = ask_group(f, "none"); /* that there is none is news, too */
    assert_int_equal(n, QUESTIONS);
}

static void no_answer_leaves_before_its_mark_has_passed(void **state)
{
    struct fixture *f = *state;
    uint64_t ids[QUESTIONS];

    assert_int_equal(fixture_group(f, "AVChatRoom", "live", "anna", 0, NULL), 0);
    fake_hold();
    ask_all(f, ids);
    for (int i = 0; i < 3; i++)
        store_turn(f->store);
    for (int i = 0; i < QUESTIONS; i++)
        assert_false(fixture_answered(f, ids[i]));
    fake_pass();
    for (int i = 0; i < QUESTIONS; i++)
        assert_true(fixture_answered(f, ids[i]) && !fixture_elsewhere(f, ids[i]));
    assert_int_equal(fixture_result(f, ids[0]).seq, 1);
}

/* The same of threads that read. */
static void what_threads_read_waits_for_its_mark(void **state)
{
    struct fixture *f;
    uint64_t asked;
    Hy__IndexRes *res;

    (void)state;
    assert_int_equal(hy_loop_open(&fixture_loop), HY_OK);
    fixture_readers = 2;
    f = fixture_open(0, 1);
    fake_hold();
    (void)said_by(f, "anna", "ben", "1");
    asked = ask_index(f, "ben");
    store_turn(f->store);
    for (int i = 0; i < 20; i++) { /* the thread is done by then, or the check is for nothing */
        hy_loop_turn(fixture_loop, 10);
        store_turn(f->store);
    }
    assert_false(fixture_answered(f, asked));
    fake_pass();
    while (!fixture_answered(f, asked)) {
        hy_loop_turn(fixture_loop, 10);
        store_turn(f->store);
        fake_pass();
    }
    res = fixture_take(f, asked, &hy__index_res__descriptor);
    assert_int_equal(res->n_entries, 1);
    DROP(res);
    /* A reign that ends while threads read. */
    for (int round = 0; round < 20; round++) {
        uint64_t ids[8];

        for (int i = 0; i < 8; i++)
            ids[i] = ask_index(f, i % 2 == 0 ? "ben" : "anna");
        store_turn(f->store);
        if (round % 2 == 0)
            hy_loop_turn(fixture_loop, 1);
        fake_follow("store-0b");
        for (int i = 0; i < 8; i++)
            assert_true(fixture_elsewhere(f, ids[i]));
        fake_lead();
        hy_loop_turn(fixture_loop, 1);
    }
    fixture_close(f);
    hy_loop_close(&fixture_loop);
    fixture_readers = 0;
}

static void answers_leave_in_the_order_of_their_marks(void **state)
{
    enum { ROUNDS = 20 };
    struct fixture *f = *state;
    uint64_t ids[ROUNDS][2], order = 0;
    char id[16];

    fake_hold();
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(id, sizeof id, "%d", i);
        ids[i][0] = said_by(f, i % 2 == 0 ? "anna" : "ben", "cleo", id);
        ids[i][1] = ask_page(f, "cleo", "anna");
        store_turn(f->store);
        if (i == ROUNDS / 2) {
            fake_pass();
            assert_true(fixture_answered(f, ids[i][1]));
        }
    }
    assert_false(fixture_answered(f, ids[ROUNDS / 2 + 1][0]));
    fake_pass();
    for (int i = 0; i < ROUNDS; i++)
        for (int k = 0; k < 2; k++) {
            const struct fixture_answer *a = &f->answers[ids[i][k]];

            assert_true(a->there && a->order > order);
            order = a->order;
        }
}

static void effects_leave_when_they_have_passed(void **state)
{
    struct fixture *f = *state;
    char a[32], b[32];
    uint64_t asked;

    strangers(a, b);
    fake_hold();
    asked = said_by(f, a, b, "1");
    assert_false(wait_to_send(f));
    fake_pass(); /* the batch and the question; the answer waits for the other shard */
    assert_true(f->sending);
    assert_false(fixture_answered(f, asked));
    store_effects_answered(f->store, 1, f->send_token, true);
    assert_int_equal(fixture_result(f, asked).seq, 1);
}

/* ---- a reign ends ---- */

static void who_waits_when_a_reign_ends_is_sent_to_the_next_leader(void **state)
{
    struct fixture *f = *state;
    uint64_t ids[2][QUESTIONS], late[QUESTIONS];

    assert_int_equal(fixture_group(f, "AVChatRoom", "live", "anna", 0, NULL), 0);
    fake_hold();
    ask_all(f, ids[0]);
    store_turn(f->store); /* decided and read, not passed */
    ask_all(f, ids[1]);   /* some decided, some gathered */
    fake_follow("store-0b");
    ask_all(f, late);
    for (int i = 0; i < QUESTIONS; i++)
        assert_true(fixture_elsewhere(f, ids[0][i]) && fixture_elsewhere(f, ids[1][i]) &&
                    fixture_elsewhere(f, late[i]));
    for (int i = 0; i < QUESTIONS; i++) {
        const struct fixture_answer *answer = &f->answers[late[i]];
        Hy__Elsewhere *e = hy__elsewhere__unpack(NULL, answer->len, answer->data);

        assert_string_equal(e->leader, "store-0b");
        assert_int_equal(e->epoch, 1);
        assert_int_equal(e->map_epoch, 1);
        DROP(e);
        f->answers[late[i]].there = f->answers[ids[0][i]].there = f->answers[ids[1][i]].there =
            false;
    }
    /* Nothing comes out later, whatever the replica says. */
    fake->passed = fake->mark;
    fake->events.passed(fake->ctx, fake->mark);
    for (int i = 0; i < 3; i++) {
        store_turn(f->store);
        store_tick(f->store);
    }
    fake_lead();
    store_turn(f->store);
    fake_pass();
    for (int i = 0; i < QUESTIONS; i++)
        assert_false(fixture_answered(f, ids[0][i]) || fixture_answered(f, ids[1][i]) ||
                     fixture_answered(f, late[i]));
    assert_null(store_ready(f->store));
}

static void an_effect_that_had_not_passed_is_not_sent_after_the_reign(void **state)
{
    struct fixture *f = *state;
    char a[32], b[32];
    uint64_t token;

    strangers(a, b);
    fake_hold();
    (void)said_by(f, a, b, "1");
    assert_false(wait_to_send(f));
    fake_follow("");
    fake->events.passed(fake->ctx, ++fake->mark);
    assert_false(wait_to_send(f));
    /* The row is there when it leads again, and is told anew. */
    fake_lead();
    assert_false(wait_to_send(f));
    fake_pass();
    assert_true(f->sending);
    token = f->send_token;
    f->sending = false;
    store_effects_answered(f->store, 1, token - 1, true); /* of the first reign: says nothing */
    fake_follow("");
    fake_lead();
    store_effects_answered(f->store, 1, token, true); /* of the one before: neither */
    assert_false(wait_to_send(f));
    fake_pass();
    assert_true(f->sending);
}

static void what_has_passed_and_waits_for_another_shard_is_said_at_the_end(void **state)
{
    struct fixture *f = *state;
    char a[32], b[32];
    uint64_t asked;

    strangers(a, b);
    fake_hold();
    asked = said_by(f, a, b, "1");
    store_turn(f->store);
    fake_pass();
    assert_false(fixture_answered(f, asked));
    fake_follow("store-0b");
    assert_int_equal(fixture_result(f, asked).seq, 1);
}

static enum hy_err broken_disk(void *arg)
{
    (void)arg;
    return HY_EIO;
}

/* Others may lead: nobody is refused for one disk. */
static void who_waits_when_a_write_fails_is_sent_away(void **state)
{
    struct fixture *f = *state;
    uint64_t before, with, after, page;

    fake_hold();
    before = said_by(f, "anna", "ben", "1");
    store_turn(f->store);
    store_set_fault(f->store, broken_disk, NULL);
    with = said_by(f, "anna", "ben", "2");
    store_turn(f->store);
    assert_true(fixture_elsewhere(f, with));
    assert_false(fixture_answered(f, before)); /* it may pass yet */
    after = said_by(f, "anna", "ben", "3");
    page = ask_page(f, "ben", "anna");
    assert_true(fixture_elsewhere(f, after) && fixture_elsewhere(f, page));
    assert_non_null(store_ready(f->store));
    store_set_fault(f->store, NULL, NULL);
    fake_follow("store-0b");
    assert_true(fixture_elsewhere(f, before));
    assert_non_null(store_ready(f->store)); /* it is not known to stream yet */
    store_tick(f->store);
    assert_null(store_ready(f->store));
    fake->held = false;
    fake_lead();
    assert_int_equal(fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "2"}).seq, 2);
}

/* ---- what had not passed is lost ---- */

static uint64_t last_seq(struct fixture *f, const char *user, const char *peer)
{
    Hy__HistoryRes *page = fixture_page(f, (struct page){.user = user, .peer = peer});
    uint64_t last = page->last_seq;

    assert_int_equal(page->n_msgs, last);
    DROP(page);
    return last;
}

static void a_lost_tail_leaves_messages_counted_and_known_once(void **state)
{
    struct fixture *f = *state;

    for (int i = 1; i <= 3; i++) {
        char id[16];

        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(fixture_result(f, (store_turn(f->store), said_by(f, "anna", "ben", id),
                                            store_turn(f->store), f->next_id - 1))
                             .seq,
                         i);
    }
    fake_hold();
    for (int i = 4; i <= 6; i++) {
        char id[16];

        snprintf(id, sizeof id, "%d", i);
        (void)said_by(f, "anna", "ben", id);
        (void)said_by(f, "dora", "emil", id); /* a conversation of its own, all in the tail */
        store_turn(f->store);
    }
    (void)said_by(f, "anna", "ben", "7"); /* not even written */
    fake_lose_tail();
    fake->held = false;
    assert_int_equal(last_seq(f, "ben", "anna"), 3);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 3);
    assert_int_equal(
        fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "5", .hash = 1}).seq, 4);
    struct said again =
        fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "3", .hash = 1});
    assert_true(again.duplicate);
    assert_int_equal(again.seq, 3);
    again = fixture_said(f, (struct say){.from = "anna", .to = "ben", .id = "5", .hash = 1});
    assert_true(again.duplicate);
    assert_int_equal(again.seq, 4);
    assert_int_equal(fixture_unread(f, "ben", "anna", false), 4);
    assert_int_equal(last_seq(f, "ben", "anna"), 4);
    assert_int_equal(
        fixture_said(f, (struct say){.from = "dora", .to = "emil", .id = "6", .hash = 1}).seq, 1);
    assert_int_equal(last_seq(f, "emil", "dora"), 1);
    assert_int_equal(fixture_index_time(f, "emil"), f->now_ms);
}

static uint32_t groups(struct fixture *f, const char *type)
{
    Hy__GroupScanReq req = HY__GROUP_SCAN_REQ__INIT;
    Hy__GroupScanRes *res;
    uint32_t n;

    req.app = FIXTURE_APP;
    req.type = (char *)type;
    req.limit = 10;
    res = ASK(f, GROUP_SCAN, req, Hy__GroupScanRes, hy__group_scan_res);
    n = (uint32_t)res->n_groups;
    DROP(res);
    return n;
}

static void a_lost_tail_leaves_groups_rooms_and_apps_as_they_were(void **state)
{
    struct fixture *f = *state;
    Hy__App app = fixture_app();
    Hy__AppsRes *apps;
    uint64_t version, asked;
    struct said said;

    app.max_groups = 3;
    assert_int_equal(fixture_app_put(f, &app), 0);
    apps = fixture_take(f, (asked = ask_apps(f), store_turn(f->store), asked),
                        &hy__apps_res__descriptor);
    version = apps->version;
    DROP(apps);
    assert_int_equal(fixture_group(f, "AVChatRoom", "live", "anna", 0, NULL), 0);
    fake_hold();
    (void)make_group(f, "Public", "lost1");
    (void)make_group(f, "Public", "lost2");
    (void)change_app(f, 30);
    store_turn(f->store);
    (void)say_live(f, "1");
    (void)say_live(f, "2");
    store_turn(f->store);
    fake_lose_tail();
    fake->held = false;
    apps = fixture_take(f, (asked = ask_apps(f), store_turn(f->store), asked),
                        &hy__apps_res__descriptor);
    assert_int_equal(apps->version, version);
    assert_int_equal(apps->apps[0]->retention_days, 7);
    DROP(apps);
    assert_int_equal(groups(f, "Public"), 0);
    /* The counts are those of the rows: there is room for two more, and no third. */
    assert_int_equal(fixture_group(f, "Public", "a", "anna", 0, NULL), 0);
    assert_int_equal(fixture_group(f, "Public", "b", "anna", 0, NULL), 0);
    assert_int_not_equal(fixture_group(f, "Public", "c", "anna", 0, NULL), 0);
    /* What live rooms remember is of the reign. */
    asked = say_live(f, "2");
    store_turn(f->store);
    said = fixture_result(f, asked);
    assert_false(said.duplicate);
    assert_int_equal(said.code, 0);
    asked = say_live(f, "1");
    store_turn(f->store);
    assert_int_equal(fixture_result(f, asked).seq, said.seq + 1);
}

static void a_lost_tail_leaves_the_outbox_as_it_was(void **state)
{
    struct fixture *f = *state;
    char a[32], b[32], c[32];
    Hy__EffectsReq *sent;

    strangers(a, b);
    snprintf(c, sizeof c, "%s", a);
    for (int i = 0; hy_slot_shard(hy_slot_user(FIXTURE_APP, c), 2) != 1 || strcmp(c, a) == 0 ||
                    hy_slot_shard(hy_slot_pair(FIXTURE_APP, b, c), 2) != 0;
         i++)
        snprintf(c, sizeof c, "cleo%d", i);
    (void)said_by(f, a, b, "1");
    store_turn(f->store);
    fake_hold();
    (void)said_by(f, c, b, "1");
    store_turn(f->store);
    f->sending = false;
    fake_lose_tail();
    fake->held = false;
    assert_true(wait_to_send(f)); /* of the first pair, and of it alone */
    sent = hy__effects_req__unpack(NULL, f->send_len, f->send_data);
    assert_int_equal(sent->n_effects, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_not_equal(sent->effects[i]->user, c);
    DROP(sent);
    store_effects_answered(f->store, 1, f->send_token, true);
    f->sending = false;
    assert_false(wait_to_send(f));
}

static size_t log_rows(void)
{
    struct key first = {.len = 0}, end = {.len = 2, .bytes = {0xFF, 0xFF}};
    struct db_scan *scan;
    size_t n = 0;

    assert_int_equal(db_scan_open(fake->db, FAMILY_LOG, &first, &end, true, &scan), HY_OK);
    for (bool there = db_scan_seek(scan, NULL); there; there = db_scan_next(scan))
        n++;
    db_scan_close(&scan);
    return n;
}

enum {
    MINUTE_MS = 60 * 1000,
    DAY_MS = 24 * 60 * MINUTE_MS
}; /* the app keeps messages for 7 days */

/* A message, and a leader elsewhere, for so long. */
static void follow_for(struct fixture *f, uint64_t ms)
{
    Hy__App app = fixture_app();

    assert_int_equal(fixture_app_put(f, &app), 0);
    (void)said_by(f, "anna", "ben", "1");
    store_turn(f->store);
    fake_follow("store-0b");
    f->now_ms += ms;
}

/* How many messages compaction leaves, when the follower has looked twice. */
static size_t left_after_looks(struct fixture *f)
{
    store_tick(f->store);
    store_tick(f->store);
    db_compact(fake->db);
    return log_rows();
}

static void a_copy_that_follows_expires_what_its_leader_would(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 8ULL * DAY_MS);
    fake->commit = db_latest(fake->db);
    assert_int_equal(left_after_looks(f), 0);
}

/* How long the app keeps messages may have changed since it led. */
static void a_copy_that_follows_expires_nothing_by_what_it_knew_as_leader(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 8ULL * DAY_MS);
    db_compact(fake->db);
    assert_int_equal(log_rows(), 1);
    fake_lead();
    (void)said_by(f, "anna", "ben", "2"); /* so that there is something to compact */
    store_turn(f->store);
    db_compact(fake->db);
    assert_int_equal(log_rows(), 1);
}

/* Its leader may not have said yet that the app keeps them longer. */
static void a_copy_that_follows_is_an_hour_late(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 7ULL * DAY_MS + 59 * MINUTE_MS);
    fake->commit = db_latest(fake->db);
    assert_int_equal(left_after_looks(f), 1);
}

static void settings_that_are_not_committed_expire_nothing(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 8ULL * DAY_MS);
    fake->commit = db_latest(fake->db) - 1;
    assert_int_equal(left_after_looks(f), 1);
}

static void settings_of_another_reign_expire_nothing(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 8ULL * DAY_MS);
    store_tick(f->store); /* read, and not known to be committed */
    fake->epoch++;
    fake->commit = db_latest(fake->db);
    store_tick(f->store);
    db_compact(fake->db);
    assert_int_equal(log_rows(), 1);
}

/* Rows are missing here: those that the app's settings may have changed by, too. */
static void a_copy_that_lags_expires_nothing(void **state)
{
    struct fixture *f = *state;

    follow_for(f, 8ULL * DAY_MS);
    fake->commit = db_latest(fake->db) + 1;
    assert_int_equal(left_after_looks(f), 1);
}

/* ---- how far the writer goes ahead ---- */

static void the_writer_goes_on_until_too_much_waits_for_others(void **state)
{
    enum { MORE = 10, MOST = 20000 };
    struct fixture *f = *state;
    uint64_t ids[GATE_BATCHES + MORE], busy = 0, page;

    fake_hold();
    for (int i = 0; i < GATE_BATCHES + MORE; i++) {
        char id[16];

        snprintf(id, sizeof id, "%d", i);
        ids[i] = said_by(f, "anna", "ben", id);
        store_turn(f->store);
        assert_false(fixture_answered(f, ids[i]));
    }
    page = ask_page(f, "ben", "anna");
    fake_pass(); /* what was decided is said, the others are decided */
    assert_int_equal(fixture_result(f, ids[GATE_BATCHES - 1]).seq, GATE_BATCHES);
    assert_false(fixture_answered(f, ids[GATE_BATCHES]));
    store_turn(f->store);
    fake_pass();
    store_turn(f->store);
    fake_pass();
    for (int i = 0; i < GATE_BATCHES + MORE; i++)
        assert_int_equal(fixture_result(f, ids[i]).seq, i + 1);
    DROP((Hy__HistoryRes *)fixture_take(f, page, &hy__history_res__descriptor));
    /* Until there is no room for more that wait. */
    for (int i = 0; i < GATE_BATCHES; i++) {
        (void)said_by(f, "anna", "ben", NULL);
        store_turn(f->store);
    }
    for (int i = 0; i < MOST + MORE; i++) {
        uint64_t asked = said_by(f, "anna", "ben", NULL);

        if (fixture_answered(f, asked)) {
            assert_int_equal(fixture_result(f, asked).code, HY_CODE_BUSY);
            busy++;
        }
    }
    assert_int_equal(busy, MORE);
}

/* ---- slots change owners ---- */

static void a_new_map_moves_requests_and_effects_to_the_new_owner(void **state)
{
    struct fixture *f = *state;
    static struct hy_shardmap map;
    char a[32], b[32];
    uint64_t asked;
    uint32_t token;

    strangers(a, b);
    f->map_changes = true;
    fixture_restart(f);
    (void)said_by(f, a, b, "1");
    assert_true(wait_to_send(f));
    assert_int_equal(f->send_shard, 1);
    token = (uint32_t)f->send_token;
    f->sending = false;
    hy_shardmap_even(&map, 2);
    map.epoch = 2;
    map.shards = 3;
    for (uint32_t slot = 0; slot < HY_SLOTS; slot++)
        if (map.owner[slot] == 1)
            map.owner[slot] = 2;
    assert_int_equal(store_map(f->store, &map), HY_OK);
    assert_true(wait_to_send(f));
    assert_int_equal(f->send_shard, 2);
    store_effects_answered(f->store, 1, token, true); /* the old owner's answer says nothing */
    store_effects_answered(f->store, 2, f->send_token, true);
    f->sending = false;
    assert_false(wait_to_send(f));
    /* The pair's slot goes, too. */
    map.epoch = 3;
    map.owner[hy_slot_pair(FIXTURE_APP, a, b)] = 2;
    assert_int_equal(store_map(f->store, &map), HY_OK);
    store_turn(f->store);
    asked = said_by(f, a, b, "2");
    store_turn(f->store);
    assert_true(fixture_elsewhere(f, asked));
    asked = ask_page(f, a, b);
    store_turn(f->store);
    assert_true(fixture_elsewhere(f, asked));
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, setup_one, teardown)
#define FIRST(test) cmocka_unit_test_setup_teardown(test, setup_first, teardown)
    const struct CMUnitTest tests[] = {
        ONE(no_answer_leaves_before_its_mark_has_passed),
        cmocka_unit_test(what_threads_read_waits_for_its_mark),
        ONE(answers_leave_in_the_order_of_their_marks),
        FIRST(effects_leave_when_they_have_passed),
        ONE(who_waits_when_a_reign_ends_is_sent_to_the_next_leader),
        ONE(who_waits_when_a_write_fails_is_sent_away),
        FIRST(an_effect_that_had_not_passed_is_not_sent_after_the_reign),
        FIRST(what_has_passed_and_waits_for_another_shard_is_said_at_the_end),
        ONE(a_lost_tail_leaves_messages_counted_and_known_once),
        ONE(a_lost_tail_leaves_groups_rooms_and_apps_as_they_were),
        FIRST(a_lost_tail_leaves_the_outbox_as_it_was),
        ONE(a_copy_that_follows_expires_what_its_leader_would),
        ONE(a_copy_that_follows_expires_nothing_by_what_it_knew_as_leader),
        ONE(a_copy_that_follows_is_an_hour_late),
        ONE(settings_that_are_not_committed_expire_nothing),
        ONE(settings_of_another_reign_expire_nothing),
        ONE(a_copy_that_lags_expires_nothing),
        ONE(the_writer_goes_on_until_too_much_waits_for_others),
        FIRST(a_new_map_moves_requests_and_effects_to_the_new_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
