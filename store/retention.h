/* retention - how long apps keep messages, as far as a copy that follows may know it.
 *
 * What a copy's compaction drops is gone when it leads, so it goes by what every leader agrees to:
 * a message that was too old once stays so, whatever the app is changed to (apps_floors()). The
 * apps are read from the rows here now and then, and count from when the leader says that those
 * rows are committed, but as they were an hour before: that is more than a follower may lag, and
 * clocks differ. The writer's thread only. */

#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "store/appset.h"
#include "store/db.h"
#include "store/replica.h"

enum { RETENTION_EVERY_MS = 600 * 1000, RETENTION_LAG_MS = 3600 * 1000 };

struct retention {
    struct appset *set;   /* what compaction goes by */
    struct hy_apps *read; /* that the leader has yet to confirm, at `latest` in this reign */
    uint64_t latest, epoch;
    uint64_t read_ms; /* wall clock; 0: never */
};

/* While the copy follows, once a second. owns: its shard keeps the list of apps. */
void retention_tick(struct retention *retention, struct db *db, bool owns,
                    const struct replica_view *view, uint64_t now_ms);

/* It does not follow any more. */
void retention_end(struct retention *retention);

#endif
