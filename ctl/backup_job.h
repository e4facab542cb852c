/* backup_job - one run of hongyanctl backup: what its files share. */

#ifndef CTL_BACKUP_JOB_H
#define CTL_BACKUP_JOB_H

#include <jansson.h>
#include <stdbool.h>

#include "common/shardmap.h"
#include "ctl/manifest.h"
#include "ctl/nodes.h"
#include "ctl/stores.h"

struct backup_options {
    const char *dir, *to, *output;
    int64_t keep, rate_mb;
    bool without_keys;
};

struct backup_job {
    const struct backup_options *options;
    struct cluster cluster;
    const struct nodes_visit *visit; /* NULL: the cluster is what its settings say */
    struct stores *stores;
    char path[4096], time[MANIFEST_TIME], run[64];
    int lock_fd;
    struct hy_shardmap map; /* which stays as it is until all is cut */
    bool moved;             /* slots have moved, or were about to: shards may have rows of others */
    uint32_t copies;        /* of each shard; 0: one, and no etcd */
    enum hy_err results[STORES_MOST];
    Hy__BackupRes *answers[STORES_MOST];
    /* What a copy must have to be cut: the reign of its leader, and all that this had written when
     * nothing was told any more. */
    uint64_t reigns[STORES_MOST], latest[STORES_MOST];
    bool together;
    uint64_t began_ms;
    json_t *manifest;
};

/* ---- backup_where.c: which stores ---- */

/* Let no slots move until the job is done. Prints what hinders. */
enum hy_err backup_fix_map(struct backup_job *job) HY_CHECKED;

/* Is the map what it was, and no move under way? */
bool backup_map_fixed(const struct backup_job *job);

/* Find who leads each shard that owns slots, and a copy of it that follows where there is one; dial
 * them. Prints what is wrong. */
enum hy_err backup_dial(struct backup_job *job) HY_CHECKED;

/* ---- backup_cut.c: leading the stores through it ---- */

/* All shards are copied into the job's folder; job->answers tell what was made. Prints what is
 * wrong. HY_EEXIST: who leads a shard changed meanwhile, try again. */
enum hy_err backup_copy(struct backup_job *job) HY_CHECKED;

/* Delete backups before keep_from[SHARD]. */
enum hy_err backup_keep(struct backup_job *job, const uint32_t *keep_from) HY_CHECKED;

/* Let all go that would wait for us. */
void backup_stop(struct backup_job *job);

void backup_drop_answers(struct backup_job *job);

/* Ctrl-C ends what is under way. */
void backup_heed_signals(void);

#endif
