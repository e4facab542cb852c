#include "bench/cold.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum { RESTART_MS = 60000, STEP_MS = 20, DESCRIPTORS = 16 };

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static bool is_store(const struct target *target, size_t i)
{
    return strncmp(target->names[i], "store", 5) == 0;
}

/* ---- the page cache ---- */

static size_t dropped;

static int drop_file(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    int fd = type == FTW_F ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    (void)stat;
    (void)where;
    if (fd < 0)
        return 0;
    dropped += posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    close(fd);
    return 0;
}

/* Whether all of it went: only root may ask for that. */
static bool drop_all(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, "3", 1) == 1;

    if (fd >= 0)
        close(fd);
    return done;
}

static bool drop(const char *dir)
{
    sync();
    dropped = 0;
    (void)nftw(dir, drop_file, DESCRIPTORS, FTW_PHYS);
    return drop_all();
}

/* ---- the stores ---- */

static enum hy_err stop(const struct target *target)
{
    uint64_t end = hy_steady_ms() + RESTART_MS;

    for (size_t i = 0; i < target->processes; i++) {
        if (!is_store(target, i) || kill(target->pids[i], SIGTERM) != 0)
            continue;
        while (kill(target->pids[i], 0) == 0 || errno != ESRCH) {
            if (hy_steady_ms() > end)
                return HY_ETIMEOUT;
            pause_ms(STEP_MS);
        }
    }
    return HY_OK;
}

/* Do all stores have another process than before? */
static bool renewed(const struct target *old, const struct target *now)
{
    for (size_t i = 0; i < now->processes; i++)
        for (size_t k = 0; is_store(now, i) && k < old->processes; k++)
            if (strcmp(now->names[i], old->names[k]) == 0 &&
                (now->pids[i] == old->pids[k] || now->pids[i] == 0))
                return false;
    return true;
}

static enum hy_err await(const char *file, struct target *target)
{
    uint64_t end = hy_steady_ms() + RESTART_MS;

    while (hy_steady_ms() < end) {
        struct target now;

        if (target_load(file, &now) == HY_OK && renewed(target, &now)) {
            target_free(target);
            *target = now;
            return HY_OK;
        }
        target_free(&now);
        pause_ms(STEP_MS);
    }
    return HY_ETIMEOUT;
}

enum hy_err cold_restart(const char *file, struct target *target, char how[static 160])
{
    enum hy_err err = stop(target);

    if (err != HY_OK)
        return err;
    drop(target->dir);
    err = await(file, target);
    if (err == HY_OK)
        snprintf(how, 160, "cold: store restarted, page cache dropped (%s), each page asked once",
                 drop(target->dir) ? "all of the kernel's" : "of the cluster's files");
    return err;
}
