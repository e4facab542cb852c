#include "store/metric.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cluster.pb-c.h"
#include "common/clock.h"
#include "common/metrics.h"

enum { RESULTS = 4 };

static const struct result {
    enum hy_err err;
    const char *labels;
} results[RESULTS] = {
    {HY_OK, "result=\"ok\""},
    {HY_EBUSY, "result=\"stall\""},
    {HY_EFULL, "result=\"full\""},
    {HY_EIO, "result=\"error\""}, /* and all others */
};

static const struct read_op {
    uint16_t kind;
    const char *labels;
} ops[] = {
    {HY__BUS_KIND__STORE_HISTORY, "op=\"history\""},
    {HY__BUS_KIND__STORE_HEADS, "op=\"heads\""},
    {HY__BUS_KIND__STORE_INDEX, "op=\"index\""},
    {HY__BUS_KIND__STORE_MEMBERS_GET, "op=\"members\""},
    {HY__BUS_KIND__STORE_GROUP_SCAN, "op=\"group_scan\""},
    {HY__BUS_KIND__STORE_SWEEP_SCAN, "op=\"sweep_scan\""},
};

enum { OPS = sizeof ops / sizeof *ops };

static const struct gauge {
    const char *name, *property, *help;
} gauges[] = {
    {"hongyan_store_rocksdb_pending_compaction_bytes", "rocksdb.estimate-pending-compaction-bytes",
     "Bytes that compaction has yet to rewrite."},
    {"hongyan_store_rocksdb_level0_files", "rocksdb.num-files-at-level0",
     "Files at level 0, all families."},
    {"hongyan_store_rocksdb_write_stalled", "rocksdb.is-write-stopped",
     "Families whose writes are stopped until compaction catches up."},
    {"hongyan_store_rocksdb_live_bytes", "rocksdb.estimate-live-data-size",
     "Bytes of table files that hold what is not yet overwritten or deleted, about."},
    {"hongyan_store_rocksdb_memtable_bytes", "rocksdb.cur-size-all-mem-tables",
     "Bytes in memtables."},
    {"hongyan_store_rocksdb_background_errors", "rocksdb.background-errors",
     "Flushes and compactions that failed."},
};

enum { GAUGES = sizeof gauges / sizeof *gauges };

enum { FOLLOWERS = 8 };

static const struct {
    const char *role, *labels;
} roles[] = {
    {"following", "role=\"following\""}, {"asking", "role=\"asking\""},
    {"taking", "role=\"taking\""},       {"leading", "role=\"leading\""},
    {"handing", "role=\"handing\""},
};

static const struct {
    const char *name, *help;
} numbers[] = {
    {"hongyan_store_replica_leads", "1 when this copy leads its shard and decides."},
    {"hongyan_store_replica_epoch", "Number of the newest reign of the shard known here."},
    {"hongyan_store_replica_insync", "Copies in the shard's in-sync set, as known here."},
    {"hongyan_store_replica_latest", "Sequence of the newest row written here."},
    {"hongyan_store_replica_commit",
     "Sequence up to which every copy of the set has it on disk, as known here."},
    {"hongyan_store_replica_rebuilding", "1 while this copy is being brought back."},
};

enum { ROLES = sizeof roles / sizeof *roles, NUMBERS = sizeof numbers / sizeof *numbers };

static struct {
    struct hy_metric *writes[RESULTS];
    struct hy_histogram *write_us, *messages, *read_us[OPS];
    struct hy_metric *gauges[GAUGES];
    struct hy_metric *roles[ROLES], *numbers[NUMBERS];
    struct {
        char node[64], labels[96];
        struct hy_metric *behind, *behind_s;
    } followers[FOLLOWERS];
    struct hy_metric *hits, *misses, *used, *capacity, *room, *outbox, *unpassed;
    struct hy_metric *moving, *moved_rows, *moved_bytes;
    struct hy_histogram *freeze_us;
    struct hy_metric *backups[2], *backup_at, *backup_s, *backup_bytes, *backup_copied;
} m;

void metric_open(void)
{
    for (int i = 0; i < RESULTS; i++)
        m.writes[i] = hy_counter("hongyan_store_writes_total", results[i].labels,
                                 "Batches written, by result.");
    m.write_us = hy_histogram_us("hongyan_store_write_duration_seconds", "",
                                 "Time to write one batch, with fsync.");
    m.messages =
        hy_histogram_count("hongyan_store_commit_batch_messages", "", "Messages in one batch.");
    for (int i = 0; i < OPS; i++)
        m.read_us[i] = hy_histogram_us("hongyan_store_read_duration_seconds", ops[i].labels,
                                       "Time to answer one read.");
    for (int i = 0; i < GAUGES; i++)
        m.gauges[i] = hy_gauge(gauges[i].name, "", gauges[i].help);
    for (int i = 0; i < ROLES; i++)
        m.roles[i] = hy_gauge("hongyan_store_replica_role", roles[i].labels,
                              "1 for what this copy of the shard does.");
    for (int i = 0; i < NUMBERS; i++)
        m.numbers[i] = hy_gauge(numbers[i].name, "", numbers[i].help);
    m.hits = hy_counter("hongyan_store_rocksdb_block_cache_hits_total", "",
                        "Blocks found in the cache.");
    m.misses =
        hy_counter("hongyan_store_rocksdb_block_cache_misses_total", "", "Blocks read from files.");
    m.used = hy_gauge("hongyan_store_disk_used_bytes", "",
                      "Bytes used on the file system of the data directory.");
    m.capacity = hy_gauge("hongyan_store_disk_capacity_bytes", "",
                          "Size of the file system of the data directory.");
    m.room = hy_gauge("hongyan_store_merge_room", "",
                      "What the free disk space lets be merged: 2 all, 1 fresh files, 0 none.");
    m.moving = hy_gauge("hongyan_store_moves_running", "",
                        "Runs of slots that are leaving this shard: 0 or 1.");
    m.moved_rows = hy_counter("hongyan_store_move_rows_total", "",
                              "Rows sent to other shards with slots that move.");
    m.moved_bytes = hy_counter("hongyan_store_move_bytes_total", "", "Bytes of those rows.");
    m.freeze_us = hy_histogram_us("hongyan_store_move_freeze_duration_seconds", "",
                                  "How long requests for slots that left had to wait.");
    m.backups[0] = hy_counter("hongyan_store_backups_total", "result=\"failed\"",
                              "Backups of this shard, by result.");
    m.backups[1] = hy_counter("hongyan_store_backups_total", "result=\"ok\"",
                              "Backups of this shard, by result.");
    m.backup_at = hy_gauge("hongyan_store_last_backup_timestamp_seconds", "",
                           "When the last good backup ended; 0: none since the start.");
    m.backup_s = hy_gauge("hongyan_store_last_backup_duration_seconds", "",
                          "How long the last good backup took.");
    m.backup_bytes =
        hy_gauge("hongyan_store_last_backup_bytes", "", "Size of the last good backup.");
    m.backup_copied = hy_counter("hongyan_store_backup_copied_bytes_total", "",
                                 "Bytes that backups copied, as no earlier one had them.");
    m.outbox =
        hy_gauge("hongyan_store_outbox_rows", "", "Effects that other shards have yet to confirm.");
    m.unpassed = hy_gauge("hongyan_store_unpassed_batches", "",
                          "Batches written here that other copies have yet to confirm.");
}

void metric_write(enum hy_err err, uint64_t us, uint32_t messages)
{
    int i = 0;

    if (m.write_us == NULL)
        return;
    while (i < RESULTS - 1 && results[i].err != err)
        i++;
    hy_add(m.writes[i], 1);
    hy_observe_us(m.write_us, us);
    if (messages > 0)
        hy_observe_count(m.messages, messages);
}

void metric_read(uint16_t kind, uint64_t us)
{
    for (int i = 0; i < OPS && m.write_us != NULL; i++)
        if (ops[i].kind == kind)
            hy_observe_us(m.read_us[i], us);
}

void metric_disk(uint64_t used_bytes, uint64_t capacity_bytes)
{
    if (m.used == NULL)
        return;
    hy_set(m.used, (int64_t)used_bytes);
    hy_set(m.capacity, (int64_t)capacity_bytes);
}

void metric_db(struct db *db)
{
    if (m.write_us == NULL)
        return;
    for (int i = 0; i < GAUGES; i++)
        hy_set(m.gauges[i], (int64_t)db_property(db, gauges[i].property));
    hy_set(m.hits, (int64_t)db_counter(db, "rocksdb.block.cache.hit"));
    hy_set(m.misses, (int64_t)db_counter(db, "rocksdb.block.cache.miss"));
}

void metric_room(enum db_room room)
{
    if (m.room != NULL)
        hy_set(m.room, (int64_t)room);
}

void metric_backup(bool good, uint64_t took_ms, uint64_t bytes, uint64_t copied)
{
    if (m.backup_at == NULL)
        return;
    hy_add(m.backups[good], 1);
    if (!good)
        return;
    hy_set(m.backup_at, (int64_t)(hy_wall_ms() / 1000));
    hy_set(m.backup_s, (int64_t)((took_ms + 999) / 1000));
    hy_set(m.backup_bytes, (int64_t)bytes);
    hy_add(m.backup_copied, (int64_t)copied);
}

void metric_moving(bool moving)
{
    if (m.moving != NULL)
        hy_set(m.moving, moving);
}

void metric_moved(uint64_t rows, uint64_t bytes)
{
    if (m.moved_rows == NULL)
        return;
    hy_add(m.moved_rows, (int64_t)rows);
    hy_add(m.moved_bytes, (int64_t)bytes);
}

void metric_froze(uint64_t us)
{
    if (m.freeze_us != NULL)
        hy_observe_us(m.freeze_us, us);
}

void metric_outbox(uint64_t waiting)
{
    if (m.outbox != NULL)
        hy_set(m.outbox, (int64_t)waiting);
}

void metric_gate(uint64_t batches)
{
    if (m.unpassed != NULL)
        hy_set(m.unpassed, (int64_t)batches);
}

void metric_replica(const struct replica_view *view, bool leads)
{
    const uint64_t values[NUMBERS] = {leads,        view->epoch,  view->insync,
                                      view->latest, view->commit, view->rebuilding};

    if (m.numbers[0] == NULL)
        return;
    for (int i = 0; i < ROLES; i++)
        hy_set(m.roles[i], strcmp(roles[i].role, view->role) == 0);
    for (int i = 0; i < NUMBERS; i++)
        hy_set(m.numbers[i], (int64_t)values[i]);
}

void metric_no_followers(void)
{
    for (int i = 0; i < FOLLOWERS && m.followers[i].behind != NULL; i++) {
        hy_set(m.followers[i].behind, 0);
        hy_set(m.followers[i].behind_s, 0);
    }
}

static int place_of(const char *node)
{
    int i = 0;

    while (i < FOLLOWERS && m.followers[i].behind != NULL && strcmp(m.followers[i].node, node) != 0)
        i++;
    if (i == FOLLOWERS || m.followers[i].behind != NULL)
        return i;
    snprintf(m.followers[i].node, sizeof m.followers[i].node, "%s", node);
    snprintf(m.followers[i].labels, sizeof m.followers[i].labels, "follower=\"%.63s\"", node);
    m.followers[i].behind =
        hy_gauge("hongyan_store_replica_lag_sequences", m.followers[i].labels,
                 "Rows that a copy which follows this one has yet to confirm; 0 where none does.");
    m.followers[i].behind_s =
        hy_gauge("hongyan_store_replica_lag_seconds", m.followers[i].labels,
                 "For how long it has not confirmed all there was, in whole seconds.");
    return i;
}

void metric_follower(const char *node, uint64_t behind, uint64_t behind_ms)
{
    int i = m.numbers[0] == NULL ? FOLLOWERS : place_of(node);

    if (i == FOLLOWERS)
        return;
    hy_set(m.followers[i].behind, (int64_t)behind);
    hy_set(m.followers[i].behind_s, (int64_t)(behind_ms / 1000));
}
