/* heads - the last seq of conversations, as their members read it over the client wire: what was
 * stored is counted by another way than it came in. */

#ifndef BENCH_HEADS_H
#define BENCH_HEADS_H

#include <stddef.h>
#include <stdint.h>

#include "bench/target.h"
#include "client.pb-c.h"
#include "common/err.h"
#include "common/loop.h"

enum { HEADS_NAME = 48 };

struct head {
    char user[HEADS_NAME]; /* signs in, reads, and signs out: nobody is pushed to later */
    Hy__ConvType conv_type;
    char peer[HEADS_NAME];
};

/* Add up the last seqs. Prints what is wrong. HY_EDENIED: a code; HY_ETIMEOUT: after 60 s. */
enum hy_err heads_sum(struct hy_loop *loop, const struct target *target, const struct head *heads,
                      size_t count, uint64_t *sum) HY_CHECKED;

#endif
