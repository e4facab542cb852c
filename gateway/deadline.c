#include "gateway/deadline.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t silent_ms(const struct deadline *d, const struct limits *limits)
{
    return d->heard_ms + limits->heartbeat_ms * 5 / 2;
}

/* A frame that has begun must arrive: slow-loris costs memory. */
static uint64_t part_ms(const struct deadline *d, const struct limits *limits)
{
    return d->part_ms == 0 ? UINT64_MAX : d->part_ms + limits->sign_in_ms;
}

uint64_t deadline_due(enum link_state state, const struct deadline *deadline,
                      const struct limits *limits)
{
    switch (state) {
    case LINK_UPGRADING:
    case LINK_OPEN:
        return deadline->opened_ms + limits->sign_in_ms;
    case LINK_READY:
        return earlier(earlier(silent_ms(deadline, limits), part_ms(deadline, limits)),
                       deadline->expires_ms);
    case LINK_CLOSING:
        return deadline->closing_ms + DEADLINE_CLOSING_MS;
    default:
        return UINT64_MAX;
    }
}

enum link_end deadline_check(enum link_state state, const struct deadline *deadline,
                             const struct limits *limits, uint64_t now_ms)
{
    if (now_ms < deadline_due(state, deadline, limits))
        return LINK_END_NONE;
    if (state == LINK_UPGRADING)
        return LINK_END_HANDSHAKE;
    if (state == LINK_OPEN)
        return LINK_END_SIGN_IN_LATE;
    if (state != LINK_READY)
        return LINK_END_NETWORK;
    if (now_ms >= deadline->expires_ms)
        return LINK_END_SIG_EXPIRED;
    return now_ms >= silent_ms(deadline, limits) ? LINK_END_HEARTBEAT : LINK_END_STALLED;
}
