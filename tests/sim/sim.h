/* sim - a shard with its copies, their disks and network, a coordinator and clients, all simulated.
 *
 * One seed is one run, always the same. The copies are the real steps of store/replica; everything
 * around them lies, delays, loses and dies as real things do. What was told to clients is compared
 * with what the logs hold (truth.c). */

#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/replica/copy.h"

enum { NODES_MAX = 5, CLIENTS = 4, CHECKPOINTS = 2, PENDING_MAX = 256 };
enum { MS = 1000, SECOND = 1000 * MS }; /* of the simulation's clock, us */

/* ---- time and chance ---- */

struct sim;
struct event;
typedef void event_fn(struct sim *sim, struct event *event);

struct event {
    uint64_t at_us, serial;
    event_fn *fn;
    int node;      /* whose it is, -1: nobody's. It waits while the node is paused ... */
    unsigned life; /* ... and goes when the node was not up all the time since; 0: it stays */
    int from;
    uint64_t a, b, c;
    void *data; /* freed with the event */
};

struct queue {
    struct event *heap;
    size_t count, room;
    uint64_t serial;
};

uint64_t sim_random(struct sim *sim, uint64_t below);                 /* 0 .. below - 1 */
uint64_t sim_between(struct sim *sim, uint64_t least, uint64_t most); /* both included */
bool sim_chance(struct sim *sim, unsigned percent);

/* Takes data. */
void sim_after(struct sim *sim, uint64_t delay_us, const struct event *event);
bool sim_step(struct sim *sim); /* the next event; false: there is none */

/* ---- disk ---- */

struct entry {
    uint64_t first;
    uint32_t count;
    uint64_t reign; /* row of this reign; 0: of a client */
    uint64_t op;
};

struct log {
    struct entry *entries;
    size_t count, room;
};

struct disk {
    struct log log;
    size_t synced;                       /* entries that a crash leaves */
    struct log checkpoints[CHECKPOINTS]; /* newest first */
    size_t checkpoint_count;
    bool marker;
    unsigned db;   /* its id */
    unsigned boot; /* of its machine */
    size_t kept;   /* entries that can still be read for followers: the newest ... */
    uint64_t slow_until_us;
};

void log_copy(struct log *to, const struct log *from);
void log_add(struct log *log, const struct entry *entry);
void log_clear(struct log *log);
uint64_t log_latest(const struct log *log);
struct place log_place(const struct log *log);
/* The entry that holds seq; NULL: none. */
const struct entry *log_find(const struct log *log, uint64_t seq);
const struct entry *log_op(const struct log *log, uint64_t op);

void disk_crash(struct sim *sim, struct disk *disk);
void disk_tear(struct sim *sim, struct disk *disk);
void disk_wipe(struct sim *sim, struct disk *disk);
void disk_checkpoint(struct disk *disk);
void disk_close(struct disk *disk);

/* ---- coordinator ---- */

struct lease {
    uint64_t id; /* 0: none */
    uint64_t until_us;
};

struct coordinator {
    struct copy_state state;
    uint64_t revision, key_lease, leases_made;
    struct lease leases[NODES_MAX * 4];
    uint64_t down_until_us;
    unsigned under_way; /* changes that may still be made */
};

void coordinator_change(struct sim *sim, int node, const struct copy_change *change);
void coordinator_start(struct sim *sim, int node); /* a process began: lease, first view */
void coordinator_down(struct sim *sim, uint64_t for_us);

/* ---- network ---- */

struct pipe { /* from one node to another, or to and from the coordinator (index NODES_MAX) */
    uint64_t last_us; /* the latest arrival so far: in order within a connection */
    unsigned connection;
    uint64_t cut_until_us;
    bool holds; /* what meets the cut waits, else it is lost */
};

void net_send(struct sim *sim, int from, int to, const struct msg *msg);
/* When something sent now would arrive; 0: never. */
uint64_t net_arrival_us(struct sim *sim, int from, int to);

/* ---- nodes ---- */

struct pending {
    int client;
    uint64_t call, mark, seq, op;
    bool read;
};

struct node {
    struct sim *sim;
    int number;
    char name[COPY_NODE];
    struct disk disk;
    bool up;
    unsigned life;  /* counts its starts */
    unsigned reach; /* counts changes of its database: earlier work on it is void */
    uint64_t paused_until_us;
    uint64_t clock_offset_ms;
    unsigned clock_ppm; /* of the simulation's clock */
    struct copy *copy;
    bool open; /* the database */
    uint64_t lease, trusted_until_ms, view;
    uint64_t change_number; /* of the change that is waited for */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    unsigned fuse;    /* crash at this many more outputs; 0: not set */
    bool doomed;      /* it is dead since some output of this event */
    uint64_t reading; /* this place was fetched for a follower */
    bool io_fails;    /* the next write does */
    uint64_t lead_epoch;
};

uint64_t node_clock_ms(const struct sim *sim, const struct node *node);
void node_start(struct sim *sim, int node);
void node_crash(struct sim *sim, int node);
void node_view(struct sim *sim, int node, const struct copy_state *state, uint64_t revision);
void node_after_event(struct sim *sim, int node);
void node_request(struct sim *sim, struct event *event); /* of a client */
bool node_fails(struct sim *sim, struct node *node);     /* an output: does it die here? */

/* ---- clients ---- */

struct client {
    uint64_t call;        /* number of the call under way */
    uint64_t op;          /* what it appends, 0: it reads */
    uint64_t told_before; /* highest sequence anybody had been told of when the call began */
    bool idle;
    int asks; /* which node */
};

void clients_start(struct sim *sim);
void client_answer(struct sim *sim, int node, const struct pending *pending, bool ok);

/* ---- truth ---- */

struct truth {
    uint64_t *
        ops; /* by sequence of an entry's first row: its op + 1, or reign + 2^32 + 1; 0: not told */
    uint64_t *epochs; /* and the epoch of the leader that told it */
    size_t room;
    uint64_t told; /* highest */
    uint64_t appended, reads, reigns;
    int committed_by[4096]; /* by epoch: node + 1 */
    uint64_t wiped_us;
    bool failed, unwell;
    char why[256];
};

void truth_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void truth_appended(struct sim *sim, int node, const struct pending *pending, uint64_t told_before);
void truth_read(struct sim *sim, int node, const struct pending *pending, uint64_t told_before);
void truth_leads(struct sim *sim, int node, uint64_t epoch);
void truth_passed(struct sim *sim, int node);
void truth_end(struct sim *sim);

/* ---- faults ---- */

void faults_start(struct sim *sim);
/* The coordinator made a change that this node asked for, which does not know it yet. */
void faults_changed(struct sim *sim, int node);

/* ---- a run ---- */

struct sim {
    uint64_t state; /* of chance */
    uint64_t now_us;
    bool stopping; /* clients make no new calls */
    struct queue queue;
    int nodes;
    size_t min_insync;
    unsigned severity; /* of faults, 0: none */
    bool readers;      /* half of the clients only read, and stay */
    bool healing;      /* no new faults */
    bool verbose;
    struct node node[NODES_MAX];
    struct pipe pipe[NODES_MAX + 1][NODES_MAX + 1];
    struct coordinator coordinator;
    struct client clients[CLIENTS];
    uint64_t ops, calls, dbs, changes;
    struct truth truth;
    uint64_t events;
};

struct sim_result {
    bool failed; /* a promise was broken ... */
    bool unwell; /* ... or it never got well again, which breaks none */
    char why[256];
    uint64_t events, appended, reads, reigns, seconds;
};

void sim_run(uint64_t seed, bool verbose, struct sim_result *result);

#define SIM_SAY(sim, ...)                                                                          \
    do {                                                                                           \
        if ((sim)->verbose)                                                                        \
            sim_say(sim, __VA_ARGS__);                                                             \
    } while (0)
void sim_say(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
