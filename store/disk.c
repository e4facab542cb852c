#include "store/disk.h"

#include <sys/statvfs.h>

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
