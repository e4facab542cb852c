#include "store/backup_files.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_MOST = 16 };

static enum hy_err failed(const char *what, const char *path, char why[static 256])
{
    snprintf(why, 256, "cannot %s %.180s: %s", what, path, strerror(errno));
    return errno == ENOSPC || errno == EDQUOT ? HY_EFULL : HY_EIO;
}

enum hy_err backup_files_make(const char *folder, char why[static 256])
{
    char part[PATH_MAX];

    if (snprintf(part, sizeof part, "%s", folder) >= (int)sizeof part) {
        snprintf(why, 256, "the path is too long");
        return HY_ECONFIG;
    }
    for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return failed("make", part, why);
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST ? HY_OK : failed("make", part, why);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

enum hy_err backup_files_clear(const char *folder, char why[static 256])
{
    if (access(folder, F_OK) != 0 && errno == ENOENT)
        return HY_OK;
    if (nftw(folder, drop, OPEN_MOST, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return failed("clear", folder, why);
    return HY_OK;
}
