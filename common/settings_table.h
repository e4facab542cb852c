/* settings_table - the rows of a process's settings, and values by row. Inner part of settings.h.
 */

#ifndef COMMON_SETTINGS_TABLE_H
#define COMMON_SETTINGS_TABLE_H

#include "common/settings.h"

/* One reading of settings: values go into settings, what is wrong goes to errors. */
struct hy_settings_load {
    const struct hy_settings_spec *spec;
    FILE *errors;
    void *settings;
    unsigned wrong; /* lines printed */
};

/* Row i, the common ones first; NULL past the last. */
const struct hy_setting *hy_setting_at(const struct hy_settings_spec *spec, size_t i);

/* The row of a key, or NULL. */
const struct hy_setting *hy_setting_find(const struct hy_settings_spec *spec, const char *key);

/* The key that looks most like this one, or NULL if none does. */
const char *hy_setting_nearest(const struct hy_settings_spec *spec, const char *key);

/* Where the value of a row lies. */
void *hy_setting_value(const struct hy_setting *row, const void *settings);

/* Name of the environment variable that overrides key: HONGYAN_GATEWAY__LISTEN__TCP. */
void hy_setting_variable(const struct hy_settings_spec *spec, const char *key,
                         char out[static 128]);

/* Set a value. HY_ECONFIG leaves it as it was and says in why what would be right. A list is
 * emptied first, then added to. */
enum hy_err hy_setting_set_int(const struct hy_setting *row, void *settings, int64_t value,
                               char why[static 128]) HY_CHECKED;
enum hy_err hy_setting_set_text(const struct hy_setting *row, void *settings, const char *text,
                                char why[static 128]) HY_CHECKED;
void hy_setting_clear_list(const struct hy_setting *row, void *settings);
enum hy_err hy_setting_add(const struct hy_setting *row, void *settings, const char *item,
                           char why[static 128]) HY_CHECKED;

/* Set a value of any type from text: a default, or the environment. */
enum hy_err hy_setting_parse(const struct hy_setting *row, void *settings, const char *text,
                             char why[static 128]) HY_CHECKED;

/* Print "where:line: ..." (line 0: without) and count it. */
void hy_settings_wrong(struct hy_settings_load *load, const char *where, int line,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Read a libconfig file into load->settings. What is wrong is told, all of it. */
void hy_settings_read_file(struct hy_settings_load *load, const char *file);

#endif
