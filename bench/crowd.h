/* crowd - the signed-in users of one worker, and what each of them heard.
 *
 * Users are numbered 0..n-1 over all workers and are called "<prefix><number>". A worker has those
 * whose place is its own; a user's place over the gateways says where it connects. */

#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/engine.h"
#include "bench/hearing.h"
#include "bench/ledger.h"
#include "bench/notice.h"
#include "common/err.h"
#include "sdk/c/hongyan.h"

enum { CROWD_OPEN_MS = 180000 };

struct person {
    struct crowd *crowd;
    struct hongyan_client *client;
    uint32_t index;
    uint32_t hears_from, hears; /* the streams that are to come here */
    struct hearing *heard;      /* one for each */
    uint64_t deaf_to;           /* a stream of its own among them; UINT64_MAX: none */
};

/* Which of n (workers, gateways) user number i belongs to. */
typedef uint32_t crowd_place_fn(uint32_t i, uint32_t n);

/* i % n */
uint32_t crowd_place(uint32_t i, uint32_t n);

struct crowd_config {
    const char *prefix;
    uint32_t people;       /* over all workers */
    crowd_place_fn *place; /* NULL: crowd_place */
    uint32_t window;       /* sends under way per conversation */
    uint32_t heartbeat_ms; /* 0: as the server says */
};

struct crowd {
    struct worker *worker;
    struct crowd_config config;
    struct person *people; /* this worker's */
    uint32_t count, online, refused;
    notice_fn
        *body; /* bodies of pushed messages go there, with their person; NULL: nobody listens */
    /* Every frame before it is decoded, as raw_frame of the SDK; NULL: nobody looks. */
    bool (*frame)(struct person *person, const uint8_t *bytes, size_t len);
};

/* Sign in this worker's users over all gateways and wait until all are online. Prints what is
 * wrong. HY_ETIMEOUT: after CROWD_OPEN_MS. */
enum hy_err crowd_open(struct crowd *crowd, struct worker *worker,
                       const struct crowd_config *config) HY_CHECKED;

/* Close the links; what still waits for an answer ends. Heard numbers stay. */
void crowd_stop(struct crowd *crowd);

void crowd_close(struct crowd *crowd);

/* The user is to hear streams from..from+count-1. */
enum hy_err crowd_listen(struct person *person, uint32_t from, uint32_t count) HY_CHECKED;

/* Person number index of all, if it is this worker's; else NULL. */
struct person *crowd_find(const struct crowd *crowd, uint32_t index);

/* All of this worker's users ask the same, so many under way at once. HY_EDENIED: a code, printed.
 */
enum hy_err crowd_ask_all(struct crowd *crowd, const Hy__Frame *frame, uint32_t at_once) HY_CHECKED;

/* Where the link of user number i of so many comes from: as told, or of 127.0.0.0/8 as many
 * addresses as are needed. NULL: as the system chooses. */
const char *crowd_source(const struct bench *bench, uint32_t people, uint32_t i,
                         char text[static 16]);

/* How many local addresses so many links need: one for each 2,000 towards a gateway. */
uint32_t crowd_sources(uint64_t links, uint64_t gateways);

#endif
