/* crowd - many signed-in users in one process, and the exact account of what they sent and got.
 *
 * Every message carries its stream (who to whom), its number and when it was due, so a receiver
 * knows at once whether one is missing, doubled or out of order, and how long it took. */

#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/target.h"
#include "common/err.h"
#include "common/loop.h"
#include "sdk/c/hongyan.h"

enum { STAMP_BYTES = 106 }; /* an encoded Body: a text of 100 bytes */

struct stamp {
    uint64_t stream, number, due_us;
};

struct person {
    struct crowd *crowd;
    struct hongyan_client *client;
    uint32_t index;
    uint64_t *got; /* per stream this person hears: number of the last message, or NULL */
};

struct crowd {
    struct hy_loop *loop;
    const struct target *target;
    struct person *people;
    uint32_t count, online, refused;
    uint32_t heartbeat_ms;
    uint64_t delivered, doubled, reordered, gaps;
    struct hist latency;
    bool measuring;
};

/* Sign in count users "<prefix><i>" over all gateways and wait until all are online (a progress
 * line on stderr). window: sends under way per conversation. HY_ETIMEOUT after 120 s. */
enum hy_err crowd_open(struct crowd *crowd, const struct target *target, const char *prefix,
                       uint32_t count, bool tls, uint32_t window) HY_CHECKED;
void crowd_close(struct crowd *crowd);

/* Let person number i hear streams 0..streams-1. */
enum hy_err crowd_listen(struct crowd *crowd, uint32_t i, uint64_t streams) HY_CHECKED;

/* Write a body that carries stamp. */
void stamp_write(const struct stamp *stamp, uint8_t body[static STAMP_BYTES]);

/* Read it back; false: not one of ours. */
bool stamp_read(const uint8_t *body, size_t len, struct stamp *stamp);

#endif
