#include "store/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 512 };

static void write_text(const struct identity *id, char text[static TEXT])
{
    snprintf(text, TEXT, "format=%d\ncluster=%s\nshard=%u\nshards=%u\n", IDENTITY_FORMAT,
             id->cluster_id, id->shard, id->shards);
}

static enum hy_err failed(const char *what, const char *path, char why[static 256])
{
    enum hy_err err = errno == ENOSPC || errno == EDQUOT ? HY_EFULL : HY_EIO;

    snprintf(why, 256, "cannot %s %.150s: %s", what, path, strerror(errno));
    return err;
}

static enum hy_err sync_dir(const char *dir, char why[static 256])
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return good ? HY_OK : failed("sync", dir, why);
}

/* The file appears whole or not at all. */
static enum hy_err create(const char *dir, const char *path, const char *text, char why[static 256])
{
    char aside[1040];
    size_t len = strlen(text);
    bool good;
    int fd;

    snprintf(aside, sizeof aside, "%s.new", path);
    fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed("create", aside, why);
    good = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (close(fd) != 0 || !good)
        return failed("write", aside, why);
    if (rename(aside, path) != 0)
        return failed("rename", aside, why);
    return sync_dir(dir, why);
}

enum hy_err identity_check(const char *dir, const struct identity *mine, char why[static 256])
{
    char path[1024], want[TEXT], have[TEXT + 1], said[80];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "%s/identity", dir);
    write_text(mine, want);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return create(dir, path, want, why);
    if (fd < 0)
        return failed("open", path, why);
    got = read(fd, have, TEXT);
    close(fd);
    if (got < 0)
        return failed("read", path, why);
    have[got] = '\0';
    if (strcmp(have, want) == 0)
        return HY_OK;
    for (char *c = have; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    snprintf(said, sizeof said, "%.79s", have);
    snprintf(
        why, 256,
        "%.60s holds other data (%s); point data_dir at an empty directory, or mend cluster_id,"
        " shard and stores",
        dir, said);
    return HY_ECONFIG;
}
