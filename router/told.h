/* told - which messages were pushed lately.
 *
 * The store answers a message that it has already as a duplicate, and cannot know whether its first
 * answer was pushed: it may have been lost on the way. This remembers, in a fixed table where a
 * newer message overwrites an older one; forgetting costs a push that the client drops by its seq.
 */

#ifndef ROUTER_TOLD_H
#define ROUTER_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "client.pb-c.h"

enum {
    TOLD_SIZE = 1 << 18
}; /* some seconds at full speed: a retry comes when a call has timed out */

struct told {
    uint64_t keys[TOLD_SIZE];
};

/* The key of message seq of a conversation, as its sender names it. */
uint64_t told_key(uint32_t app, Hy__ConvType type, const char *from, const char *to, uint64_t seq);

/* Remember. Returns whether it was remembered already. */
bool told_again(struct told *told, uint64_t key);

#endif
