#include "gateway/frame.h"

enum frame_result frame_next(const uint8_t *bytes, size_t len, size_t max, const uint8_t **payload,
                             size_t *payload_len)
{
    uint32_t want;

    if (len < FRAME_HEAD)
        return FRAME_MORE;
    want = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    if (want > max)
        return FRAME_TOO_BIG;
    if (len - FRAME_HEAD < want)
        return FRAME_MORE;
    *payload = bytes + FRAME_HEAD;
    *payload_len = want;
    return FRAME_WHOLE;
}

void frame_head(uint8_t out[static FRAME_HEAD], size_t len)
{
    out[0] = (uint8_t)(len >> 24);
    out[1] = (uint8_t)(len >> 16);
    out[2] = (uint8_t)(len >> 8);
    out[3] = (uint8_t)len;
}
