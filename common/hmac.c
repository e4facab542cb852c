#include "common/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { BLOCK = 64 };

static EVP_MD *sha256; /* for the life of the process */

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* H(key ^ pad | bytes) */
static bool hash(EVP_MD_CTX *md, const uint8_t *key, uint8_t pad, const void *bytes, size_t len,
                 uint8_t *out)
{
    uint8_t block[BLOCK];
    bool good;

    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    good = EVP_DigestInit_ex2(md, sha256, NULL) == 1 && EVP_DigestUpdate(md, block, BLOCK) == 1 &&
           EVP_DigestUpdate(md, bytes, len) == 1 && EVP_DigestFinal_ex(md, out, NULL) == 1;
    OPENSSL_cleanse(block, sizeof block);
    return good;
}

/* A key longer than a block is hashed, a shorter one filled up with zeros. */
static bool whole_block(const void *key, size_t len, uint8_t block[static BLOCK])
{
    memset(block, 0, BLOCK);
    if (len > BLOCK)
        return EVP_Digest(key, len, block, NULL, sha256, NULL) == 1;
    memcpy(block, key, len);
    return true;
}

bool hy_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
             uint8_t out[static HY_HMAC])
{
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t block[BLOCK], inner[HY_HMAC];
    bool good = md != NULL && CRYPTO_THREAD_run_once(&once, fetch) == 1 && sha256 != NULL &&
                whole_block(key, key_len, block) && hash(md, block, 0x36, bytes, len, inner) &&
                hash(md, block, 0x5c, inner, sizeof inner, out);

    OPENSSL_cleanse(block, sizeof block);
    EVP_MD_CTX_free(md);
    return good;
}
