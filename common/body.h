/* body - the rules of a message's content, for every way in (B1, B2, B3; REST v4 section 4). */

#ifndef COMMON_BODY_H
#define COMMON_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.pb-c.h"

/* Check an encoded Body. Returns 0 or a code: 80002 over max_bytes (sum of all element fields),
 * MSG_EMPTY (no element, or only elements without content), NOT_UTF8, MSG_INVALID (does not decode,
 * an element without kind, or a tip). */
uint32_t hy_body_check(const uint8_t *body, size_t len, uint32_t max_bytes);

/* The same for a decoded one. */
uint32_t hy_body_check_decoded(const Hy__Body *body, uint32_t max_bytes);

/* Is it well-formed UTF-8 without NUL (Unicode 15, table 3-7)? */
bool hy_utf8(const char *text, size_t len);

/* An account: 1..32 bytes of 0x20..0x7e, not beginning with @TLS# or @TGS# (REST v4 section 5). */
bool hy_account_ok(const char *user);

/* A group id: 1..48 bytes of 0x20..0x7e; custom ones must not begin with @TGS# (11.3). */
bool hy_group_id_ok(const char *group, bool custom);

#endif
