#include "ctl/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "ctl/files.h"

enum { NAME_LEN = 9 + MANIFEST_TIME - 1 + 5 }; /* MANIFEST-TIME.json */

void manifest_now(char out[static MANIFEST_TIME])
{
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(out, MANIFEST_TIME, "%Y%m%dT%H%M%SZ", &tm);
}

const char *manifest_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

json_int_t manifest_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* ---- sums ---- */

static uint32_t sum_of(const json_t *manifest)
{
    json_t *copy = json_copy((json_t *)manifest);
    char *text = NULL;
    uint32_t sum = 0;

    json_object_del(copy, "sum");
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    if (text != NULL)
        sum = hy_crc32c(0, text, strlen(text));
    free(text);
    json_decref(copy);
    return sum;
}

/* NULL, or what is wrong with it. */
static const char *wrong(const json_t *manifest)
{
    const json_t *parts = json_object_get(manifest, "parts");
    json_int_t shards = manifest_number(manifest, "shards");

    if (!json_is_object(manifest))
        return "it is damaged";
    if (manifest_number(manifest, "format") > MANIFEST_FORMAT)
        return "a later version of Hongyan made it";
    if (manifest_number(manifest, "sum") != (json_int_t)sum_of(manifest) || shards < 1 ||
        shards != (json_int_t)json_array_size(parts))
        return "it is damaged";
    return NULL;
}

/* ---- reading ---- */

static bool is_manifest(const char *name)
{
    return strlen(name) == NAME_LEN && strncmp(name, "MANIFEST-", 9) == 0 &&
           strcmp(name + NAME_LEN - 5, ".json") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the manifests, in the order of their times; free all. -1: the folder cannot be read. */
static long find_names(const char *path, char ***names)
{
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    size_t count = 0;

    *names = NULL;
    if (dir == NULL) {
        fprintf(stderr, "hongyanctl: %s: %s\n", path, strerror(errno));
        return -1;
    }
    while ((entry = readdir(dir)) != NULL) {
        char **more =
            is_manifest(entry->d_name) ? realloc(*names, (count + 1) * sizeof *more) : NULL;

        if (more == NULL)
            continue;
        *names = more;
        more[count] = strdup(entry->d_name);
        count += more[count] != NULL;
    }
    closedir(dir);
    if (count > 0)
        qsort(*names, count, sizeof **names, by_name);
    return (long)count;
}

json_t *manifest_list(const char *path, size_t *bad)
{
    json_t *list = json_array();
    char **names = NULL;
    long count = find_names(path, &names);

    if (bad != NULL)
        *bad = 0;
    for (long i = 0; i < count; i++) {
        char file[4096];
        json_t *one = NULL;
        const char *why = NULL;

        files_path(file, "%s/%s", path, names[i]);
        one = json_load_file(file, 0, NULL);
        why = wrong(one);
        if (why == NULL) {
            json_array_append(list, one);
        } else {
            fprintf(stderr, "hongyanctl: %s does not count: %s\n", file, why);
            if (bad != NULL)
                ++*bad;
        }
        json_decref(one);
        free(names[i]);
    }
    free(names);
    if (count >= 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *manifest_load(const char *path, const char *at)
{
    json_t *list = manifest_list(path, NULL), *found = NULL;
    size_t count = json_array_size(list);

    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_array_get(list, i);

        if (at == NULL || strcmp(manifest_text(one, "time"), at) == 0)
            found = one;
    }
    if (found != NULL)
        json_incref(found);
    else if (at != NULL && count > 0)
        fprintf(stderr, "hongyanctl: %s has no backup of %s; hongyanctl backup list shows them\n",
                path, at);
    else
        fprintf(stderr, "hongyanctl: there is no whole backup in %s\n", path);
    json_decref(list);
    return found;
}

/* ---- writing ---- */

static void name_of(const char *path, const json_t *manifest, char out[static 4096])
{
    files_path(out, "%s/MANIFEST-%s.json", path, manifest_text(manifest, "time"));
}

enum hy_err manifest_write(const char *path, json_t *manifest)
{
    char file[4096];
    char *text = NULL;
    enum hy_err err = HY_ENOMEM;

    json_object_set_new(manifest, "sum", json_integer(sum_of(manifest)));
    text = json_dumps(manifest, JSON_INDENT(2));
    name_of(path, manifest, file);
    if (text != NULL)
        err = files_write_durably(file, text, strlen(text));
    free(text);
    if (err != HY_OK)
        fprintf(stderr, "hongyanctl: %s cannot be written: %s\n", file, strerror(errno));
    return err;
}

void manifest_remove(const char *path, const json_t *manifest)
{
    char file[4096];

    name_of(path, manifest, file);
    unlink(file);
}
