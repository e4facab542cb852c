/* ledger - what was sent, in memory that all workers share: a sender sits in one process, a
 * receiver maybe in another.
 *
 * Per stream the highest number sent; and each message that was refused, or whose outcome the
 * sender never learned, since nobody need have got it. */

#ifndef BENCH_LEDGER_H
#define BENCH_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "bench/hearing.h"

enum { LEDGER_REFUSED = 1 << 20 };

struct ledger_refused {
    uint64_t stream, number;
};

struct ledger {
    _Atomic uint64_t refused_count; /* more than LEDGER_REFUSED: those beyond were not written */
    struct ledger_refused refused[LEDGER_REFUSED]; /* costs memory only as far as it is used */
    uint64_t sent[];                               /* by stream */
};

/* Bytes of a ledger of so many streams. Zeroed memory is an empty ledger. */
size_t ledger_size(uint64_t streams);

/* A message will not be missed. Any process. */
void ledger_refuse(struct ledger *ledger, uint64_t stream, uint64_t number);

/* How many messages of a stream somebody lost who has heard this. All senders have stopped. */
uint64_t ledger_lost(const struct ledger *ledger, uint64_t stream, const struct hearing *hearing);

#endif
