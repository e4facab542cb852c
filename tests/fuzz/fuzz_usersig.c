/* Tickets: as they come, and as JSON that is wrapped here so that the fuzzer reaches the fields. */

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/usersig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const secrets[] = {"secret", "older secret"};
static const char *const public_keys[] = {
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmAeEcipI6pcgR+egd5GM6F35XveJ\n"
    "agHwdlx2f4PkTdGBzLOfMyU52lDF8ZFg00EE06QyQ7nB1GsZyXVKBkRGrg==\n"
    "-----END PUBLIC KEY-----\n"};
static const struct hy_usersig_keys keys = {secrets, 2, public_keys, 1};

static void verify(const char *sig, size_t len)
{
    struct hy_usersig out;

    /* nobody forges a ticket for a user who never had one */
    if (hy_usersig_verify(sig, len, 1, "nobody's name", &keys, 1000, &out) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packed[12288];
    static char sig[16400];
    uLongf packed_len = sizeof packed;

    verify((const char *)data, size);
    if (size > 9000 || compress2(packed, &packed_len, data, size, 1) != Z_OK)
        return 0;
    int len = EVP_EncodeBlock((uint8_t *)sig, packed, (int)packed_len);

    for (int i = 0; i < len; i++)
        sig[i] = sig[i] == '+' ? '*' : sig[i] == '/' ? '-' : sig[i] == '=' ? '_' : sig[i];
    verify(sig, (size_t)len);
    return 0;
}
