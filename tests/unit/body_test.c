#include "common/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/codes.h"

enum { MAX = 9216 };

static uint32_t check_elems(Hy__Elem **elems, size_t count)
{
    Hy__Body body = HY__BODY__INIT;

    body.elems = elems;
    body.n_elems = count;
    return hy_body_check_decoded(&body, MAX);
}

static uint32_t check_text(char *text)
{
    Hy__TextElem t = HY__TEXT_ELEM__INIT;
    Hy__Elem e = HY__ELEM__INIT, *elems[] = {&e};

    t.text = text;
    e.kind_case = HY__ELEM__KIND_TEXT;
    e.text = &t;
    return check_elems(elems, 1);
}

#define CHECK_KIND(type, init, member, which, ...)                                                 \
    ({                                                                                             \
        type k_ = init;                                                                            \
        Hy__Elem e_ = HY__ELEM__INIT, *list_[] = {&e_};                                            \
        type *k = &k_;                                                                             \
        __VA_ARGS__;                                                                               \
        e_.kind_case = HY__ELEM__KIND_##which;                                                     \
        e_.member = k;                                                                             \
        check_elems(list_, 1);                                                                     \
    })

static char some[] = "x";

static void text_is_measured_to_the_byte(void **state)
{
    char *text = calloc(1, MAX + 2);

    (void)state;
    memset(text, 'a', MAX);
    assert_int_equal(check_text(text), 0);
    text[MAX] = 'a';
    assert_int_equal(check_text(text), HY_CODE_MSG_TOO_LONG);
    free(text);
}

static void all_elements_count_together(void **state)
{
    char *half = calloc(1, MAX / 2 + 2);
    Hy__TextElem t = HY__TEXT_ELEM__INIT;
    Hy__CustomElem c = HY__CUSTOM_ELEM__INIT;
    Hy__Elem e = HY__ELEM__INIT, f = HY__ELEM__INIT, *elems[] = {&e, &f};

    (void)state;
    memset(half, 'a', MAX / 2);
    t.text = half;
    e.kind_case = HY__ELEM__KIND_TEXT;
    e.text = &t;
    c.data = (ProtobufCBinaryData){MAX / 2, (uint8_t *)half};
    f.kind_case = HY__ELEM__KIND_CUSTOM;
    f.custom = &c;
    assert_int_equal(check_elems(elems, 2), 0);
    c.desc = some;
    assert_int_equal(check_elems(elems, 2), HY_CODE_MSG_TOO_LONG);
    free(half);
}

static void what_says_nothing_is_empty(void **state)
{
    (void)state;
    assert_int_equal(check_elems(NULL, 0), HY_CODE_MSG_EMPTY);
    assert_int_equal(hy_body_check(NULL, 0, MAX), HY_CODE_MSG_EMPTY);
    assert_int_equal(check_text((char *)""), HY_CODE_MSG_EMPTY);
    assert_int_equal(
        CHECK_KIND(Hy__CustomElem, HY__CUSTOM_ELEM__INIT, custom, CUSTOM, k->sound = some),
        HY_CODE_MSG_EMPTY);
    assert_int_equal(
        CHECK_KIND(Hy__CustomElem, HY__CUSTOM_ELEM__INIT, custom, CUSTOM, k->desc = some), 0);
    assert_int_equal(CHECK_KIND(Hy__ImageElem, HY__IMAGE_ELEM__INIT, image, IMAGE, k->format = 1),
                     HY_CODE_MSG_EMPTY);
    assert_int_equal(CHECK_KIND(Hy__ImageElem, HY__IMAGE_ELEM__INIT, image, IMAGE, k->uuid = some),
                     0);
    assert_int_equal(CHECK_KIND(Hy__FileElem, HY__FILE_ELEM__INIT, file, FILE, k->size = 9),
                     HY_CODE_MSG_EMPTY);
    assert_int_equal(CHECK_KIND(Hy__SoundElem, HY__SOUND_ELEM__INIT, sound, SOUND, k->uuid = some),
                     0);
    assert_int_equal(
        CHECK_KIND(Hy__VideoElem, HY__VIDEO_ELEM__INIT, video, VIDEO, k->thumb_url = some),
        HY_CODE_MSG_EMPTY);
    assert_int_equal(CHECK_KIND(Hy__RelayElem, HY__RELAY_ELEM__INIT, relay, RELAY, k->title = some),
                     0);
    assert_int_equal(CHECK_KIND(Hy__FaceElem, HY__FACE_ELEM__INIT, face, FACE, (void)k), 0);
    assert_int_equal(
        CHECK_KIND(Hy__LocationElem, HY__LOCATION_ELEM__INIT, location, LOCATION, (void)k), 0);
}

static void a_tip_comes_from_the_server_alone(void **state)
{
    (void)state;
    assert_int_equal(CHECK_KIND(Hy__TipElem, HY__TIP_ELEM__INIT, tip, TIP, k->type = 1),
                     HY_CODE_MSG_INVALID);
}

static void bytes_that_are_no_body_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t code;
    } rows[] = {
        {"\x0a\x05\x0a\x03\x0a\x01x", 7, 0},
        {"\x0a\x05\x0a\x03\x0a\x01", 6, HY_CODE_MSG_INVALID},  /* cut */
        {"\x0a\x00", 2, HY_CODE_MSG_INVALID},                  /* an element without kind */
        {"\x0a\x05\x0a\x03\x0a\x01\x00", 7, HY_CODE_NOT_UTF8}, /* NUL in a text */
        {"\x0a\x05\x0a\x03\x0a\x01\xff", 7, HY_CODE_NOT_UTF8},
        {"\x0a\x0a\x0a\x03\x0a\x01x\x0a\x03\x0a\x01x", 12, HY_CODE_MSG_INVALID}, /* two kinds */
        {"\x0a\x04\x0a\x02\x08\x01", 6, HY_CODE_MSG_INVALID}, /* text as a number */
        {"\x0a\x06\x0a\x04\x0a\x00\x0a\x00", 8, HY_CODE_MSG_EMPTY},
        {"\x0a\x08\x0a\x06\x0a\x01x\x0a\x00\x10\x01", 11, HY_CODE_MSG_INVALID}, /* wrong length */
        {"\x0a\x07\x0a\x05\x0a\x01x\x0a\x00", 9, HY_CODE_MSG_EMPTY}, /* the last text counts */
        {"\x08\x01", 2, HY_CODE_MSG_INVALID},
        {"\x0b", 1, HY_CODE_MSG_INVALID},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, HY_CODE_MSG_INVALID},
        {"\x0a\xff\xff\xff\xff\x0f", 6, HY_CODE_MSG_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(hy_body_check((const uint8_t *)rows[i].bytes, rows[i].len, MAX),
                         rows[i].code);
}

static void hidden_bytes_count_too(void **state)
{
    size_t len = MAX + 20;
    uint8_t *body = calloc(1, len);

    (void)state;
    /* a short text, then an unknown field of more than the limit */
    memcpy(body, "\x0a\x05\x0a\x03\x0a\x01x\x7a", 8);
    body[8] = (uint8_t)(0x80 | ((len - 10) & 0x7f));
    body[9] = (uint8_t)((len - 10) >> 7);
    assert_int_equal(hy_body_check(body, len, MAX), HY_CODE_MSG_TOO_LONG);
    free(body);
}

static void utf8_is_that_of_table_3_7(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"", true},
        {"plain ascii, longer than eight bytes", true},
        {"\xc2\x80", true},
        {"\xc0\xaf", false},
        {"\xc1\xbf", false},
        {"\xe0\xa0\x80", true},
        {"\xe0\x9f\xbf", false},
        {"\xed\x9f\xbf", true},
        {"\xed\xa0\x80", false}, /* a surrogate */
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"12345678\xe4\xbd\xa0\xe5\xa5\xbd", true},
        {"12345678\xe4\xbd", false},
        {"1234567\x80", false},
        {"\xe4\xbd\xe4", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(hy_utf8(rows[i].text, strlen(rows[i].text)), rows[i].good);
    assert_false(hy_utf8("12345678\0", 9));
    assert_false(hy_utf8("1234\0"
                         "678",
                         8));
    assert_false(hy_utf8("1234567\0abcdefgh", 16));
    assert_false(hy_utf8("\0\x01\x01\x01\x01\x01\x01\x01", 8));
}

static void names_are_checked(void **state)
{
    (void)state;
    assert_true(hy_account_ok("anna"));
    assert_true(hy_account_ok("12345678901234567890123456789012"));
    assert_false(hy_account_ok("123456789012345678901234567890123"));
    assert_false(hy_account_ok(""));
    assert_false(hy_account_ok("@TGS#1"));
    assert_false(hy_account_ok("@TLS#x"));
    assert_false(hy_account_ok("\xe4\xbd\xa0"));
    assert_false(hy_account_ok("a\tb"));
    assert_true(hy_group_id_ok("@TGS#1", false));
    assert_false(hy_group_id_ok("@TGS#1", true));
    assert_true(hy_group_id_ok("my room", true));
    assert_false(hy_group_id_ok("1234567890123456789012345678901234567890123456789", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_measured_to_the_byte),
        cmocka_unit_test(all_elements_count_together),
        cmocka_unit_test(what_says_nothing_is_empty),
        cmocka_unit_test(a_tip_comes_from_the_server_alone),
        cmocka_unit_test(bytes_that_are_no_body_are_refused),
        cmocka_unit_test(hidden_bytes_count_too),
        cmocka_unit_test(utf8_is_that_of_table_3_7),
        cmocka_unit_test(names_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
