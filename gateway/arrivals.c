#include "gateway/arrivals.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <xxhash.h>

#include "common/clock.h"
#include "gateway/bucket.h"

enum { SETS = 1024, WAYS = 4 };

struct entry {
    uint64_t address; /* hash; 0: empty */
    uint64_t seen_ms;
    struct bucket bucket;
};

struct arrivals {
    uint64_t seed;
    struct entry sets[SETS][WAYS];
};

enum hy_err arrivals_open(struct arrivals **arrivals)
{
    struct arrivals *a = calloc(1, sizeof *a);

    if (a == NULL)
        return HY_ENOMEM;
    a->seed = hy_random64();
    *arrivals = a;
    return HY_OK;
}

void arrivals_close(struct arrivals **arrivals)
{
    free(*arrivals);
    *arrivals = NULL;
}

static uint64_t address_of(const struct arrivals *arrivals, const struct sockaddr *from)
{
    const void *at = &((const struct sockaddr_in *)(const void *)from)->sin_addr;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    size_t len = 4;

    if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6)) {
        at = &v6->s6_addr[12];
    } else if (from->sa_family == AF_INET6) {
        at = v6;
        len = 8;
    }
    return XXH3_64bits_withSeed(at, len, arrivals->seed) | 1;
}

/* The entry of an address; the one that was quiet the longest makes room. */
static struct entry *entry_of(struct entry set[static WAYS], uint64_t address)
{
    struct entry *best = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].address == address)
            return &set[i];
        if (set[i].seen_ms < best->seen_ms)
            best = &set[i];
    }
    return best;
}

bool arrivals_allow(struct arrivals *arrivals, const struct sockaddr *from, uint64_t now_ms,
                    uint32_t rate)
{
    uint64_t address = address_of(arrivals, from);
    struct entry *entry = entry_of(arrivals->sets[(address >> 1) % SETS], address);

    if (entry->address != address) {
        entry->address = address;
        bucket_fill(&entry->bucket, now_ms, 2 * rate);
    }
    entry->seen_ms = now_ms;
    return bucket_take(&entry->bucket, now_ms, rate, 2 * rate);
}
