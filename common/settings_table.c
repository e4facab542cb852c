#include "common/settings_table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

typedef struct hy_common_settings common;

static const struct hy_setting common_table[] = {
    HY_TEXT(common, name, "name", "", false,
            "name of this process, unique in the cluster; without it the component and -0"),
    HY_TEXT(common, ports_file, "ports_file", "", false,
            "file to write the ports into that were picked, one key=value a line"),
    HY_TEXT(common, cluster_id, "cluster.id", "hongyan", false,
            "processes of another cluster are refused"),
    HY_TEXT(
        common, curve_dir, "cluster.curve_dir", "", false,
        "directory of the CURVE keys for tcp endpoints, which are refused without; \"none\": tcp "
        "without encryption, for a closed network"),
    HY_TEXT(common, bus_advertise, "bus.advertise", "", false,
            "endpoint that others are told to reach this process at, where it is not the one of "
            "bus.listen; only with etcd"),
    HY_LIST(common, routers, "cluster.routers", "", false, "the routers, each as name=endpoint"),
    HY_LIST(common, presences, "cluster.presences", "", false,
            "the presence processes, each as name=endpoint"),
    HY_LIST(common, stores, "cluster.stores", "", false,
            "the stores in order of shard, each as name=endpoint"),
    HY_INT(common, shards, "cluster.shards", 1, 1, 1024, false,
           "how many shards share the slots when a cluster on etcd begins; without etcd it has as "
           "many as cluster.stores names"),
    HY_LIST(common, etcd_endpoints, "etcd.endpoints", "", false,
            "the members of the etcd that coordinates the cluster, each as http://host:port or "
            "https://host:port; none: one machine, coordinated by this file"),
    HY_TEXT(common, etcd_prefix, "etcd.prefix", "/hongyan", false,
            "where in etcd the keys lie, followed by the cluster's id"),
    HY_TEXT(common, etcd_user, "etcd.user", "", false, "user of etcd; empty: without"),
    HY_TEXT(common, etcd_password_file, "etcd.password_file", "", false,
            "file that holds the password of etcd.user, not readable by others"),
    HY_TEXT(common, etcd_ca, "etcd.ca", "", false,
            "certificates (PEM) that vouch for https members; empty: the system's"),
    HY_TEXT(common, etcd_certificate, "etcd.certificate", "", false,
            "certificate (PEM) that this process shows to etcd; empty: none"),
    HY_TEXT(common, etcd_key, "etcd.key", "", false,
            "key (PEM) of etcd.certificate, not readable by others"),
    HY_INT(
        common, pace_us, "pace_us", 500, 0, 100000, true,
        "under load an event loop turns at most once in so many microseconds, so that messages are "
        "handled together: less CPU for each, at most so much delay a hop; 0: as they come"),
    HY_TEXT(common, log_level, "log.level", "info", true, "debug, info, warn or error"),
    HY_TEXT(common, log_format, "log.format", "logfmt", false, "logfmt or json"),
    HY_TEXT(common, status_listen, "status.listen", "127.0.0.1:0", false,
            "host:port of /metrics, /livez and /readyz; port 0 picks one"),
};

enum { COMMON = sizeof common_table / sizeof *common_table };

const struct hy_setting *hy_setting_at(const struct hy_settings_spec *spec, size_t i)
{
    if (i < COMMON)
        return &common_table[i];
    const struct hy_setting *row = &spec->table[i - COMMON];

    return row->key != NULL ? row : NULL;
}

const struct hy_setting *hy_setting_find(const struct hy_settings_spec *spec, const char *key)
{
    const struct hy_setting *row;

    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++)
        if (strcmp(row->key, key) == 0)
            return row;
    return NULL;
}

/* Levenshtein's distance of two short words. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    size_t row[MOST + 1], b_len = strnlen(b, MOST);

    for (size_t k = 0; k <= b_len; k++)
        row[k] = k;
    for (size_t i = 0; a[i] != '\0' && i < MOST; i++) {
        size_t corner = row[0];

        row[0] = i + 1;
        for (size_t k = 0; k < b_len; k++) {
            size_t swap = corner + (a[i] != b[k]);
            size_t least = row[k] < row[k + 1] ? row[k] + 1 : row[k + 1] + 1;

            corner = row[k + 1];
            row[k + 1] = swap < least ? swap : least;
        }
    }
    return row[b_len];
}

const char *hy_setting_nearest(const struct hy_settings_spec *spec, const char *key)
{
    const struct hy_setting *row;
    const char *best = NULL;
    size_t best_distance = strlen(key) / 3 + 2;

    for (size_t i = 0; (row = hy_setting_at(spec, i)) != NULL; i++) {
        const char *dot = strrchr(row->key, '.');
        size_t d = distance(key, row->key);

        /* the last part alone: the group was forgotten */
        if (dot != NULL && strcmp(dot + 1, key) == 0)
            d = 0;
        if (d < best_distance) {
            best_distance = d;
            best = row->key;
        }
    }
    return best;
}

void *hy_setting_value(const struct hy_setting *row, const void *settings)
{
    return (char *)settings + row->offset;
}

void hy_setting_variable(const struct hy_settings_spec *spec, const char *key, char out[static 128])
{
    size_t n = 0;

    snprintf(out, 128, "HONGYAN_%s__", spec->component);
    n = strlen(out);
    for (; *key != '\0' && n < 125; key++) {
        out[n++] = *key == '.' ? '_' : *key;
        if (*key == '.')
            out[n++] = '_';
    }
    out[n] = '\0';
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

/* ---- texts that must have a form ---- */

static bool level_ok(const char *text)
{
    enum hy_log_level level;

    return hy_log_level_parse(text, &level) == HY_OK;
}

static bool format_ok(const char *text)
{
    return strcmp(text, "logfmt") == 0 || strcmp(text, "json") == 0;
}

static bool name_ok(const char *text)
{
    size_t len = strlen(text);

    return len < 48 && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "0123456789._-") == len;
}

static bool address_ok(const char *text)
{
    char host[64];
    uint16_t port;

    return hy_settings_address(text, host, &port) == HY_OK;
}

static bool peer_ok(const char *text)
{
    char name[64], endpoint[256];

    return hy_settings_peer(text, name, endpoint) == HY_OK;
}

/* scheme://host:port, without a path: that is ours. */
static bool etcd_ok(const char *text)
{
    char host[64];
    uint16_t port;
    size_t scheme = strncmp(text, "http://", 7) == 0    ? 7
                    : strncmp(text, "https://", 8) == 0 ? 8
                                                        : 0;

    return scheme > 0 && strpbrk(text + scheme, "/@ ") == NULL &&
           hy_settings_address(text + scheme, host, &port) == HY_OK && port > 0;
}

static bool prefix_ok(const char *text)
{
    size_t len = strlen(text);

    return len > 1 && len < 128 && text[0] == '/' && text[len - 1] != '/';
}

static const struct form {
    const char *key;
    bool (*ok)(const char *text);
    const char *hint;
} forms[] = {
    {"name", name_ok, "a name is up to 47 letters, digits, '.', '_' and '-'"},
    {"log.level", level_ok, "one of debug, info, warn, error"},
    {"log.format", format_ok, "one of logfmt, json"},
    {"status.listen", address_ok, "a host:port like 127.0.0.1:9100"},
    {"cluster.routers", peer_ok, "name=endpoint, like router-0=tcp://10.0.0.1:7100"},
    {"cluster.presences", peer_ok, "name=endpoint, like presence-0=tcp://10.0.0.1:7200"},
    {"cluster.stores", peer_ok, "name=endpoint, like store-0=tcp://10.0.0.1:7300"},
    {"etcd.endpoints", etcd_ok, "a URL like http://10.0.0.1:2379, https for TLS"},
    {"etcd.prefix", prefix_ok, "up to 127 characters that begin with / and do not end with it"},
};

static enum hy_err check_form(const char *key, const char *text, char why[static 128])
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i].key, key) == 0 && !forms[i].ok(text)) {
            snprintf(why, 128, "%s", forms[i].hint);
            return HY_ECONFIG;
        }
    return HY_OK;
}

/* ---- values ---- */

enum hy_err hy_setting_set_int(const struct hy_setting *row, void *settings, int64_t value,
                               char why[static 128])
{
    if (value < row->least || value > row->most) {
        snprintf(why, 128, "out of range, from %" PRId64 " to %" PRId64, row->least, row->most);
        return HY_ECONFIG;
    }
    if (row->type == HY_SET_BOOL)
        *(bool *)hy_setting_value(row, settings) = value != 0;
    else
        *(int64_t *)hy_setting_value(row, settings) = value;
    return HY_OK;
}

enum hy_err hy_setting_set_text(const struct hy_setting *row, void *settings, const char *text,
                                char why[static 128])
{
    char **value = hy_setting_value(row, settings);
    enum hy_err err = check_form(row->key, text, why);

    if (err != HY_OK)
        return err;
    char *copy = strdup(text);

    if (copy == NULL) {
        snprintf(why, 128, "out of memory");
        return HY_ENOMEM;
    }
    free(*value);
    *value = copy;
    return HY_OK;
}

void hy_setting_clear_list(const struct hy_setting *row, void *settings)
{
    struct hy_text_list *list = hy_setting_value(row, settings);

    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct hy_text_list){0};
}

enum hy_err hy_setting_add(const struct hy_setting *row, void *settings, const char *item,
                           char why[static 128])
{
    struct hy_text_list *list = hy_setting_value(row, settings);
    enum hy_err err = check_form(row->key, item, why);

    if (err != HY_OK)
        return err;
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    char *copy = strdup(item);

    if (items != NULL)
        list->items = items;
    if (items == NULL || copy == NULL) {
        free(copy);
        snprintf(why, 128, "out of memory");
        return HY_ENOMEM;
    }
    items[list->count++] = copy;
    return HY_OK;
}

static enum hy_err parse_list(const struct hy_setting *row, void *settings, const char *text,
                              char why[static 128])
{
    hy_setting_clear_list(row, settings);
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        char *item = strndup(text, len);
        enum hy_err err = item == NULL ? HY_ENOMEM : HY_OK;

        if (len > 0 && item != NULL)
            err = hy_setting_add(row, settings, item, why);
        free(item);
        if (err != HY_OK)
            return err;
        text += len + (text[len] == ',');
    }
    return HY_OK;
}

static enum hy_err parse_int(const struct hy_setting *row, void *settings, const char *text,
                             char why[static 128])
{
    char *end;

    errno = 0;
    long long value = strtoll(text, &end, 10);

    if (end == text || *end != '\0' || errno != 0) {
        snprintf(why, 128, "not a number");
        return HY_ECONFIG;
    }
    return hy_setting_set_int(row, settings, value, why);
}

static enum hy_err parse_bool(const struct hy_setting *row, void *settings, const char *text,
                              char why[static 128])
{
    bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

    if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        snprintf(why, 128, "neither true nor false");
        return HY_ECONFIG;
    }
    return hy_setting_set_int(row, settings, yes, why);
}

enum hy_err hy_setting_parse(const struct hy_setting *row, void *settings, const char *text,
                             char why[static 128])
{
    switch (row->type) {
    case HY_SET_INT:
        return parse_int(row, settings, text, why);
    case HY_SET_BOOL:
        return parse_bool(row, settings, text, why);
    case HY_SET_TEXT:
        return hy_setting_set_text(row, settings, text, why);
    case HY_SET_LIST:
        return parse_list(row, settings, text, why);
    }
    return HY_ECONFIG;
}

void hy_settings_wrong(struct hy_settings_load *load, const char *where, int line,
                       const char *format, ...)
{
    va_list args;

    load->wrong++;
    fprintf(load->errors, "%s", where);
    if (line > 0)
        fprintf(load->errors, ":%d", line);
    fputs(": ", load->errors);
    va_start(args, format);
    vfprintf(load->errors, format, args);
    va_end(args);
    fputc('\n', load->errors);
}
