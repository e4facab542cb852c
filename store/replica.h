/* replica - this process's copy of a shard: follows the leader's, or is it.
 *
 * It owns the database. While it leads, the store decides and writes through replica_write(), which
 * hands the batch to the followers as well; what was decided may be told (answers, effects on other
 * shards, reads that saw it) when its mark has passed: then every in-sync copy has it on disk, at
 * least min_insync of them, and this copy is known to lead still. While it follows, it applies what
 * the leader sends, and the store keeps nothing and refuses everything. A shard with one copy (one
 * machine) leads from the start, and a mark passes with the write. The writer's thread only. */

#ifndef STORE_REPLICA_H
#define STORE_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/coord.h"
#include "common/err.h"
#include "common/loop.h"
#include "store/db.h"

struct replica;

/* Called from replica_start(), replica_turn(), replica_tick() or the loop, never from another
 * function. */
struct replica_events {
    /* This copy leads from now on: decide, on this database. The row of the reign is written. What
     * is not HY_OK: it could not be read; the copy steps down again, as after a failed write. */
    enum hy_err (*lead)(void *ctx, struct db *db, uint64_t epoch);
    /* It does not lead (any more), or follows another leader than before: answer nothing that has
     * not passed, forget every row and the database, which may be closed after this returns.
     * leader: whom to ask instead, "" not known. */
    void (*follow)(void *ctx, const char *leader);
    /* What was marked up to here may be told. */
    void (*passed)(void *ctx, uint64_t mark);
    /* The database of this copy is open, whether it leads or follows; NULL: it is closed when this
     * returns. Any thread may flush it and make checkpoints of it meanwhile. May be NULL. Also
     * called from replica_open() and replica_close(). */
    void (*open)(void *ctx, struct db *db);
};

struct replica_config {
    struct db_config db;    /* the copy here; its texts are lent while the replica lives */
    uint64_t reserve_bytes; /* after a failure, open again when so much is free */

    /* A shard that may have copies elsewhere. coord NULL, or the settings file: this is the only
     * copy, all below is not looked at, and the database is db.dir itself. Else db.dir is a home
     * (store/replica/home.h). All three are lent; the owner of the coordinator calls
     * replica_coordinated() and replica_lease_lost(), the owner of the bus replica_record(). */
    struct hy_loop *loop;
    struct hy_bus *bus;
    struct hy_coord *coord;
    const char *name; /* of this node, "store-3a" */
    uint32_t shard;
    uint32_t min_insync;            /* 0: 2 */
    uint32_t follower_timeout_ms;   /* 0: 2000 */
    size_t ring_bytes;              /* of batches kept in memory for followers; 0: 64 MB */
    size_t checkpoint_bytes;        /* written between local checkpoints; 0: 256 MB */
    uint32_t checkpoint_s;          /* most time between them; 0: 300 */
    uint64_t copy_bytes_per_second; /* of a full copy; 0: no limit */
};

/* Open the copy. Nothing is called yet. why gets a sentence when it fails. A full disk is no
 * failure, and with other copies no disk that fails is: the copy is opened when it can be. */
enum hy_err replica_open(const struct replica_config *config, const struct replica_events *events,
                         void *ctx, struct replica **replica, char why[static 256]) HY_CHECKED;

/* Begin to lead or to follow; a shard with one copy leads when this returns, fails, or waits for
 * room on the disk. */
enum hy_err replica_start(struct replica *replica, char why[static 256]) HY_CHECKED;

/* Close the copy; follow() is not called, and nobody uses the database any more. */
void replica_close(struct replica **replica);

/* It may turn false before follow() comes: while the reign is handed over nothing new is decided,
 * and what was marked still passes. */
bool replica_leads(const struct replica *replica);

/* The node that leads, as far as known; "". */
const char *replica_leader(const struct replica *replica);

/* The newest reign that is known of. */
uint64_t replica_epoch(const struct replica *replica);

/* HY_OK, or why nobody can lead before this copy is open again: it is the only one, and a write
 * failed. Asking elsewhere is no use then. */
enum hy_err replica_broken(const struct replica *replica);

/* Leader: write, here and there; returns when it is on this disk. Errors as db_write(). After one
 * that is no stall the replica steps down: follow() comes with the next replica_turn() at the
 * latest, not from inside. */
enum hy_err replica_write(struct replica *replica, struct db_batch *batch) HY_CHECKED;

/* A mark for all that has been written or read until now. Grows. */
uint64_t replica_mark(struct replica *replica);

/* Has it passed? True at once when there is one copy and the last write succeeded. */
bool replica_passed(const struct replica *replica, uint64_t mark);

/* Has something waited for followers for over 2 s? Then better answer HY_EBUSY than decide more. */
bool replica_stalled(const struct replica *replica);

/* The end of the loop's turn, after the last replica_write() of it. Every turn: followers write and
 * confirm here, too. */
void replica_turn(struct replica *replica);

/* Once a second or more often: a copy that was closed after a failed write opens again when it
 * can. */
void replica_tick(struct replica *replica);

/* ---- a shard with copies elsewhere ---- */

/* From the coordinator's handler: any value that changed, and the end of the lease. */
void replica_coordinated(struct replica *replica, const struct hy_coord_value *value);
void replica_lease_lost(struct replica *replica);

/* A record of kind REPLICA_*. False: it is none. */
bool replica_record(struct replica *replica, struct hy_peer *peer, const struct hy_record *record);

/* Hand the reign over, to a node or ("") to whoever has most; leaving: this process ends then, and
 * the others need not wait for it. replica_leads() is false from here on; follow() comes, or in 3 s
 * it leads again. HY_EDENIED: it does not lead, or nobody can take it. */
enum hy_err replica_hand_over(struct replica *replica, const char *to, bool leaving) HY_CHECKED;

struct replica_view {
    const char *role; /* "leading", "following", "asking", "taking", "handing" */
    uint64_t epoch, latest, durable, commit;
    size_t insync;
    bool rebuilding;
    bool streaming; /* following: the leader's rows come in */
};
void replica_look(const struct replica *replica, struct replica_view *view);

/* Of the leader: those who follow it. Nobody when it does not lead. */
struct replica_follower {
    const char *node;
    uint64_t behind;    /* sequences that it has yet to confirm */
    uint64_t behind_ms; /* since it confirmed last */
};
typedef void replica_follower_fn(void *arg, const struct replica_follower *follower);
void replica_each_follower(const struct replica *replica, replica_follower_fn *fn, void *arg);

/* Tests: fail the writes to come (db_set_fault), also after it opened again. */
void replica_set_fault(struct replica *replica, enum hy_err (*fault)(void *arg), void *arg);

#endif
