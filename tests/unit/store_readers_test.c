#include "store_fixture.h"

#include <pthread.h>

#include "common/clock.h"
#include "common/loop.h"

/* The same shard with reader threads: answers come back through the loop. */

static struct hy_loop *loop;

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct store_config config = {.cluster_id = "test",
                                  .data_dir = f->dir,
                                  .block_cache_bytes = 8 << 20,
                                  .write_buffer_bytes = 4 << 20,
                                  .cache_rows = 1000,
                                  .history_cache_bytes = 1 << 20,
                                  .readers = 3,
                                  .now_ms = fixture_now,
                                  .now_arg = f,
                                  .answer = fixture_answer,
                                  .ctx = f};
    char why[256];

    assert_non_null(f);
    strcpy(f->dir, "/tmp/hongyan-store-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->now_ms = 1700000000000;
    f->next_id = 1;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    config.loop = loop;
    assert_int_equal(store_open(&config, &f->store, why), HY_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_close(*state);
    hy_loop_close(&loop);
    return 0;
}

static uint64_t ask_page(struct fixture *f, const char *user, const char *peer, bool group)
{
    Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
    Hy__HistoryReq inner = HY__HISTORY_REQ__INIT;

    inner.conv_type = group ? HY__CONV_TYPE__CONV_GROUP : HY__CONV_TYPE__CONV_C2C;
    inner.peer = (char *)peer;
    req.app = FIXTURE_APP;
    req.user = (char *)user;
    req.req = &inner;
    return fixture_put(f, HY__BUS_KIND__STORE_HISTORY, &req.base);
}

static void await(struct fixture *f, const uint64_t *reads, int count)
{
    for (int i = 0; i < count; i++) {
        while (!fixture_answered(f, reads[i])) {
            hy_loop_turn(loop, 100);
            store_turn(f->store);
        }
    }
}

static void reads_see_all_that_was_answered_before_them(void **state)
{
    struct fixture *f = *state;

    for (int round = 1; round <= 100; round++) {
        uint64_t sent = fixture_say(f, (struct say){.from = "anna", .to = "ben"}), reads[5];
        Hy__HistoryRes *res;

        for (int i = 0; i < 5; i++)
            reads[i] = ask_page(f, "ben", "anna", false);
        store_turn(f->store);
        assert_int_equal(fixture_result(f, sent).seq, round);
        await(f, reads, 5);
        for (int i = 0; i < 5; i++) {
            res = fixture_take(f, reads[i], &hy__history_res__descriptor);
            assert_int_equal(res->last_seq, round);
            assert_int_equal(res->msgs[res->n_msgs - 1]->seq, round);
            DROP(res);
        }
    }
    store_compact(f->store); /* the filter runs in threads of RocksDB's */
}

/* More conversations than the loop looks up in a turn: threads load some, and the loop keeps that.
 */
static void what_threads_load_goes_on_to_be_true(void **state)
{
    enum { CONVS = 100, ROUNDS = 12 };
    struct fixture *f = *state;
    uint64_t reads[CONVS];
    char user[16];

    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < CONVS; i++) {
            snprintf(user, sizeof user, "user%d", i);
            for (int k = 0; k < 5; k++)
                fixture_say(f, (struct say){.from = user, .to = "ben"});
        }
        store_turn(f->store);
        for (int i = 0; i < CONVS; i++) {
            snprintf(user, sizeof user, "user%d", i);
            reads[i] = ask_page(f, "ben", user, false);
        }
        store_turn(f->store);
        await(f, reads, CONVS);
        for (int i = 0; i < CONVS; i++) {
            Hy__HistoryRes *res = fixture_take(f, reads[i], &hy__history_res__descriptor);
            uint64_t last = (uint64_t)round * 5, n = last < 20 ? last : 20;

            snprintf(user, sizeof user, "user%d", i);
            assert_int_equal(res->last_seq, last);
            assert_int_equal(res->n_msgs, n);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(res->msgs[k]->seq, last - n + 1 + k);
                assert_string_equal(res->msgs[k]->from, user);
            }
            DROP(res);
        }
    }
}

static void what_was_blanked_is_not_shown_by_any_thread(void **state)
{
    static const char *const members[] = {"ben", "cleo"};
    struct fixture *f = *state;

    fixture_group(f, "Public", "g", "anna", 2, members);
    for (int round = 0; round < 50; round++) {
        Hy__StoreDeleteReq req = HY__STORE_DELETE_REQ__INIT;
        uint64_t reads[60];
        Hy__HistoryRes *res;

        for (int k = 0; k < 10; k++)
            fixture_say(f, (struct say){.from = "ben", .to = "g", .group = true, .admin = true});
        store_turn(f->store);
        req.app = FIXTURE_APP;
        req.group = (char *)"g";
        req.sender = (char *)"ben";
        for (int i = 0; i < 30; i++)
            reads[i] = ask_page(f, "cleo", "g", true);
        store_turn(f->store); /* some are under way when the batch is written */
        fixture_put(f, HY__BUS_KIND__STORE_DELETE_BY_SENDER, &req.base);
        store_turn(f->store);
        for (int i = 30; i < 60; i++)
            reads[i] = ask_page(f, "cleo", "g", true);
        store_turn(f->store);
        await(f, reads, 60);
        for (int i = 30; i < 60; i++) {
            res = fixture_take(f, reads[i], &hy__history_res__descriptor);
            for (size_t k = 0; k < res->n_msgs; k++)
                assert_string_not_equal(res->msgs[k]->from, "ben");
            DROP(res);
        }
    }
}

/* Rows first..last of a log, as far as a walk gets. */
static enum hy_err walk(struct db *db, uint64_t first, uint64_t last, uint64_t *rows)
{
    struct key_home home = {7, FIXTURE_APP};
    struct db_scan *scan;
    struct key from, end;
    enum hy_err err;

    *rows = 0;
    key_log(&from, home, KEY_LOG_C2C, 1, first);
    key_log(&end, home, KEY_LOG_C2C, 1, last + 1);
    err = db_scan_open(db, FAMILY_LOG, &from, &end, false, &scan);
    if (err != HY_OK)
        return err;
    for (bool there = db_scan_seek(scan, &from); there; there = db_scan_next(scan))
        ++*rows;
    err = db_scan_err(scan);
    db_scan_close(&scan);
    return err;
}

/* A log in many files, of which only the first is in memory: some of RocksDB's iterators end there.
 */
static void no_walk_ends_early_without_an_error(void **state)
{
    enum { FILES = 8, ROWS = 20 };
    struct fixture *f = *state;
    char dir[80], why[256];
    struct db_config config = {
        .dir = dir, .block_cache_bytes = 8 << 20, .write_buffer_bytes = 4 << 20};
    struct key_home home = {7, FIXTURE_APP};
    uint64_t rows;
    struct db *db;

    snprintf(dir, sizeof dir, "%s/walk", f->dir);
    for (uint64_t file = 0; file < FILES; file++) { /* opening makes a file of what was written */
        struct db_batch *batch;
        struct key key;

        assert_int_equal(db_open(&config, &db, why), HY_OK);
        assert_int_equal(db_batch_open(db, &batch), HY_OK);
        for (uint64_t seq = file * ROWS + 1; seq <= (file + 1) * ROWS; seq++) {
            key_log(&key, home, KEY_LOG_C2C, 1, seq);
            db_batch_put(batch, FAMILY_LOG, &key, "row", 3);
        }
        assert_int_equal(db_write(db, batch), HY_OK);
        db_batch_close(&batch);
        db_close(&db);
    }
    assert_int_equal(db_open(&config, &db, why), HY_OK);
    assert_int_equal(walk(db, 1, ROWS / 2, &rows), HY_OK);
    for (uint64_t first = 1; first < ROWS; first++)
        if (walk(db_in_memory(db, 1000), first, FILES * ROWS, &rows) == HY_OK)
            assert_int_equal(rows, FILES * ROWS - first + 1);
    assert_int_equal(walk(db, 1, FILES * ROWS, &rows), HY_OK);
    assert_int_equal(rows, FILES * ROWS);
    db_close(&db);
}

/* ---- threads share blocks that one of them unpacked ---- */

enum { PACKED_ROWS = 4000 };

static void packed_key(unsigned i, struct key *key)
{
    key_head(key, (struct key_home){(uint16_t)(i % 16), 1}, KEY_COUNTER);
    key->bytes[key->len++] = (uint8_t)(i >> 8);
    key->bytes[key->len++] = (uint8_t)i;
}

/* Returns the sum of all bytes. */
static uint64_t write_packed(struct db *db)
{
    uint64_t sum = 0;
    struct db_batch *batch;
    struct key key;
    char value[200], why[256];

    assert_int_equal(db_batch_open(db, &batch), HY_OK);
    for (unsigned i = 0; i < PACKED_ROWS; i++) {
        packed_key(i, &key);
        for (size_t at = 0; at < sizeof value; at++) { /* half of it can be packed */
            value[at] = at < sizeof value / 2 ? 'a' : (char)hy_random64();
            sum += (uint8_t)value[at];
        }
        db_batch_put(batch, FAMILY_LOG, &key, value, sizeof value);
    }
    assert_int_equal(db_write(db, batch), HY_OK);
    db_batch_close(&batch);
    assert_int_equal(db_flush(db, why), HY_OK);
    return sum;
}

static void *read_packed(void *arg)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PACKED_ROWS; i++) {
        struct db_value value;
        struct key key;

        packed_key(i, &key);
        if (db_get(arg, FAMILY_LOG, &key, &value) == HY_OK)
            for (size_t at = 0; at < value.len; at++)
                sum += value.data[at];
        db_drop(&value);
    }
    return (void *)sum;
}

static void threads_read_what_another_unpacked(void **state)
{
    struct fixture *f = *state;
    struct db_config config = {.block_cache_bytes = 16 << 20, .write_buffer_bytes = 4 << 20};
    char dir[128], why[256];
    struct db *db;
    pthread_t threads[3];
    void *read;
    uint64_t sum;

    snprintf(dir, sizeof dir, "%s/packed", f->dir);
    config.dir = dir;
    assert_int_equal(db_open(&config, &db, why), HY_OK);
    sum = write_packed(db);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_packed, db), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &read);
        assert_int_equal((uint64_t)read, sum);
    }
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        T(reads_see_all_that_was_answered_before_them), T(what_threads_load_goes_on_to_be_true),
        T(what_was_blanked_is_not_shown_by_any_thread), T(no_walk_ends_early_without_an_error),
        T(threads_read_what_another_unpacked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
