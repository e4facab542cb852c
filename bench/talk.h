/* talk - streams of messages among a crowd, closed or open loop, every one accounted for.
 *
 * Closed loop: each sender keeps `window` messages under way, so the rate is what the server takes.
 * Open loop: messages are due at evenly spread times, over all workers together, whatever the
 * server does; latency counts from when one was due, not from when the driver got round to it, so a
 * stall is not hidden by a driver that waits for it (coordinated omission). Workers look at the
 * clock once a pace (1 ms): what has become due goes out together. */

#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include "bench/crowd.h"
#include "bench/engine.h"

/* Options that all talking scenarios have; they come right after the common ones. */
struct talk_options {
    struct bench_common common;
    int64_t rate;    /* open loop: messages/s; 0 = closed loop */
    int64_t window;  /* closed loop: under way per sender */
    int64_t pace_us; /* open loop */
};

#define TALK_OPTIONS                                                                               \
    {                                                                                              \
        .common = BENCH_COMMON, .window = 8, .pace_us = 1000                                       \
    }
/* Rows of the options; type: a struct that begins with one. */
#define TALK_ROWS                                                                                  \
    {"rate",  "R",                                                                                 \
     ARG_INT, offsetof(struct talk_options, rate),                                                 \
     1,       100000000,                                                                           \
     false,   "open loop: R messages a second, evenly spread; without it the loop is closed"},     \
        {"window", "W",    ARG_INT, offsetof(struct talk_options, window),                         \
         1,        100000, false,   "closed loop: messages that each sender keeps under way (8)"}, \
    {                                                                                              \
        "pace-us", "US", ARG_INT, offsetof(struct talk_options, pace_us), 0, 1000000, false,       \
            "open loop: a worker turns so often; 0: whenever it has something to do (1000)"        \
    }

/* Who says what to whom. */
struct talk {
    struct crowd_config crowd;
    uint32_t idle; /* users who are signed in beside, and only beat */
    uint32_t streams;
    uint32_t receivers; /* deliveries that a message makes */
    uint32_t flags, priority;
    Hy__ConvType conv_type;
    bool wanders; /* to() is asked for each message: a stream goes through conversations, so its
                     messages have no order among each other */

    uint32_t (*sender)(uint32_t stream);                                       /* which user */
    void (*to)(const struct talk *talk, uint32_t stream, char out[static 64]); /* conversation */
    void (*hears)(const struct talk *talk, uint32_t person, uint32_t *from,
                  uint32_t *count); /* which streams; none: count 0 */
    /* Before it begins; NULL: nothing. As in plan. shared: behind the ledger, shared_size bytes. */
    enum hy_err (*prepare)(const struct bench *bench, const struct talk *talk, void *shared);
    enum hy_err (*enter)(struct crowd *crowd, const struct talk *talk, void *shared);
    size_t shared_size;
};

/* Run it; an operation is a delivery, or with one receiver a message that was acknowledged and
 * delivered. */
enum hy_err talk_run(struct bench *bench, const struct talk *talk) HY_CHECKED;

#endif
