#include "ctl/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bus.h"
#include "common/clock.h"
#include "ctl/certificate.h"
#include "ctl/files.h"

enum { IPC_MOST = 107 - 20 }; /* sun_path, less "/presence-99" and a NUL */

static const char *const folders[] = {"conf", "keys", "data", "log", "run"};
static const char *const components[] = {"gateway", "router", "presence", "store", "ctl"};

void layout_random_key(char out[static 65])
{
    for (int i = 0; i < 4; i++)
        snprintf(out + 16 * i, 17, "%016" PRIx64, hy_random64());
}

static enum hy_err make_dirs(const char *dir)
{
    enum hy_err err = files_make_dir(dir);
    char path[4096];

    for (size_t i = 0; i < sizeof folders / sizeof *folders && err == HY_OK; i++) {
        files_path(path, "%s/%s", dir, folders[i]);
        err = files_make_dir(path);
    }
    return err;
}

/* A file with len random hex digits; there already: as it is. */
static enum hy_err make_secret(const char *dir, const char *name, size_t len)
{
    char path[4096], key[65];

    files_path(path, "%s/keys/%s", dir, name);
    if (access(path, F_OK) == 0)
        return HY_OK;
    layout_random_key(key);
    return files_write(path, key, len);
}

static enum hy_err make_certificate(const char *dir)
{
    char certificate[4096], key[4096];

    files_path(certificate, "%s/keys/tls.crt", dir);
    files_path(key, "%s/keys/tls.key", dir);
    if (access(certificate, F_OK) == 0 && access(key, F_OK) == 0)
        return HY_OK;
    return certificate_make(certificate, key);
}

static enum hy_err make_bus_keys(const char *dir)
{
    char path[4096];
    enum hy_err err = HY_OK;

    files_path(path, "%s/keys", dir);
    for (size_t i = 0; i < sizeof components / sizeof *components && err == HY_OK; i++) {
        err = hy_bus_keygen(path, components[i]);
        if (err == HY_EEXIST)
            err = HY_OK;
    }
    return err;
}

static enum hy_err make_first_app(const char *dir)
{
    char path[4096], key[65];

    files_path(path, "%s/keys/apps.json", dir);
    if (access(path, F_OK) == 0)
        return HY_OK;
    layout_random_key(key);
    return layout_add_app(dir, LAYOUT_FIRST_APP, key, "administrator");
}

static enum hy_err make_keys(const char *dir)
{
    enum hy_err err = make_secret(dir, "id", 32);

    if (err == HY_OK)
        err = make_secret(dir, "resume.secret", 64);
    if (err == HY_OK)
        err = make_certificate(dir);
    if (err == HY_OK)
        err = make_bus_keys(dir);
    if (err == HY_OK)
        err = make_first_app(dir);
    return err;
}

/* A socket's path has at most 107 bytes. A folder that is too deep gets another one for its
 * sockets, named after it, so that the next start finds it again; it must be ours alone. */
static enum hy_err choose_ipc(struct layout *layout)
{
    char path[4096];
    struct stat st;
    unsigned long hash = 5381;

    files_path(path, "%s/run", layout->dir);
    if (strlen(path) > IPC_MOST) {
        for (const char *c = layout->dir; *c != '\0'; c++)
            hash = hash * 33 + (unsigned char)*c;
        files_path(path, "/tmp/hongyan-%u-%lx", (unsigned)getuid(), hash);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return HY_EIO;
        if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid() ||
            (st.st_mode & 077) != 0)
            return HY_EDENIED;
    }
    layout->ipc = strdup(path);
    return layout->ipc != NULL ? HY_OK : HY_ENOMEM;
}

void layout_read_apps(struct layout *layout)
{
    char path[4096];
    json_t *apps = NULL;

    files_path(path, "%s/keys/apps.json", layout->dir);
    apps = json_load_file(path, 0, NULL);
    if (!json_is_array(apps)) {
        json_decref(apps);
        return;
    }
    json_decref(layout->apps);
    layout->apps = apps;
}

enum hy_err layout_open(const char *dir, struct layout *layout)
{
    char path[4096];
    enum hy_err err = make_dirs(dir);

    *layout = (struct layout){.dir = realpath(dir, NULL)};
    if (err == HY_OK && (layout->dir == NULL || strchr(layout->dir, '"') != NULL))
        err = HY_EIO;
    if (err == HY_OK)
        err = make_keys(layout->dir);
    if (err == HY_OK)
        err = choose_ipc(layout);
    if (err == HY_OK) {
        files_path(path, "%s/keys/id", layout->dir);
        layout->id = files_read(path, NULL);
        layout_read_apps(layout);
        err = layout->id != NULL && layout->apps != NULL ? HY_OK : HY_EIO;
    }
    if (err == HY_OK)
        return HY_OK;
    fprintf(stderr, "hongyanctl: %s cannot be prepared: %s\n", dir, hy_err_text(err));
    layout_close(layout);
    return err;
}

void layout_close(struct layout *layout)
{
    free(layout->dir);
    free(layout->ipc);
    free(layout->id);
    json_decref(layout->apps);
    *layout = (struct layout){0};
}

enum hy_err layout_add_app(const char *dir, uint32_t sdkappid, const char *key, const char *admin)
{
    char path[4096];
    json_t *apps = NULL, *entry = NULL;
    char *text = NULL;
    size_t i = 0;
    enum hy_err err = HY_ENOMEM;

    files_path(path, "%s/keys/apps.json", dir);
    apps = json_load_file(path, 0, NULL);
    if (apps == NULL)
        apps = json_array();
    json_array_foreach(apps, i, entry)
    {
        if (json_integer_value(json_object_get(entry, "sdkappid")) == sdkappid)
            break;
    }
    if (i < json_array_size(apps))
        json_array_remove(apps, i);
    json_array_insert_new(
        apps, i,
        json_pack("{s:I, s:s, s:s}", "sdkappid", (json_int_t)sdkappid, "key", key, "admin", admin));
    text = json_dumps(apps, JSON_INDENT(2));
    if (text != NULL)
        err = files_write(path, text, strlen(text));
    free(text);
    json_decref(apps);
    return err;
}
