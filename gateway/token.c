#include "gateway/token.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hmac.h"

/* version | app | platform | session | opened | issued | expires | user len, user | device len,
 * device | HMAC-SHA256 of all before. Numbers are big-endian. */
enum { VERSION = 1, FIXED = 1 + 4 + 1 + 4 * 8, MAC = HY_HMAC, SECRET_FILE_MAX = 4096 };

_Static_assert(FIXED + 2 + TOKEN_USER_MAX + TOKEN_DEVICE_MAX + MAC <= TOKEN_MAX, "a token fits");

static uint8_t *put(uint8_t *out, uint64_t n, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; n >>= 8)
        out[i] = (uint8_t)n;
    return out + bytes;
}

static const uint8_t *get(const uint8_t *in, uint64_t *n, size_t bytes)
{
    *n = 0;
    for (size_t i = 0; i < bytes; i++)
        *n = *n << 8 | in[i];
    return in + bytes;
}

static uint8_t *put_bytes(uint8_t *out, const void *bytes, size_t len)
{
    *out++ = (uint8_t)len;
    memcpy(out, bytes, len);
    return out + len;
}

/* NULL: does not fit. */
static const uint8_t *get_text(const uint8_t *in, const uint8_t *end, char *text, size_t max)
{
    if (in == NULL || in == end || *in > max || (size_t)(end - in - 1) < *in)
        return NULL;
    memcpy(text, in + 1, *in);
    text[*in] = '\0';
    return in + 1 + *in;
}

static bool sign(const uint8_t *bytes, size_t len, const uint8_t *secret, uint8_t mac[static MAC])
{
    return hy_hmac(secret, TOKEN_SECRET, bytes, len, mac);
}

size_t token_seal(const struct token *token, const uint8_t secret[static TOKEN_SECRET],
                  uint8_t out[static TOKEN_MAX])
{
    uint8_t *at = out;

    at = put(at, VERSION, 1);
    at = put(at, token->app, 4);
    at = put(at, token->platform, 1);
    at = put(at, token->session_id, 8);
    at = put(at, token->opened_ms, 8);
    at = put(at, token->issued_ms, 8);
    at = put(at, token->expires_s, 8);
    at = put_bytes(at, token->user, strlen(token->user));
    at = put_bytes(at, token->device_id, strlen(token->device_id));
    return sign(out, (size_t)(at - out), secret, at) ? (size_t)(at - out) + MAC : 0;
}

enum hy_err token_open(const uint8_t *bytes, size_t len, const uint8_t secret[static TOKEN_SECRET],
                       struct token *token)
{
    const uint8_t *end, *at = bytes + 1;
    uint8_t mac[MAC];
    uint64_t app, platform;

    if (len < FIXED + 2 + MAC || len > TOKEN_MAX || bytes[0] != VERSION)
        return HY_EDENIED;
    end = bytes + len - MAC;
    if (!sign(bytes, len - MAC, secret, mac) || CRYPTO_memcmp(mac, end, MAC) != 0)
        return HY_EDENIED;
    at = get(at, &app, 4);
    at = get(at, &platform, 1);
    at = get(at, &token->session_id, 8);
    at = get(at, &token->opened_ms, 8);
    at = get(at, &token->issued_ms, 8);
    at = get(at, &token->expires_s, 8);
    at = get_text(at, end, token->user, TOKEN_USER_MAX);
    at = get_text(at, end, token->device_id, TOKEN_DEVICE_MAX);
    token->app = (uint32_t)app;
    token->platform = (uint8_t)platform;
    return at == end ? HY_OK : HY_EDENIED;
}

static enum hy_err random_secret(uint8_t secret[static TOKEN_SECRET])
{
    for (size_t i = 0; i < TOKEN_SECRET; i += 8)
        put(secret + i, hy_random64(), 8);
    return HY_OK;
}

enum hy_err token_secret(const char *file, uint8_t secret[static TOKEN_SECRET])
{
    uint8_t bytes[SECRET_FILE_MAX];
    struct stat st;
    ssize_t len = -1;
    int fd;

    if (file[0] == '\0')
        return random_secret(secret);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return HY_ECONFIG;
    if (fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO) == 0)
        len = read(fd, bytes, sizeof bytes);
    close(fd);
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    if (len < TOKEN_SECRET)
        return HY_ECONFIG;
    EVP_Digest(bytes, (size_t)len, secret, NULL, EVP_sha256(), NULL);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return HY_OK;
}
