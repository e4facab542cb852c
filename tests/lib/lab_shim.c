/* lab_shim - preloaded into one process by tests/fault/lab: a slow or failing disk, another wall
 * clock.
 *
 * HONGYAN_LAB_SHIM names a file of three numbers (int64), which is mapped, so the
 * laboratory changes them while the process runs: microseconds that each sync takes longer; errno
 * that each sync fails with (0: none); milliseconds that the wall clock is ahead. Steady clocks are
 * not touched. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct shim {
    volatile int64_t sync_us, sync_errno, ahead_ms;
};

static struct shim none;
static struct shim *shim = &none;
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);

static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);

    if (symbol == NULL)
        abort();
    return symbol;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HONGYAN_LAB_SHIM");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = MAP_FAILED;

    if (fd >= 0) {
        map = mmap(NULL, sizeof *shim, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (map != MAP_FAILED)
        shim = map;
}

/* ---- the disk ---- */

static int before_sync(void)
{
    int64_t us = shim->sync_us;

    if (us > 0)
        usleep((useconds_t)us);
    errno = (int)shim->sync_errno;
    return errno == 0 ? 0 : -1;
}

int fsync(int fd)
{
    if (real_fsync == NULL)
        real_fsync = find("fsync");
    return before_sync() == 0 ? real_fsync(fd) : -1;
}

int fdatasync(int fd)
{
    if (real_fdatasync == NULL)
        real_fdatasync = find("fdatasync");
    return before_sync() == 0 ? real_fdatasync(fd) : -1;
}

/* ---- the clock ---- */

static void put_ahead(struct timespec *at)
{
    int64_t ns = at->tv_nsec + shim->ahead_ms % 1000 * 1000000;

    at->tv_sec += shim->ahead_ms / 1000;
    if (ns < 0) {
        at->tv_sec--;
        ns += 1000000000;
    } else if (ns >= 1000000000) {
        at->tv_sec++;
        ns -= 1000000000;
    }
    at->tv_nsec = ns;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int result = 0;

    if (real_clock_gettime == NULL)
        real_clock_gettime = find("clock_gettime");
    result = real_clock_gettime(clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        put_ahead(at);
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *at = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
