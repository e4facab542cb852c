/* idle - S1 and S5: what a signed-in link that does nothing costs, and how fast links sign in. */

#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "common/clock.h"

/* Memory that the kernel holds for TCP sockets, pages -> bytes (/proc/net/sockstat). */
static uint64_t kernel_tcp_bytes(void)
{
    FILE *file = fopen("/proc/net/sockstat", "r");
    char line[256];
    unsigned long pages = 0;

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *mem = strncmp(line, "TCP:", 4) == 0 ? strstr(line, " mem ") : NULL;

        if (mem != NULL && sscanf(mem, " mem %lu", &pages) == 1)
            break;
    }
    fclose(file);
    return pages * 4096;
}

static void turn_for(struct crowd *crowd, uint64_t ms)
{
    uint64_t end = hy_steady_ms() + ms;

    while (hy_steady_ms() < end)
        hy_loop_turn(crowd->loop, 50);
}

enum hy_err bench_idle(const struct target *target, const struct bench_options *options,
                       struct report *report)
{
    struct crowd warm, crowd;
    uint64_t rss = 0, kernel = 0;
    enum hy_err err = HY_OK;

    /* the first links pay for what all share: measure growth from there */
    err = crowd_open(&warm, target, "idlewarm", 200, options->tls, 1);
    if (err != HY_OK) {
        crowd_close(&warm);
        return err;
    }
    rss = target_rss(target, "gateway");
    kernel = kernel_tcp_bytes();
    err = crowd_open(&crowd, target, "idle", options->links, options->tls, 1);
    if (err == HY_OK) {
        turn_for(&crowd, options->seconds * 1000ull); /* heartbeats come and go */
        report->scenario = options->tls ? "s1 idle links, TLS" : "s1 idle links";
        report->durability = "none";
        report->seconds = options->seconds;
        report->links = options->links;
        report->rss_bytes = target_rss(target, "gateway") - rss;
        report->kernel_bytes = kernel_tcp_bytes() > kernel ? kernel_tcp_bytes() - kernel : 0;
    }
    crowd_close(&crowd);
    crowd_close(&warm);
    return err;
}

enum hy_err bench_sign_in(const struct target *target, const struct bench_options *options,
                          struct report *report)
{
    uint64_t server = target_cpu_us(target), driver = own_cpu_us(), begun = hy_steady_us();
    struct crowd crowd;
    enum hy_err err = crowd_open(&crowd, target, "signin", options->links, options->tls, 1);

    if (err == HY_OK) {
        report->scenario = options->tls ? "s5 sign-ins, TLS" : "s5 sign-ins";
        report->durability = "account made with fsync at the first sign-in";
        report->seconds = (double)(hy_steady_us() - begun) / 1e6;
        report->operations = options->links;
        report->server_cpu_us = target_cpu_us(target) - server;
        report->driver_cpu_us = own_cpu_us() - driver;
    }
    crowd_close(&crowd);
    return err;
}
