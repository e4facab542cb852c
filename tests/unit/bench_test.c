/* The benchmark's account, thresholds, workers and pages. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/counters.h"
#include "bench/crowd.h"
#include "bench/engine.h"
#include "bench/html.h"
#include "bench/json.h"
#include "bench/ledger.h"
#include "bench/notice.h"
#include "bench/plot.h"
#include "bench/stamp.h"
#include "bench/threshold.h"

/* ---- hearing ---- */

static void in_order_nothing_is_missing(void **state)
{
    struct hearing h = {0, NULL};

    (void)state;
    for (uint64_t n = 1; n <= 1000; n++)
        assert_int_equal(hearing_note(&h, n), HEARD_NEW);
    assert_int_equal(hearing_missing(&h, 1000), 0);
    assert_int_equal(hearing_missing(&h, 1007), 7);
    assert_null(h.holes);
}

static void late_and_doubled_are_told_apart_however_late(void **state)
{
    struct hearing h = {0, NULL};

    (void)state;
    assert_int_equal(hearing_note(&h, 1), HEARD_NEW);
    assert_int_equal(hearing_note(&h, 100000), HEARD_NEW);
    assert_int_equal(hearing_missing(&h, 100000), 99998);
    assert_int_equal(hearing_note(&h, 2), HEARD_LATE);     /* the beginning of a run */
    assert_int_equal(hearing_note(&h, 99999), HEARD_LATE); /* its end */
    assert_int_equal(hearing_note(&h, 5000), HEARD_LATE);  /* its middle: two runs */
    assert_int_equal(hearing_note(&h, 5000), HEARD_TWICE);
    assert_int_equal(hearing_note(&h, 2), HEARD_TWICE);
    assert_int_equal(hearing_note(&h, 100000), HEARD_TWICE);
    assert_int_equal(hearing_missing(&h, 100000), 99995);
    assert_true(hearing_has(&h, 5000));
    assert_false(hearing_has(&h, 4999));
    assert_false(hearing_has(&h, 100001));
    hearing_free(&h);
}

/* Every number of 1..N in random order, some twice, some never: as a table of bits would say. */
static void any_order_agrees_with_a_table(void **state)
{
    enum { N = 500 };
    struct hearing h = {0, NULL};
    bool came[N + 1] = {false};
    uint64_t seed = 7, highest = 0;

    (void)state;
    for (int i = 0; i < 4 * N; i++) {
        uint64_t n = 0;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        n = 1 + (seed >> 33) % N;
        if (n % 10 == 3)
            continue; /* never comes */
        assert_int_equal(hearing_note(&h, n), came[n]       ? HEARD_TWICE
                                              : n > highest ? HEARD_NEW
                                                            : HEARD_LATE);
        came[n] = true;
        highest = n > highest ? n : highest;
    }
    for (uint64_t n = 1; n <= N; n++)
        assert_int_equal(hearing_has(&h, n), came[n]);
    uint64_t missing = 0;
    for (uint64_t n = 1; n <= N; n++)
        missing += !came[n];
    assert_int_equal(hearing_missing(&h, N), missing);
    hearing_free(&h);
}

/* ---- ledger ---- */

static void what_was_refused_is_not_lost_but_what_was_acknowledged_is(void **state)
{
    struct ledger *ledger = calloc(1, ledger_size(2));
    struct hearing h = {0, NULL};

    (void)state;
    assert_non_null(ledger);
    ledger->sent[1] = 10;
    for (uint64_t n = 1; n <= 7; n++)
        if (n != 3 && n != 5)
            assert_int_equal(hearing_note(&h, n), HEARD_NEW); /* 3, 5, 8, 9 and 10 do not come */
    assert_int_equal(ledger_lost(ledger, 1, &h), 5);
    ledger_refuse(ledger, 1, 5);
    ledger_refuse(ledger, 1, 9);
    ledger_refuse(ledger, 1, 4); /* not known to its sender, but it came: nothing is lost by it */
    ledger_refuse(ledger, 0, 3); /* of another stream */
    assert_int_equal(ledger_lost(ledger, 1, &h), 3);
    hearing_free(&h);
    free(ledger);
}

/* ---- stamp ---- */

static void a_stamp_is_read_back(void **state)
{
    const struct stamp stamp = {3, UINT64_MAX, 0x0123456789abcdef};
    struct stamp back;
    uint8_t body[STAMP_BYTES];

    (void)state;
    stamp_write(&stamp, body);
    assert_true(stamp_read(body, sizeof body, &back));
    assert_memory_equal(&stamp, &back, sizeof stamp);
    assert_false(stamp_read(body, sizeof body - 1, &back));
    body[6] = ' '; /* no letter of it */
    assert_false(stamp_read(body, sizeof body, &back));
}

/* ---- notices ---- */

struct bodies {
    char text[64];
    int count;
};

static void on_body(void *arg, const uint8_t *body, size_t len)
{
    struct bodies *bodies = arg;

    assert_true(len < 8);
    strncat(bodies->text, (const char *)body, len);
    bodies->count++;
}

/* A frame as a server encodes it, of any size up to all; each shorter one is not taken for whole.
 */
static void bodies_are_found_in_an_encoded_frame(void **state)
{
    Hy__Frame frame = HY__FRAME__INIT;
    Hy__MsgNotice notice = HY__MSG_NOTICE__INIT;
    Hy__Msg a = HY__MSG__INIT, b = HY__MSG__INIT, *msgs[] = {&a, &b};
    uint8_t bytes[256];
    size_t len = 0;
    struct bodies bodies = {"", 0};

    (void)state;
    a.from = b.to = (char *)(uintptr_t) "ann";
    a.body = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "one"};
    b.body = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "two"};
    b.seq = 1ull << 60;
    notice.n_msgs = 2;
    notice.msgs = msgs;
    frame.body_case = HY__FRAME__BODY_MSG_NOTICE;
    frame.msg_notice = &notice;
    len = hy__frame__pack(&frame, bytes);
    assert_true(notice_each(bytes, len, on_body, &bodies));
    assert_string_equal(bodies.text, "onetwo");
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut =
            malloc(n + 1); /* of just that size, so that a sanitizer sees a step beyond */

        memcpy(cut, bytes, n);
        bodies = (struct bodies){"", 0};
        assert_false(notice_each(cut, n, on_body, &bodies));
        free(cut);
    }
    frame.body_case = HY__FRAME__BODY_PONG;
    frame.pong = &(Hy__Pong)HY__PONG__INIT;
    len = hy__frame__pack(&frame, bytes);
    assert_false(notice_each(bytes, len, on_body, &bodies));
}

/* ---- thresholds ---- */

static bool hits(const char *text, double value)
{
    struct threshold threshold;
    json_t *result = json_pack("{s:f}", "p99_ms", value);
    bool known = false, hit = false;

    assert_true(threshold_read(text, &threshold));
    hit = threshold_hit(&threshold, result, &known);
    assert_true(known);
    json_decref(result);
    return hit;
}

static void thresholds_compare(void **state)
{
    (void)state;
    assert_true(hits("p99_ms>20", 20.5));
    assert_false(hits("p99_ms>20", 20));
    assert_true(hits("p99_ms>=20", 20));
    assert_true(hits("p99_ms<1e3", 999));
    assert_false(hits("p99_ms<1000", 1000));
    assert_true(hits("p99_ms<=1000", 1000));
}

static void ill_formed_thresholds_are_refused(void **state)
{
    static const char *const wrong[] = {"",          "p99_ms",   ">20",        "p99_ms>",
                                        "p99_ms=20", "p99_ms>x", "p99_ms>20x", "p99_ms>nan"};
    struct threshold threshold;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(threshold_read(wrong[i], &threshold));
}

static void an_unknown_figure_is_not_taken_for_zero(void **state)
{
    struct threshold threshold;
    json_t *result = json_pack("{s:f, s:s}", "p99_ms", 1.0, "scenario", "s2");
    bool known = true;

    (void)state;
    assert_true(threshold_read("p98_ms<5", &threshold));
    assert_false(threshold_hit(&threshold, result, &known));
    assert_false(known);
    assert_true(threshold_read("scenario<5", &threshold));
    assert_false(threshold_hit(&threshold, result, &known));
    assert_false(known);
    json_decref(result);
}

/* ---- workers ---- */

static void workers_are_as_many_as_descriptors_ask_for(void **state)
{
    (void)state;
    assert_int_equal(engine_workers(100, 20000, 0, 8), 2);
    assert_int_equal(engine_workers(100, 20000, 0, 1), 1);
    assert_int_equal(engine_workers(100, 20000, 5, 2), 5);
    assert_int_equal(engine_workers(50000, 20000, 0, 2), 3);
    assert_int_equal(engine_workers(50000, 20000, 2, 2), 0); /* they do not fit in two */
    assert_int_equal(engine_workers(10000000, 20000, 0, 2), 0);
    assert_int_equal(engine_workers(1, 10, 0, 2), 0); /* no descriptors to speak of */
}

static void more_links_than_ports_come_from_more_addresses(void **state)
{
    (void)state;
    assert_int_equal(crowd_sources(2000, 1), 1);
    assert_int_equal(crowd_sources(2001, 1), 2);
    assert_int_equal(crowd_sources(4000, 2), 1);
    assert_int_equal(crowd_sources(14001, 2), 4);
}

/* ---- histograms of a second ---- */

static void what_came_since_is_the_difference(void **state)
{
    static struct hist hist, earlier, since;

    (void)state;
    for (uint64_t us = 1; us < 1000; us++)
        hist_add(&hist, us);
    earlier = hist;
    for (int i = 0; i < 100; i++)
        hist_add(&hist, 50);
    hist_since(&hist, &earlier, &since);
    assert_int_equal(since.count, 100);
    assert_int_equal(hist_quantile(&since, .5), 50);
    assert_int_equal(since.max_us, 50);
    hist_merge(&since, &since);
    assert_int_equal(since.count, 200);
}

/* ---- what others count ---- */

static void counters_add_up_the_series_of_one_name(void **state)
{
    static const char page[] = "# HELP frames_total of frames_total 7\n"
                               "frames_total{kind=\"a\"} 3\n"
                               "frames_total{kind=\"b\"} 4.5\n"
                               "frames_total_more 100\n"
                               "plain 12";

    (void)state;
    assert_true(counters_sum(page, "frames_total") == 7.5);
    assert_true(counters_sum(page, "plain") == 12);
    assert_true(counters_sum(page, "absent") == 0);
}

/* ---- reports ---- */

static void fill(struct result *result)
{
    memset(result, 0, sizeof *result);
    result_title(result, "one-to-one");
    result->durability = "none";
    result->unit = "messages";
    result->latency_from = "due to delivery";
    result->seconds = 2;
    result->operations = 10;
    result->sent = 11;
    result->acked = 10;
    result->delivered = 9;
    result->lost = 1;
    result->server.of[USAGE_STORE].user_us = 100;
    result->server.of[USAGE_GATEWAY].system_us = 50;
    result->driver_user_us = 20;
    hist_add(&result->latency, 1500);
    result_figure(result, "fsyncs_per_op", "fsyncs per operation", 0.5, "");
    for (int i = 0; i < 3; i++)
        result_point(result, &(struct point){.at_s = i, .rate = 5, .p50_ms = 1, .p99_ms = 2});
    result->settings = json_pack("{s:i}", "pairs", 5);
    result->environment = json_pack("{s:s}", "cpu", "<script>alert(1)</script> & \"co\"");
}

static double number(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);

    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void the_json_has_what_is_promised(void **state)
{
    static struct result result;
    json_t *root = NULL;

    (void)state;
    fill(&result);
    root = json_of_result("s2", &result);
    assert_string_equal(json_string_value(json_object_get(root, "scenario")), "s2");
    assert_string_equal(json_string_value(json_object_get(root, "durability")), "none");
    assert_true(number(root, "rate_per_s") == 5);
    assert_true(number(root, "p50_ms") == 1.5);
    assert_true(number(root, "p99_ms") == 1.5);
    assert_true(number(root, "sent") == 11);
    assert_true(number(root, "acked") == 10);
    assert_true(number(root, "delivered") == 9);
    assert_true(number(root, "lost") == 1);
    assert_true(number(root, "doubled") == 0);
    assert_true(number(root, "reordered") == 0);
    assert_true(number(root, "server_cpu_us_per_op") == 15);
    assert_true(number(root, "store_user_us_per_op") == 10);
    assert_true(number(root, "gateway_system_us_per_op") == 5);
    assert_true(number(root, "driver_cpu_us_per_op") == 2);
    assert_true(number(root, "rss_bytes_per_link") == 0);
    assert_true(number(root, "fsyncs_per_op") == 0.5);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(root, "series"), "rate_per_s")), 3);
    assert_int_equal(json_array_size(json_object_get(root, "latency_distribution")), 1);
    json_decref(root);
    result_free(&result);
}

static char *page_of(const json_t *runs)
{
    char *page = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&page, &len);

    assert_non_null(out);
    html_print(runs, out);
    fclose(out);
    return page;
}

static void a_page_takes_no_markup_from_a_run(void **state)
{
    static struct result result;
    json_t *runs = NULL;
    char *page = NULL;

    (void)state;
    fill(&result);
    result_title(&result, "<b onclick='x'>");
    runs = json_pack("[o]", json_of_result("s2\"><script>", &result));
    page = page_of(runs);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<b on"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;"));
    assert_non_null(strstr(page, "&lt;b onclick=&#39;x&#39;&gt;"));
    assert_non_null(strstr(page, "<polyline")); /* it has plots */
    assert_non_null(strstr(page, "<rect class=\"bar\""));
    assert_null(strstr(page, "http")); /* and needs nothing from elsewhere */
    assert_null(strstr(page, "nan,"));
    assert_null(strstr(page, "-nan"));
    free(page);
    json_decref(runs);
    result_free(&result);
}

/* A file that somebody else wrote: whatever is in it, a page comes out. */
static void a_page_is_made_of_any_json(void **state)
{
    static const char *const odd[] = {
        "[]",
        "[{}]",
        "[{\"series\": 5, \"latency_distribution\": [[0, 1], 7, [\"x\"]]}]",
        "[{\"series\": {\"at_s\": [1, 2, 3], \"rate_per_s\": [1]}, \"operations\": 1}]",
        "[{\"series\": {\"at_s\": [1, 1], \"rate_per_s\": [-1e308, 1e308]}, \"operations\": 1}]",
        "[{\"series\": {\"at_s\": [1e308, 1e308], \"rate_per_s\": [1, 2]}, \"operations\": 1}]",
        "[{\"series\": {\"at_s\": [-1e308, 1e308], \"rate_per_s\": [1, 2]}, \"operations\": 1}]",
        "[{\"latency_distribution\": [[1e-300, 1], [1e300, 2]]}]",
        "[{\"latency_distribution\": [[1e300, 0]], \"scenario\": null, \"environment\": []}]"};

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        json_t *runs = json_loads(odd[i], 0, NULL);
        char *page = NULL;

        assert_non_null(runs);
        page = page_of(runs);
        assert_non_null(strstr(page, "</html>"));
        free(page);
        json_decref(runs);
    }
}

static void steps_of_an_axis_are_round(void **state)
{
    (void)state;
    assert_true(plot_step(100, 5) == 20);
    assert_true(plot_step(99, 5) == 20);
    assert_true(plot_step(0, 5) == 1);
    assert_true(plot_step(7, 8) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_nothing_is_missing),
        cmocka_unit_test(late_and_doubled_are_told_apart_however_late),
        cmocka_unit_test(any_order_agrees_with_a_table),
        cmocka_unit_test(what_was_refused_is_not_lost_but_what_was_acknowledged_is),
        cmocka_unit_test(a_stamp_is_read_back),
        cmocka_unit_test(bodies_are_found_in_an_encoded_frame),
        cmocka_unit_test(thresholds_compare),
        cmocka_unit_test(ill_formed_thresholds_are_refused),
        cmocka_unit_test(an_unknown_figure_is_not_taken_for_zero),
        cmocka_unit_test(workers_are_as_many_as_descriptors_ask_for),
        cmocka_unit_test(more_links_than_ports_come_from_more_addresses),
        cmocka_unit_test(what_came_since_is_the_difference),
        cmocka_unit_test(counters_add_up_the_series_of_one_name),
        cmocka_unit_test(the_json_has_what_is_promised),
        cmocka_unit_test(a_page_takes_no_markup_from_a_run),
        cmocka_unit_test(a_page_is_made_of_any_json),
        cmocka_unit_test(steps_of_an_axis_are_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
