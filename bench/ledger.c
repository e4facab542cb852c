/* ledger - see ledger.h. */

#include "bench/ledger.h"

#include <stdatomic.h>

size_t ledger_size(uint64_t streams)
{
    return sizeof(struct ledger) + streams * sizeof(uint64_t);
}

void ledger_refuse(struct ledger *ledger, uint64_t stream, uint64_t number)
{
    uint64_t at = atomic_fetch_add(&ledger->refused_count, 1);

    if (at < LEDGER_REFUSED)
        ledger->refused[at] = (struct ledger_refused){stream, number};
}

uint64_t ledger_lost(const struct ledger *ledger, uint64_t stream, const struct hearing *hearing)
{
    uint64_t lost = hearing_missing(hearing, ledger->sent[stream]);
    uint64_t count = atomic_load(&ledger->refused_count);

    for (uint64_t i = 0; lost > 0 && i < count && i < LEDGER_REFUSED; i++) {
        const struct ledger_refused *refused = &ledger->refused[i];

        if (refused->stream == stream && !hearing_has(hearing, refused->number))
            lost--;
    }
    return lost;
}
