/* rest_json - typed reading of request bodies, with the tolerance that real callers need.
 *
 * Names are a list "A|B" of spellings; the first one present counts. JSON null is the same as not
 * there. Numbers may come as numeric strings, 0/1 as booleans. A text with a NUL inside is wrong,
 * except for rest_bytes(). What is handed out is lent from the JSON value. */

#ifndef GATEWAY_REST_JSON_H
#define GATEWAY_REST_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"
#include "common/arena.h"
#include "gateway/rest_value.h"

enum rest_got { REST_ABSENT, REST_GOT, REST_BAD };

/* Parse a body, which is changed. Returns an object in arena, or NULL with *why set to a sentence
 * (static, or in arena). */
const struct rest_value *rest_json_parse(char *text, size_t len, struct hy_arena *arena,
                                         const char **why);

/* The value under one of names, or NULL. */
const struct rest_value *rest_field(const struct rest_value *object, const char *names);

/* Each sets its result only on REST_GOT. */
enum rest_got rest_text(const struct rest_value *object, const char *names, char **text);
/* A text from a set of words: "" is the same as not there. */
enum rest_got rest_word(const struct rest_value *object, const char *names, char **word);
enum rest_got rest_bytes(const struct rest_value *object, const char *names,
                         ProtobufCBinaryData *bytes);
/* A whole number from least to most; outside is REST_BAD. "" is the same as not there. */
enum rest_got rest_int(const struct rest_value *object, const char *names, int64_t least,
                       int64_t most, int64_t *value);
enum rest_got rest_number(const struct rest_value *object, const char *names, double *value);
enum rest_got rest_array(const struct rest_value *object, const char *names,
                         const struct rest_value **array);
/* The same, where a single object stands for an array of one (which is then in arena). */
enum rest_got rest_objects(const struct rest_value *object, const char *names,
                           struct hy_arena *arena, const struct rest_value **array);

/* Is this flag a number other than 0? REST_BAD counts as no. */
bool rest_flag(const struct rest_value *object, const char *names);

/* All items of array as texts, in arena. False: one is no text, or memory ran out. */
bool rest_texts(const struct rest_value *array, struct hy_arena *arena, char ***texts);

/* A value as compact JSON text in arena, to be kept as it is. False without memory. */
bool rest_json_keep(const struct rest_value *value, struct hy_arena *arena,
                    ProtobufCBinaryData *text);

/* Bytes as a JSON string; base64 of them when they are not UTF-8. NULL without memory. */
json_t *rest_json_bytes(const void *bytes, size_t len);

/* A text as a JSON string; never NULL but without memory. */
json_t *rest_json_text(const char *text);

#endif
