/* backup - a running shard's part in a backup of the cluster.
 *
 * An operator's tool leads (ctl/backup.c): BEGIN flushes memory into files; HOLD stops telling
 * other shards; CUT makes a checkpoint, and a process of its own, hongyan-backup, copies it;
 * RELEASE lets telling go on when all shards are cut. So what a shard's checkpoint has been told is
 * in the checkpoint of the shard that told it, and what it was not told waits in that one's outbox.
 *
 * One backup at a time. A thread waits for the disk and for the process; all functions are for the
 * writer's thread and wait for neither, but for backup_use(), which waits for a checkpoint. */

#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "cluster.pb-c.h"
#include "common/err.h"
#include "store/db.h"

struct backup;

struct backup_config {
    const char *data_dir; /* checkpoints are made in data_dir/backup */
    const char *program;  /* hongyan-backup; NULL: it lies beside this program */
};

/* Clears away what an interrupted backup has left. */
enum hy_err backup_open(const struct backup_config *config, struct backup **backup) HY_CHECKED;

/* Ends one that is under way. */
void backup_close(struct backup **backup);

/* Back up from here; NULL: the database is closed. */
void backup_use(struct backup *backup, struct db *db);

/* Do what a request says and tell how things stand; res is filled but for `held`, its texts are
 * lent until the next call. */
void backup_handle(struct backup *backup, const Hy__BackupReq *req, Hy__BackupRes *res);

#endif
