/* rest_body_test - MsgBody to Body and back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/body.h"
#include "common/codes.h"
#include "gateway/rest_body.h"
#include "gateway/rest_json.h"

static struct hy_arena arena;

static int setup(void **state)
{
    (void)state;
    hy_arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hy_arena_free(&arena);
    return 0;
}

/* NULL when it is no JSON; rest_body_read() takes that as missing. */
static const struct rest_value *parse(const char *text)
{
    const char *why = NULL;

    return rest_value_parse(hy_arena_strdup(&arena, text, strlen(text)), strlen(text), &arena,
                            &why);
}

static uint32_t code_of(const char *text)
{
    const struct rest_value *json = parse(text);
    const char *why = NULL;
    Hy__Body *body = NULL;
    uint32_t code = rest_body_read(json, &arena, &body, &why);

    return code;
}

/* Read and write again; the result must be as expected, whatever the order of keys. */
static void check(const char *text, const char *expected)
{
    const struct rest_value *json = parse(text);
    json_t *back, *want;
    const char *why = NULL;
    Hy__Body *body = NULL;
    uint8_t *bytes;
    size_t len;

    assert_non_null(json);
    assert_int_equal(rest_body_read(json, &arena, &body, &why), 0);
    len = hy__body__get_packed_size(body);
    bytes = hy_arena_alloc(&arena, len);
    hy__body__pack(body, bytes);
    assert_int_equal(hy_body_check(bytes, len, 9216), 0);
    back = rest_body_write(bytes, len, &arena);
    want = json_loads(expected, JSON_ALLOW_NUL, NULL);
    if (!json_equal(back, want))
        print_error("%s\n", json_dumps(back, 0));
    assert_true(json_equal(back, want));
    json_decref(back);
    json_decref(want);
}

static void every_element_comes_back_as_it_went(void **state)
{
    static const char *const bodies[] = {
        "[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"\xe4\xbd\xa0\xe5\xa5\xbd\"}}]",
        "[{\"MsgType\":\"TIMLocationElem\",\"MsgContent\":{\"Desc\":\"d\",\"Latitude\":29."
        "340656774469956,"
        "\"Longitude\":116.77497920478824}}]",
        "[{\"MsgType\":\"TIMFaceElem\",\"MsgContent\":{\"Index\":6,\"Data\":\"abc\"}}]",
        "[{\"MsgType\":\"TIMCustomElem\",\"MsgContent\":{\"Data\":\"a\\u0001\\u0000b\",\"Desc\":"
        "\"d\","
        "\"Ext\":\"e\",\"Sound\":\"s.aiff\"}}]",
        "[{\"MsgType\":\"TIMCustomElem\",\"MsgContent\":{\"Data\":\"only\"}}]",
        "[{\"MsgType\":\"TIMSoundElem\",\"MsgContent\":{\"Url\":\"https://"
        "u\",\"UUID\":\"1\",\"Size\":62351,"
        "\"Second\":1,\"Download_Flag\":2}}]",
        "[{\"MsgType\":\"TIMSoundElem\",\"MsgContent\":{\"UUID\":\"1\",\"Size\":62351,\"Second\":1}"
        "}]",
        "[{\"MsgType\":\"TIMImageElem\",\"MsgContent\":{\"UUID\":\"1\",\"ImageFormat\":1,"
        "\"ImageInfoArray\":["
        "{\"Type\":1,\"Size\":1853095,\"Width\":2448,\"Height\":3264,\"URL\":\"http://x\"},"
        "{\"Type\":3,\"Size\":2,\"Width\":0,\"Height\":0,\"URL\":\"\"}]}}]",
        "[{\"MsgType\":\"TIMFileElem\",\"MsgContent\":{\"Url\":\"u\",\"UUID\":\"1\",\"FileSize\":"
        "1773552,"
        "\"FileName\":\"file:///a.avi\",\"Download_Flag\":2}}]",
        "[{\"MsgType\":\"TIMVideoFileElem\",\"MsgContent\":{\"VideoUrl\":\"v\",\"VideoUUID\":"
        "\"5da\","
        "\"VideoSize\":1194603,\"VideoSecond\":5,\"VideoFormat\":\"mp4\",\"VideoDownloadFlag\":2,"
        "\"ThumbUrl\":\"t\",\"ThumbUUID\":\"6da\",\"ThumbSize\":13907,\"ThumbWidth\":720,"
        "\"ThumbHeight\":1280,"
        "\"ThumbFormat\":\"JPG\",\"ThumbDownloadFlag\":2}}]",
        "[{\"MsgType\":\"TIMRelayElem\",\"MsgContent\":{\"Title\":\"t\",\"MsgNum\":2,"
        "\"CompatibleText\":\"c\","
        "\"AbstractList\":[\"a\",\"b\"],\"MsgList\":[{\"From_Account\":\"x\",\"MsgSeq\":1,"
        "\"MsgBody\":[]}]}}]",
        "[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"1\"}},"
        "{\"MsgType\":\"TIMFaceElem\",\"MsgContent\":{\"Index\":-1}},"
        "{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"2\"}}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        check(bodies[i], bodies[i]);
}

static void numbers_may_be_strings_and_nulls_are_nothing(void **state)
{
    (void)state;
    check(
        "[{\"MsgType\":\"TIMFaceElem\",\"MsgContent\":{\"Index\":\"6\",\"Data\":null,\"More\":1}}]",
        "[{\"MsgType\":\"TIMFaceElem\",\"MsgContent\":{\"Index\":6}}]");
    check("[{\"MsgType\":\"TIMLocationElem\",\"MsgContent\":{\"Desc\":\"d\",\"Latitude\":\"1.5\","
          "\"Longitude\":2}}]",
          "[{\"MsgType\":\"TIMLocationElem\",\"MsgContent\":{\"Desc\":\"d\",\"Latitude\":1.5,"
          "\"Longitude\":2.0}}]");
}

static void bytes_that_are_no_text_are_given_in_base64(void **state)
{
    uint8_t data[] = {0xff, 0xfe, 0x00};
    Hy__CustomElem custom = HY__CUSTOM_ELEM__INIT;
    Hy__Elem elem = HY__ELEM__INIT, *elems[] = {&elem};
    Hy__Body body = HY__BODY__INIT;
    uint8_t bytes[64];
    size_t len;
    json_t *json;

    (void)state;
    custom.data = (ProtobufCBinaryData){sizeof data, data};
    elem.kind_case = HY__ELEM__KIND_CUSTOM;
    elem.custom = &custom;
    body.n_elems = 1;
    body.elems = elems;
    len = hy__body__pack(&body, bytes);
    json = rest_body_write(bytes, len, &arena);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(json_array_get(json, 0), "MsgContent"), "Data")),
                        "//4A");
    json_decref(json);
}

static void what_is_no_message_has_a_code(void **state)
{
    (void)state;
    assert_int_equal(rest_body_read(NULL, &arena, &(Hy__Body *){NULL}, &(const char *){NULL}),
                     90002);
    assert_int_equal(code_of("{}"), 90007);
    assert_int_equal(code_of("[]"), 90002);
    assert_int_equal(code_of("[1]"), 90002);
    assert_int_equal(code_of("[{}]"), 90002);
    assert_int_equal(code_of("[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":[]}]"), 90002);
    assert_int_equal(code_of("[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":5}}]"), 90002);
    assert_int_equal(
        code_of("[{\"MsgType\":\"TIMTextElem\",\"MsgContent\":{\"Text\":\"a\\u0000b\"}}]"), 90002);
    assert_int_equal(code_of("[{\"MsgType\":\"TIMFaceElem\",\"MsgContent\":{}}]"), 90002);
    assert_int_equal(code_of("[{\"MsgType\":\"TIMGroupTipElem\",\"MsgContent\":{}}]"), 90010);
    assert_int_equal(code_of("[{\"MsgType\":\"timtextelem\",\"MsgContent\":{}}]"), 90010);
    assert_int_equal(
        code_of("[{\"MsgType\":\"TIMImageElem\",\"MsgContent\":{\"ImageInfoArray\":5}}]"), 90002);
    assert_int_equal(
        code_of("[{\"MsgType\":\"TIMRelayElem\",\"MsgContent\":{\"AbstractList\":[5]}}]"), 90002);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_element_comes_back_as_it_went),
        TEST(numbers_may_be_strings_and_nulls_are_nothing),
        TEST(bytes_that_are_no_text_are_given_in_base64),
        TEST(what_is_no_message_has_a_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
