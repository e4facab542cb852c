/* usersig - signed sign-in tickets, v2 (HMAC-SHA256) and v1 (ECDSA) (A3; REST v4 section 3). */

#ifndef COMMON_USERSIG_H
#define COMMON_USERSIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { HY_USERSIG_MAX = 4096, HY_USERSIG_JSON_MAX = 8192 };

/* What a good ticket says. */
struct hy_usersig {
    uint64_t time_s;    /* when it was issued */
    uint64_t expires_s; /* last second it is good */
};

struct hy_usersig_keys {
    const char *const *secrets; /* v2; any of them may have signed */
    size_t secret_count;
    const char *const *public_keys; /* v1, PEM */
    size_t public_key_count;
};

/* Check a ticket. Returns 0 with *out filled, or the code of REST v4 3.4 (70001 expired, 70002 empty,
 * 70003 undecodable, 70005 fields, 70009 signature, 70013 other user, 70014 other app, 70015/70016 no
 * key). The signature is checked before anything it covers is believed, in constant time. Accepts
 * '%2A' for '*'. Tolerates an issue time up to 5 minutes ahead. */
uint32_t hy_usersig_verify(const char *sig, size_t len, uint32_t sdkappid, const char *identifier,
                           const struct hy_usersig_keys *keys, uint64_t now_s,
                           struct hy_usersig *out);

/* Issue a v2 ticket into out (NUL-terminated). HY_ETOOBIG. */
enum hy_err hy_usersig_issue(uint32_t sdkappid, const char *identifier, const char *secret,
                             uint64_t now_s, uint64_t lifetime_s,
                             char out[static HY_USERSIG_MAX]) HY_CHECKED;

#endif
