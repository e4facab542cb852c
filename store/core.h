/* core - what the deciders of the store share: the database, the batch under way, the rows in
 * memory, the apps, the clock.
 *
 * A handler looks at everything it needs first, refuses or goes on, and then changes rows and puts
 * into the batch; its answer leaves when the batch is on the disk (core_commit). The writer's
 * thread only. */

#ifndef STORE_CORE_H
#define STORE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster.pb-c.h"
#include "common/app.h"
#include "common/arena.h"
#include "common/codes.h"
#include "common/shardmap.h"
#include "common/slot.h"
#include "store/answers.h"
#include "store/appset.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/hearers.h"
#include "store/rows.h"

struct gate;
struct moves;
struct online;
struct outbox;
struct recent;
struct replica;
struct runs;
struct tellings;
struct totals;
struct touched_pair;

struct core {
    /* While this copy leads; NULL: it does not, and nothing is decided. */
    struct db *db;
    struct batch *batch;
    struct rows *rows;
    struct hy_apps *apps;
    struct online *online; /* reports of presence processes */
    struct recent *recent; /* client ids of live rooms */
    /* Always; empty while it does not lead. */
    struct runs *runs; /* what pages show */
    struct answers *answers;
    struct gate *gate;          /* by which answers and effects leave */
    struct appset *appset;      /* apps, for other threads */
    struct outbox *outbox;      /* effects for other shards */
    struct tellings *tellings;  /* answers that wait for other shards */
    struct totals *totals;      /* groups of each app here */
    struct moves *moves;        /* runs of slots that come and go; NULL: none ever does */
    struct hy_arena arena;      /* of the request that is decided */
    struct hy_buf scratch;      /* a value being made */
    bool full;                  /* the disk is: nothing new is kept */
    struct hearers hearers;     /* for the answer being made */
    struct touched_pair *pairs; /* C2C heads changed in this batch; see pair.c */
    size_t pair_count, pair_size;
    uint64_t (*now_ms)(void *arg); /* the wall clock; tests bring their own */
    void *now_arg;
    const struct hy_shardmap *map; /* as this shard goes by it: it serves what it owns there */
    uint32_t shard, slots;         /* slots: of this shard */
    uint64_t batch_number;         /* +1 at each commit */
    uint32_t messages;             /* in the batch */
    bool keeps_apps;               /* apps is the list itself, not a copy of it */
    bool knows_apps;               /* it is, or has been heard of since the shard was made */
    bool members_changed; /* in the batch: some group's members are not as the database says */
    bool misplaced;       /* the request was for a slot of another shard, */
    bool frozen;          /* or of one that is about to be another's */
    enum hy_err failure;  /* of the last commit */
    bool sealed;          /* the batch is whole and waits for a stall to pass: nothing is decided */
};

uint64_t core_now(const struct core *core);

/* Go by this map, which is lent. */
void core_use_map(struct core *core, const struct hy_shardmap *map);

/* Does this shard own the slot? */
bool core_owns(const struct core *core, uint16_t slot);

/* The same of the slot that a request is about: if not, what is answered to it is replaced by that
 * it is elsewhere. Before anything is changed. */
bool core_needs(struct core *core, uint16_t slot);

/* Decode a request into the arena; NULL: it does not decode, and is answered. */
void *core_decode(struct core *core, const struct request *req,
                  const ProtobufCMessageDescriptor *type);

/* Answer when the batch is on the disk. */
void core_answer(struct core *core, const struct request *req, const ProtobufCMessage *msg);

/* Answer with a code and its sentence. */
void core_refuse(struct core *core, const struct request *req, uint32_t code);

/* Answer with the code for an internal failure (a read that failed, no memory). */
void core_broken(struct core *core, const struct request *req, enum hy_err err);

/* The code for an internal failure. */
uint32_t core_code(enum hy_err err);

/* Write the batch and say the answers; or, if that fails, say why to all. Called at the end of a
 * turn, when a batch is big, and before a decision that must scan rows of its own batch. */
enum hy_err core_commit(struct core *core) HY_CHECKED;

/* The same, but a stall (HY_EBUSY) keeps the batch for another try; until then nothing may be
 * decided. core_commit() then ends it, either way. */
enum hy_err core_commit_try(struct core *core) HY_CHECKED;

/* core_commit() if anything is waiting to be written: what a scan sees is then all there is. */
enum hy_err core_settle(struct core *core) HY_CHECKED;

/* The next conversation number of a slot. */
enum hy_err core_conversation(struct core *core, uint16_t slot, uint64_t *number) HY_CHECKED;

/* ---- operations that must not be done twice ---- */

/* If this operation was done, answer as then and return true. op_id "": never. Also true when the
 * look-up failed, which is answered. */
bool core_op_seen(struct core *core, const struct request *req, struct key_home home,
                  const char *op_id);

/* Answer, and keep the answer for retries for 24 h. */
void core_op_answer(struct core *core, const struct request *req, struct key_home home,
                    const char *op_id, const ProtobufCMessage *msg);

/* A dedupe row, of this batch or of the database, decoded into the arena; NULL: none. */
enum hy_err core_dedupe(struct core *core, const struct key *key, Hy__DedupeRow **row) HY_CHECKED;

/* Put a dedupe row into the batch. */
void core_dedupe_put(struct core *core, const struct key *key, const Hy__DedupeRow *row);

#endif
