/* expire - which rows compaction may drop.
 *
 * Messages older than their app keeps them, and dedupe rows older than a day. What it does not know
 * - an app, a format, a value that does not decode - it keeps. */

#ifndef STORE_EXPIRE_H
#define STORE_EXPIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/appset.h"
#include "store/key.h"

enum { EXPIRE_DEDUPE_MS = 24 * 3600 * 1000 };

/* The decision; now_ms comes in. */
bool expire_due(struct appset *apps, uint64_t now_ms, enum family family, const void *key,
                size_t key_len, const void *value, size_t value_len);

/* What the database's filter is given (db_config.drop_arg); lives as long as the database. */
struct expire {
    struct appset *apps;
    uint64_t (*now_ms)(void *arg); /* any thread */
    void *now_arg;
};

/* db_drop_fn. */
bool expire_drop(void *arg, enum family family, const void *key, size_t key_len, const void *value,
                 size_t value_len);

#endif
