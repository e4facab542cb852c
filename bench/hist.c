/* hist - see hist.h. */

#include "bench/hist.h"

enum { SUB_BITS = 6 };

_Static_assert(1 << SUB_BITS == HIST_SUB, "buckets of a power of two");

/* Below 2 * HIST_SUB every value has its own bucket; beyond, HIST_SUB to a power of two. */
static unsigned bucket_of(uint64_t us)
{
    unsigned shift = 0;

    if (us < 2 * HIST_SUB)
        return (unsigned)us;
    if (us > UINT32_MAX)
        us = UINT32_MAX;
    shift = 63 - (unsigned)__builtin_clzll(us) - SUB_BITS;
    return (shift + 1) * HIST_SUB + (unsigned)(us >> shift) - HIST_SUB;
}

uint64_t hist_bucket_us(unsigned bucket)
{
    unsigned shift = bucket < 2 * HIST_SUB ? 0 : bucket / HIST_SUB - 1;

    if (shift == 0)
        return bucket;
    return (((uint64_t)(bucket % HIST_SUB) + HIST_SUB + 1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t us)
{
    hist->bucket[bucket_of(us)]++;
    hist->count++;
    if (us > hist->max_us)
        hist->max_us = us;
}

uint64_t hist_quantile(const struct hist *hist, double q)
{
    uint64_t want = (uint64_t)((double)hist->count * q + 0.5), seen = 0;

    if (want == 0)
        want = 1;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->bucket[i];
        if (seen >= want)
            return hist_bucket_us(i) < hist->max_us ? hist_bucket_us(i) : hist->max_us;
    }
    return 0;
}

void hist_merge(struct hist *into, const struct hist *hist)
{
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        into->bucket[i] += hist->bucket[i];
    into->count += hist->count;
    if (hist->max_us > into->max_us)
        into->max_us = hist->max_us;
}

void hist_since(const struct hist *hist, const struct hist *earlier, struct hist *since)
{
    since->count = since->max_us = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        since->bucket[i] = hist->bucket[i] - earlier->bucket[i];
        since->count += since->bucket[i];
        if (since->bucket[i] > 0)
            since->max_us = hist_bucket_us(i);
    }
}
