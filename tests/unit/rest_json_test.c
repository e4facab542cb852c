/* rest_json_test - reading fields with tolerance, and taking URLs apart. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/rest_json.h"
#include "gateway/rest_url.h"

/* Text to values; what it takes is given back by drop(). */
static struct hy_arena arena;
static char *copy;

static const struct rest_value *parse(const char *text, size_t len)
{
    const char *why = NULL;
    const struct rest_value *value;

    hy_arena_init(&arena);
    copy = malloc(len > 0 ? len : 1); /* exactly as long: reading on is seen by the sanitizer */
    assert_non_null(copy);
    memcpy(copy, text, len);
    value = rest_value_parse(copy, len, &arena, &why);
    assert_true(value != NULL || (why != NULL && *why != '\0'));
    return value;
}

static void drop(void)
{
    hy_arena_free(&arena);
    free(copy);
}

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
        const struct rest_value *json = parse(rows[i].json, strlen(rows[i].json));
        int64_t value = 0;

        assert_non_null(json);
        assert_int_equal(rest_int(json, "n", -100, 100, &value), rows[i].got);
        assert_int_equal(value, rows[i].value);
        drop();
    }
}

static void the_first_spelling_that_is_there_counts(void **state)
{
    static const char rows[] = "{\"A\":null,\"B\":\"b\",\"C\":\"c\",\"E\":\"\",\"C\":\"d\"}";
    const struct rest_value *json = parse(rows, sizeof rows - 1);
    char *text = NULL;

    (void)state;
    assert_int_equal(rest_text(json, "A|B|C", &text), REST_GOT);
    assert_string_equal(text, "b");
    assert_int_equal(rest_text(json, "A", &text), REST_ABSENT);
    assert_int_equal(rest_text(json, "X|C", &text), REST_GOT);
    assert_string_equal(text, "d"); /* of equal names the last */
    assert_int_equal(rest_text(json, "E", &text), REST_GOT);
    assert_int_equal(rest_word(json, "E", &text), REST_ABSENT);
    drop();
}

static void one_object_stands_for_an_array(void **state)
{
    static const char text[] = "{\"L\":{\"a\":1},\"M\":[{},{}],\"N\":5}";
    const struct rest_value *json = parse(text, sizeof text - 1), *array = NULL;

    (void)state;
    assert_int_equal(rest_objects(json, "L", &arena, &array), REST_GOT);
    assert_int_equal(rest_count(array), 1);
    assert_int_equal(rest_objects(json, "M", &arena, &array), REST_GOT);
    assert_int_equal(rest_count(array), 2);
    assert_int_equal(rest_objects(json, "N", &arena, &array), REST_BAD);
    assert_int_equal(rest_objects(json, "O", &arena, &array), REST_ABSENT);
    drop();
}

/* As jansson, which read bodies before and writes answers still, would have it. */
static void values_are_what_jansson_reads(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "{\"a\":[1,-2,{\"b\":null}],\"c\":true,\"d\":false}\n",
        "[0,-0,9223372036854775807,-9223372036854775808,1.5,-2e3,1E+2,0.0]",
        "[\"\",\"12345678\",\"1234567\\n12345678901234567890\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
        "[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\",\"\u00e9\u20ac\U0001F600 and more text\"]",
        "[\"a\\u0000b\",\"\u00e9\\u0000\u00e9\"]",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "{\"\":{\"\":[[[]]]}}",
        /* wrong ones */
        "",
        " ",
        "{",
        "[",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{} {}",
        "{a:1}",
        "[01]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[+1]",
        "[-]",
        "[9223372036854775808]",
        "[-9223372036854775809]",
        "[1e999]",
        "[nul]",
        "[True]",
        "[\"a]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\ud83d\"]",
        "[\"\\ud83d\\u0041\"]",
        "[\"\\ude00\"]",
        "[\"a\nb\"]",
        "[\"12345678\t\"]",
        "[\"\xff\"]",
        "[\"\xc3\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xc0\x80\"]",
        "{\"a\\u0000\":1}",
        "]",
        "}",
        "[}",
        "{]",
        "[\"\\",
        "[\"\\u",
        "tru",
        "-",
        "1e",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *want = json_loads(texts[i], JSON_ALLOW_NUL, NULL), *got = NULL;
        const struct rest_value *value = parse(texts[i], strlen(texts[i]));

        if ((want != NULL) != (value != NULL))
            print_error("%s\n", texts[i]);
        assert_int_equal(want != NULL, value != NULL);
        if (value != NULL) {
            got = rest_value_copy(value);
            if (!json_equal(got, want))
                print_error("%s\n", texts[i]);
            assert_true(json_equal(got, want));
        }
        json_decref(got);
        json_decref(want);
        drop();
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    char text[] = "{\"a\":1,}";
    const char *why = NULL;

    (void)state;
    hy_arena_init(&arena);
    assert_null(rest_value_parse(text, sizeof text - 1, &arena, &why));
    assert_string_equal(why, "a name in quotes is expected, at byte 8");
    hy_arena_free(&arena);
}

static void depth_has_an_end(void **state)
{
    char text[2000];

    (void)state;
    memset(text, '[', 512);
    memset(text + 512, ']', 512);
    assert_non_null(parse(text, 1024));
    drop();
    memset(text, '[', 513);
    memset(text + 513, ']', 513);
    assert_null(parse(text, 1026));
    drop();
}

/* Wherever a byte stands that matters, eight at a time or alone. */
static void every_place_of_a_quote_or_escape_is_seen(void **state)
{
    (void)state;
    for (size_t len = 1; len < 40; len++) {
        char text[64] = "[\"";
        const struct rest_value *value;

        memset(text + 2, 'x', len);
        strcpy(text + 2 + len, "\\n\",\"yyyyyyyyyyyy\"]");
        value = parse(text, strlen(text));
        assert_int_equal(rest_count(value), 2);
        assert_int_equal(rest_at(value, 0)->size, len + 1);
        assert_int_equal(rest_string(rest_at(value, 0))[len], '\n');
        assert_string_equal(rest_string(rest_at(value, 1)), "yyyyyyyyyyyy");
        drop();
        text[2 + len / 2] = '\x1f';
        assert_null(parse(text, strlen(text)));
        drop();
    }
}

static void urls_are_taken_apart(void **state)
{
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
        cmocka_unit_test(values_are_what_jansson_reads),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(depth_has_an_end),
        cmocka_unit_test(every_place_of_a_quote_or_escape_is_seen),
        cmocka_unit_test(urls_are_taken_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
