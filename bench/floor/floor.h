/* floor - what this machine can do at best: programs so bare that no server does less. Each is a
 * scenario of hongyan-bench-floor and fills a result. */

#ifndef BENCH_FLOOR_FLOOR_H
#define BENCH_FLOOR_FLOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/result.h"
#include "common/err.h"

struct floor_options {
    uint32_t seconds, links, window, batch, bytes;
    bool tcp;        /* hop: tcp rather than ipc */
    const char *dir; /* commit, scan: where the database is made */
};

/* An epoll server that sends back what it gets: frames of bytes over links, window at a time each.
 */
enum hy_err floor_echo(const struct floor_options *options, struct result *result) HY_CHECKED;

/* One writer sends frames to links sockets in turn, batch frames to a send(); another process
 * reads. */
enum hy_err floor_fanout(const struct floor_options *options, struct result *result) HY_CHECKED;

/* Connections made, asked once, answered once and closed. */
enum hy_err floor_connect(const struct floor_options *options, struct result *result) HY_CHECKED;

/* RocksDB: batch messages of three rows each in one write with fsync. */
enum hy_err floor_commit(const struct floor_options *options, struct result *result) HY_CHECKED;

/* RocksDB: 20 rows in order from a random place, all in the cache. */
enum hy_err floor_scan(const struct floor_options *options, struct result *result) HY_CHECKED;

/* ZeroMQ, one way from one process to another: batch messages to a frame. */
enum hy_err floor_hop(const struct floor_options *options, struct result *result) HY_CHECKED;

/* ---- what they share ---- */

/* Fork another side: it runs side(arg) on that core and is killed by stop_side(), or with its
 * parent. -1: failed. */
pid_t start_side(int core, void (*side)(void *arg), void *arg);
void stop_side(pid_t pid);

/* A core for each side, from now on; without it the scheduler may put both on one, as they wake
 * each other. */
void pin_sides(void);
void pin_to(int core);

/* Zeroed memory that a side sees too. NULL: there is none. */
void *share(size_t size);

/* Measured time and CPU: begin() before, end() after; server is the side that stands for a server,
 * 0: this process. */
struct watch {
    pid_t server;
    uint64_t begun_us, user_us, system_us, server_user_us, server_system_us;
};
void watch_begin(struct watch *watch, pid_t server);
void watch_end(const struct watch *watch, struct result *result);
bool watch_over(const struct watch *watch, uint32_t seconds);

/* A listening socket on the loopback, and its port. -1: failed. */
int listen_somewhere(uint16_t *port);

/* Connect to it, from one of several loopback addresses. -1: failed. */
int connect_to(uint16_t port, uint32_t index);

/* Write or read all; false: the other side is gone. */
bool write_all(int fd, const void *bytes, size_t len);
bool read_all(int fd, void *bytes, size_t len);

#endif
