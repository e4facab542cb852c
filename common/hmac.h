/* hmac - HMAC-SHA256 (RFC 2104). OpenSSL's own looks its algorithms up anew for each call, which
 * takes longer than the two hashes. Any thread. */

#ifndef COMMON_HMAC_H
#define COMMON_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HY_HMAC = 32 };

/* False: out of memory. */
[[nodiscard]] bool hy_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
                           uint8_t out[static HY_HMAC]);

#endif
