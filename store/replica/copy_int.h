/* copy_int - what the files of copy share. */

#ifndef STORE_REPLICA_COPY_INT_H
#define STORE_REPLICA_COPY_INT_H

#include "store/replica/apply.h"
#include "store/replica/broken.h"
#include "store/replica/copy.h"
#include "store/replica/feed.h"
#include "store/replica/insync.h"
#include "store/replica/marks.h"

enum role { FOLLOWING, ASKING, TAKING, LEADING, HANDING };

enum {
    ASK_MS = 300,      /* candidates hear each other for so long */
    HEIR_MS = 1000,    /* an heir goes first for so long */
    JOIN_MS = 300,     /* ask to join again */
    BEAT_MS = 250,     /* a leader that says nothing else */
    RETRY_MS = 500,    /* a change whose outcome is unknown or that was refused */
    STALL_MS = 1000,   /* what waits longer for followers is refused */
    HANDOVER_MS = 3000 /* give up waiting for the heir to have all */
};

struct peer {
    char node[COPY_NODE];
    struct feed feed; /* while this copy leads */
    bool leaving;
    /* what it said in this round of questions */
    bool answered, rebuilding;
    struct copy_id id;
    struct place place;
};

struct copy {
    struct copy_config config;
    struct copy_out out;
    void *ctx;

    struct peer peers[COPIES_MAX];
    size_t peer_count;

    /* the disk */
    bool open;       /* the database is usable */
    bool busy;       /* it goes back or is fetched */
    bool rebuilding; /* not electable */
    bool dirty;      /* something is not synced */
    bool acks;       /* the leader is to be told */
    struct epochs epochs;
    uint64_t latest, durable;
    size_t place_count;
    struct place places[PLACES_MAX - 1];

    struct copy_state state;

    /* the reign */
    uint64_t now_ms; /* of the tick under way */

    enum role role;
    uint64_t epoch; /* led, or asked for */
    uint64_t reign; /* sequence it began at */
    uint64_t asked; /* number of a round of questions */
    uint64_t asked_ms, take_ms, rest_ms;
    uint64_t heir_ms;  /* since when there is an heir and no leader; 0: not so */
    uint64_t unled_ms; /* since when there is no leader; 0: there is one */
    uint64_t handing_ms;
    char handing_to[COPY_NODE];
    uint64_t handing_stamp; /* a beat sent since then */
    bool leaving;
    bool changing; /* a change is under way */
    struct copy_change change;
    uint64_t lease_lost_count, change_lease; /* leases lost so far, and when it was asked for */
    bool claimed;                            /* the leader key hangs on the lease there is now */
    uint64_t retry_ms;
    uint64_t set_changed, set_created; /* guards of a set that was asked for */

    /* following */
    struct apply apply;
    uint64_t joined_ms;

    /* leading */
    struct insync insync;
    struct marks marks;
    uint64_t stamp; /* of the last beat sent */
    uint64_t beat_ms;
};

struct peer *copy_find_peer(struct copy *c, const char *node);
bool copy_is_me(const struct copy *c, const char *node);
void copy_send(struct copy *c, const char *node, struct msg *msg);

/* A younger reign is known of. */
void copy_saw(struct copy *c, uint64_t now_ms, uint64_t epoch);

/* reign.c */
void reign_coordinated(struct copy *c, uint64_t now_ms);
void reign_changed(struct copy *c, uint64_t now_ms, enum hy_err err);
void reign_tick(struct copy *c, uint64_t now_ms);
void reign_asked(struct copy *c, const char *from, const struct msg *msg);
void reign_answered(struct copy *c, const char *from, const struct msg *msg);
void reign_end(struct copy *c, uint64_t now_ms);
bool reign_led(const struct copy *c);
void reign_ask_change(struct copy *c, const struct copy_change *change);
void reign_handing(struct copy *c, uint64_t now_ms);

/* lead.c */
void lead_begin(struct copy *c, uint64_t now_ms, const struct copies *set);
uint64_t lead_has(void *arg, const struct copy_id *id); /* insync_has_fn; arg: the copy */
void lead_joined(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg);
void lead_acked(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg);
void lead_look(struct copy *c, uint64_t now_ms); /* commit, marks */
void lead_pump(struct copy *c, struct peer *peer);
void lead_tick(struct copy *c, uint64_t now_ms);
uint64_t lead_proven(struct copy *c); /* the newest beat that all who count confirmed */
void lead_beat(struct copy *c, uint64_t now_ms);
void lead_turn(struct copy *c, uint64_t now_ms);
bool lead_trusted(const struct copy *c, uint64_t now_ms);

/* follow.c */
void follow_told(struct copy *c, uint64_t now_ms, const char *from, const struct msg *msg);
void follow_coordinated(struct copy *c, uint64_t now_ms);
void follow_tick(struct copy *c, uint64_t now_ms);
void follow_turn(struct copy *c, uint64_t now_ms);
void follow_synced(struct copy *c);

#endif
