/* settings - a process's settings: one table drives parsing, checks, --help, --print-config, the
 * environment and docs/configuration.md.
 *
 * A file is libconfig; keys are dotted ("listen.tcp") and may be nested groups in the file. An unknown
 * key, a wrong type or a value out of range is an error with file, line and a hint. The environment
 * overrides: HONGYAN_GATEWAY__LISTEN__TCP=... sets listen.tcp of the gateway (lists: values
 * separated by commas). Values land in a plain struct by offset. */

#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum hy_setting_type {
    HY_SET_INT,    /* int64_t */
    HY_SET_BOOL,   /* bool */
    HY_SET_TEXT,   /* char * (never NULL) */
    HY_SET_LIST,   /* struct hy_text_list */
};

struct hy_text_list {
    char **items;
    size_t count;
};

struct hy_setting {
    const char *key;
    enum hy_setting_type type;
    size_t offset;
    int64_t least, most;       /* INT */
    const char *fallback;      /* default as text; lists: comma-separated */
    bool reload;               /* takes effect on SIGHUP; else a change is refused on reload */
    bool secret;               /* shown as *** by --print-config */
    const char *help;          /* one sentence, with the unit */
};

#define HY_INT(type, member, key, def, least, most, reload, help) \
    {key, HY_SET_INT, offsetof(type, member), least, most, #def, reload, false, help}
#define HY_BOOL(type, member, key, def, reload, help) \
    {key, HY_SET_BOOL, offsetof(type, member), 0, 1, #def, reload, false, help}
#define HY_TEXT(type, member, key, def, reload, help) \
    {key, HY_SET_TEXT, offsetof(type, member), 0, 0, def, reload, false, help}
#define HY_LIST(type, member, key, def, reload, help) \
    {key, HY_SET_LIST, offsetof(type, member), 0, 0, def, reload, false, help}

/* What every process has; the first member of each process's settings struct. */
struct hy_common_settings {
    char *name;             /* "gateway-0"; also --name */
    char *cluster_id;
    char *log_level;
    char *log_format;       /* "logfmt" or "json" */
    char *status_listen;    /* host:port of /metrics, /livez, /readyz; port 0 picks one */
    char *curve_dir;        /* "" without CURVE */
    struct hy_text_list routers;   /* "name=endpoint" */
    struct hy_text_list presences;
    struct hy_text_list stores;    /* in order of shard */
    int64_t shards;                /* that a new map has; without etcd: as many as stores */
    struct hy_text_list etcd_endpoints; /* "http://host:port"; empty: without etcd */
    char *etcd_prefix;
    char *etcd_user;
    char *etcd_password_file;
    char *etcd_ca, *etcd_certificate, *etcd_key; /* files */
    int64_t pace_us;               /* see common/pace.h */
    char *bus_advertise;    /* "": as bus.listen says; see fleet.h */
    char *ports_file;       /* where to write the ports that were picked, "key=value" lines */
};

struct hy_settings_spec {
    const char *component;           /* "gateway" */
    const struct hy_setting *table;  /* ends with a NULL key; without the common ones */
    size_t size;                     /* of the struct, which begins with hy_common_settings */
};

/* Read file (NULL: defaults and environment only) into a new struct. Errors are printed to errors
 * (file:line: what, and a hint) and give HY_ECONFIG. */
enum hy_err hy_settings_load(const struct hy_settings_spec *spec, const char *file, FILE *errors,
                             void **settings) HY_CHECKED;

/* All or nothing: read file again; refuse, with a line in errors for each, if a setting without
 * `reload` changed. On success *settings is the new struct and the old one is freed. */
enum hy_err hy_settings_reload(const struct hy_settings_spec *spec, const char *file, FILE *errors,
                               void **settings) HY_CHECKED;

void hy_settings_free(const struct hy_settings_spec *spec, void **settings);

/* As a libconfig file, secrets masked. */
void hy_settings_print(const struct hy_settings_spec *spec, const void *settings, FILE *out);

/* As Markdown, for docs/configuration.md. */
void hy_settings_document(const struct hy_settings_spec *spec, FILE *out);

/* Split "name=endpoint". Copies into name and endpoint. HY_ECONFIG. */
enum hy_err hy_settings_peer(const char *item, char name[static 64], char endpoint[static 256]) HY_CHECKED;

/* Split "host:port" ("[::1]:80" too). HY_ECONFIG. */
enum hy_err hy_settings_address(const char *text, char host[static 64], uint16_t *port) HY_CHECKED;

#endif
