/* memory - what the gateways hold, and what the kernel does, on this machine (Linux, /proc). */

#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdint.h>

#include "bench/result.h"
#include "bench/target.h"

struct memory {
    uint64_t gateway_rss;
    uint64_t slab;    /* all of the kernel's small objects: sockets, epoll items, files */
    uint64_t sockets; /* pages of TCP buffers */
};

void memory_now(const struct target *target, struct memory *memory);

/* Set result's kernel_bytes and add the figures of the growth between the two over so many links.
 */
void memory_figures(struct result *result, const struct memory *before, const struct memory *after,
                    uint64_t links);

#endif
