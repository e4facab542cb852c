/* upgrade - the HTTP request with which a WebSocket begins (RFC 6455, 4.2). No sockets in here. */

#ifndef GATEWAY_UPGRADE_H
#define GATEWAY_UPGRADE_H

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

enum { UPGRADE_MAX = 8192, UPGRADE_ANSWER_MAX = 320 };

enum upgrade_result { UPGRADE_MORE, UPGRADE_GOOD, UPGRADE_BAD };

struct upgrade {
    size_t used;     /* GOOD: length of the request */
    uint16_t status; /* 101, or why not: 400, 403, 405, 426, 431, 505 */
    char accept[32]; /* GOOD: value of Sec-WebSocket-Accept */
};

/* Look at what has come so far. Pages of other origins are refused unless origins is empty; a
 * client without Origin is no browser and may come in. At UPGRADE_MAX bytes without an end: 431. */
enum upgrade_result upgrade_parse(const char *bytes, size_t len, const struct hy_text_list *origins,
                                  struct upgrade *upgrade);

/* The answer, with what a developer should change when it is a refusal. Returns its length. */
size_t upgrade_answer(const struct upgrade *upgrade, char out[static UPGRADE_ANSWER_MAX]);

#endif
