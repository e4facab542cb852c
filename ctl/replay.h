/* replay - days of a chat log as groups of a cluster, and what every member sees of them. */

#ifndef CTL_REPLAY_H
#define CTL_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"
#include "ctl/cluster.h"
#include "ctl/irc.h"
#include "sdk/c/hongyan.h"

struct replay;
struct day;

/* A nick of the log, signed in; the same one in all days. */
struct person {
    struct replay *replay;
    char user[33];
    struct hongyan_client *client;
    struct member *seats; /* in the days under way or done */
    bool online;
};

/* A person's seat in a day: how far the stream and the history have been compared. */
struct member {
    struct day *day;
    struct person *person;
    struct member *next_seat; /* of the same person */
    uint32_t index;           /* in the day's users */
    size_t heard;             /* lines of the day that came, or were their own */
    size_t read;              /* lines that the history gave */
    bool failed;
};

enum day_stage { DAY_WAITS, DAY_SENDS, DAY_SETTLES, DAY_READS, DAY_ENDED };

struct day {
    struct replay *replay;
    struct irc_day log;
    char group[49];
    struct member *members; /* one a user of the log */
    uint64_t *seqs;         /* of the lines that were acknowledged */
    enum day_stage stage;
    size_t said; /* lines acknowledged */
    size_t open; /* members that have not heard, or read, all */
    uint64_t deliveries, read_back, differences;
    uint64_t moved_ms; /* when something came last */
    uint64_t start_ms;
    struct hy_timer *timer;
    bool sending; /* a line is on its way */
};

struct replay {
    struct hy_loop *loop;
    struct cluster cluster;
    struct day *days;
    size_t day_count, ended, started;
    struct person *people;
    size_t person_count, online, connecting;
    struct hy_timer *timer; /* opens clients little by little */
    int64_t parallel;
    int64_t patience_s;
    double speed; /* 0: as fast as it goes */
    const char *prefix;
    bool verify_only, failed;
};

/* Make the accounts and groups over REST; prints what is wrong. */
enum hy_err replay_prepare(struct replay *replay) HY_CHECKED;

/* Say the day's lines one after the other, each when the one before is acknowledged; then wait
 * until all have heard all, and read the history back as every member. Tells replay_day_ended(). */
void day_start(struct day *day);
void day_close(struct day *day);

/* A message for this seat. */
void day_heard(struct member *member, const Hy__Msg *msg);

/* Print the day's line and start the next. */
void replay_day_ended(struct day *day);

#endif
