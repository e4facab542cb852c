/* copy - one copy of a shard, as pure steps: what it does about everything that happens to it.
 *
 * It has no clock, socket or disk. Events come in through the functions here, each with the time
 * (CLOCK_BOOTTIME, ms); what is to be done goes out through struct copy_out. Any loop can drive it:
 * store/replica.c does with the real things, tests/sim with simulated ones.
 *
 * A copy follows, asks how far others are, takes over, leads, or hands over. Its parts:
 *   epochs   the table of reigns, and where logs part      place, copies, msg   words
 *   insync   who counts, the commit rule                   feed    a follower, as the leader knows
 * it marks    what waits to be told                         apply   what a follower accepts reign.c
 * taking over, claims, handing over             lead.c, follow.c   the two sides of the stream
 */

#ifndef STORE_REPLICA_COPY_H
#define STORE_REPLICA_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "store/replica/copies.h"
#include "store/replica/epochs.h"
#include "store/replica/msg.h"

struct copy;

/* What the coordinator has: shard/<n>/state and shard/<n>/leader. */
struct copy_state {
    bool known;       /* the values were read at all */
    bool there;       /* there is a state */
    uint64_t changed; /* its last change */
    uint64_t epoch;
    struct copies set;
    char heir[COPY_NODE]; /* who was handed the reign, "" */
    bool led;             /* there is a leader key */
    char leader[COPY_NODE];
    uint64_t leader_epoch;
    uint64_t leader_created;
};

enum change_kind {
    CHANGE_TAKE,    /* leader ABSENT, state as read: put both */
    CHANGE_CLAIM,   /* leader ABSENT or CREATED, state CHANGED: put the leader key alone, with the
                       lease there is now; the reign goes on */
    CHANGE_SET,     /* leader CREATED, state CHANGED: put the state */
    CHANGE_RELEASE, /* leader CREATED, state CHANGED: put the state with an heir, delete the key */
    CHANGE_DROP,    /* leader CREATED: delete the key */
};

/* To be changed, all or nothing. The leader key is leased. */
struct copy_change {
    enum change_kind kind;
    bool state_there;        /* guard: 0 means ABSENT */
    uint64_t state_changed;  /* guard */
    uint64_t leader_created; /* guard: 0 means ABSENT */
    uint64_t epoch;
    struct copies set;
    char heir[COPY_NODE];
};

/* What is on the disk. */
struct copy_disk {
    const struct epochs *epochs; /* copied */
    uint64_t latest;             /* of the log, all of it synced */
    bool rebuilding;             /* the marker is there */
    size_t place_count;
    struct place places[PLACES_MAX - 1]; /* where local checkpoints end, newest first */
};

struct copy_out {
    /* HY_EBUSY: try later; HY_ECLOSED: not connected. For BATCH it matters. */
    enum hy_err (*send)(void *ctx, const char *node, const struct msg *msg);
    /* One at a time; copy_changed() comes, never from inside. */
    void (*change)(void *ctx, const struct copy_change *change);
    /* Until when is the lease trusted that the leader key hangs on? */
    uint64_t (*trusted_until_ms)(void *ctx);

    /* Leader: the batch that begins at `first`, for this follower. HY_EBUSY: it is being fetched,
     * copy_readable() will come; HY_ENOTFOUND: it is not kept any more. Lent until the next call.
     */
    enum hy_err (*read)(void *ctx, const char *node, uint64_t first, struct batch_ref *batch);
    /* Leader: could `first` be read? */
    bool (*reaches)(void *ctx, uint64_t first);

    /* Follower: write, not synced. After an error the database is closed: copy_closed() was, or
     * copy_opened() will be called. */
    enum hy_err (*write)(void *ctx, const struct batch_ref *batch);
    /* Sync what is written; copy_synced() comes, maybe from inside. */
    void (*sync)(void *ctx);
    /* Put the marker down, go back to this local checkpoint. Then copy_opened(). */
    void (*go_back)(void *ctx, size_t checkpoint);
    /* Put the marker down, fetch a copy of the leader's database. Then copy_opened(). */
    void (*fetch)(void *ctx, const char *leader);
    /* Take the marker away, and the database that was set aside. */
    void (*whole)(void *ctx);

    /* Write the row of this reign, synced, through copy_wrote() and copy_synced(); then the store
     * may decide. What is not HY_OK: it cannot, step down. */
    enum hy_err (*lead)(void *ctx, uint64_t epoch);
    /* This copy does not lead, or the leader is another. */
    void (*follow)(void *ctx, const char *leader);
    void (*passed)(void *ctx, uint64_t mark);
};

struct copy_config {
    struct copy_id me;
    size_t min_insync;
    uint32_t follower_timeout_ms;
    uint32_t reboot_wait_ms; /* after a start of its machine it lets others go first for so long */
    uint64_t number;         /* numbers of tries begin here: another at each start */
};

enum hy_err copy_open(const struct copy_config *config, const struct copy_out *out, void *ctx,
                      struct copy **copy) HY_CHECKED;
void copy_close(struct copy **copy);

/* ---- what happens ---- */

/* Another node that holds, or will hold, a copy of this shard. */
void copy_peer(struct copy *copy, uint64_t now_ms, const char *node);

/* It is about to end, and need not be waited for; or it is back. */
void copy_leaving(struct copy *copy, const char *node, bool leaving);

/* The database is open / is not usable. */
void copy_opened(struct copy *copy, uint64_t now_ms, const struct copy_disk *disk);
void copy_closed(struct copy *copy, uint64_t now_ms);
/* There is a local checkpoint more, which ends here; the oldest may have gone for it. */
void copy_checkpoint(struct copy *copy, struct place place);

/* The values of the coordinator, when any of them changed. */
void copy_coordinated(struct copy *copy, uint64_t now_ms, const struct copy_state *state);
/* The outcome of the change that was asked for. HY_OK: copy_coordinated() showed it before. */
void copy_changed(struct copy *copy, uint64_t now_ms, enum hy_err err);
/* The lease is gone, and the leader key with it. */
void copy_lease_lost(struct copy *copy, uint64_t now_ms);

void copy_received(struct copy *copy, uint64_t now_ms, const char *from, const struct msg *msg);

/* Leader: this was written here, not synced yet. The bytes are not looked at. */
void copy_wrote(struct copy *copy, uint64_t now_ms, const struct batch_ref *batch);
/* All up to seq is on the disk. */
void copy_synced(struct copy *copy, uint64_t now_ms, uint64_t seq);
void copy_readable(struct copy *copy, uint64_t now_ms, const char *node);

/* The end of a turn: sync, confirm, beat if somebody waits for it. */
void copy_turn(struct copy *copy, uint64_t now_ms);
/* Every 50 ms or so. */
void copy_tick(struct copy *copy, uint64_t now_ms);

/* ---- what the store asks (store/replica.h) ---- */

bool copy_leads(const struct copy *copy);
const char *copy_leader(const struct copy *copy);
/* UINT64_MAX, which never passes: it does not lead, or there is no memory. */
uint64_t copy_mark(struct copy *copy, uint64_t now_ms);
bool copy_passed(const struct copy *copy, uint64_t mark);

/* Has something waited for followers so long that it is better to refuse? */
bool copy_stalled(const struct copy *copy, uint64_t now_ms);

/* Hand the reign to this node, "" to whoever has most. leaving: this copy goes away and need not be
 * waited for afterwards. From here on copy_leads() is false, while marks still pass; then follow()
 * comes, or, if it does not come about in 3 s, copy_leads() is true again. HY_EDENIED: this copy
 * does not lead, or nobody could take it. */
enum hy_err copy_hand_over(struct copy *copy, uint64_t now_ms, const char *to,
                           bool leaving) HY_CHECKED;

/* ---- for metrics ---- */

struct copy_view {
    const char *role; /* "following", "asking", "taking", "leading", "handing" */
    uint64_t epoch, latest, durable, commit;
    size_t insync;
    bool rebuilding, streaming;
};
void copy_look(const struct copy *copy, struct copy_view *view);

/* Leader: how far is this follower? False: it has not joined. */
bool copy_follower(const struct copy *copy, const char *node, uint64_t now_ms, uint64_t *acked,
                   uint64_t *behind_ms);

#endif
