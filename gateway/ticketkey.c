#include "gateway/ticketkey.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/hmac.h"

/* HMAC-SHA256(secret, "tls ticket <part> <period>"); no resume token begins with a 't'. */
static void derive(const uint8_t *secret, char part, uint64_t period, uint8_t *out, size_t len)
{
    uint8_t text[] = "tls ticket ? ........", mac[HY_HMAC];

    text[11] = (uint8_t)part;
    for (int i = 0; i < 8; i++)
        text[13 + i] = (uint8_t)(period >> (56 - 8 * i));
    if (!hy_hmac(secret, TICKETKEY_SECRET, text, sizeof text - 1, mac))
        abort(); /* out of memory: a key that is not one must not be used */
    memcpy(out, mac, len);
    OPENSSL_cleanse(mac, sizeof mac);
}

void ticketkeys_init(struct ticketkeys *keys, const uint8_t secret[static TICKETKEY_SECRET])
{
    *keys = (struct ticketkeys){0};
    memcpy(keys->secret, secret, TICKETKEY_SECRET);
}

static void turn_to(struct ticketkeys *keys, uint64_t period)
{
    if (keys->period == period)
        return;
    for (uint64_t i = 0; i < TICKETKEY_COUNT; i++) {
        struct ticketkey *key = &keys->keys[i];

        derive(keys->secret, 'n', period + 1 - i, key->name, sizeof key->name);
        derive(keys->secret, 'c', period + 1 - i, key->cipher, sizeof key->cipher);
        derive(keys->secret, 'm', period + 1 - i, key->mac, sizeof key->mac);
    }
    keys->period = period;
}

const struct ticketkey *ticketkeys_now(struct ticketkeys *keys, uint64_t now_s)
{
    turn_to(keys, now_s / TICKETKEY_PERIOD_S);
    return &keys->keys[1];
}

const struct ticketkey *ticketkeys_find(struct ticketkeys *keys,
                                        const uint8_t name[static TICKETKEY_NAME], uint64_t now_s)
{
    turn_to(keys, now_s / TICKETKEY_PERIOD_S);
    for (size_t i = 0; i < TICKETKEY_COUNT; i++)
        if (memcmp(keys->keys[i].name, name, TICKETKEY_NAME) == 0)
            return &keys->keys[i];
    return NULL;
}
