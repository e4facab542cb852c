/* store - a shard: requests in, answers out when they are durable in every copy that counts.
 *
 * It decides while its replica leads (replica.h); else, and for slots of other shards, it answers
 * STORE_ELSEWHERE.
 * Knows no bus: serve.c brings requests and takes answers away, tests do the same by hand. One
 * thread calls everything here. Requests of a turn are decided at once; store_turn() writes them as
 * one batch and says the answers. */

#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/bus.h"
#include "common/coord.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/shardmap.h"
#include "store/answers.h"
#include "store/outbox.h"
#include "store/replica.h"

struct backup;
struct moves;
struct store;

/* Ask the leader of another shard (STORE_MOVE, STORE_MOVE_END); store_move_answered() with the same
 * token follows, not from inside. */
typedef void store_move_fn(void *ctx, uint32_t shard, uint64_t token, uint16_t kind,
                           uint32_t deadline_ms, const void *payload, size_t len);

struct store_config {
    const char *cluster_id;
    const char *data_dir;
    const char *log_dir;        /* RocksDB's LOG; "": in data_dir */
    const char *backup_program; /* hongyan-backup; NULL: beside this program */
    uint32_t shard;
    const struct hy_shardmap *map; /* copied; NULL: one shard has all slots */
    bool map_changes;              /* it does, with store_map(); else it is for ever */
    uint32_t moved_keep_s;         /* rows of slots that left are deleted so much later */
    size_t block_cache_bytes, write_buffer_bytes;
    size_t cache_rows;          /* records kept decoded */
    size_t history_cache_bytes; /* messages kept as pages show them; 0: none */
    uint64_t reserve_bytes;
    bool levels;          /* as in db_config */
    size_t readers;       /* threads; 0: reads are answered in place */
    struct hy_loop *loop; /* needed with readers */
    struct hy_bus *bus;   /* these five as in replica_config */
    struct hy_coord *coord;
    const char *name;
    uint32_t min_insync, follower_timeout_ms;
    uint64_t (*now_ms)(void *arg); /* NULL: the wall clock; called by any thread */
    void *now_arg;
    answer_fn *answer;
    outbox_send_fn *send; /* to other shards; NULL with one shard */
    store_move_fn *move;  /* to other shards; needed with map_changes and coord */
    void *ctx;            /* of answer, send and move */
};

/* Open the shard. why gets a sentence when it fails. HY_ECONFIG: the directory is another's. */
enum hy_err store_open(const struct store_config *config, struct store **store,
                       char why[static 256]) HY_CHECKED;
void store_close(struct store **store);

/* Decide a request; its answer comes now or at store_turn(). */
void store_handle(struct store *store, const struct request *req);

/* End of a turn: write what was decided, answer, start the reads. */
void store_turn(struct store *store);

/* Once a second or more often: disk space, coming back after a failure, gauges. */
void store_tick(struct store *store);

/* Another shard answered what send gave it. */
void store_effects_answered(struct store *store, uint32_t shard, uint64_t token, bool done);

/* The other shard answered what move gave it, or (not HY_OK) did not. */
void store_move_answered(struct store *store, uint64_t token, enum hy_err err, const void *payload,
                         size_t len);

/* The list of apps, as its owner answered STORE_APPS; and what to ask it next. */
void store_apps_learned(struct store *store, const uint8_t *payload, size_t len);
uint64_t store_apps_version(const struct store *store);

/* Slots have other owners from a later turn on (map is copied). HY_ENOMEM: say it again. */
enum hy_err store_map(struct store *store, const struct hy_shardmap *map) HY_CHECKED;

/* What the owner of the coordinator and of the bus brings for the replica (replica.h). */
void store_coordinated(struct store *store, const struct hy_coord_value *value);
void store_lease_lost(struct store *store);
bool store_record(struct store *store, struct hy_peer *peer, const struct hy_record *record);

/* Let another copy lead, after what was decided is written; as replica_hand_over(). */
enum hy_err store_hand_over(struct store *store, const char *to, bool leaving) HY_CHECKED;

/* Where the copy stands, and how far others are behind. */
void store_look(const struct store *store, struct replica_view *view);
void store_each_follower(const struct store *store, replica_follower_fn *fn, void *arg);

/* Does it decide? */
bool store_leads(const struct store *store);

/* Take part in a backup of the cluster (store/backup.h). */
void store_backup(struct store *store, const Hy__BackupReq *req, Hy__BackupRes *res);

/* NULL: good to serve, or to follow; else why not. Any thread. */
const char *store_ready(const struct store *store);

/* Flush and compact everything: what has expired leaves the disk. */
void store_compact(struct store *store);

/* Is no file being written, by a flush or a compaction, nor waiting to be flushed? */
bool store_settled(const struct store *store);

/* Tests: fail the writes to come (db_set_fault). */
void store_set_fault(struct store *store, enum hy_err (*fault)(void *arg), void *arg);

/* Tests: what is asked in place of db_behind(). */
void store_set_behind(struct store *store, bool (*behind)(struct db *db));

#endif
