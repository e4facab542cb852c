/* ticketkey - the keys that seal TLS session tickets: the same at every worker and gateway of a
 * cluster and after a restart, and new ones every few hours.
 *
 * They are derived from the cluster's secret and the time, so nobody has to hand them around. A
 * ticket is taken while its key is one of the last few, which is for as long as it is good. Who
 * learns the secret can open tickets; what was said over TLS 1.3 stays closed even then, since a
 * resumption draws fresh keys as well. */

#ifndef GATEWAY_TICKETKEY_H
#define GATEWAY_TICKETKEY_H

#include <stdint.h>

enum {
    TICKETKEY_SECRET = 32,
    TICKETKEY_NAME = 16,
    TICKETKEY_PERIOD_S = 6 * 3600,
    TICKETKEY_LIFE_S = 24 * 3600, /* of a ticket */
    /* the next (another gateway's clock may be ahead), the present one, those of the last day */
    TICKETKEY_COUNT = 2 + TICKETKEY_LIFE_S / TICKETKEY_PERIOD_S,
};

struct ticketkey {
    uint8_t name[TICKETKEY_NAME]; /* stands in the ticket */
    uint8_t cipher[32];           /* AES-256 */
    uint8_t mac[32];              /* HMAC-SHA256 */
};

struct ticketkeys {
    uint8_t secret[TICKETKEY_SECRET];
    uint64_t period;                        /* of keys[1]; 0: none was made yet */
    struct ticketkey keys[TICKETKEY_COUNT]; /* newest first */
};

/* Start with the cluster's secret. */
void ticketkeys_init(struct ticketkeys *keys, const uint8_t secret[static TICKETKEY_SECRET]);

/* The key to seal with at Unix time now_s. */
const struct ticketkey *ticketkeys_now(struct ticketkeys *keys, uint64_t now_s);

/* The key of a ticket that came at now_s; NULL: of another cluster, or too old. */
const struct ticketkey *ticketkeys_find(struct ticketkeys *keys,
                                        const uint8_t name[static TICKETKEY_NAME], uint64_t now_s);

#endif
