#include "common/usersig.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include "common/codes.h"

static const char secret[] = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
static const uint32_t app = 1400000000;
static const uint64_t issued_s = 1600000000, last_s = 1615552000;

static const char v2_a[] =
    "eNqrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwMogMikVhRkFqUCxU1NTY3goi"
    "WZ"
    "uSAxM1S1xZnpQJMNo0wD8tJdstwTS9NSgzMD8p1KK1I8Is1dvY29QlIcs3wDLI2DTbzLwox9bZVqAaoDMbs_";
static const char v2_a_stored[] =
    "eAEBqwBU-"
    "3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoieGlhb2p1biIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAw"
    "MCwiVExTLmV4cGlyZSI6MTU1NTIwMDAsIlRMUy50aW1lIjoxNjAwMDAwMDAwLCJUTFMuc2lnIjoiMVo1UG5nRGpHYXVmZV"
    "NpUG9C"
    "dXhkSFk3RUszSlRkQWpNUDkzUzRLdlYzTT0ifaoDMbs_";
static const char v2_b[] =
    "eNqrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwokpuZl5UInilOzEgoLMFCUrQxMDKIDIpFYUZBalKllZmJnAhEoyc4"
    "EChqYm"
    "ZsYGBhYw0eLMdKChae7OhmXGyU5BPhG*qT7JYc6ezi7J5VHmpjlBud7uJh76Rona*hbuho7errZKtQCC4y73";
static const char v2_c[] = "eNqrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwM"
                           "ogMikVhRkFqUCxU1NTY3goiWZuSAx"
                           "M1S1pcWpRUmlaUDTI8O9smBGZ6YDBSxLylIqS0sNDYOCK4o8yyMMKpwNTPPDzX1SAirC8qq"
                           "yq5wKkoNC9EML03xtlWoBF545cA__";
static const char v1_a[] =
    "eJxlz11PgzAYBeB7fkXDLUZbSqPd3dyHw4HJMoiZN01DO2mmUEsHlsX-bmQmI9nt*5ycN*"
    "fkAQD8LNne8qKoj5Vl1mnpgwnwoX9z"
    "Qa2VYNwybMQVym*tjGR8b6UZMCQ0hHAcUUJWVu3VfwCNqBEHNtRfi3ofbuliN4s386WrVzOS9228Cnpxl96-LfkLdfN*"
    "lzwZXXYu"
    "gjzLzEfjpnE5feavMv2iQbsVBG-WCeWHI4R5UYpcarVYl-"
    "hRo0x1gelGL636PI9HBOMQRQ8oGmkrTaPq6rwRIoJCSOHfUO-H*wVA"
    "W1nJ";
static const char v1_a_key[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmAeEcipI6pcgR+egd5GM6F35XveJ\n"
                               "agHwdlx2f4PkTdGBzLOfMyU52lDF8ZFg00EE06QyQ7nB1GsZyXVKBkRGrg==\n"
                               "-----END PUBLIC KEY-----\n";
static const char v1_b[] =
    "eJxNz11vgjAYBeB7fkXTW41rKwL1bkMMGnGyidu8IaxUfdehFWpkMfvv8ysL5-Y5yck5WQghPJ*"
    "8djIhdoetSc2Plhj1EabUwe1-"
    "lrWGUqbZysjyyqzHGSGkUYFcbg2s4F6gZ6UNrnKVZlpDflObXMJYc6SC9RWj4MMfxf57lz0xb8ztcd2aKgrTJYdSh8lsU8"
    "dmcnQT"
    "FaqdGC48dRxtHp8DL5qLw-fnW*Q8BCJosXj-FfpLx7eLRf2iOUnWVTEgXuI2Jg0U97s9do7LXY6tX*sPGj5LXg__";
static const char v1_b_key[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAED5Ffi4qIe4XUZ5zDGR9pC0Z6UL/gCHf0\n"
                               "vgoLVestQxqOGJB5mcbaKULeriaevZoq0Sx8gGtfDlSf4fXwzPtGvg==\n"
                               "-----END PUBLIC KEY-----\n";
static const char v1_c[] = "eJxN0E9vgjAUAPA7n6LhumVrC7ixxAOKA4OLM*K2W9NIdS8IQqlSWfbd59Bsfcf3e--"
                           "yviyEkJ3Olnd8vd4fSsXUqRI2ekL2wL79"
                           "x6qCjHHFHJn1SKhjsNAVSMH4Rgl56cWGQiZKBRu42rnV9Qxuspz18--"
                           "URNj26ZfJYjyNOD4UcuE*y9Eu1asd0a1Q969JNK-jMP4I"
                           "4ebkbsMw149BAEG7jGs-J8kn6VLqRNPG180xGby-"
                           "ibbl44IC7UYR1JNuFgyHxkoFxeUBxKPkgWDim584CtnAvuwLKCbe*V78G7b1"
                           "bf0AYUhaRQ__";
static const char v1_c_key[] = "-----BEGIN PUBLIC KEY-----\n"
                               "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEtqF9a4XZGHQ/npNSeTcGITcBR7lW7qz1\n"
                               "x0M1QFxkhLM4GiBa2kv7GzLoO2/YqIuXRWV5Xm9EdnrSGd3T7sHFcg==\n"
                               "-----END PUBLIC KEY-----\n";

static const char *const secrets[] = {secret};
static const struct hy_usersig_keys keys = {.secrets = secrets, .secret_count = 1};

static uint32_t verify(const char *sig, const char *user, uint64_t now_s)
{
    struct hy_usersig out;

    return hy_usersig_verify(sig, strlen(sig), app, user, &keys, now_s, &out);
}

static uint32_t verify_v1(const char *sig, const char *key, uint32_t sdkappid, const char *user,
                          uint64_t now_s)
{
    const char *const public_keys[] = {v1_c_key, key};
    const struct hy_usersig_keys both = {.public_keys = public_keys, .public_key_count = 2};
    struct hy_usersig out;

    return hy_usersig_verify(sig, strlen(sig), sdkappid, user, &both, now_s, &out);
}

/* JSON to ticket, as an app server would wrap it. */
static const char *wrap(const char *json, size_t len)
{
    static char out[65536];
    static uint8_t packed[32768];
    uLongf packed_len = sizeof packed;

    assert_int_equal(compress(packed, &packed_len, (const Bytef *)json, len), Z_OK);
    EVP_EncodeBlock((uint8_t *)out, packed, (int)packed_len);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == '+' ? '*' : *c == '/' ? '-' : *c == '=' ? '_' : *c;
    return out;
}

static uint32_t verify_json(const char *json)
{
    return verify(wrap(json, strlen(json)), "xiaojun", issued_s + 1);
}

static void v2_vectors_hold_to_the_second(void **state)
{
    struct hy_usersig out;

    (void)state;
    assert_int_equal(verify(v2_a, "xiaojun", issued_s + 1), 0);
    assert_int_equal(verify(v2_a, "xiaojun", last_s), 0);
    assert_int_equal(verify(v2_a, "xiaojun", last_s + 1), HY_CODE_SIG_EXPIRED);
    assert_int_equal(verify(v2_a_stored, "xiaojun", issued_s + 1), 0);
    assert_int_equal(verify(v2_b, "admin", 1546300801), 0);
    assert_int_equal(verify(v2_c, "xiaojun", issued_s + 1), 0);
    assert_int_equal(hy_usersig_verify(v2_a, strlen(v2_a), app, "xiaojun", &keys, last_s, &out), 0);
    assert_int_equal(out.time_s, issued_s);
    assert_int_equal(out.expires_s, last_s);
}

static void v2_d_with_a_room_userbuf_is_good(void **state)
{
    (void)state;
    assert_int_equal(
        verify_json(
            "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"xiaojun\",\"TLS.sdkappid\":1400000000,"
            "\"TLS.expire\":15552000,\"TLS.time\":1600000000,"
            "\"TLS.userbuf\":\"AAAHeGlhb2p1blNyTgAAACcQYEteAAAAAP8AAAAA\","
            "\"TLS.sig\":\"QQY8WpPtnz7YZSG2peQjkXFqylqgPMeZmrrJaErpMxE=\"}"),
        0);
}

static void v1_vectors_of_both_curves(void **state)
{
    (void)state;
    assert_int_equal(verify_v1(v1_a, v1_a_key, 1, "1", 1533214814), 0);
    assert_int_equal(verify_v1(v1_a, v1_a_key, 1, "1", 1800000000), HY_CODE_SIG_EXPIRED);
    assert_int_equal(verify_v1(v1_b, v1_b_key, 1400000226, "10001", 1522227979), 0);
    assert_int_equal(verify_v1(v1_c, v1_c_key, 1234, "12345", 1521710196 + 60), 0);
    assert_int_equal(verify_v1(v1_c, v1_c_key, 1234, "12345", 1521710196 + 61),
                     HY_CODE_SIG_EXPIRED);
    assert_int_equal(verify_v1(v1_a, v1_b_key, 1, "1", 1533214814), HY_CODE_SIG_MISMATCH);
    assert_int_equal(verify_v1(v1_a, v1_a_key, 1, "2", 1533214814), HY_CODE_SIG_OTHER_USER);
    assert_int_equal(verify_v1(v1_a, v1_a_key, 2, "1", 1533214814), HY_CODE_SIG_OTHER_APP);
    assert_int_equal(verify_v1(v1_a, "no key at all", 1, "1", 1533214814), HY_CODE_SIG_MISMATCH);
    assert_int_equal(ERR_peek_error(), 0);
}

static void each_failure_has_its_code(void **state)
{
    struct hy_usersig out;
    const char *const wrong[] = {"another secret"};
    const struct hy_usersig_keys none = {0}, other = {.secrets = wrong, .secret_count = 1};
    char cut[sizeof v2_a];

    (void)state;
    assert_int_equal(verify("", "xiaojun", issued_s), HY_CODE_SIG_EMPTY);
    assert_int_equal(verify("!!!!", "xiaojun", issued_s), HY_CODE_SIG_DECODE);
    assert_int_equal(verify("MTIz", "xiaojun", issued_s), HY_CODE_SIG_DECODE);
    for (size_t len = 1; len < strlen(v2_a); len++) {
        memcpy(cut, v2_a, len);
        cut[len] = '\0';
        assert_int_equal(verify(cut, "xiaojun", issued_s), HY_CODE_SIG_DECODE);
    }
    assert_int_equal(verify(v2_a, "xiaojuN", issued_s), HY_CODE_SIG_OTHER_USER);
    assert_int_equal(hy_usersig_verify(v2_a, strlen(v2_a), 7, "xiaojun", &keys, issued_s, &out),
                     HY_CODE_SIG_OTHER_APP);
    assert_int_equal(hy_usersig_verify(v2_a, strlen(v2_a), app, "xiaojun", &other, issued_s, &out),
                     HY_CODE_SIG_MISMATCH);
    assert_int_equal(hy_usersig_verify(v2_a, strlen(v2_a), app, "xiaojun", &none, issued_s, &out),
                     HY_CODE_SIG_NO_METHOD);
    assert_int_equal(hy_usersig_verify(v1_a, strlen(v1_a), 1, "1", &keys, 1533214814, &out),
                     HY_CODE_SIG_NO_KEY);
    assert_int_equal(verify(v2_a, "xiaojun", issued_s - 300), 0);
    assert_int_equal(verify(v2_a, "xiaojun", issued_s - 301), HY_CODE_SIG_INVALID);
}

static void fields_must_be_there_and_well_formed(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"TLS.ver\":\"3.0\"}",
        "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"xiaojun\"}",
        "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":7,\"TLS.sdkappid\":1400000000,\"TLS.expire\":1,"
        "\"TLS.time\":1600000000,\"TLS.sig\":\"\"}",
        "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"a\",\"TLS.sdkappid\":1400000000,\"TLS.expire\":-"
        "1,"
        "\"TLS.time\":1600000000,\"TLS.sig\":\"\"}",
        "{\"TLS.ver\":\"2.0\",\"TLS.identifier\":\"a\",\"TLS.sdkappid\":\"1400000000\","
        "\"TLS.expire\":1,\"TLS.time\":1600000000,\"TLS.sig\":\"\"}",
        "{\"TLS.account_type\":\"0\\nTLS.identifier:x\",\"TLS.identifier\":\"x\",\"TLS.sdk_appid\":"
        "\"1\","
        "\"TLS.time\":\"1\",\"TLS.expire_after\":\"1\",\"TLS.sig\":\"\"}",
        "{\"TLS.account_type\":\"0\",\"TLS.identifier\":\"x\",\"TLS.sdk_appid\":\"1\","
        "\"TLS.time\":\"2015-01-01T00:00:00-08:00\",\"TLS.expire_after\":\"1\",\"TLS.sig\":\"\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(verify_json(bad[i]), HY_CODE_SIG_INVALID);
    assert_int_equal(verify_json("[]"), HY_CODE_SIG_DECODE);
    assert_int_equal(verify_json("{\"a\":1,\"a\":2}"), HY_CODE_SIG_DECODE);
}

static void a_bomb_is_not_inflated(void **state)
{
    char *json = calloc(1, 200000);

    (void)state;
    memset(json, ' ', 199990);
    assert_int_equal(verify(wrap(json, 199990), "xiaojun", issued_s), HY_CODE_SIG_DECODE);
    free(json);
}

static void url_encoders_may_touch_the_stars(void **state)
{
    char text[1024] = "";

    (void)state;
    for (const char *c = v2_b; *c != '\0'; c++) {
        char one[2] = {*c, '\0'};

        strcat(text, *c == '*' ? "%2A" : *c == '_' ? "%5f" : *c == '-' ? "%2D" : one);
    }
    assert_int_equal(verify(text, "admin", 1546300801), 0);
    assert_int_equal(verify("eNqr%zz", "admin", 1546300801), HY_CODE_SIG_DECODE);
}

static void what_we_issue_is_good_for_its_time(void **state)
{
    const char *const two[] = {"new secret", "old secret"};
    const struct hy_usersig_keys live = {.secrets = two, .secret_count = 2};
    char sig[HY_USERSIG_MAX], huge[2000];
    struct hy_usersig out;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hy_usersig_issue(app, "ann b", two[i], 1000, 50, sig), HY_OK);
        assert_int_equal(hy_usersig_verify(sig, strlen(sig), app, "ann b", &live, 1050, &out), 0);
        assert_int_equal(hy_usersig_verify(sig, strlen(sig), app, "ann b", &live, 1051, &out),
                         HY_CODE_SIG_EXPIRED);
    }
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_int_equal(hy_usersig_issue(app, huge, "k", 1, 1, sig), HY_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v2_vectors_hold_to_the_second),
        cmocka_unit_test(v2_d_with_a_room_userbuf_is_good),
        cmocka_unit_test(v1_vectors_of_both_curves),
        cmocka_unit_test(each_failure_has_its_code),
        cmocka_unit_test(fields_must_be_there_and_well_formed),
        cmocka_unit_test(a_bomb_is_not_inflated),
        cmocka_unit_test(url_encoders_may_touch_the_stars),
        cmocka_unit_test(what_we_issue_is_good_for_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
