#include "common/slot.h"

#include <string.h>

#include "client.pb-c.h"

enum { SLOT_SHIFT = 50 }; /* the upper 14 of 64 bits */

static const uint64_t fnv_start = 0xcbf29ce484222325, fnv_prime = 0x100000001b3;

static uint64_t fnv1a64(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ byte[i]) * fnv_prime;
    return hash;
}

uint64_t hy_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* The hash of what leads every slot's key; the id follows. */
static uint64_t head(uint32_t app, enum hy_kind kind)
{
    const uint8_t bytes[5] = {(uint8_t)app, (uint8_t)(app >> 8), (uint8_t)(app >> 16),
                              (uint8_t)(app >> 24), (uint8_t)kind};

    return fnv1a64(fnv_start, bytes, sizeof bytes);
}

uint16_t hy_slot(uint32_t app, enum hy_kind kind, const void *id, size_t len)
{
    return (uint16_t)(hy_mix64(fnv1a64(head(app, kind), id, len)) >> SLOT_SHIFT);
}

uint16_t hy_slot_user(uint32_t app, const char *user)
{
    return hy_slot(app, HY_KIND_USER, user, strlen(user));
}

uint64_t hy_user_hash(uint32_t app, const char *user)
{
    uint64_t hash = hy_mix64(fnv1a64(head(app, HY_KIND_USER), user, strlen(user)));

    return hash == 0 ? 1 : hash;
}

uint16_t hy_slot_group(uint32_t app, const char *group)
{
    return hy_slot(app, HY_KIND_GROUP, group, strlen(group));
}

uint16_t hy_slot_pair(uint32_t app, const char *a, const char *b)
{
    const char *first = strcmp(a, b) <= 0 ? a : b, *second = first == a ? b : a;
    uint64_t hash = fnv1a64(head(app, HY_KIND_PAIR), first, strlen(first) + 1);

    return (uint16_t)(hy_mix64(fnv1a64(hash, second, strlen(second))) >> SLOT_SHIFT);
}

uint16_t hy_slot_conv(uint32_t app, int conv_type, const char *user, const char *peer)
{
    return conv_type == HY__CONV_TYPE__CONV_GROUP ? hy_slot_group(app, peer)
                                                  : hy_slot_pair(app, user, peer);
}

uint32_t hy_slot_shard(uint16_t slot, uint32_t shards)
{
    return (uint32_t)(((uint64_t)slot * shards) / HY_SLOTS);
}

int hy_slot_pick(uint16_t slot, const char *const *names, size_t n)
{
    uint64_t best_weight = 0;
    int best = -1;

    for (size_t i = 0; i < n; i++) {
        if (names[i] == NULL)
            continue;
        uint64_t weight = hy_mix64(fnv1a64(fnv_start, names[i], strlen(names[i])) + slot);

        if (best < 0 || weight > best_weight) {
            best = (int)i;
            best_weight = weight;
        }
    }
    return best;
}
