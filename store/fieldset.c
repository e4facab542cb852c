#include "store/fieldset.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

Hy__Field *fieldset_find(size_t count, Hy__Field *const *fields, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i]->name, name) == 0)
            return fields[i];
    return NULL;
}

const char *fieldset_custom(const char *name)
{
    static const char prefix[] = "Custom.";

    return strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : NULL;
}

static bool name_ok(const struct fieldset_limits *limits, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > limits->name_len)
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static bool removes(const Hy__Field *value)
{
    return value->str.len == 0 && value->num == 0;
}

bool fieldset_fits(const struct fieldset_limits *limits, size_t have, Hy__Field *const *fields,
                   size_t count, const Hy__Field *const *changes)
{
    size_t after = have;

    for (size_t i = 0; i < count; i++) {
        const char *key = fieldset_custom(changes[i]->name);
        bool there;

        if (key == NULL)
            continue;
        if (!name_ok(limits, key) || changes[i]->str.len > limits->value_len)
            return false;
        there = fieldset_find(have, fields, key) != NULL;
        if (removes(changes[i]))
            after -= there;
        else
            after += !there;
    }
    return after <= limits->count;
}

static void free_field(Hy__Field *field)
{
    hy__field__free_unpacked(field, NULL);
}

static Hy__Field *make_field(const char *name, const Hy__Field *value)
{
    Hy__Field *field = malloc(sizeof *field);
    uint8_t *str = value->str.len == 0 ? NULL : malloc(value->str.len);

    if (field != NULL) {
        hy__field__init(field);
        field->name = strdup(name);
    }
    if (field == NULL || field->name == NULL || (value->str.len > 0 && str == NULL)) {
        if (field != NULL)
            free(field->name);
        free(field);
        free(str);
        return NULL;
    }
    if (str != NULL)
        memcpy(str, value->str.data, value->str.len);
    field->str = (ProtobufCBinaryData){.len = value->str.len, .data = str};
    field->num = value->num;
    return field;
}

static size_t place_of(size_t count, Hy__Field *const *fields, const char *name)
{
    size_t i = 0;

    while (i < count && strcmp(fields[i]->name, name) != 0)
        i++;
    return i;
}

enum hy_err fieldset_set(size_t *count, Hy__Field ***fields, const char *name,
                         const Hy__Field *value)
{
    size_t at = place_of(*count, *fields, name);
    Hy__Field *field, **list;

    if (removes(value)) {
        if (at == *count)
            return HY_OK;
        free_field((*fields)[at]);
        (*fields)[at] = (*fields)[--*count];
        return HY_OK;
    }
    field = make_field(name, value);
    if (field == NULL)
        return HY_ENOMEM;
    if (at < *count) {
        free_field((*fields)[at]);
        (*fields)[at] = field;
        return HY_OK;
    }
    list = realloc(*fields, (*count + 1) * sizeof(Hy__Field *));
    if (list == NULL) {
        free_field(field);
        return HY_ENOMEM;
    }
    list[(*count)++] = field;
    *fields = list;
    return HY_OK;
}
