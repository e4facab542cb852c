/* rest_json_test - reading fields with tolerance, and taking URLs apart. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rest_json.h"
#include "gateway/rest_url.h"

static void numbers_have_many_forms(void **state)
{
    static const struct {
        const char *json;
        enum rest_got got;
        int64_t value;
    } rows[] = {
        {"{\"n\":5}", REST_GOT, 5},
        {"{\"n\":\"5\"}", REST_GOT, 5},
        {"{\"n\":\"-5\"}", REST_GOT, -5},
        {"{\"n\":5.0}", REST_GOT, 5},
        {"{\"n\":true}", REST_GOT, 1},
        {"{\"n\":false}", REST_GOT, 0},
        {"{\"n\":null}", REST_ABSENT, 0},
        {"{}", REST_ABSENT, 0},
        {"{\"n\":\"\"}", REST_ABSENT, 0},
        {"{\"n\":5.5}", REST_BAD, 0},
        {"{\"n\":\"5x\"}", REST_BAD, 0},
        {"{\"n\":\" 5\"}", REST_BAD, 0},
        {"{\"n\":\"--5\"}", REST_BAD, 0},
        {"{\"n\":[5]}", REST_BAD, 0},
        {"{\"n\":{}}", REST_BAD, 0},
        {"{\"n\":101}", REST_BAD, 0},
        {"{\"n\":\"99999999999999999999\"}", REST_BAD, 0},
        {"{\"n\":1e300}", REST_BAD, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *json = json_loads(rows[i].json, 0, NULL);
        int64_t value = 0;

        assert_non_null(json);
        assert_int_equal(rest_int(json, "n", -100, 100, &value), rows[i].got);
        assert_int_equal(value, rows[i].value);
        json_decref(json);
    }
}

static void the_first_spelling_that_is_there_counts(void **state)
{
    json_t *json = json_loads("{\"A\":null,\"B\":\"b\",\"C\":\"c\",\"E\":\"\"}", 0, NULL);
    char *text = NULL;

    (void)state;
    assert_int_equal(rest_text(json, "A|B|C", &text), REST_GOT);
    assert_string_equal(text, "b");
    assert_int_equal(rest_text(json, "A", &text), REST_ABSENT);
    assert_int_equal(rest_text(json, "X|C", &text), REST_GOT);
    assert_string_equal(text, "c");
    assert_int_equal(rest_text(json, "E", &text), REST_GOT);
    assert_int_equal(rest_word(json, "E", &text), REST_ABSENT);
    json_decref(json);
}

static void one_object_stands_for_an_array(void **state)
{
    json_t *json = json_loads("{\"L\":{\"a\":1},\"M\":[{},{}],\"N\":5}", 0, NULL), *array = NULL;

    (void)state;
    assert_int_equal(rest_objects(json, "L", &array), REST_GOT);
    assert_int_equal(json_array_size(array), 1);
    assert_int_equal(rest_objects(json, "M", &array), REST_GOT);
    assert_int_equal(json_array_size(array), 2);
    assert_int_equal(rest_objects(json, "N", &array), REST_BAD);
    assert_int_equal(rest_objects(json, "O", &array), REST_ABSENT);
    json_decref(json);
}

static void urls_are_taken_apart(void **state)
{
    struct hy_arena arena;
    struct rest_url url;
    uint32_t app;

    (void)state;
    hy_arena_init(&arena);
    assert_int_equal(
        rest_url_parse("/v4/openim/sendmsg?usersig=a%2Ab&sdkappid=14&x&identifier=a%20b"
                       "&identifier=c#frag",
                       &arena, &url),
        0);
    assert_string_equal(url.service, "openim");
    assert_string_equal(url.command, "sendmsg");
    assert_string_equal(url.usersig, "a*b");
    assert_string_equal(url.sdkappid, "14");
    assert_string_equal(url.identifier, "a b");
    assert_int_equal(rest_url_parse("http://h:80/v4/a/b", &arena, &url), 0);
    assert_null(url.sdkappid);
    assert_int_equal(rest_url_parse("http://h", &arena, &url), 404);
    assert_int_equal(rest_url_parse("/v4/a", &arena, &url), 404);
    assert_int_equal(rest_url_parse("/v4/a/b?usersig=%", &arena, &url), 60002);
    assert_int_equal(rest_url_parse("/v4/a/b?usersig=%4", &arena, &url), 60002);
    assert_int_equal(rest_url_parse("/v4/a/b?usersig=%00", &arena, &url), 60002);
    assert_int_equal(rest_url_parse("/v4/a/b?other=%", &arena, &url), 0);
    assert_true(rest_url_app("4294967295", &app));
    assert_int_equal(app, UINT32_MAX);
    assert_false(rest_url_app("4294967296", &app));
    assert_false(rest_url_app("0", &app));
    assert_false(rest_url_app("-1", &app));
    hy_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_many_forms),
        cmocka_unit_test(the_first_spelling_that_is_there_counts),
        cmocka_unit_test(one_object_stands_for_an_array),
        cmocka_unit_test(urls_are_taken_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
