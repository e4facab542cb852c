/* db_backup - backups of a database, by RocksDB's backup engine.
 *
 * A backup is made from a checkpoint (db_checkpoint()), by a process of its own (backup_main.c):
 * what is slow, or ends badly on a full disk, is not the store's. common/backupset.h reads what
 * lies in the folder. */

#ifndef STORE_DB_BACKUP_H
#define STORE_DB_BACKUP_H

#include <stdint.h>

#include "store/db.h"

struct db_backup {
    uint32_t id;
    uint64_t sequence, epoch;
    uint64_t bytes;  /* of all its files */
    uint64_t copied; /* of those that no earlier backup had */
    uint32_t files;
};

/* Back a checkpoint up into a folder, onto its disk. rate_bytes: most to write a second, 0: no
 * limit. The checkpoint is opened, so that its log becomes a table. */
enum hy_err db_backup_make(const char *checkpoint, const char *folder, uint64_t rate_bytes,
                           struct db_backup *made, char why[static 256]) HY_CHECKED;

/* Delete the backups before this one, and what an interrupted one has left. */
enum hy_err db_backup_keep(const char *folder, uint32_t from, char why[static 256]) HY_CHECKED;

#endif
