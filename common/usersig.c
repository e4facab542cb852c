#include "common/usersig.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/codes.h"
#include "common/hmac.h"

enum {
    AHEAD_S = 300,                        /* a clock of an app server may be this fast */
    DER_MAX = 256,                        /* an ECDSA signature of 256 bits has at most 72 */
    TEXT_MAX = HY_USERSIG_JSON_MAX + 256, /* signed text: the values with longer names */
};

/* What a ticket claims, not yet believed. Lent from the JSON. */
struct claim {
    bool v1;
    const char *identifier, *sig;
    uint64_t sdkappid, time_s, expire_s;
    char text[TEXT_MAX]; /* that must have been signed */
    size_t text_len;
};

/* ---- wrapping: base64 with other letters, zlib ---- */

/* What a letter of standard base64 stands for; -1: nothing. */
static const int8_t sextets[256] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1,
    -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};

/* Decode standard base64 with its padding. False: not that, or more than *out_len bytes. */
static bool base64_decode(const char *text, size_t len, uint8_t *out, size_t *out_len)
{
    size_t pad = 0, n = 0;

    if (len == 0 || len % 4 != 0)
        return false;
    while (pad < 2 && text[len - 1 - pad] == '=')
        pad++;
    if (len / 4 * 3 - pad > *out_len)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        size_t here = i + 4 < len ? 4 : 4 - pad; /* letters of this group */
        uint32_t bits = 0;

        for (size_t k = 0; k < here; k++) {
            int8_t value = sextets[(uint8_t)text[i + k]];

            if (value < 0)
                return false;
            bits |= (uint32_t)value << (18 - 6 * k);
        }
        for (size_t k = 0; k + 1 < here; k++)
            out[n++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    *out_len = n;
    return true;
}

/* The letter that a ticket's letter, or its URL encoding of *used letters, stands for; 0: none. The
 * letters of standard base64 that are swapped must not come as they are. */
static char unswapped(const char *sig, size_t left, size_t *used)
{
    *used = 1;
    switch (sig[0]) {
    case '*':
        return '+';
    case '-':
        return '/';
    case '_':
        return '=';
    case '+':
    case '/':
    case '=':
        return 0;
    case '%':
        break;
    default:
        return sig[0];
    }
    *used = 3;
    if (left < 3)
        return 0;
    switch ((uint8_t)sig[1] << 8 | ((uint8_t)sig[2] | 0x20)) { /* hexadecimal in either case */
    case '2' << 8 | 'a':
        return '+';
    case '2' << 8 | 'd':
        return '/';
    case '5' << 8 | 'f':
        return '=';
    default:
        return 0;
    }
}

/* Swap the letters of a ticket back, and undo what URL encoders did to them. */
static bool unswap(const char *sig, size_t len, char *out, size_t *out_len)
{
    size_t n = 0;

    for (size_t i = 0, used; i < len; i += used) {
        out[n] = unswapped(sig + i, len - i, &used);
        if (out[n++] == 0)
            return false;
    }
    *out_len = n;
    return true;
}

/* Inflate into out, at most HY_USERSIG_JSON_MAX bytes whatever the ticket claims to be. */
static bool inflate_json(const uint8_t *bytes, size_t len, char *out, size_t *out_len)
{
    z_stream z = {.next_in = (Bytef *)bytes,
                  .avail_in = (uInt)len,
                  .next_out = (Bytef *)out,
                  .avail_out = HY_USERSIG_JSON_MAX};

    if (inflateInit(&z) != Z_OK)
        return false;
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;

    *out_len = HY_USERSIG_JSON_MAX - z.avail_out;
    inflateEnd(&z);
    return whole;
}

/* The JSON object inside a ticket, or NULL. */
static json_t *unwrap(const char *sig, size_t len)
{
    char text[HY_USERSIG_MAX];
    uint8_t packed[HY_USERSIG_MAX];
    char json[HY_USERSIG_JSON_MAX];
    size_t text_len, packed_len = sizeof packed, json_len;

    if (len > sizeof text || !unswap(sig, len, text, &text_len) ||
        !base64_decode(text, text_len, packed, &packed_len) ||
        !inflate_json(packed, packed_len, json, &json_len))
        return NULL;
    json_t *root = json_loadb(json, json_len, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

/* ---- fields ---- */

/* A line "name:value\n" of the signed text. A value with a line break could pose as two lines. */
static bool add_line(struct claim *claim, const char *name, const char *value)
{
    if (value == NULL || strchr(value, '\n') != NULL)
        return false;
    int n = snprintf(claim->text + claim->text_len, sizeof claim->text - claim->text_len, "%s:%s\n",
                     name, value);

    if (n < 0 || (size_t)n >= sizeof claim->text - claim->text_len)
        return false;
    claim->text_len += (size_t)n;
    return true;
}

static bool add_number(struct claim *claim, const char *name, const json_t *value, uint64_t *number)
{
    char text[24];

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    snprintf(text, sizeof text, "%" PRIu64, *number);
    return add_line(claim, name, text);
}

static const char *text_at(const json_t *root, const char *name)
{
    return json_string_value(json_object_get(root, name));
}

static bool read_v2(const json_t *root, struct claim *claim)
{
    const json_t *userbuf = json_object_get(root, "TLS.userbuf");

    claim->identifier = text_at(root, "TLS.identifier");
    claim->sig = text_at(root, "TLS.sig");
    return claim->sig != NULL && add_line(claim, "TLS.identifier", claim->identifier) &&
           add_number(claim, "TLS.sdkappid", json_object_get(root, "TLS.sdkappid"),
                      &claim->sdkappid) &&
           add_number(claim, "TLS.time", json_object_get(root, "TLS.time"), &claim->time_s) &&
           add_number(claim, "TLS.expire", json_object_get(root, "TLS.expire"), &claim->expire_s) &&
           (userbuf == NULL || add_line(claim, "TLS.userbuf", json_string_value(userbuf)));
}

/* Digits only: 2015's ISO times are not taken. */
static bool digits(const char *text, uint64_t *number)
{
    size_t len = text == NULL ? 0 : strlen(text);

    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return false;
    *number = strtoull(text, NULL, 10);
    return true;
}

static bool read_v1(const json_t *root, struct claim *claim)
{
    static const char *const lines[] = {"TLS.account_type", "TLS.identifier",   "TLS.sdk_appid",
                                        "TLS.time",         "TLS.expire_after", NULL};
    const char *userbuf = text_at(root, "TLS.userbuf");
    const char *third = text_at(root, "TLS.appid_at_3rd");

    claim->v1 = true;
    claim->identifier = text_at(root, "TLS.identifier");
    claim->sig = text_at(root, "TLS.sig");
    if (claim->sig == NULL || (userbuf == NULL && json_object_get(root, "TLS.userbuf") != NULL) ||
        !digits(text_at(root, "TLS.sdk_appid"), &claim->sdkappid) ||
        !digits(text_at(root, "TLS.time"), &claim->time_s) ||
        !digits(text_at(root, "TLS.expire_after"), &claim->expire_s))
        return false;
    /* With a userbuf this line is always signed, else only if it is there. */
    if ((third != NULL || userbuf != NULL) &&
        !add_line(claim, "TLS.appid_at_3rd", third ? third : ""))
        return false;
    for (size_t i = 0; lines[i] != NULL; i++)
        if (!add_line(claim, lines[i], text_at(root, lines[i])))
            return false;
    return userbuf == NULL || add_line(claim, "TLS.userbuf", userbuf);
}

static bool read_claim(const json_t *root, struct claim *claim)
{
    const char *version = text_at(root, "TLS.ver");

    if (version != NULL)
        return strcmp(version, "2.0") == 0 && read_v2(root, claim);
    return read_v1(root, claim);
}

/* ---- signatures ---- */

/* Tries every key whatever the first said, so time tells nothing. */
static bool good_hmac(const struct claim *claim, const uint8_t *sig, size_t len,
                      const struct hy_usersig_keys *keys)
{
    bool good = false;

    if (len != HY_HMAC)
        return false;
    for (size_t i = 0; i < keys->secret_count; i++) {
        uint8_t own[HY_HMAC];

        if (hy_hmac(keys->secrets[i], strlen(keys->secrets[i]), claim->text, claim->text_len, own))
            good |= CRYPTO_memcmp(own, sig, HY_HMAC) == 0;
    }
    return good;
}

static bool good_ecdsa_by(const struct claim *claim, const uint8_t *sig, size_t len,
                          const char *pem)
{
    bool good = false;
    EVP_PKEY *key = NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    BIO *bio = BIO_new_mem_buf(pem, -1);

    if (md == NULL || bio == NULL)
        goto end;
    key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (key == NULL || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        goto end;
    good = EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestVerify(md, sig, len, (const uint8_t *)claim->text, claim->text_len) == 1;
end:
    ERR_clear_error(); /* a bad ticket must not show up in the next TLS call of this thread */
    EVP_PKEY_free(key);
    BIO_free(bio);
    EVP_MD_CTX_free(md);
    return good;
}

static bool good_signature(const struct claim *claim, const struct hy_usersig_keys *keys)
{
    uint8_t sig[DER_MAX];
    size_t len = sizeof sig;

    if (!base64_decode(claim->sig, strlen(claim->sig), sig, &len))
        return false;
    if (!claim->v1)
        return good_hmac(claim, sig, len, keys);
    for (size_t i = 0; i < keys->public_key_count; i++)
        if (good_ecdsa_by(claim, sig, len, keys->public_keys[i]))
            return true;
    return false;
}

/* A ticket of another app is said to be that before its signature is looked at: no key here can
 * have made it, and "wrong app" helps its owner more than "wrong key". Either way it is refused. */
static uint32_t judge(const struct claim *claim, uint32_t sdkappid, const char *identifier,
                      const struct hy_usersig_keys *keys, uint64_t now_s)
{
    if (claim->sdkappid != sdkappid)
        return HY_CODE_SIG_OTHER_APP;
    if (claim->v1 && keys->public_key_count == 0)
        return HY_CODE_SIG_NO_KEY;
    if (!claim->v1 && keys->secret_count == 0)
        return HY_CODE_SIG_NO_METHOD;
    if (!good_signature(claim, keys))
        return HY_CODE_SIG_MISMATCH;
    if (strcmp(claim->identifier, identifier) != 0)
        return HY_CODE_SIG_OTHER_USER;
    if (claim->time_s > now_s + AHEAD_S)
        return HY_CODE_SIG_INVALID;
    return now_s > claim->time_s + claim->expire_s ? HY_CODE_SIG_EXPIRED : 0;
}

uint32_t hy_usersig_verify(const char *sig, size_t len, uint32_t sdkappid, const char *identifier,
                           const struct hy_usersig_keys *keys, uint64_t now_s,
                           struct hy_usersig *out)
{
    struct claim claim;
    uint32_t code = HY_CODE_SIG_INVALID;

    if (len == 0)
        return HY_CODE_SIG_EMPTY;
    json_t *root = unwrap(sig, len);

    if (root == NULL)
        return HY_CODE_SIG_DECODE;
    claim.v1 = false;
    claim.text_len = 0; /* the text itself is 8 KB; no need to clear it */
    if (read_claim(root, &claim))
        code = judge(&claim, sdkappid, identifier, keys, now_s);
    if (code == 0)
        *out = (struct hy_usersig){claim.time_s, claim.time_s + claim.expire_s};
    json_decref(root);
    return code;
}

/* ---- issuing ---- */

/* JSON text to ticket. */
static enum hy_err wrap(const char *json, char out[static HY_USERSIG_MAX])
{
    static const char from[] = "+/=", to[] = "*-_";
    uint8_t packed[HY_USERSIG_MAX / 4 * 3 - 3];
    uLongf len = sizeof packed;

    if (compress2(packed, &len, (const Bytef *)json, strlen(json), Z_BEST_COMPRESSION) != Z_OK)
        return HY_ETOOBIG;
    EVP_EncodeBlock((uint8_t *)out, packed, (int)len);
    for (char *c = out; *c != '\0'; c++) {
        const char *swap = strchr(from, *c);

        if (swap != NULL)
            *c = to[swap - from];
    }
    return HY_OK;
}

enum hy_err hy_usersig_issue(uint32_t sdkappid, const char *identifier, const char *secret,
                             uint64_t now_s, uint64_t lifetime_s, char out[static HY_USERSIG_MAX])
{
    char text[1024];
    uint8_t mac[HY_HMAC];
    char mac_text[HY_HMAC * 2];
    int len = snprintf(text, sizeof text,
                       "TLS.identifier:%s\nTLS.sdkappid:%" PRIu32 "\nTLS.time:%" PRIu64
                       "\nTLS.expire:%" PRIu64 "\n",
                       identifier, sdkappid, now_s, lifetime_s);

    if (len < 0 || (size_t)len >= sizeof text)
        return HY_ETOOBIG;
    if (!hy_hmac(secret, strlen(secret), text, (size_t)len, mac))
        return HY_ENOMEM;
    EVP_EncodeBlock((uint8_t *)mac_text, mac, HY_HMAC);
    json_t *root =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "TLS.ver", "2.0", "TLS.identifier", identifier,
                  "TLS.sdkappid", (json_int_t)sdkappid, "TLS.time", (json_int_t)now_s, "TLS.expire",
                  (json_int_t)lifetime_s, "TLS.sig", mac_text);
    char *json = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
    enum hy_err err = json != NULL ? wrap(json, out) : HY_EMALFORMED;

    free(json);
    json_decref(root);
    return err;
}
