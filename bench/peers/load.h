/* load - the driver of a peer: worker processes, each with a slice of the users, that sign in,
 * send, receive and keep an exact account of it in memory they share with the parent. */

#ifndef BENCH_PEERS_LOAD_H
#define BENCH_PEERS_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/hist.h"
#include "bench/peers/link.h"
#include "bench/peers/protocol.h"
#include "bench/result.h"

enum { LOAD_WORKERS = 16, LOAD_STREAMS = 64, LOAD_PIDS = 16, TO_ROOM = UINT32_MAX };

struct load_options {
    const struct protocol *protocol;
    uint16_t port;
    int pids[LOAD_PIDS]; /* of the server; their children count too */
    unsigned pid_count, workers;
    uint32_t seconds, rate, pairs, window, links, members, depth;
    uint8_t qos;
    const char *durability;
    uint32_t heartbeat_ms, at_once;
};

enum load_phase { LOAD_OPEN, LOAD_FILL, LOAD_RUN, LOAD_MEASURE, LOAD_SETTLE, LOAD_END };

struct tally { /* of one worker; written by it alone */
    _Atomic uint32_t online, refused;
    _Atomic uint64_t sent, acked, failed, delivered, doubled, gaps, pages;
    _Atomic uint64_t user_us, system_us; /* CPU, its own */
    _Atomic enum load_phase turned;      /* the phase of its last whole turn */
    struct hist latency;
    char padding[4096];
};

struct board { /* shared by all processes of the driver */
    _Atomic enum load_phase phase;
    _Atomic uint32_t allowed[LOAD_WORKERS]; /* users that a worker may open so far */
    struct {
        _Atomic uint64_t received; /* deliveries of this stream, by all */
        char padding[56];
    } room[LOAD_STREAMS];
    struct tally tally[LOAD_WORKERS];
};

enum load_kind { LOAD_IDLE, LOAD_SIGN_IN, LOAD_ACCOUNTS, LOAD_PAIRS, LOAD_ROOM, LOAD_PAGES };

struct stream { /* one sender to one user or to the room */
    struct link *link;
    uint32_t to;
    uint64_t id, sent; /* sent: number of the last message */
};

struct worker {
    const struct load_options *options;
    enum load_kind kind;
    struct board *board;
    struct tally *tally;
    unsigned index;
    int epoll;
    uint32_t count, opened; /* its users */
    struct link *links, *dirty;
    struct stream *streams;
    uint32_t stream_count, beat_next;
    uint64_t begun_us, due_count, beat_at_us;
    uint64_t fresh[LOAD_STREAMS]; /* deliveries of a turn that the board does not know yet */
    enum load_phase phase;        /* as it was when this turn began */
};

/* What a protocol tells of a link. */
void load_online(struct link *link);
void load_refused(struct link *link, const char *why, size_t len);
void load_acked(struct link *link);
void load_failed(struct link *link, const char *why, size_t len);
void load_text(struct link *link, const char *text, size_t len);
void load_row(struct link *link);
void load_page(struct link *link); /* link->cursor says where the next one begins */

/* Run one scenario against the server and fill result. */
enum hy_err load_run(const struct load_options *options, enum load_kind kind,
                     struct result *result) HY_CHECKED;

#endif
