/* identity - whose data a directory holds: cluster, shard, number of shards, format. A store
 * refuses to start on another's. */

#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stdint.h>

#include "common/err.h"

enum { IDENTITY_FORMAT = 1 }; /* of everything at rest: keys, values, families */

struct identity {
    const char *cluster_id;
    uint32_t shard, shards;
};

/* Compare with what dir says; write it if the directory has no identity yet. HY_ECONFIG: it is
 * another's, and why says which and what to do; HY_EIO, HY_EFULL. */
enum hy_err identity_check(const char *dir, const struct identity *mine,
                           char why[static 256]) HY_CHECKED;

#endif
