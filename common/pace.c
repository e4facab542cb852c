#include "common/pace.h"

uint64_t pace_turn(struct pace *pace, uint64_t now_us)
{
    uint64_t free_us = PACE_BURST * pace->gap_us, wait_us;

    if (pace->next_us + free_us < now_us)
        pace->next_us = now_us - free_us; /* quiet time is credit for one burst, not more */
    wait_us = pace->next_us > now_us ? pace->next_us - now_us : 0;
    pace->next_us += pace->gap_us;
    return wait_us;
}
