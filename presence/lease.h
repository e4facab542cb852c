/* lease - how long a gateway worker is believed to be there, and whether it and presence agree on
 * its sessions. No clock in here: time comes in. */

#ifndef PRESENCE_LEASE_H
#define PRESENCE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* Sessions as counted: how many, and xor of mix64(session_id ^ link) over them. */
struct tally {
    uint32_t count;
    uint64_t digest;
};

struct lease {
    uint64_t heard_ms;
    struct tally gap; /* between the two tallies when they last differed; 0 when they agreed */
};

/* Add or take a session; its own opposite but for the count. */
void tally_add(struct tally *tally, uint64_t session_id, uint64_t link);
void tally_drop(struct tally *tally, uint64_t session_id, uint64_t link);

/* Heard of the worker. */
void lease_heard(struct lease *lease, uint64_t now_ms);

/* A lease came. True: it differs from ours in the same way as the one before did, so it is no
 * change under way: ask the worker to register all its sessions. */
bool lease_renew(struct lease *lease, const struct tally *theirs, const struct tally *ours,
                 uint64_t now_ms);

/* Has it been silent for longer than lease_ms? */
bool lease_over(const struct lease *lease, uint64_t now_ms, uint64_t lease_ms);

#endif
