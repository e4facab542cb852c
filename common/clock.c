#include "common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0)
        abort(); /* only when the kernel has no such clock */
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t hy_steady_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

uint64_t hy_steady_ms(void)
{
    return hy_steady_us() / 1000;
}

uint64_t hy_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

/* Nothing is drawn ahead: after a fork both processes would have it. */
void hy_random_fill(void *out, size_t size)
{
    uint8_t *at = out;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got < 0 && errno != EINTR)
            abort();
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
}

uint64_t hy_random64(void)
{
    uint64_t drawn = 0;

    hy_random_fill(&drawn, sizeof drawn);
    return drawn;
}
