/* hist - see hist.h. */

#include "bench/hist.h"

static unsigned bucket_of(uint64_t us)
{
    unsigned shift = 0;

    if (us > UINT32_MAX)
        us = UINT32_MAX;
    while (us >> shift >= 2 * HIST_SUB)
        shift++;
    /* below 2 * HIST_SUB every value has its own bucket; beyond, HIST_SUB to a power of two */
    return shift == 0 ? (unsigned)us : (shift + 1) * HIST_SUB + (unsigned)(us >> shift) - HIST_SUB;
}

static uint64_t highest_in(unsigned bucket)
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
            return highest_in(i) < hist->max_us ? highest_in(i) : hist->max_us;
    }
    return 0;
}
