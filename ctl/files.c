#include "ctl/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

void files_path(char out[static PATH_SIZE], const char *format, ...)
{
    va_list list;
    int n = 0;

    va_start(list, format);
    n = vsnprintf(out, PATH_SIZE, format, list);
    va_end(list);
    if (n < 0 || n >= PATH_SIZE) {
        fprintf(stderr, "hongyanctl: a path is longer than %d bytes\n", PATH_SIZE);
        exit(EXIT_FAILURE);
    }
}

enum hy_err files_make_dir(const char *path)
{
    char part[PATH_SIZE];

    files_path(part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return HY_EIO;
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST ? HY_OK : HY_EIO;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* What a rename has changed in a file's folder. */
static bool sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    char *slash = NULL;
    bool good = false;
    int fd = -1;

    files_path(folder, "%s", path);
    slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    fd = open(folder[0] == '\0' ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

static enum hy_err write_file(const char *path, const char *text, size_t len, bool durably)
{
    char aside[PATH_SIZE];
    bool good = false;
    int fd = -1;

    files_path(aside, "%s.%d", path, (int)getpid());
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return HY_EIO;
    good = write_all(fd, text, len) && (!durably || fsync(fd) == 0);
    if (close(fd) != 0)
        good = false;
    if (good && rename(aside, path) == 0)
        return !durably || sync_folder_of(path) ? HY_OK : HY_EIO;
    unlink(aside);
    return HY_EIO;
}

enum hy_err files_write(const char *path, const char *text, size_t len)
{
    return write_file(path, text, len, false);
}

enum hy_err files_write_durably(const char *path, const char *text, size_t len)
{
    return write_file(path, text, len, true);
}

char *files_read(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0, used = 0;

    if (file == NULL)
        return NULL;
    do {
        char *more = NULL;

        if (used + 1 >= size) {
            size = size > 0 ? size * 2 : 4096;
            more = realloc(text, size);
            if (more == NULL)
                break;
            text = more;
        }
        used += fread(text + used, 1, size - used - 1, file);
    } while (!feof(file) && !ferror(file));
    fclose(file);
    if (text != NULL)
        text[used] = '\0';
    if (len != NULL)
        *len = used;
    return text;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path); /* the rest goes, if it can */
    return 0;
}

void files_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
