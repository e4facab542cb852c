#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/probe.h"

/* ---- to JSON ---- */

static json_t *hex(const ProtobufCBinaryData *data)
{
    char *text = malloc(data->len * 2 + 1);
    json_t *out = NULL;

    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < data->len; i++)
        sprintf(text + 2 * i, "%02x", data->data[i]);
    text[data->len * 2] = '\0';
    out = json_string(text);
    free(text);
    return out;
}

static json_t *text_or_hex(const char *text)
{
    json_t *out = json_string(text);

    return out != NULL ? out : json_string("(not UTF-8)");
}

/* The value at `at`; NULL: it is empty. */
static json_t *value_to_json(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(const char *const *)at;

        return text != NULL && text[0] != '\0' ? text_or_hex(text) : NULL;
    }
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *data = at;

        return data->len > 0 ? hex(data) : NULL;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)at;

        return inner != NULL ? probe_to_json(inner) : NULL;
    }
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)at ? json_true() : NULL;
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_real(*(const double *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return *(const uint64_t *)at != 0 ? json_integer((json_int_t) * (const uint64_t *)at)
                                          : NULL;
    case PROTOBUF_C_TYPE_INT32:
        return *(const int32_t *)at != 0 ? json_integer(*(const int32_t *)at) : NULL;
    default: /* 32 bits without a sign, and enums */
        return *(const uint32_t *)at != 0 ? json_integer(*(const uint32_t *)at) : NULL;
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return 4;
    }
}

static json_t *list_to_json(const ProtobufCFieldDescriptor *field, const void *at, size_t count)
{
    json_t *list = count > 0 ? json_array() : NULL;
    const char *items = *(const char *const *)at;

    for (size_t i = 0; i < count; i++) {
        json_t *item = value_to_json(field, items + i * size_of(field));

        json_array_append_new(list, item != NULL ? item : json_null());
    }
    return list;
}

static bool is_chosen(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *msg)
{
    const char *base = (const char *)msg;

    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
           *(const uint32_t *)(base + field->quantifier_offset) == field->id;
}

json_t *probe_to_json(const ProtobufCMessage *msg)
{
    json_t *out = json_object();
    const char *base = (const char *)msg;

    for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &msg->descriptor->fields[i];
        json_t *value = NULL;

        if (!is_chosen(field, msg))
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            value = list_to_json(field, base + field->offset,
                                 *(const size_t *)(base + field->quantifier_offset));
        else
            value = value_to_json(field, base + field->offset);
        if (value != NULL)
            json_object_set_new(out, field->name, value);
    }
    return out;
}

/* ---- from JSON ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool probe_unhex(const char *text, struct hy_arena *arena, ProtobufCBinaryData *out)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = hy_arena_alloc(arena, len + 1);

    if (bytes == NULL || strlen(text) % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = (ProtobufCBinaryData){len, bytes};
    return true;
}

static bool number_from_json(const ProtobufCFieldDescriptor *field, const json_t *json, void *at)
{
    json_int_t number = json_integer_value(json);

    if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
        *(double *)at = json_number_value(json);
        return json_is_number(json);
    }
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)at = json_is_true(json);
        return json_is_boolean(json);
    }
    if (size_of(field) == 8)
        *(uint64_t *)at = (uint64_t)number;
    else
        *(uint32_t *)at = (uint32_t)number;
    return json_is_integer(json);
}

static bool value_from_json(const ProtobufCFieldDescriptor *field, const json_t *json, void *at,
                            struct hy_arena *arena, const char **why)
{
    const char *text = json_string_value(json);

    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = text != NULL ? hy_arena_strdup(arena, text, strlen(text)) : NULL;
        return *(char **)at != NULL;
    case PROTOBUF_C_TYPE_BYTES:
        return text != NULL && probe_unhex(text, arena, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = probe_from_json(field->descriptor, json, arena, why);
        return *(ProtobufCMessage **)at != NULL;
    default:
        return number_from_json(field, json, at);
    }
}

static bool list_from_json(const ProtobufCFieldDescriptor *field, const json_t *json, char *base,
                           struct hy_arena *arena, const char **why)
{
    size_t count = json_array_size(json), size = size_of(field);
    char *items = hy_arena_zalloc(arena, count * size + 1);

    if (items == NULL || !json_is_array(json))
        return false;
    *(char **)(base + field->offset) = items;
    *(size_t *)(base + field->quantifier_offset) = count;
    for (size_t i = 0; i < count; i++)
        if (!value_from_json(field, json_array_get(json, i), items + i * size, arena, why))
            return false;
    return true;
}

static bool field_from_json(const ProtobufCFieldDescriptor *field, const json_t *json, char *base,
                            struct hy_arena *arena, const char **why)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_from_json(field, json, base, arena, why);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        *(uint32_t *)(base + field->quantifier_offset) = field->id;
    return value_from_json(field, json, base + field->offset, arena, why);
}

ProtobufCMessage *probe_from_json(const ProtobufCMessageDescriptor *descriptor, const json_t *json,
                                  struct hy_arena *arena, const char **why)
{
    ProtobufCMessage *msg = hy_arena_zalloc(arena, descriptor->sizeof_message);
    const char *key = NULL;
    json_t *value = NULL;

    *why = descriptor->name;
    if (msg == NULL || !json_is_object(json))
        return NULL;
    descriptor->message_init(msg);
    json_object_foreach((json_t *)json, key, value)
    {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(descriptor, key);

        *why = key;
        if (field == NULL || !field_from_json(field, value, (char *)msg, arena, why))
            return NULL;
    }
    return msg;
}
