#include "store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum hy_err disk_look(const char *path, struct disk_space *space)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0)
        return HY_EIO;
    space->capacity_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
    space->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    space->used_bytes = space->capacity_bytes - (uint64_t)fs.f_bfree * fs.f_frsize;
    return HY_OK;
}

bool disk_refuses(bool refused_before, uint64_t free_bytes, uint64_t reserve_bytes)
{
    return free_bytes < reserve_bytes + (refused_before ? reserve_bytes / 10 : 0);
}

enum hy_err disk_lock(const char *dir, int *lock, char why[static 256])
{
    char path[1024];

    snprintf(path, sizeof path, "%s/lock", dir);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return HY_OK;
    snprintf(why, 256, "cannot lock %.180s: %s", path,
             errno == EWOULDBLOCK ? "another process has it" : strerror(errno));
    disk_unlock(lock);
    return HY_ECONFIG;
}

void disk_unlock(int *lock)
{
    if (*lock >= 0)
        close(*lock);
    *lock = -1;
}
