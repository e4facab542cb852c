/* epochs - the reigns a log has seen, and where each began: rows epoch/<e> = first sequence.
 *
 * The row is the first batch of its reign, so every log carries the table of exactly what is in it,
 * and two logs can tell from (reign, sequence) where they part. */

#ifndef STORE_REPLICA_EPOCHS_H
#define STORE_REPLICA_EPOCHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/replica/place.h"

struct epochs_row {
    uint64_t epoch, first;
};

struct epochs {
    struct epochs_row *rows; /* in order of both */
    size_t count, room;
};

void epochs_clear(struct epochs *epochs); /* and give back the memory */

/* A reign begins. HY_ECORRUPT: not behind the last in both; HY_ENOMEM. */
enum hy_err epochs_add(struct epochs *epochs, uint64_t epoch, uint64_t first) HY_CHECKED;

/* The newest reign, 0: none. */
uint64_t epochs_last(const struct epochs *epochs);

/* Is a log that ends at `place` a beginning of this one, which ends at `latest`? */
bool epochs_hold(const struct epochs *epochs, uint64_t latest, struct place place);

#endif
