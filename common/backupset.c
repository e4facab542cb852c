#include "common/backupset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crc32c.h"
#include "common/file.h"

enum { PATH_SIZE = 4096, CHUNK = 1 << 20, META_MOST = 64 << 20, NAME_MOST = 200 };

/* ---- reading the list ---- */

struct words {
    const char *at, *end;
};

/* The next line, without its end; false: there is none. */
static bool take_line(struct words *w, char out[static 512])
{
    const char *end = w->at < w->end ? memchr(w->at, '\n', (size_t)(w->end - w->at)) : NULL;
    size_t len = end == NULL ? 0 : (size_t)(end - w->at);

    if (end == NULL || len >= 512)
        return false;
    memcpy(out, w->at, len);
    out[len] = '\0';
    w->at = end + 1;
    return true;
}

static bool number(const char *text, uint64_t most, uint64_t *n)
{
    char *end = NULL;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *n = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *n <= most;
}

static bool number_line(struct words *w, uint64_t most, uint64_t *n)
{
    char line[512];

    return take_line(w, line) && number(line, most, n);
}

/* Only files of ours, below the folder. */
static bool name_ok(const char *name)
{
    static const char *const places[] = {"shared_checksum/", "shared/", "private/"};
    const char *last = strrchr(name, '/');

    if (strlen(name) > NAME_MOST || strstr(name, "..") != NULL || strstr(name, "//") != NULL ||
        last == NULL || last[1] == '\0' || strlen(last + 1) > 60)
        return false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strncmp(name, places[i], strlen(places[i])) == 0)
            return true;
    return false;
}

/* "NAME crc32 NUMBER" */
static bool file_line(struct words *w, struct hy_backup_file *file)
{
    char line[512];
    char *space, *value;
    uint64_t crc;

    if (!take_line(w, line))
        return false;
    space = strchr(line, ' ');
    if (space == NULL || strncmp(space, " crc32 ", 7) != 0)
        return false;
    *space = '\0';
    value = space + 7;
    if (!name_ok(line) || !number(value, UINT32_MAX, &crc))
        return false;
    file->crc = (uint32_t)crc;
    file->name = strdup(line);
    return file->name != NULL;
}

enum hy_err hy_backup_set_parse(const char *text, size_t len, struct hy_backup_set *set)
{
    struct words w = {text, text + len};
    uint64_t count = 0;

    *set = (struct hy_backup_set){.meta_crc = hy_crc32c(0, text, len)};
    /* A file takes a dozen bytes at least. */
    if (!number_line(&w, UINT64_MAX, &set->time_s) ||
        !number_line(&w, UINT64_MAX, &set->sequence) || !number_line(&w, len / 12 + 1, &count))
        return HY_EMALFORMED;
    set->files = calloc(count + 1, sizeof *set->files);
    if (set->files == NULL)
        return HY_ENOMEM;
    for (; set->count < count; set->count++)
        if (!file_line(&w, &set->files[set->count])) {
            hy_backup_set_free(set);
            return HY_EMALFORMED;
        }
    return HY_OK;
}

void hy_backup_set_free(struct hy_backup_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->files[i].name);
    free(set->files);
    *set = (struct hy_backup_set){0};
}

static enum hy_err read_whole(const char *path, char **text, size_t *len, char why[static 256])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t got = -1;

    *text = NULL;
    *len = 0;
    if (fd < 0)
        return hy_file_failed("open", path, why);
    if (fstat(fd, &st) == 0 && st.st_size <= META_MOST &&
        (*text = malloc((size_t)st.st_size + 1)) != NULL)
        got = read(fd, *text, (size_t)st.st_size);
    close(fd);
    *len = got > 0 ? (size_t)got : 0;
    return got < 0 ? hy_file_failed("read", path, why) : HY_OK;
}

enum hy_err hy_backup_set_read(const char *folder, uint32_t id, struct hy_backup_set *set,
                               char why[static 256])
{
    char path[PATH_SIZE];
    char *text = NULL;
    size_t len = 0;
    enum hy_err err;

    *set = (struct hy_backup_set){0};
    snprintf(path, sizeof path, "%s/meta/%" PRIu32, folder, id);
    err = read_whole(path, &text, &len, why);
    if (err == HY_OK)
        err = hy_backup_set_parse(text, len, set);
    free(text);
    if (err == HY_EMALFORMED) {
        snprintf(why, 256, "%.200s is damaged", path);
        err = HY_ECORRUPT;
    }
    return err;
}

/* ---- files ---- */

static enum hy_err put(int fd, const uint8_t *at, size_t len, const char *to, char why[static 256])
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR)
            return hy_file_failed("write", to, why);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return HY_OK;
}

/* in to its end; out may be -1. */
static enum hy_err pass(int in, int out, const char *path, const char *to, uint32_t *crc,
                        uint64_t *bytes, char why[static 256])
{
    uint8_t *chunk = malloc(CHUNK);
    enum hy_err err = chunk == NULL ? HY_ENOMEM : HY_OK;
    ssize_t n = 0;

    while (err == HY_OK && (n = read(in, chunk, CHUNK)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err = hy_file_failed("read", path, why);
            break;
        }
        *crc = hy_crc32c(*crc, chunk, (size_t)n);
        *bytes += (uint64_t)n;
        if (out >= 0)
            err = put(out, chunk, (size_t)n, to, why);
    }
    free(chunk);
    return err;
}

enum hy_err hy_backup_file_check(const char *folder, const struct hy_backup_file *file,
                                 const char *to, uint64_t *bytes, char why[static 256])
{
    char path[PATH_SIZE];
    uint32_t crc = 0;
    int in, out = -1;
    enum hy_err err;

    snprintf(path, sizeof path, "%s/%s", folder, file->name);
    in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return hy_file_failed("open", path, why);
    if (to != NULL)
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    err = to != NULL && out < 0 ? hy_file_failed("create", to, why)
                                : pass(in, out, path, to, &crc, bytes, why);
    if (err == HY_OK && crc != file->crc) {
        snprintf(why, 256, "%.200s is damaged: its checksum is not as it was", path);
        err = HY_ECORRUPT;
    }
    if (err == HY_OK && out >= 0 && fsync(out) != 0)
        err = hy_file_failed("sync", to, why);
    if (out >= 0 && close(out) != 0 && err == HY_OK)
        err = hy_file_failed("write", to, why);
    close(in);
    return err;
}

bool hy_backup_file_table(const struct hy_backup_file *file)
{
    size_t len = strlen(file->name);

    return len > 4 && strcmp(file->name + len - 4, ".sst") == 0;
}

/* A shared table file is "NUMBER_sSESSION_SIZE.sst", in a database NUMBER.sst. */
void hy_backup_file_name(const struct hy_backup_file *file, char out[static 64])
{
    const char *last = strrchr(file->name, '/') + 1;
    const char *bar = strchr(last, '_');

    if (strncmp(file->name, "shared_checksum/", 16) == 0 && bar != NULL)
        snprintf(out, 64, "%.*s%s", (int)(bar - last), last, strrchr(last, '.') ?: "");
    else
        snprintf(out, 64, "%.63s", last);
}
