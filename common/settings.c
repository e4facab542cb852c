#include "common/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/settings_table.h"

extern char **environ;

static void set_defaults(struct hy_settings_load *load)
{
    const struct hy_setting *row;
    char why[128];

    for (size_t i = 0; (row = hy_setting_at(load->spec, i)) != NULL; i++)
        if (hy_setting_parse(row, load->settings, row->fallback, why) != HY_OK)
            hy_settings_wrong(load, row->key, 0, "the default is wrong: %s", why);
}

/* A row by the rest of a variable's name, after the component's prefix. */
static const struct hy_setting *find_variable(const struct hy_settings_spec *spec,
                                              const char *variable, size_t len)
{
    const struct hy_setting *row;
    char name[128];

    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++) {
        hy_setting_variable(spec, row->key, name);
        if (strlen(name) == len && memcmp(name, variable, len) == 0)
            return row;
    }
    return NULL;
}

static void read_environment(struct hy_settings_load *load)
{
    char prefix[128], why[128], name[128];

    hy_setting_variable(load->spec, "", prefix);
    for (char **e = environ; e != NULL && *e != NULL; e++) {
        size_t len = strcspn(*e, "=");

        if (strncmp(*e, prefix, strlen(prefix)) != 0 || (*e)[len] != '=')
            continue;
        const struct hy_setting *row = find_variable(load->spec, *e, len);

        snprintf(name, sizeof name, "%.*s", (int)len, *e);
        if (row == NULL)
            hy_settings_wrong(load, name, 0, "no such setting; --help lists the keys");
        else if (hy_setting_parse(row, load->settings, *e + len + 1, why) != HY_OK)
            hy_settings_wrong(load, name, 0, "%s: %s", row->key, why);
    }
}

/* A process without a name is the first of its kind. */
static void set_name(struct hy_settings_load *load)
{
    const struct hy_setting *row = hy_setting_find(load->spec, "name");
    char name[64], why[128];

    if (**(char **)hy_setting_value(row, load->settings) != '\0')
        return;
    snprintf(name, sizeof name, "%s-0", load->spec->component);
    if (hy_setting_set_text(row, load->settings, name, why) != HY_OK)
        hy_settings_wrong(load, "name", 0, "%s", why);
}

enum hy_err hy_settings_load(const struct hy_settings_spec *spec, const char *file, FILE *errors,
                             void **settings)
{
    struct hy_settings_load load = {.spec = spec, .errors = errors};

    load.settings = calloc(1, spec->size);
    if (load.settings == NULL)
        return HY_ENOMEM;
    set_defaults(&load);
    errno = 0;
    if (file != NULL)
        hy_settings_read_file(&load, file);
    read_environment(&load);
    set_name(&load);
    if (load.wrong > 0) {
        hy_settings_free(spec, &load.settings);
        return HY_ECONFIG;
    }
    *settings = load.settings;
    return HY_OK;
}

void hy_settings_free(const struct hy_settings_spec *spec, void **settings)
{
    const struct hy_setting *row;

    if (*settings == NULL)
        return;
    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++) {
        if (row->type == HY_SET_TEXT)
            free(*(char **)hy_setting_value(row, *settings));
        else if (row->type == HY_SET_LIST)
            hy_setting_clear_list(row, *settings);
    }
    free(*settings);
    *settings = NULL;
}

static bool same_list(const struct hy_text_list *a, const struct hy_text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool same(const struct hy_setting *row, const void *one, const void *other)
{
    const void *a = hy_setting_value(row, one), *b = hy_setting_value(row, other);

    switch (row->type) {
    case HY_SET_INT:
        return *(const int64_t *)a == *(const int64_t *)b;
    case HY_SET_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case HY_SET_TEXT:
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    case HY_SET_LIST:
        return same_list(a, b);
    }
    return false;
}

enum hy_err hy_settings_reload(const struct hy_settings_spec *spec, const char *file, FILE *errors,
                               void **settings)
{
    struct hy_settings_load load = {.spec = spec, .errors = errors};
    const struct hy_setting *row;
    enum hy_err err = hy_settings_load(spec, file, errors, &load.settings);

    if (err != HY_OK)
        return err;
    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++)
        if (!row->reload && !same(row, *settings, load.settings))
            hy_settings_wrong(&load, file != NULL ? file : "environment", 0,
                              "%s cannot change while running; restart the process", row->key);
    if (load.wrong > 0) {
        hy_settings_free(spec, &load.settings);
        return HY_ECONFIG;
    }
    hy_settings_free(spec, settings);
    *settings = load.settings;
    return HY_OK;
}

enum hy_err hy_settings_peer(const char *item, char name[static 64], char endpoint[static 256])
{
    const char *equals = strchr(item, '=');
    size_t name_len = equals != NULL ? (size_t)(equals - item) : 0;

    if (name_len == 0 || name_len > 63 || strlen(equals + 1) > 255)
        return HY_ECONFIG;
    if (strncmp(equals + 1, "tcp://", 6) != 0 && strncmp(equals + 1, "ipc://", 6) != 0)
        return HY_ECONFIG;
    memcpy(name, item, name_len);
    name[name_len] = '\0';
    memcpy(endpoint, equals + 1, strlen(equals + 1) + 1);
    return HY_OK;
}

enum hy_err hy_settings_address(const char *text, char host[static 64], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    const char *from = text, *to = colon;
    char *end;

    if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9')
        return HY_ECONFIG;
    unsigned long number = strtoul(colon + 1, &end, 10);

    if (*end != '\0' || number > UINT16_MAX)
        return HY_ECONFIG;
    if (*text == '[') {
        from = text + 1;
        to = colon - 1;
        if (*to != ']')
            return HY_ECONFIG;
    }
    if (to <= from || to - from > 63)
        return HY_ECONFIG;
    memcpy(host, from, (size_t)(to - from));
    host[to - from] = '\0';
    *port = (uint16_t)number;
    return HY_OK;
}
