#include "presence/lease.h"

#include "common/slot.h"

void tally_add(struct tally *tally, uint64_t session_id, uint64_t link)
{
    tally->count++;
    tally->digest ^= hy_mix64(session_id ^ link);
}

void tally_drop(struct tally *tally, uint64_t session_id, uint64_t link)
{
    tally->count--;
    tally->digest ^= hy_mix64(session_id ^ link);
}

void lease_heard(struct lease *lease, uint64_t now_ms)
{
    lease->heard_ms = now_ms;
}

bool lease_renew(struct lease *lease, const struct tally *theirs, const struct tally *ours,
                 uint64_t now_ms)
{
    /* Sessions that come and go change both sides alike, so the difference stays what it is. */
    struct tally gap = {theirs->count - ours->count, theirs->digest ^ ours->digest};
    bool differs = gap.count != 0 || gap.digest != 0;
    bool again = differs && gap.count == lease->gap.count && gap.digest == lease->gap.digest;

    lease->heard_ms = now_ms;
    lease->gap = again ? (struct tally){0} : gap; /* ask once, then look twice again */
    return again;
}

bool lease_over(const struct lease *lease, uint64_t now_ms, uint64_t lease_ms)
{
    return now_ms > lease->heard_ms + lease_ms;
}
