#include "store/expire.h"

#include "client.pb-c.h"
#include "store/value.h"

static bool message_due(struct appset *apps, uint64_t now_ms, const void *key, size_t key_len,
                        const void *value, size_t value_len)
{
    struct key_parts parts;
    struct value_log log;
    int type;

    if (key_parse(key, key_len, &parts) != HY_OK || value_get_log(value, value_len, &log) != HY_OK)
        return false;
    if (parts.format == KEY_LOG_C2C)
        type = HY__CONV_TYPE__CONV_C2C;
    else if (parts.format == KEY_LOG_GROUP)
        type = HY__CONV_TYPE__CONV_GROUP;
    else
        return false;
    return log.time_ms < appset_floor_ms(apps, parts.home.app, type, now_ms);
}

bool expire_due(struct appset *apps, uint64_t now_ms, enum family family, const void *key,
                size_t key_len, const void *value, size_t value_len)
{
    uint64_t time_ms;

    switch (family) {
    case FAMILY_LOG:
        return message_due(apps, now_ms, key, key_len, value, value_len);
    case FAMILY_DEDUPE:
        return value_dedupe_time(value, value_len, &time_ms) && now_ms > time_ms &&
               now_ms - time_ms > EXPIRE_DEDUPE_MS;
    default:
        return false;
    }
}

bool expire_drop(void *arg, enum family family, const void *key, size_t key_len, const void *value,
                 size_t value_len)
{
    const struct expire *e = arg;

    return expire_due(e->apps, e->now_ms(e->now_arg), family, key, key_len, value, value_len);
}
