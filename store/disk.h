/* disk - where the data goes: is there room to write? */

#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct disk_space {
    uint64_t used_bytes, free_bytes, capacity_bytes; /* free: to unprivileged users */
};

/* Of the file system that holds path. HY_EIO. */
enum hy_err disk_look(const char *path, struct disk_space *space) HY_CHECKED;

/* Should writes be refused? With some slack between, so that it does not flap: refused below the
 * reserve, taken again above a tenth more. */
bool disk_refuses(bool refused_before, uint64_t free_bytes, uint64_t reserve_bytes);

/* No other process may have the directory as long as this one has it. HY_ECONFIG: another has. */
enum hy_err disk_lock(const char *dir, int *lock, char why[static 256]) HY_CHECKED;
void disk_unlock(int *lock);

#endif
