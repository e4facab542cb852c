/* restore - databases of a cluster made from the backups of its shards, for as many shards as are
 * wanted.
 *
 * For the same shards the files are copied, unless slots have moved between them: then, and for
 * other shards, the sources are opened where they lie, and their rows go, by the slot that each key
 * begins with, into new databases. Rows of the shard itself (slot 0xFFFF) stay behind; each
 * database begins an epoch 1000 above the highest of all sources, so that nothing of the old
 * cluster can take part. */

#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"
#include "store/restore_index.h"

enum { RESTORE_EPOCHS = 1000, RESTORE_MOST = 64, RESTORE_COPIES = 5 };

struct restore_source {
    const char *folder; /* common/backupset.h */
    uint32_t id;
};

/* Slots from `first` on belong to a source, up to the next run. */
struct restore_run {
    uint16_t first;
    uint32_t source;
};

struct restore_config {
    const char *to; /* is made; has store-0, store-1, ... or store-0a, store-0b, ... afterwards */
    const struct restore_source *sources;
    size_t source_count;
    const struct restore_run *runs; /* in order; the first begins at 0 */
    size_t run_count;
    uint32_t shards;
    uint32_t copies; /* of each shard; 0: one, of a cluster without etcd */
    bool moved;      /* a source has rows of slots that it does not own */
    bool check;      /* the indexes */
    bool loose; /* the backups were not cut together: indexes may lack what outboxes have no more */
    void (*progress)(void *arg, uint64_t bytes, uint64_t rows);
    void *arg;
};

struct restore_result {
    uint64_t epoch, bytes, rows;
    uint64_t stray; /* rows of slots that the source did not own: left behind */
    struct restore_index index;
};

/* HY_ECORRUPT: a backup is damaged; HY_EFULL, HY_EIO, HY_ECONFIG. why gets a sentence. What was
 * made so far stays and is worth nothing. */
enum hy_err restore_all(const struct restore_config *config, struct restore_result *result,
                        char why[static 256]) HY_CHECKED;

#endif
