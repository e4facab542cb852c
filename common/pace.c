#include "common/pace.h"

uint64_t pace_turn(struct pace *pace, uint64_t now_us)
{
    uint64_t most_us = PACE_BURST * pace->gap_us, due_us = pace->begun_us + pace->gap_us;

    if (pace->paid_us + most_us < now_us)
        pace->paid_us = now_us - most_us;
    pace->paid_us += pace->done * pace->gap_us / PACE_FEW;
    if (pace->paid_us > now_us + most_us)
        pace->paid_us = now_us + most_us;
    pace->done = 0;
    if (pace->paid_us <= now_us || due_us < now_us)
        due_us = now_us;
    pace->begun_us = due_us;
    return due_us - now_us;
}
