/* server - what the processes of a server under test use: the given ones and all their descendants.
 */

#ifndef BENCH_PEERS_SERVER_H
#define BENCH_PEERS_SERVER_H

#include <stdint.h>

struct server_use {
    uint64_t user_us,
        system_us; /* CPU since they started, that of children that have ended included */
    uint64_t rss;  /* resident memory, bytes */
};

struct server_use server_use(const int *pids, unsigned count);

/* Memory that the kernel holds in TCP buffers. */
uint64_t kernel_tcp_bytes(void);

#endif
