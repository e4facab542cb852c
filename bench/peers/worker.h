/* worker - one process of a driver: its slice of the users, until the board says that it is the
 * end. */

#ifndef BENCH_PEERS_WORKER_H
#define BENCH_PEERS_WORKER_H

#include "bench/peers/load.h"

/* How many users worker number index has of all, and how many there are. */
uint32_t worker_share(const struct load_options *options, enum load_kind kind, unsigned index);
uint32_t worker_users(const struct load_options *options, enum load_kind kind);

/* Streams of all workers together. */
uint32_t worker_streams(const struct load_options *options, enum load_kind kind);

/* Live it. Gives the exit status of the process. */
int worker_live(const struct load_options *options, enum load_kind kind, struct board *board,
                unsigned index);

#endif
