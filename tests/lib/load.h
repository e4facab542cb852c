/* load - conversations with exact histories: what was sent and how it ended, what everybody was
 * told, read on the way and read at the end. Whether they agree is tests/fault/lab_check.py's to
 * say.
 *
 * Each user has one seat: a client in one conversation (a pair or a group). Texts are "SEAT:N".
 * Times are milliseconds of hy_steady_ms(). */

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

/* FAILED: refused for good; UNKNOWN: nobody said how it ended. */
enum send_state { SEND_OPEN, SEND_OK, SEND_FAILED, SEND_UNKNOWN };

struct sending {
    uint64_t seq;
    uint64_t at_ms, done_ms;
    enum send_state state;
    uint32_t code;
};

enum { SEAT_NONE = UINT32_MAX };

/* A message as somebody saw it. */
struct seen {
    uint64_t seq;
    uint64_t at_ms;
    uint32_t seat, n; /* who said it (SEAT_NONE: the system), and which of theirs it is */
};

struct seen_list {
    struct seen *items;
    size_t count, size;
};

/* A page of the newest messages, read on the way: pages.items[first .. first + count). */
struct peek {
    uint64_t asked_ms, answered_ms;
    size_t first, count;
};

struct peek_list {
    struct peek *items;
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
    struct seen_list stream, history, pages;
    struct peek_list peeks;
    uint64_t peek_ms; /* when the page under way was asked for; 0: none is */
    bool was_online;
};

/* What is printed. */
struct accounts {
    uint64_t sent, acked, failed, unknown;
    uint64_t delivered, peeks;
    uint64_t max_gap_ms, max_ack_ms;
};

enum load_stage { LOAD_CONNECTS, LOAD_SENDS, LOAD_SETTLES, LOAD_READS, LOAD_HEARS, LOAD_ENDED };

struct load {
    struct hy_loop *loop;
    struct hy_timer *timer;
    struct cluster cluster;
    int64_t pairs, groups, members, rate, reads, seconds, send_s, patience_s;
    const char *cluster_file, *json_file, *history_file;
    const char *run; /* in all names */
    char random_run[9];
    struct talk *talks;
    struct seat *seats;
    size_t talk_count, seat_count, online, next_seat, next_peek, reading;
    enum load_stage stage;
    uint64_t begun_ms, acked_ms, moved_ms;
    uint64_t due, peeks_due; /* so far, as the rates want it */
    uint64_t open;           /* sends under way */
    unsigned read_again;
    bool stopped;       /* told to stop sending */
    uint32_t last_code; /* why the last failed */
    struct accounts accounts;
};

/* Make seats, talks, accounts and groups. Prints what is wrong. */
enum hy_err load_set_up(struct load *load) HY_CHECKED;

/* Connect, send, settle and read back; ends by itself, or when nothing moves for patience_s. */
enum hy_err load_run(struct load *load) HY_CHECKED;
void load_close(struct load *load);

/* The message of a conversation this one is. */
struct seen load_parse(const Hy__Msg *msg, uint64_t at_ms);

/* Append; aborts when out of memory. */
void seen_add(struct seen_list *list, struct seen seen);
void peek_add(struct peek_list *list, struct peek peek);

/* Write all histories, one JSON object a line: the run, then each conversation, then each seat. */
enum hy_err load_write_history(const struct load *load) HY_CHECKED;

#endif
