/* bucket - a token bucket: rate a second on average, burst at once. 8 bytes, no timer. */

#ifndef GATEWAY_BUCKET_H
#define GATEWAY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint32_t milli; /* thousandths of a token */
    uint32_t at_ms; /* low 32 bits of the clock when milli was right */
};

/* Start full. */
static inline void bucket_fill(struct bucket *bucket, uint64_t now_ms, uint32_t burst)
{
    bucket->milli = burst * 1000;
    bucket->at_ms = (uint32_t)now_ms;
}

/* Take a token, if there is one. */
static inline bool bucket_take(struct bucket *bucket, uint64_t now_ms, uint32_t rate,
                               uint32_t burst)
{
    uint32_t elapsed = (uint32_t)now_ms - bucket->at_ms; /* right across the wrap */
    uint64_t milli = bucket->milli + (uint64_t)elapsed * rate;
    uint64_t most = (uint64_t)burst * 1000;

    bucket->at_ms = (uint32_t)now_ms;
    bucket->milli = (uint32_t)(milli < most ? milli : most);
    if (bucket->milli < 1000)
        return false;
    bucket->milli -= 1000;
    return true;
}

#endif
