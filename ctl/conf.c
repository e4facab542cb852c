#include "ctl/conf.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/files.h"

enum hy_err conf_set(json_t *tree, const char *key, json_t *value)
{
    const char *dot = strchr(key, '.');
    char part[64];
    json_t *inner = NULL;

    if (dot == NULL)
        return json_object_set_new(tree, key, value) == 0 ? HY_OK : HY_ENOMEM;
    snprintf(part, sizeof part, "%.*s", (int)(dot - key), key);
    inner = json_object_get(tree, part);
    if (!json_is_object(inner)) {
        inner = json_object();
        if (json_object_set_new(tree, part, inner) != 0) {
            json_decref(value);
            return HY_ENOMEM;
        }
    }
    return conf_set(inner, dot + 1, value);
}

enum hy_err conf_set_text(json_t *tree, const char *key, const char *value)
{
    int64_t number = 0;

    if (args_number(value, INT64_MIN, INT64_MAX, &number))
        return conf_set(tree, key, json_integer(number));
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
        return conf_set(tree, key, json_boolean(value[0] == 't'));
    return conf_set(tree, key, json_string(value));
}

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_value(FILE *out, const json_t *value);

static void put_group(FILE *out, const json_t *tree)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)tree, key, value)
    {
        fprintf(out, "%s = ", key);
        put_value(out, value);
        fputs(";\n", out);
    }
}

static void put_list(FILE *out, const json_t *list)
{
    const json_t *item = NULL;
    size_t i = 0;

    fputs("[", out);
    json_array_foreach(list, i, item)
    {
        fputs(i > 0 ? ", " : "", out);
        put_value(out, item);
    }
    fputs("]", out);
}

static void put_value(FILE *out, const json_t *value)
{
    if (json_is_object(value)) {
        fputs("{\n", out);
        put_group(out, value);
        fputs("}", out);
    } else if (json_is_array(value)) {
        put_list(out, value);
    } else if (json_is_string(value)) {
        put_text(out, json_string_value(value));
    } else if (json_is_integer(value)) {
        json_int_t n = json_integer_value(value);

        fprintf(out, "%lld%s", (long long)n, n > INT32_MAX || n < INT32_MIN ? "L" : "");
    } else {
        fputs(json_is_true(value) ? "true" : "false", out);
    }
}

enum hy_err conf_write(const char *path, const char *include, const json_t *tree)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    enum hy_err err = HY_ENOMEM;

    if (out == NULL)
        return err;
    fputs("# Written by hongyanctl up; the next start of the process writes it anew.\n", out);
    if (include != NULL)
        fprintf(out, "@include \"%s\"\n", include);
    put_group(out, tree);
    if (fclose(out) == 0)
        err = files_write(path, text, len);
    free(text);
    return err;
}
