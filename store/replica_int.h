/* replica_int - what the files of replica share. */

#ifndef STORE_REPLICA_INT_H
#define STORE_REPLICA_INT_H

#include "store/replica.h"
#include "store/replica/chase.h"
#include "store/replica/copy.h"
#include "store/replica/haul.h"
#include "store/replica/home.h"
#include "store/replica/ring.h"
#include "store/replica/worker.h"

enum { REOPEN_MS = 1000 }; /* after a failure, try again so often */

/* A process with another copy. */
struct link {
    struct replica *replica;
    char node[COPY_NODE];
    char endpoint[256];
    struct hy_peer *peer;
    struct chase *chase;
    struct link *next;
};

struct making { /* a local checkpoint */
    struct job job;
    struct replica *replica;
    struct place place;
    enum hy_err err;
    char why[256];
    bool busy;
};

struct replica {
    struct replica_config config;
    struct replica_events events;
    void *ctx;
    struct db *db;       /* NULL: closed */
    enum hy_err failure; /* why the database has to be closed, or is */
    uint64_t retry_ms;

    /* the only copy */
    bool alone;
    uint64_t epoch, mark;

    /* one of several */
    struct copy *copy;
    struct home home;
    struct db_config db_config; /* with the directory in use */
    struct ring *ring;
    struct worker *worker;
    struct haul_out *haul_out;
    struct haul_in *haul_in;
    struct link *links;
    struct hy_timer *timer;
    char key_state[64], key_leader[64];
    bool knows_state; /* they were read when all had been */
    uint64_t latest;  /* of the database; what the steps were told */
    size_t since_checkpoint;
    uint64_t checkpoint_ms;
    struct making making;
    uint64_t warn_ms; /* when to say that copies are missing; 0: none is */
    bool go_back;
    size_t go_back_to;
    bool fetch;
    char fetch_from[COPY_NODE]; /* also while it is fetched */
    bool closing;
};

/* Write here, hand it to followers, sync. */
enum hy_err replica_write_here(struct replica *r, struct db_batch *batch) HY_CHECKED;
enum hy_err replica_put_reign(struct replica *r, uint64_t epoch) HY_CHECKED;
enum hy_err replica_open_db(struct replica *r, char why[static 256]) HY_CHECKED;
void replica_close_db(struct replica *r);
void replica_tell_open(struct replica *r);
void replica_tell_closing(struct replica *r);
void replica_await_disk(struct replica *r, enum hy_err err, const char *why);

/* replica_checkpoint.c: one is begun when it is due. */
void replica_checkpoint_tick(struct replica *r, uint64_t now_ms);

/* replica_alone.c */
enum hy_err alone_open(struct replica *r, char why[static 256]) HY_CHECKED;
enum hy_err alone_start(struct replica *r, char why[static 256]) HY_CHECKED;
void alone_turn(struct replica *r);
void alone_tick(struct replica *r);
bool replica_has_room(struct replica *r);

/* replica_out.c: what the steps want */
extern const struct copy_out replica_out;
void replica_rebuild(struct replica *r); /* going back, fetching: from the turn */

/* replica_coord.c */
void replica_read_state(struct replica *r);
void replica_read_nodes(struct replica *r);
void replica_ask_change(struct replica *r, const struct copy_change *change);

/* replica_bus.c */
void replica_link(struct replica *r, const char *node, const char *endpoint);
struct link *replica_find_link(struct replica *r, const char *node);
enum hy_err replica_send(struct replica *r, const char *node, const struct msg *msg) HY_CHECKED;
void replica_flush(struct replica *r);
void replica_unlink_all(struct replica *r);
void replica_rest_chases(struct replica *r);

#endif
