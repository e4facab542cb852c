#include "ctl/backup_keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "ctl/files.h"

static enum hy_err failed(const char *path)
{
    fprintf(stderr, "hongyanctl: %s: %s\n", path, strerror(errno));
    return HY_EIO;
}

/* Copy one, and say its sum. */
static enum hy_err copy(const char *from, const char *to, uint32_t *sum)
{
    size_t len = 0;
    char *text = files_read(from, &len);
    enum hy_err err = HY_OK;

    if (text == NULL)
        return failed(from);
    *sum = hy_crc32c(0, text, len);
    if (to != NULL && files_write_durably(to, text, len) != HY_OK)
        err = failed(to);
    free(text);
    return err;
}

enum hy_err backup_keys_save(const char *dir, const char *folder, json_t **sums)
{
    char keys[4096], from[4096], to[4096];
    const struct dirent *entry = NULL;
    enum hy_err err = files_make_dir(folder);
    struct stat st;
    DIR *list = NULL;

    files_path(keys, "%s/keys", dir);
    list = opendir(keys);
    if (list == NULL || err != HY_OK) {
        if (list != NULL)
            closedir(list);
        return failed(list == NULL ? keys : folder);
    }
    *sums = json_object();
    while (err == HY_OK && (entry = readdir(list)) != NULL) {
        uint32_t sum = 0;

        files_path(from, "%s/%s", keys, entry->d_name);
        files_path(to, "%s/%s", folder, entry->d_name);
        if (stat(from, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        err = copy(from, to, &sum);
        json_object_set_new(*sums, entry->d_name, json_integer(sum));
    }
    closedir(list);
    return err;
}

enum hy_err backup_keys_check(const char *folder, const json_t *sums, const char *to)
{
    const char *name = NULL;
    json_t *value = NULL;
    enum hy_err err = to != NULL ? files_make_dir(to) : HY_OK;

    json_object_foreach((json_t *)sums, name, value)
    {
        char from[4096], target[4096];
        uint32_t sum = 0;

        if (strchr(name, '/') != NULL || name[0] == '.')
            return HY_ECORRUPT;
        files_path(from, "%s/%s", folder, name);
        files_path(target, "%s/%s", to == NULL ? "" : to, name);
        if (copy(from, to == NULL ? NULL : target, &sum) != HY_OK) {
            err = HY_EIO;
        } else if ((json_int_t)sum != json_integer_value(value)) {
            fprintf(stderr, "hongyanctl: %s is damaged: its checksum is not as it was\n", from);
            err = HY_ECORRUPT;
        }
    }
    return err;
}
