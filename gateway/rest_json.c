#include "gateway/rest_json.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct rest_value *rest_json_parse(char *text, size_t len, struct hy_arena *arena,
                                         const char **why)
{
    const struct rest_value *root = rest_value_parse(text, len, arena, why);

    if (root == NULL || rest_is_object(root))
        return root;
    *why = "the body must be one JSON object";
    return NULL;
}

const struct rest_value *rest_field(const struct rest_value *object, const char *names)
{
    while (*names != '\0') {
        size_t len = (size_t)(strchrnul(names, '|') - names);
        const struct rest_value *value = rest_value_member(object, names, len);

        if (value != NULL && value->kind != REST_NULL)
            return value;
        names += len;
        names += *names == '|';
    }
    return NULL;
}

static bool plain_text(const struct rest_value *value)
{
    return rest_is_string(value) && strlen(value->string) == value->size;
}

enum rest_got rest_text(const struct rest_value *object, const char *names, char **text)
{
    const struct rest_value *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!plain_text(value))
        return REST_BAD;
    *text = (char *)(uintptr_t)value->string;
    return REST_GOT;
}

enum rest_got rest_word(const struct rest_value *object, const char *names, char **word)
{
    char *text = NULL;
    enum rest_got got = rest_text(object, names, &text);

    if (got == REST_GOT && *text == '\0')
        return REST_ABSENT;
    if (got == REST_GOT)
        *word = text;
    return got;
}

enum rest_got rest_bytes(const struct rest_value *object, const char *names,
                         ProtobufCBinaryData *bytes)
{
    const struct rest_value *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!rest_is_string(value))
        return REST_BAD;
    bytes->data = (uint8_t *)(uintptr_t)value->string;
    bytes->len = value->size;
    return REST_GOT;
}

/* "12", "-3"; nothing before or after. */
static enum rest_got int_of_text(const char *text, int64_t *value)
{
    char *end;

    if (*text == '\0')
        return REST_ABSENT;
    if (strspn(text, "-0123456789") != strlen(text))
        return REST_BAD;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *end == '\0' && errno == 0 ? REST_GOT : REST_BAD;
}

static enum rest_got int_of(const struct rest_value *json, int64_t *value)
{
    switch (json->kind) {
    case REST_INTEGER:
        *value = json->integer;
        return REST_GOT;
    case REST_TRUE:
    case REST_FALSE:
        *value = json->kind == REST_TRUE;
        return REST_GOT;
    case REST_STRING:
        return plain_text(json) ? int_of_text(json->string, value) : REST_BAD;
    case REST_REAL: /* 5.0 and 1e3, as some encoders write whole numbers */
        if (json->real != floor(json->real) || fabs(json->real) > 9007199254740992.0)
            return REST_BAD;
        *value = (int64_t)json->real;
        return REST_GOT;
    default:
        return REST_BAD;
    }
}

enum rest_got rest_int(const struct rest_value *object, const char *names, int64_t least,
                       int64_t most, int64_t *value)
{
    const struct rest_value *json = rest_field(object, names);
    enum rest_got got = REST_ABSENT;
    int64_t number = 0;

    if (json != NULL)
        got = int_of(json, &number);
    if (got == REST_GOT && (number < least || number > most))
        return REST_BAD;
    if (got == REST_GOT)
        *value = number;
    return got;
}

enum rest_got rest_number(const struct rest_value *object, const char *names, double *value)
{
    const struct rest_value *json = rest_field(object, names);
    double number;
    char *end;

    if (json == NULL)
        return REST_ABSENT;
    if (json->kind == REST_INTEGER || json->kind == REST_REAL) {
        *value = json->kind == REST_REAL ? json->real : (double)json->integer;
        return REST_GOT;
    }
    if (!plain_text(json) || json->size == 0)
        return REST_BAD;
    number = strtod(json->string, &end);
    if (*end != '\0' || !isfinite(number))
        return REST_BAD;
    *value = number;
    return REST_GOT;
}

enum rest_got rest_array(const struct rest_value *object, const char *names,
                         const struct rest_value **array)
{
    const struct rest_value *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!rest_is_array(value))
        return REST_BAD;
    *array = value;
    return REST_GOT;
}

enum rest_got rest_objects(const struct rest_value *object, const char *names,
                           struct hy_arena *arena, const struct rest_value **array)
{
    const struct rest_value *value = rest_field(object, names);
    struct {
        struct rest_value array, *items[1];
    } * one;

    if (!rest_is_object(value))
        return rest_array(object, names, array);
    one = hy_arena_zalloc(arena, sizeof *one);
    if (one == NULL)
        return REST_BAD;
    one->items[0] = (struct rest_value *)(uintptr_t)value;
    one->array.kind = REST_ARRAY;
    one->array.size = 1;
    one->array.items = one->items;
    *array = &one->array;
    return REST_GOT;
}

bool rest_flag(const struct rest_value *object, const char *names)
{
    int64_t value = 0;

    return rest_int(object, names, INT64_MIN, INT64_MAX, &value) == REST_GOT && value != 0;
}

bool rest_texts(const struct rest_value *array, struct hy_arena *arena, char ***texts)
{
    size_t count = rest_count(array);
    char **list = hy_arena_zalloc(arena, (count + 1) * sizeof *list);

    if (list == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!plain_text(rest_at(array, i)))
            return false;
        list[i] = (char *)(uintptr_t)rest_at(array, i)->string;
    }
    *texts = list;
    return true;
}

bool rest_json_keep(const struct rest_value *value, struct hy_arena *arena,
                    ProtobufCBinaryData *text)
{
    json_t *json = rest_value_copy(value);
    size_t len = json != NULL ? json_dumpb(json, NULL, 0, JSON_COMPACT) : 0;

    text->data = len > 0 ? hy_arena_alloc(arena, len) : NULL;
    if (text->data != NULL)
        text->len = json_dumpb(json, (char *)text->data, len, JSON_COMPACT);
    json_decref(json);
    return text->data != NULL;
}

json_t *rest_json_bytes(const void *bytes, size_t len)
{
    json_t *json = json_stringn(len > 0 ? bytes : "", len);
    unsigned char *text;

    if (json != NULL)
        return json;
    text = malloc(4 * ((len + 2) / 3) + 1);
    if (text == NULL)
        return NULL;
    EVP_EncodeBlock(text, bytes, (int)len);
    json = json_string((const char *)text);
    free(text);
    return json;
}

json_t *rest_json_text(const char *text)
{
    return rest_json_bytes(text, strlen(text));
}
