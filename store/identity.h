/* identity - whose data a directory holds: cluster, shard, format, slots on one machine. A store
 * refuses to start on another's, and with a map that gives it slots whose rows it never had: they
 * would seem empty. */

#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/shardmap.h"

enum { IDENTITY_FORMAT = 1 }; /* of everything at rest: keys, values, families */

struct identity {
    const char *cluster_id;
    uint32_t shard;
    const struct hy_shardmap *map;
    bool fixed; /* the map is the settings', and the slots must be the very ones. Else they come and
                   go, and are kept with the rows (store/slots.h) */
};

/* Compare with what dir says; write it if the directory has no identity yet. HY_ECONFIG: it is
 * another's, and why says which and what to do; HY_EIO, HY_EFULL, HY_ENOMEM. */
enum hy_err identity_check(const char *dir, const struct identity *mine,
                           char why[static 256]) HY_CHECKED;

#endif
