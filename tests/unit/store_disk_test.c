#include "store_fixture.h"

#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "store/disk.h"

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

/* What was decided may be on the disk after all; what comes then surely is not. */
static void what_a_full_disk_did_not_take_is_not_known_and_what_comes_then_is_refused(void **state)
{
    struct fixture *f = *state;
    struct bad_disk disk = {0, HY_EFULL};
    uint64_t ids[10];

    store_set_fault(f->store, fault, &disk);
    for (int i = 0; i < 10; i++)
        ids[i] = fixture_say(f, (struct say){.from = "anna", .to = "ben"});
    store_turn(f->store);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fixture_result(f, ids[i]).code, HY_CODE_UNAVAILABLE);
    assert_int_equal(hello(f, "later").code, HY_CODE_DISK_FULL);
    store_set_fault(f->store, NULL, NULL);
    wait_open(f);
    assert_int_equal(hello(f, "later").seq, 1);
}

static void what_was_kept_is_told_again_though_the_disk_is_full(void **state)
{
    struct fixture *f = *state;
    struct say new_pair = {.from = "anna", .to = "carl", .id = "3", .hash = 1};

    assert_int_equal(hello(f, "1").seq, 1);
    f->reserve_bytes = UINT64_MAX / 4;
    fixture_restart(f);
    store_tick(f->store);
    assert_non_null(store_ready(f->store));
    assert_int_equal(hello(f, "1").code, 0);
    assert_int_equal(hello(f, "1").seq, 1);
    assert_int_equal(hello(f, "2").code, HY_CODE_DISK_FULL);
    assert_int_equal(fixture_said(f, new_pair).code, HY_CODE_DISK_FULL);
    f->reserve_bytes = 0;
    fixture_restart(f);
    assert_int_equal(hello(f, "2").seq, 2);
    assert_int_equal(fixture_said(f, new_pair).seq, 1);
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

/* ---- room to merge files ---- */

enum { TIER_ROWS = 400, TIER_ROW_BYTES = 4096 };

/* A file of messages, which nothing makes smaller. */
static void put_file(struct db *db, uint64_t first, unsigned rows)
{
    struct key_home home = {7, FIXTURE_APP};
    struct db_batch *batch;
    uint64_t noise[TIER_ROW_BYTES / sizeof(uint64_t)];
    char why[256];

    assert_int_equal(db_batch_open(db, &batch), HY_OK);
    for (unsigned i = 0; i < rows; i++) {
        struct key key;

        for (size_t k = 0; k < sizeof noise / sizeof *noise; k++)
            noise[k] = hy_random64();
        key_log(&key, home, KEY_LOG_C2C, 1, first + i);
        db_batch_put(batch, FAMILY_LOG, &key, noise, sizeof noise);
    }
    assert_int_equal(db_write(db, batch), HY_OK);
    db_batch_close(&batch);
    assert_int_equal(db_flush(db, why), HY_OK);
}

static uint64_t files(struct db *db)
{
    return db_property(db, "rocksdb.num-files-at-level0");
}

static void wait_for_files(struct db *db, uint64_t most)
{
    const struct timespec moment = {0, 5000000};
    uint64_t until = hy_steady_ms() + 10000;

    while (files(db) > most && hy_steady_ms() < until)
        nanosleep(&moment, NULL);
    assert_true(files(db) <= most);
}

static void files_are_merged_when_there_is_room_for_a_second_copy(void **state)
{
    enum { FILES = 12, MB = 1 << 20 };
    struct fixture *f = *state;
    char dir[300], why[256];
    struct db_config config = {
        .dir = dir, .block_cache_bytes = 8 << 20, .write_buffer_bytes = 16 << 20};
    struct db *db;

    snprintf(dir, sizeof dir, "%s/tiers", f->dir);
    assert_int_equal(db_open(&config, &db, why), HY_OK);
    for (uint64_t i = 0; i < FILES; i++)
        put_file(db, 1 + i * TIER_ROWS, TIER_ROWS);
    assert_int_equal(db_room(db, 2 * MB), DB_ROOM_NONE);
    put_file(db, 100000, 1);
    assert_int_equal(files(db), FILES + 1);
    assert_int_equal(db_room(db, 1000 * MB), DB_ROOM_WHOLE);
    wait_for_files(db, FILES / 2);
    /* One old tier of 19 MB, and young ones, for which there is room. */
    db_compact(db);
    put_file(db, 200000, 1);
    assert_int_equal(db_room(db, 8 * MB), DB_ROOM_FRESH);
    for (uint64_t i = 0; i < FILES; i++)
        put_file(db, 200001 + i, 1);
    wait_for_files(db, FILES / 2);
    /* Without room nothing begins. */
    assert_int_equal(db_room(db, 0), DB_ROOM_NONE);
    db_close(&db);
}

static void a_database_goes_from_tiers_to_levels_and_back(void **state)
{
    enum { FILES = 6 };
    struct fixture *f = *state;
    struct key_home home = {7, FIXTURE_APP};
    char dir[300], why[256];
    struct db_config config = {
        .dir = dir, .block_cache_bytes = 8 << 20, .write_buffer_bytes = 4 << 20};
    uint64_t rows = 0;
    struct db *db;

    snprintf(dir, sizeof dir, "%s/both", f->dir);
    for (int turn = 0; turn < 4; turn++) {
        config.levels = turn % 2 == 1;
        assert_int_equal(db_open(&config, &db, why), HY_OK);
        for (int i = 0; i < FILES; i++, rows += 10)
            put_file(db, rows + 1, 10);
        assert_int_equal(db_room(db, UINT64_MAX), DB_ROOM_WHOLE);
        if (config.levels)
            wait_for_files(db, FILES / 2);
        for (uint64_t seq = 1; seq <= rows; seq++) {
            struct db_value value;
            struct key key;

            key_log(&key, home, KEY_LOG_C2C, 1, seq);
            assert_int_equal(db_get(db, FAMILY_LOG, &key, &value), HY_OK);
            assert_int_equal(value.len, TIER_ROW_BYTES);
            db_drop(&value);
        }
        db_close(&db);
    }
}

/* ---- commands of many rows ---- */

static uint64_t import(struct fixture *f, const char *id)
{
    Hy__StoreGroupsImportReq req = HY__STORE_GROUPS_IMPORT_REQ__INIT;
    Hy__StoreGroupCreateReq create = HY__STORE_GROUP_CREATE_REQ__INIT, *groups[] = {&create};
    Hy__GroupInfo info = HY__GROUP_INFO__INIT;
    Hy__MemberInfo ben = HY__MEMBER_INFO__INIT, *members[] = {&ben};

    ben.user = (char *)"ben";
    create.app = FIXTURE_APP;
    create.info = &info;
    create.members = members;
    create.n_members = 1;
    info.group = info.name = (char *)id;
    info.type = (char *)"Public";
    info.owner = (char *)"anna";
    info.sweep = 1;
    req.groups = groups;
    req.n_groups = 1;
    return fixture_put(f, HY__BUS_KIND__STORE_GROUPS_IMPORT, &req.base);
}

static uint64_t sweep(struct fixture *f, const char *group)
{
    Hy__StoreSweepReq req = HY__STORE_SWEEP_REQ__INIT;
    Hy__SweepGroup of = HY__SWEEP_GROUP__INIT, *groups[] = {&of};

    of.group = (char *)group;
    of.users = (ProtobufCBinaryData){4, (uint8_t *)"ben"};
    req.app = FIXTURE_APP;
    req.groups = groups;
    req.n_groups = 1;
    return fixture_put(f, HY__BUS_KIND__STORE_SWEEP, &req.base);
}

static void assert_imported(struct fixture *f, uint64_t id, uint32_t code)
{
    Hy__StoreGroupsImportRes *res = fixture_take(f, id, &hy__store_groups_import_res__descriptor);

    assert_int_equal(res->code, code);
    if (code == 0) {
        assert_int_equal(res->n_codes, 1);
        assert_int_equal(res->codes[0], 0);
    }
    DROP(res);
}

static void assert_swept(struct fixture *f, uint64_t id)
{
    Hy__StoreSweepRes *res = fixture_take(f, id, &hy__store_sweep_res__descriptor);

    assert_int_equal(res->code, 0);
    assert_int_equal(res->removed, 1);
    DROP(res);
}

static void a_stall_delays_commands_of_many_rows_too(void **state)
{
    struct fixture *f = *state;
    int times = 2;
    uint64_t imported, second, swept;

    store_set_fault(f->store, stall, &times);
    imported = import(f, "g"); /* stalled */
    second = import(f, "h");   /* waits behind it */
    assert_false(fixture_answered(f, imported));
    store_turn(f->store);
    store_turn(f->store);
    assert_imported(f, imported, 0);
    assert_imported(f, second, 0);
    times = 1;
    swept = sweep(f, "g");
    assert_false(fixture_answered(f, swept));
    store_turn(f->store);
    assert_swept(f, swept);
    assert_null(store_ready(f->store));
}

static bool is_behind;

static bool behind(struct db *db)
{
    (void)db;
    return is_behind;
}

static void commands_of_many_rows_wait_while_the_disk_is_behind_and_messages_do_not(void **state)
{
    struct fixture *f = *state;
    const struct timespec moment = {0, 5000000};
    uint64_t imported, swept, late;

    store_set_behind(f->store, behind);
    is_behind = false;
    imported = import(f, "g");
    assert_imported(f, imported, 0);
    is_behind = true;
    imported = import(f, "h");
    f->next_id--;
    assert_int_equal(import(f, "h"), imported); /* the same call again */
    swept = sweep(f, "g");
    store_turn(f->store);
    assert_int_equal(hello(f, "1").seq, 1);
    assert_false(fixture_answered(f, imported));
    assert_false(fixture_answered(f, swept));
    is_behind = false;
    store_turn(f->store);
    assert_imported(f, imported, 0);
    assert_swept(f, swept);
    is_behind = true;
    late = import(f, "i");
    while (!fixture_answered(f, late)) { /* not for ever: its sender is to try again */
        nanosleep(&moment, NULL);
        store_turn(f->store);
    }
    assert_imported(f, late, HY_CODE_BUSY);
    is_behind = false;
    late = import(f, "i");
    assert_imported(f, late, 0);
}

static void an_index_that_waits_for_a_warm_conversation_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    hello(f, "1");
    f->now_ms += 10;
    hello(f, "2"); /* warm: the index learns later, or when it is read */
    fixture_restart(f);
    assert_int_equal(fixture_index_time(f, "ben"), f->now_ms);
    f->now_ms += 10;
    hello(f, "3");
    f->now_ms += 10;
    hello(f, "4");
    assert_int_equal(fixture_index_time(f, "anna"), f->now_ms);
    assert_int_equal(fixture_index_time(f, "ben"), f->now_ms);
}

static void a_directory_is_one_process_alone(void **state)
{
    char dir[] = "/tmp/hy-lock-XXXXXX", path[64], why[256];
    int first = -1, second = -1;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(disk_lock(dir, &first, why), HY_OK);
    assert_int_equal(disk_lock(dir, &second, why), HY_ECONFIG);
    assert_non_null(strstr(why, "another process"));
    assert_int_equal(second, -1);
    disk_unlock(&first);
    assert_int_equal(disk_lock(dir, &second, why), HY_OK);
    disk_unlock(&second);
    snprintf(path, sizeof path, "%s/lock", dir);
    assert_int_equal(unlink(path) + rmdir(dir), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup_one, teardown_one)
    const struct CMUnitTest tests[] = {
        T(an_append_is_whole_or_absent_wherever_the_disk_fails),
        T(what_was_kept_is_told_again_though_the_disk_is_full),
        T(what_a_full_disk_did_not_take_is_not_known_and_what_comes_then_is_refused),
        T(a_stall_delays_and_refuses_nothing),
        T(a_stall_delays_commands_of_many_rows_too),
        T(commands_of_many_rows_wait_while_the_disk_is_behind_and_messages_do_not),
        T(an_index_that_waits_for_a_warm_conversation_survives_a_restart),
        T(files_are_merged_when_there_is_room_for_a_second_copy),
        T(a_database_goes_from_tiers_to_levels_and_back),
        cmocka_unit_test(a_directory_is_one_process_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
