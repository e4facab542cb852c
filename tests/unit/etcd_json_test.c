#include "common/etcd_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char prefix[] = "/hongyan/test/";
static struct hy_arena arena;

#define HEADER "\"header\":{\"revision\":\"7\",\"raft_term\":\"2\"}"
#define MAP "\"key\":\"L2hvbmd5YW4vdGVzdC9tYXA=\"" /* /hongyan/test/map */

static int start(void **state)
{
    (void)state;
    hy_arena_init(&arena);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    hy_arena_free(&arena);
    return 0;
}

static void check_text(char *text, const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static void questions_are_in_etcds_form(void **state)
{
    const struct hy_coord_guard guards[] = {{"map", HY_COORD_ABSENT, 5},
                                            {"map", HY_COORD_CREATED, 5},
                                            {"map", HY_COORD_CHANGED, UINT64_C(1) << 60}};
    const struct hy_coord_put puts[] = {
        {"map", "{}", false}, {"map", "", true}, {"map", NULL, true}};
    const struct hy_coord_change change = {guards, 3, puts, 3};

    (void)state;
    check_text(etcd_range_text(prefix),
               "{\"key\":\"L2hvbmd5YW4vdGVzdC8=\",\"range_end\":\"L2hvbmd5YW4vdGVzdDA=\"}");
    check_text(etcd_watch_text(prefix, 9),
               "{\"create_request\":{\"key\":\"L2hvbmd5YW4vdGVzdC8=\","
               "\"range_end\":\"L2hvbmd5YW4vdGVzdDA=\",\"start_revision\":\"9\"}}");
    check_text(etcd_grant_text(4242, 6), "{\"ID\":\"4242\",\"TTL\":\"6\"}");
    check_text(etcd_login_text("a", "\"b\""), "{\"name\":\"a\",\"password\":\"\\\"b\\\"\"}");
    check_text(etcd_txn_text(prefix, &change, 4242),
               "{\"compare\":[{" MAP
               ",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"},"
               "{" MAP ",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"5\"},"
               "{" MAP ",\"target\":\"MOD\",\"result\":\"EQUAL\","
               "\"mod_revision\":\"1152921504606846976\"}],"
               "\"success\":[{\"requestPut\":{" MAP ",\"value\":\"e30=\"}},"
               "{\"requestPut\":{" MAP ",\"value\":\"\",\"lease\":\"4242\"}},"
               "{\"requestDeleteRange\":{" MAP "}}]}");
}

static enum hy_err read_range(const char *text, struct etcd_range *range)
{
    return etcd_range_read(text, strlen(text), prefix, &arena, range);
}

static void a_range_is_read_and_what_is_left_out_is_empty(void **state)
{
    struct etcd_range range;

    (void)state;
    assert_int_equal(read_range("{" HEADER "}", &range), HY_OK);
    assert_true(range.revision == 7 && range.values.count == 0);
    assert_int_equal(
        read_range("{" HEADER ",\"kvs\":[{" MAP ",\"create_revision\":\"2\",\"mod_revision\":\"5\","
                   "\"value\":\"e30=\",\"lease\":\"4242\"},{" MAP ",\"mod_revision\":\"6\"}]}",
                   &range),
        HY_OK);
    assert_int_equal(range.values.count, 2);
    assert_string_equal(range.values.values[0].key, "map");
    assert_string_equal(range.values.values[0].text, "{}");
    assert_true(range.values.values[0].created == 2 && range.values.values[0].changed == 5);
    assert_true(range.values.values[0].leased);
    assert_string_equal(range.values.values[1].text, "");
    assert_false(range.values.values[1].leased);
}

static void what_no_reader_can_use_is_left_out(void **state)
{
    struct etcd_range range;

    (void)state;
    assert_int_equal(
        read_range("{" HEADER ",\"kvs\":[{\"key\":\"YWI=\",\"mod_revision\":\"5\"}," /* ab */
                   "{\"key\":\"L2hvbmd5YW4vdGVzdC8=\",\"mod_revision\":\"5\"},"      /* no name */
                   "{" MAP ",\"mod_revision\":\"5\",\"value\":\"YQBi\"}]}",          /* a NUL */
                   &range),
        HY_OK);
    assert_int_equal(range.values.count, 0);
    assert_int_equal(range.values.unusable, 3);
}

static void what_does_not_decode_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{" HEADER ",\"kvs\":[1]}",
        "{" HEADER ",\"kvs\":[{" MAP "}]}",
        "{" HEADER ",\"kvs\":[{" MAP ",\"mod_revision\":\"-5\"}]}",
        "{" HEADER ",\"kvs\":[{" MAP ",\"mod_revision\":\"5x\"}]}",
        "{" HEADER ",\"kvs\":[{" MAP ",\"mod_revision\":\"99999999999999999999\"}]}",
        "{" HEADER ",\"kvs\":[{\"key\":\"L2hv!mdA\",\"mod_revision\":\"5\"}]}",
        "{" HEADER ",\"kvs\":[{\"key\":\"L2hv\\nmdA\",\"mod_revision\":\"5\"}]}",
        "{" HEADER ",\"kvs\":[{" MAP ",\"mod_revision\":\"5\",\"value\":\"e3\"}]}",
    };
    struct etcd_range range;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(read_range(texts[i], &range), HY_EMALFORMED);
}

static enum hy_err read_watch(const char *line, struct etcd_watch *watch)
{
    return etcd_watch_read(line, strlen(line), prefix, &arena, watch);
}

static void lines_of_a_watch_are_read(void **state)
{
    struct etcd_watch watch;

    (void)state;
    assert_int_equal(read_watch("{\"result\":{" HEADER ",\"created\":true}}", &watch), HY_OK);
    assert_true(watch.created && !watch.ended && watch.revision == 7);
    assert_int_equal(read_watch("{\"result\":{" HEADER ",\"events\":[{\"kv\":{" MAP
                                ",\"mod_revision\":\"6\",\"value\":\"e30=\"}},"
                                "{\"type\":\"DELETE\",\"kv\":{" MAP ",\"mod_revision\":\"7\"}}]}}",
                                &watch),
                     HY_OK);
    assert_true(!watch.created && !watch.ended && watch.values.count == 2);
    assert_string_equal(watch.values.values[0].text, "{}");
    assert_null(watch.values.values[1].text);
    assert_int_equal(watch.values.values[1].changed, 7);
    assert_int_equal(
        read_watch("{\"result\":{\"header\":{},\"canceled\":true,\"compact_revision\":\"9\"}}",
                   &watch),
        HY_OK);
    assert_true(watch.ended && watch.compacted == 9);
    assert_int_equal(read_watch("{\"error\":{\"message\":\"etcdserver: no leader\"}}", &watch),
                     HY_OK);
    assert_true(watch.ended && watch.compacted == 0);
    assert_string_equal(watch.why, "etcdserver: no leader");
    assert_int_equal(read_watch("{}", &watch), HY_EMALFORMED);
    assert_int_equal(read_watch("{\"result\":{\"events\":[{\"type\":\"MOVE\",\"kv\":{" MAP
                                ",\"mod_revision\":\"7\"}}]}}",
                                &watch),
                     HY_EMALFORMED);
}

static void small_answers_are_read(void **state)
{
    static const char renewed[] = "{\"result\":{" HEADER ",\"ID\":\"1\",\"TTL\":\"6\"}}",
                      over[] = "{\"result\":{" HEADER ",\"ID\":\"1\"}}",
                      granted[] = "{" HEADER ",\"ID\":\"1\",\"TTL\":\"6\"}",
                      done[] = "{" HEADER ",\"succeeded\":true}", refused[] = "{" HEADER "}",
                      token[] = "{" HEADER ",\"token\":\"abc.1\"}",
                      bad_token[] = "{\"token\":\"a\\r\\nX: y\"}",
                      error[] = "{\"message\":\"no\",\"code\":5}";
    struct etcd_txn txn;
    struct etcd_error read;
    char kept[8];
    uint64_t ttl;

    (void)state;
    assert_int_equal(etcd_ttl_read(renewed, strlen(renewed), &ttl), HY_OK);
    assert_int_equal(ttl, 6);
    assert_int_equal(etcd_ttl_read(over, strlen(over), &ttl), HY_OK);
    assert_int_equal(ttl, 0);
    assert_int_equal(etcd_ttl_read(granted, strlen(granted), &ttl), HY_OK);
    assert_int_equal(ttl, 6);
    assert_int_equal(etcd_ttl_read("{}", 2, &ttl), HY_EMALFORMED); /* that is no end of a lease */
    assert_int_equal(etcd_txn_read(done, strlen(done), &txn), HY_OK);
    assert_true(txn.succeeded && txn.revision == 7);
    assert_int_equal(etcd_txn_read(refused, strlen(refused), &txn), HY_OK);
    assert_false(txn.succeeded);
    assert_int_equal(etcd_txn_read("{}", 2, &txn), HY_EMALFORMED);
    assert_int_equal(etcd_token_read(token, strlen(token), kept, sizeof kept), HY_OK);
    assert_string_equal(kept, "abc.1");
    assert_int_equal(etcd_token_read(token, strlen(token), kept, 5), HY_EMALFORMED);
    assert_int_equal(etcd_token_read(bad_token, strlen(bad_token), kept, sizeof kept),
                     HY_EMALFORMED);
    etcd_error_read(error, strlen(error), &read);
    assert_true(read.code == ETCD_NOT_FOUND && strcmp(read.text, "no") == 0);
    etcd_error_read("x", 1, &read);
    assert_int_equal(read.code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions_are_in_etcds_form, start, stop),
        cmocka_unit_test_setup_teardown(a_range_is_read_and_what_is_left_out_is_empty, start, stop),
        cmocka_unit_test_setup_teardown(what_no_reader_can_use_is_left_out, start, stop),
        cmocka_unit_test_setup_teardown(what_does_not_decode_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(lines_of_a_watch_are_read, start, stop),
        cmocka_unit_test_setup_teardown(small_answers_are_read, start, stop),
    };

    return cmocka_run_group_tests_name("etcd_json", tests, NULL, NULL);
}
