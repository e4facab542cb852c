/* server - what the processes of a server under test use: the given ones and all their descendants.
 */

#ifndef BENCH_PEERS_SERVER_H
#define BENCH_PEERS_SERVER_H

#include <stdint.h>

/* CPU time since they started, that of children that have ended included. */
uint64_t server_cpu_us(const int *pids, unsigned count);

/* Resident memory. */
uint64_t server_rss(const int *pids, unsigned count);

/* Memory that the kernel holds in TCP buffers. */
uint64_t kernel_tcp_bytes(void);

#endif
