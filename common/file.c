#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, WALK_OPEN = 16 };

enum hy_err hy_file_failed(const char *what, const char *path, char why[static 256])
{
    int number = errno;

    snprintf(why, 256, "cannot %s %.180s: %s", what, path, strerror(number));
    if (number == ENOENT)
        return HY_ENOTFOUND;
    return number == ENOSPC || number == EDQUOT ? HY_EFULL : HY_EIO;
}

static enum hy_err make_one(const char *dir, char why[static 256])
{
    return mkdir(dir, 0700) == 0 || errno == EEXIST ? HY_OK : hy_file_failed("make", dir, why);
}

enum hy_err hy_dir_make(const char *dir, char why[static 256])
{
    char part[PATH_SIZE];
    enum hy_err err = HY_OK;

    if (snprintf(part, sizeof part, "%s", dir) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return hy_file_failed("make", dir, why);
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL && err == HY_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        err = make_one(part, why);
        *slash = '/';
    }
    return err == HY_OK ? make_one(part, why) : err;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    (void)remove(path); /* the rest goes, if it can */
    return 0;
}

bool hy_dir_remove(const char *dir)
{
    (void)nftw(dir, remove_one, WALK_OPEN, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return remove(dir) == 0 || errno == ENOENT;
}

enum hy_err hy_dir_sync(const char *dir, char why[static 256])
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum hy_err err = fd >= 0 && fsync(fd) == 0 ? HY_OK : hy_file_failed("sync", dir, why);

    if (fd >= 0)
        close(fd);
    return err;
}

static bool put_all(int fd, const uint8_t *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static enum hy_err write_new(const char *path, const void *bytes, size_t len, bool durable,
                             char why[static 256])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum hy_err err = HY_OK;

    if (fd < 0)
        return hy_file_failed("create", path, why);
    if (!put_all(fd, bytes, len) || (durable && fsync(fd) != 0))
        err = hy_file_failed("write", path, why);
    if (close(fd) != 0 && err == HY_OK)
        err = hy_file_failed("write", path, why);
    return err;
}

enum hy_err hy_file_replace(const char *path, const void *bytes, size_t len, bool durable,
                            char why[static 256])
{
    char aside[PATH_SIZE], folder[PATH_SIZE];
    enum hy_err err;

    if (snprintf(aside, sizeof aside, "%s.new-%d", path, (int)getpid()) >= (int)sizeof aside) {
        errno = ENAMETOOLONG;
        return hy_file_failed("create", path, why);
    }
    err = write_new(aside, bytes, len, durable, why);
    if (err == HY_OK && rename(aside, path) != 0)
        err = hy_file_failed("rename", aside, why);
    if (err != HY_OK) {
        unlink(aside);
        return err;
    }
    snprintf(folder, sizeof folder, "%s", path);
    return durable ? hy_dir_sync(dirname(folder), why) : HY_OK;
}
