#include "gateway/rest_json.h"

#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *rest_json_parse(const char *text, size_t len, struct hy_arena *arena, const char **why)
{
    char line[JSON_ERROR_TEXT_LENGTH + 64];
    json_error_t error;
    json_t *root = json_loadb(text, len, JSON_ALLOW_NUL, &error);

    if (root == NULL) {
        snprintf(line, sizeof line, "%s, at line %d column %d", error.text, error.line,
                 error.column);
        *why = hy_arena_strdup(arena, line, strlen(line));
    } else if (!json_is_object(root)) {
        *why = "the body must be one JSON object";
        json_decref(root);
        root = NULL;
    }
    return root;
}

json_t *rest_field(const json_t *object, const char *names)
{
    while (*names != '\0') {
        size_t len = strcspn(names, "|");
        json_t *value = json_object_getn(object, names, len);

        if (value != NULL && !json_is_null(value))
            return value;
        names += len;
        names += *names == '|';
    }
    return NULL;
}

static bool plain_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

enum rest_got rest_text(const json_t *object, const char *names, char **text)
{
    const json_t *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!plain_text(value))
        return REST_BAD;
    *text = (char *)json_string_value(value);
    return REST_GOT;
}

enum rest_got rest_word(const json_t *object, const char *names, char **word)
{
    char *text = NULL;
    enum rest_got got = rest_text(object, names, &text);

    if (got == REST_GOT && *text == '\0')
        return REST_ABSENT;
    if (got == REST_GOT)
        *word = text;
    return got;
}

enum rest_got rest_bytes(const json_t *object, const char *names, ProtobufCBinaryData *bytes)
{
    const json_t *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!json_is_string(value))
        return REST_BAD;
    bytes->data = (uint8_t *)json_string_value(value);
    bytes->len = json_string_length(value);
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

static enum rest_got int_of(const json_t *json, int64_t *value)
{
    switch (json_typeof(json)) {
    case JSON_INTEGER:
        *value = json_integer_value(json);
        return REST_GOT;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = json_is_true(json);
        return REST_GOT;
    case JSON_STRING:
        return plain_text(json) ? int_of_text(json_string_value(json), value) : REST_BAD;
    case JSON_REAL: /* 5.0 and 1e3, as some encoders write whole numbers */
        if (json_real_value(json) != floor(json_real_value(json)) ||
            fabs(json_real_value(json)) > 9007199254740992.0)
            return REST_BAD;
        *value = (int64_t)json_real_value(json);
        return REST_GOT;
    default:
        return REST_BAD;
    }
}

enum rest_got rest_int(const json_t *object, const char *names, int64_t least, int64_t most,
                       int64_t *value)
{
    const json_t *json = rest_field(object, names);
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

enum rest_got rest_number(const json_t *object, const char *names, double *value)
{
    const json_t *json = rest_field(object, names);
    double number;
    char *end;

    if (json == NULL)
        return REST_ABSENT;
    if (json_is_number(json)) {
        *value = json_number_value(json);
        return REST_GOT;
    }
    if (!plain_text(json) || json_string_length(json) == 0)
        return REST_BAD;
    number = strtod(json_string_value(json), &end);
    if (*end != '\0' || !isfinite(number))
        return REST_BAD;
    *value = number;
    return REST_GOT;
}

enum rest_got rest_array(const json_t *object, const char *names, json_t **array)
{
    json_t *value = rest_field(object, names);

    if (value == NULL)
        return REST_ABSENT;
    if (!json_is_array(value))
        return REST_BAD;
    *array = value;
    return REST_GOT;
}

enum rest_got rest_objects(json_t *object, const char *names, json_t **array)
{
    json_t *value = rest_field(object, names);
    char key[64];
    json_t *wrap;

    if (!json_is_object(value))
        return rest_array(object, names, array);
    wrap = json_array();
    /* Kept under a name that is no field's, so that it goes with the body. */
    snprintf(key, sizeof key, "\x01%s", names);
    if (json_array_append(wrap, value) != 0 || json_object_set_new(object, key, wrap) != 0)
        return REST_BAD;
    *array = wrap;
    return REST_GOT;
}

bool rest_flag(const json_t *object, const char *names)
{
    int64_t value = 0;

    return rest_int(object, names, INT64_MIN, INT64_MAX, &value) == REST_GOT && value != 0;
}

bool rest_texts(const json_t *array, struct hy_arena *arena, char ***texts)
{
    size_t count = json_array_size(array);
    char **list = hy_arena_zalloc(arena, (count + 1) * sizeof *list);

    if (list == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!plain_text(json_array_get(array, i)))
            return false;
        list[i] = (char *)json_string_value(json_array_get(array, i));
    }
    *texts = list;
    return true;
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
