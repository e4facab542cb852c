#include <inttypes.h>
#include <string.h>

#include "common/settings_table.h"

static void print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20)
            fprintf(out, "\\x%02x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void print_value(const struct hy_setting *row, const void *settings, FILE *out)
{
    const void *value = hy_setting_value(row, settings);
    const struct hy_text_list *list = value;

    if (row->secret) {
        fputs("\"***\"", out);
        return;
    }
    switch (row->type) {
    case HY_SET_INT:
        fprintf(out, "%" PRId64, *(const int64_t *)value);
        /* libconfig wants an L beyond 32 bits */
        if (*(const int64_t *)value > INT32_MAX || *(const int64_t *)value < INT32_MIN)
            fputc('L', out);
        break;
    case HY_SET_BOOL:
        fputs(*(const bool *)value ? "true" : "false", out);
        break;
    case HY_SET_TEXT:
        print_text(*(char *const *)value, out);
        break;
    case HY_SET_LIST:
        fputc('[', out);
        for (size_t i = 0; i < list->count; i++) {
            fputs(i > 0 ? ", " : "", out);
            print_text(list->items[i], out);
        }
        fputc(']', out);
        break;
    }
}

/* Is row the first of its table whose key begins with these bytes? */
static bool first_of_group(const struct hy_settings_spec *spec, const struct hy_setting *row,
                           size_t len)
{
    const struct hy_setting *other;

    for (size_t i = 0; (other = hy_setting_at(spec, i)) != row; i++)
        if (strncmp(other->key, row->key, len) == 0)
            return false;
    return true;
}

/* Print the keys below a prefix ("" or "listen."), groups where their first key stands. */
static void print_group(const struct hy_settings_spec *spec, const void *settings,
                        const char *prefix, size_t prefix_len, FILE *out)
{
    const struct hy_setting *row;
    int indent = 0;

    for (size_t i = 0; i < prefix_len; i++)
        indent += prefix[i] == '.' ? 4 : 0;
    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++) {
        if (strncmp(row->key, prefix, prefix_len) != 0)
            continue;
        const char *rest = row->key + prefix_len, *dot = strchr(rest, '.');
        size_t group_len = dot != NULL ? (size_t)(dot - row->key) + 1 : 0;

        if (dot == NULL) {
            fprintf(out, "%*s%s = ", indent, "", rest);
            print_value(row, settings, out);
            fputs(";\n", out);
        } else if (first_of_group(spec, row, group_len)) {
            fprintf(out, "%*s%.*s: {\n", indent, "", (int)(dot - rest), rest);
            print_group(spec, settings, row->key, group_len, out);
            fprintf(out, "%*s};\n", indent, "");
        }
    }
}

void hy_settings_print(const struct hy_settings_spec *spec, const void *settings, FILE *out)
{
    print_group(spec, settings, "", 0, out);
}

static void document_range(const struct hy_setting *row, FILE *out)
{
    static const char *const types[] = {
        [HY_SET_BOOL] = "true, false", [HY_SET_TEXT] = "text", [HY_SET_LIST] = "list of texts"};

    if (row->type == HY_SET_INT)
        fprintf(out, "%" PRId64 " to %" PRId64, row->least, row->most);
    else
        fputs(types[row->type], out);
}

void hy_settings_document(const struct hy_settings_spec *spec, FILE *out)
{
    const struct hy_setting *row;
    char variable[128];

    fprintf(out, "## hongyan-%s\n\n", spec->component);
    fputs("| key | default | values | reload | what | environment |\n|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++) {
        hy_setting_variable(spec, row->key, variable);
        fprintf(out, "| `%s` | %s%s%s | ", row->key, *row->fallback ? "`" : "", row->fallback,
                *row->fallback ? "`" : "");
        document_range(row, out);
        fprintf(out, " | %s | %s | `%s` |\n", row->reload ? "SIGHUP" : "restart", row->help,
                variable);
    }
    fputc('\n', out);
}
