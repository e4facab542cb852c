/* Lines are caught by putting a file in the place of stderr. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static char text[1 << 16];

static int catch_stderr(FILE **file)
{
    int kept = dup(STDERR_FILENO);

    *file = tmpfile();
    assert_non_null(*file);
    dup2(fileno(*file), STDERR_FILENO);
    return kept;
}

static const char *caught(int kept, FILE *file)
{
    size_t len;

    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

#define CAUGHT(statement)                \
    ({                                   \
        FILE *file_ = NULL;              \
        int kept_ = catch_stderr(&file_); \
        statement;                       \
        caught(kept_, file_);            \
    })

static void a_line_is_logfmt_with_what_is_said(void **state)
{
    const char *line = NULL;

    (void)state;
    hy_log_open("gateway", "gateway-0", HY_LOG_INFO, false);
    line = CAUGHT(hy_log_warn("link.dropped", "user=%s why=\"%s\" owed_bytes=%d", "ann",
                              "too slow", 5));
    assert_non_null(strstr(line, "Z level=warn msg=link.dropped component=gateway name=gateway-0 "
                                 "user=ann why=\"too slow\" owed_bytes=5\n"));
    assert_int_equal(strncmp(line, "ts=20", 5), 0);
}

static void a_name_with_quotes_and_newlines_stays_one_fact(void **state)
{
    const char *line = NULL;

    (void)state;
    hy_log_open("gateway", "", HY_LOG_INFO, false);
    line = CAUGHT(hy_log_info("x.y", "why=\"%s\" n=%d", "a\"b\nlevel=error\\", 1));
    assert_non_null(strstr(line, "why=\"a\\\"b\\u000alevel=error\\\\\" n=1\n"));
    assert_ptr_equal(strchr(line, '\n') + 1, line + strlen(line)); /* one line */
}

static void json_lines_are_json(void **state)
{
    static const char *const values[] = {"plain", "1", "-1.5", "007", "1e5", "", "a \"q\" b", "\x01"};

    (void)state;
    hy_log_open("store", "store-0", HY_LOG_DEBUG, true);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const char *line = CAUGHT(hy_log_debug("e", "v=\"%s\" end=1", values[i]));
        json_t *json = json_loads(line, 0, NULL);
        json_t *value = json_object_get(json, "v");

        assert_non_null(json);
        assert_string_equal(json_string_value(json_object_get(json, "msg")), "e");
        assert_int_equal(json_integer_value(json_object_get(json, "end")), 1);
        if (json_is_string(value))
            assert_string_equal(json_string_value(value), values[i]);
        else
            assert_true(json_is_number(value));
        json_decref(json);
    }
}

static void a_huge_fact_is_cut_and_the_line_is_whole(void **state)
{
    char huge[8000];
    json_t *json = NULL;

    (void)state;
    memset(huge, '"', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    hy_log_open("store", "store-0", HY_LOG_DEBUG, true);
    json = json_loads(CAUGHT(hy_log_debug("e", "v=\"%s\"", huge)), 0, NULL);
    assert_non_null(json);
    json_decref(json);
}

static void below_the_level_nothing_is_written(void **state)
{
    unsigned long before = hy_log_lines(HY_LOG_INFO);

    (void)state;
    hy_log_open("store", "store-0", HY_LOG_WARN, false);
    assert_string_equal(CAUGHT(hy_log_info("quiet", "x=1")), "");
    hy_log_set_level(HY_LOG_INFO);
    assert_string_not_equal(CAUGHT(hy_log_info("loud", "x=1")), "");
    assert_int_equal(hy_log_lines(HY_LOG_INFO), before + 1);
}

static void write_often(int times)
{
    for (int i = 0; i < times; i++)
        hy_log_warn("often", "i=%d", i);
}

static unsigned count_lines(const char *lines)
{
    unsigned n = 0;

    for (; *lines != '\0'; lines++)
        n += *lines == '\n';
    return n;
}

static void a_flood_is_kept_back_and_counted(void **state)
{
    uint64_t from = 0, second = 0;
    unsigned written = 0;

    (void)state;
    hy_log_open("store", "store-0", HY_LOG_INFO, false);
    from = hy_steady_ms() / 1000;
    written = count_lines(CAUGHT(write_often(500)));
    assert_in_range(written, 20, 40); /* 40: the second may have changed in between */
    second = hy_steady_ms() / 1000;
    while (hy_steady_ms() / 1000 == second)
        usleep(1000);
    assert_true(second - from <= 1);
    assert_non_null(strstr(CAUGHT(write_often(1)), " suppressed=4"));
}

static void levels_have_names(void **state)
{
    enum hy_log_level level = HY_LOG_INFO;

    (void)state;
    assert_int_equal(hy_log_level_parse("error", &level), HY_OK);
    assert_int_equal(level, HY_LOG_ERROR);
    assert_int_equal(hy_log_level_parse("loud", &level), HY_ECONFIG);
    assert_int_equal(level, HY_LOG_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_logfmt_with_what_is_said),
        cmocka_unit_test(a_name_with_quotes_and_newlines_stays_one_fact),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(a_huge_fact_is_cut_and_the_line_is_whole),
        cmocka_unit_test(below_the_level_nothing_is_written),
        cmocka_unit_test(a_flood_is_kept_back_and_counted),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
