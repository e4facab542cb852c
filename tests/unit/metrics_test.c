#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "common/metrics.h"

static const char *write_all(struct hy_buf *buf)
{
    buf->len = 0;
    assert_int_equal(hy_metrics_write(buf), HY_OK);
    assert_int_equal(hy_buf_put(buf, "", 1), HY_OK);
    return (const char *)buf->data;
}

static void series_are_made_once_and_written_together(void **state)
{
    struct hy_buf buf = {0};
    struct hy_metric *a = hy_counter("hongyan_test_things_total", "kind=\"a\"", "Things");
    struct hy_metric *b = hy_counter("hongyan_test_things_total", "kind=\"b\"", "Ignored");
    const char *text = NULL;

    (void)state;
    assert_ptr_equal(a, hy_counter("hongyan_test_things_total", "kind=\"a\"", ""));
    assert_ptr_not_equal(a, b);
    hy_add(a, 2);
    hy_add(a, 3);
    hy_set(hy_gauge("hongyan_test_level", "", "Level"), -7);
    text = write_all(&buf);
    assert_non_null(strstr(text, "# HELP hongyan_test_things_total Things\n"
                                 "# TYPE hongyan_test_things_total counter\n"
                                 "hongyan_test_things_total{kind=\"a\"} 5\n"
                                 "hongyan_test_things_total{kind=\"b\"} 0\n"));
    assert_non_null(strstr(text, "\nhongyan_test_level -7\n"));
    hy_buf_free(&buf);
}

static void histograms_count_up_to_their_bounds(void **state)
{
    struct hy_buf buf = {0};
    struct hy_histogram *us = hy_histogram_us("hongyan_test_wait_seconds", "x=\"1\"", "Wait");
    struct hy_histogram *n = hy_histogram_count("hongyan_test_batch_messages", "", "Batch");
    const char *text = NULL;

    (void)state;
    hy_observe_us(us, 500);
    hy_observe_us(us, 501);
    hy_observe_us(us, 20000000);
    hy_observe_count(n, 0);
    hy_observe_count(n, 1);
    hy_observe_count(n, 2);
    hy_observe_count(n, 3);
    hy_observe_count(n, 8192);
    hy_observe_count(n, 8193);
    hy_observe_count(n, UINT64_C(1) << 62);
    text = write_all(&buf);
    assert_non_null(strstr(text, "hongyan_test_wait_seconds_bucket{x=\"1\",le=\"0.0005\"} 1\n"
                                 "hongyan_test_wait_seconds_bucket{x=\"1\",le=\"0.001\"} 2\n"));
    assert_non_null(strstr(text, "hongyan_test_wait_seconds_bucket{x=\"1\",le=\"10\"} 2\n"
                                 "hongyan_test_wait_seconds_bucket{x=\"1\",le=\"+Inf\"} 3\n"
                                 "hongyan_test_wait_seconds_sum{x=\"1\"} 20.001"));
    assert_non_null(strstr(text, "hongyan_test_wait_seconds_count{x=\"1\"} 3\n"));
    assert_non_null(strstr(text, "hongyan_test_batch_messages_bucket{le=\"1\"} 2\n"
                                 "hongyan_test_batch_messages_bucket{le=\"2\"} 3\n"
                                 "hongyan_test_batch_messages_bucket{le=\"4\"} 4\n"));
    assert_non_null(strstr(text, "hongyan_test_batch_messages_bucket{le=\"8192\"} 5\n"
                                 "hongyan_test_batch_messages_bucket{le=\"+Inf\"} 7\n"));
    hy_buf_free(&buf);
}

static void fill(void *arg)
{
    hy_set(arg, 11);
}

static void a_scrape_fills_what_is_costly_to_keep(void **state)
{
    struct hy_buf buf = {0};

    (void)state;
    hy_metrics_on_scrape(fill, hy_gauge("hongyan_test_costly", "", "Costly"));
    assert_non_null(strstr(write_all(&buf), "\nhongyan_test_costly 11\n"));
    hy_buf_free(&buf);
}

static void every_process_has_the_usual_ones(void **state)
{
    static const char *const names[] = {
        "\nprocess_cpu_seconds_total ", "\nprocess_open_fds ", "\nprocess_max_fds ",
        "\nprocess_resident_memory_bytes ", "\nprocess_virtual_memory_bytes ",
        "\nprocess_start_time_seconds 1", "\nhongyan_build_info{version=",
        "\nhongyan_log_messages_total{level=\"error\"} ", "\nhongyan_loop_lag_seconds_count "};
    struct hy_loop *loop = NULL;
    struct hy_buf buf = {0};
    const char *text = NULL;

    (void)state;
    assert_int_equal(hy_loop_open(&loop), HY_OK);
    text = write_all(&buf);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(strstr(text, names[i]));
    hy_buf_free(&buf);
    hy_loop_close(&loop);
}

/* The linter of Prometheus, where there is one. */
static void promtool_finds_nothing(void **state)
{
    struct hy_buf buf = {0};
    FILE *tool = NULL;

    (void)state;
    if (system("command -v promtool >/dev/null") != 0)
        skip();
    write_all(&buf);
    tool = popen("promtool check metrics 2>&1", "w");
    assert_non_null(tool);
    assert_int_equal(fwrite(buf.data, 1, buf.len - 1, tool), buf.len - 1);
    assert_int_equal(pclose(tool), 0);
    hy_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_made_once_and_written_together),
        cmocka_unit_test(histograms_count_up_to_their_bounds),
        cmocka_unit_test(a_scrape_fills_what_is_costly_to_keep),
        cmocka_unit_test(every_process_has_the_usual_ones),
        cmocka_unit_test(promtool_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
