/* rest_body - MsgBody of REST v4 (reference 4.1) to and from a message's Body, by tables. Pure. */

#ifndef GATEWAY_REST_BODY_H
#define GATEWAY_REST_BODY_H

#include <jansson.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/arena.h"
#include "gateway/rest_value.h"

/* Read MsgBody (NULL: it was not there). Returns 0 with *body in arena, lending its texts from
 * json; or a code of one-to-one messages, 90002, 90007 or 90010, with *why set to a sentence. */
uint32_t rest_body_read(const struct rest_value *json, struct hy_arena *arena, Hy__Body **body,
                        const char **why);

/* The MsgBody of an encoded Body, a new reference; [] when it does not decode. Bytes that are not
 * UTF-8 are given in base64. NULL without memory. */
json_t *rest_body_write(const uint8_t *bytes, size_t len, struct hy_arena *arena);

#endif
