/* The one door to libconfig. */

#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/settings_table.h"

enum { KEY_MAX = 256, DEPTH_MAX = 16 };

static const char *const type_names[] = {
    [HY_SET_INT] = "a whole number",
    [HY_SET_BOOL] = "true or false",
    [HY_SET_TEXT] = "a text in quotes",
    [HY_SET_LIST] = "a list of texts, like [\"a\", \"b\"]",
};

static const char *where(const config_setting_t *node)
{
    const char *file = config_setting_source_file(node);

    return file != NULL ? file : "settings";
}

/* Why a value was not taken, with its place. */
static void refuse(struct hy_settings_load *load, const config_setting_t *node,
                   const struct hy_setting *row, const char *why)
{
    hy_settings_wrong(load, where(node), (int)config_setting_source_line(node), "%s: %s", row->key,
                      why);
}

static void refuse_type(struct hy_settings_load *load, const config_setting_t *node,
                        const struct hy_setting *row)
{
    char why[128];

    snprintf(why, sizeof why, "wrong type, give %s", type_names[row->type]);
    refuse(load, node, row, why);
}

static void take_list(struct hy_settings_load *load, const config_setting_t *node,
                      const struct hy_setting *row)
{
    int type = config_setting_type(node);

    if (type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
        refuse_type(load, node, row);
        return;
    }
    hy_setting_clear_list(row, load->settings);
    for (int i = 0; i < config_setting_length(node); i++) {
        const char *item = config_setting_get_string_elem(node, i);
        char why[128];

        if (item == NULL)
            refuse_type(load, node, row);
        else if (hy_setting_add(row, load->settings, item, why) != HY_OK)
            refuse(load, node, row, why);
    }
}

static void take_value(struct hy_settings_load *load, const config_setting_t *node,
                       const struct hy_setting *row)
{
    static const int wanted[] = {[HY_SET_INT] = CONFIG_TYPE_INT,
                                 [HY_SET_BOOL] = CONFIG_TYPE_BOOL,
                                 [HY_SET_TEXT] = CONFIG_TYPE_STRING};
    int type = config_setting_type(node);
    enum hy_err err = HY_OK;
    char why[128];

    if (row->type == HY_SET_LIST) {
        take_list(load, node, row);
        return;
    }
    if (type == CONFIG_TYPE_INT64)
        type = CONFIG_TYPE_INT;
    if (type != wanted[row->type]) {
        refuse_type(load, node, row);
        return;
    }
    if (row->type == HY_SET_TEXT)
        err = hy_setting_set_text(row, load->settings, config_setting_get_string(node), why);
    else if (row->type == HY_SET_BOOL)
        err = hy_setting_set_int(row, load->settings, config_setting_get_bool(node), why);
    else
        err = hy_setting_set_int(row, load->settings, config_setting_get_int64(node), why);
    if (err != HY_OK)
        refuse(load, node, row, why);
}

static void unknown(struct hy_settings_load *load, const config_setting_t *node, const char *key)
{
    const char *near = hy_setting_nearest(load->spec, key);

    if (near != NULL)
        hy_settings_wrong(load, where(node), (int)config_setting_source_line(node),
                          "unknown key %s; did you mean %s?", key, near);
    else
        hy_settings_wrong(load, where(node), (int)config_setting_source_line(node),
                          "unknown key %s; --help lists the keys", key);
}

/* Take a group's members; prefix is the group's key and a dot, or "". */
static void take_group(struct hy_settings_load *load, const config_setting_t *group,
                       const char *prefix, unsigned depth)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *node = config_setting_get_elem(group, (unsigned)i);
        const char *name = config_setting_name(node);
        char key[KEY_MAX], inner[KEY_MAX];

        snprintf(key, sizeof key, "%s%s", prefix, name != NULL ? name : "");
        const struct hy_setting *row = hy_setting_find(load->spec, key);
        bool fits = snprintf(inner, sizeof inner, "%s%s.", prefix, name != NULL ? name : "") <
                    (int)sizeof inner;

        if (row != NULL)
            take_value(load, node, row);
        else if (config_setting_is_group(node) && depth < DEPTH_MAX && fits)
            take_group(load, node, inner, depth + 1);
        else
            unknown(load, node, key);
    }
}

/* @include names files next to the one that includes them. */
static void include_dir(config_t *config, const char *file)
{
    const char *slash = strrchr(file, '/');
    char *dir = slash != NULL ? strndup(file, (size_t)(slash - file) + 1) : NULL;

    if (dir != NULL)
        config_set_include_dir(config, dir);
    free(dir);
}

void hy_settings_read_file(struct hy_settings_load *load, const char *file)
{
    config_t config;
    struct stat st;

    /* libconfig ends the process when it is given a directory */
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode)) {
        hy_settings_wrong(load, file, 0, "cannot be read: %s",
                          errno != 0 ? strerror(errno) : "not a file");
        return;
    }
    config_init(&config);
    include_dir(&config, file);
    if (config_read_file(&config, file) == CONFIG_TRUE)
        take_group(load, config_root_setting(&config), "", 0);
    else
        hy_settings_wrong(load, config_error_file(&config) ? config_error_file(&config) : file,
                          config_error_line(&config), "%s",
                          config_error_type(&config) == CONFIG_ERR_FILE_IO
                              ? strerror(errno)
                              : config_error_text(&config));
    config_destroy(&config);
}
