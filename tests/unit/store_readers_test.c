#include "store_fixture.h"

#include "common/loop.h"

/* The same shard with reader threads: answers come back through the loop. */

static void reads_see_all_that_was_answered_before_them(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct hy_loop *loop;
    struct store_config config = {.cluster_id = "test",
                                  .data_dir = f->dir,
                                  .shards = 1,
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

    (void)state;
    assert_non_null(f);
    strcpy(f->dir, "/tmp/hongyan-store-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->now_ms = 1700000000000;
    f->next_id = 1;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    config.loop = loop;
    assert_int_equal(store_open(&config, &f->store, why), HY_OK);
    for (int round = 1; round <= 100; round++) {
        Hy__StoreHistoryReq req = HY__STORE_HISTORY_REQ__INIT;
        Hy__HistoryReq inner = HY__HISTORY_REQ__INIT;
        uint64_t sent = fixture_say(f, (struct say){.from = "anna", .to = "ben"}), reads[5];
        Hy__HistoryRes *res;
        bool all = false;

        inner.conv_type = HY__CONV_TYPE__CONV_C2C;
        inner.peer = (char *)"anna";
        req.app = FIXTURE_APP;
        req.user = (char *)"ben";
        req.req = &inner;
        for (int i = 0; i < 5; i++)
            reads[i] = fixture_put(f, HY__BUS_KIND__STORE_HISTORY, &req.base);
        store_turn(f->store);
        assert_int_equal(fixture_result(f, sent).seq, round);
        while (!all) {
            hy_loop_turn(loop, 100);
            all = true;
            for (int i = 0; i < 5; i++)
                all = all && fixture_answered(f, reads[i]);
        }
        for (int i = 0; i < 5; i++) {
            res = fixture_take(f, reads[i], &hy__history_res__descriptor);
            assert_int_equal(res->last_seq, round);
            assert_int_equal(res->msgs[res->n_msgs - 1]->seq, round);
            DROP(res);
        }
    }
    store_compact(f->store); /* the filter runs in threads of RocksDB's */
    fixture_close(f);
    hy_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_see_all_that_was_answered_before_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
