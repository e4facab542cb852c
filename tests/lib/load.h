/* load - conversations with exact accounts: what was sent, what was acknowledged, what everybody
 * saw.
 *
 * Each user has one seat: a client in one conversation (a pair or a group). Texts are "SEAT:N". */

#ifndef TESTS_LIB_LOAD_H
#define TESTS_LIB_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"
#include "ctl/cluster.h"
#include "sdk/c/hongyan.h"

struct load;
struct seat;

enum send_state { SEND_OPEN, SEND_OK, SEND_FAILED };

struct sending {
    uint64_t seq;
    uint64_t at_ms;
    enum send_state state;
};

/* A message as somebody saw it. */
struct seen {
    uint64_t seq;
    uint32_t seat, n; /* who said it, and which of theirs it is */
};

struct seen_list {
    struct seen *items;
    size_t count, size;
};

/* A conversation: seats[first .. first + count). */
struct talk {
    Hy__ConvType type;
    char group[49];
    size_t first, count;
};

struct seat {
    struct load *load;
    struct talk *talk;
    char user[33];
    struct hongyan_client *client;
    struct sending *sends;
    size_t sent, sends_size, open;
    struct seen_list stream, history;
    bool was_online, read_done;
    uint64_t broken; /* times that the stream itself was out of order */
};

/* What is printed. */
struct accounts {
    uint64_t sent, acked, failed, unknown;
    uint64_t delivered, delivered_missing;
    uint64_t lost, doubled, reordered;
    uint64_t max_gap_ms, max_ack_ms;
};

enum load_stage { LOAD_CONNECTS, LOAD_SENDS, LOAD_SETTLES, LOAD_HEARS, LOAD_READS, LOAD_ENDED };

struct load {
    struct hy_loop *loop;
    struct hy_timer *timer;
    struct cluster cluster;
    int64_t pairs, groups, members, rate, seconds, patience_s;
    const char *cluster_file, *json_file;
    char run[9]; /* of this run, in all names */
    struct talk *talks;
    struct seat *seats;
    size_t talk_count, seat_count, online, next_seat, reading;
    enum load_stage stage;
    uint64_t begun_ms, acked_ms, moved_ms;
    uint64_t due;       /* sends so far, as the rate wants it */
    uint64_t open;      /* sends under way */
    bool stopped;       /* told to stop sending */
    uint32_t last_code; /* why the last failed */
    struct accounts accounts;
};

/* Make seats, talks, accounts and groups. Prints what is wrong. */
enum hy_err load_set_up(struct load *load) HY_CHECKED;

/* Connect, send, settle and read back; ends by itself, or when nothing moves for patience_s. */
enum hy_err load_run(struct load *load) HY_CHECKED;
void load_close(struct load *load);

/* "SEAT:N" of a message; false when it is no message of ours (a tip). */
bool load_parse(const Hy__Msg *msg, struct seen *seen);

/* Append; aborts when out of memory. */
void seen_add(struct seen_list *list, struct seen seen);

/* Compare sends, streams and histories, and fill in the accounts. Prints the first differences. */
void load_check(struct load *load);

#endif
