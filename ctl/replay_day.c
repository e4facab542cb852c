#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/replay.h"

enum { TEXT_MAX = 16384, TICK_MS = 250, TOLD_DIFFERENCES = 5 };

/* ---- comparing ---- */

static void differ(struct member *member, const char *where, size_t line, const Hy__Msg *msg)
{
    struct day *day = member->day;

    if (day->differences++ < TOLD_DIFFERENCES)
        fprintf(stderr, "%s: %s of %s: line %zu is not what came (seq %" PRIu64 " from %s)\n",
                day->group, where, member->person->user, line, msg->seq, msg->from);
    member->failed = true;
}

/* Is the message exactly this line? */
static bool is_line(const struct day *day, size_t i, const Hy__Msg *msg)
{
    uint8_t body[TEXT_MAX];
    const struct irc_line *line = &day->log.lines[i];
    size_t len = hongyan_text_body(line->text, strlen(line->text), body, sizeof body);

    return strcmp(msg->from, day->members[line->user].person->user) == 0 && msg->body.len == len &&
           memcmp(msg->body.data, body, len) == 0 &&
           (i >= day->said || day->seqs[i] == 0 || day->seqs[i] == msg->seq);
}

/* ---- the history ---- */

static void read_page(struct member *member, uint64_t from_seq);

static void member_read_all(struct member *member)
{
    struct day *day = member->day;

    if (!member->failed && member->read < day->log.line_count) {
        fprintf(stderr, "%s: the history of %s ends after %zu of %zu lines\n", day->group,
                member->person->user, member->read, day->log.line_count);
        day->differences++;
    }
    if (--day->open == 0) {
        day->stage = DAY_ENDED;
        replay_day_ended(day);
    }
}

static void on_page(void *arg, uint32_t code, const char *info, const Hy__Frame *answer)
{
    struct member *member = arg;
    struct day *day = member->day;
    const Hy__HistoryRes *res = answer != NULL ? answer->history_res : NULL;

    if (day->stage != DAY_READS)
        return;
    if (code != 0 || res == NULL) {
        fprintf(stderr, "%s: history of %s: %u %s\n", day->group, member->person->user, code, info);
        day->differences++;
        member->failed = true;
        member_read_all(member);
        return;
    }
    for (size_t i = 0; i < res->n_msgs && !member->failed; i++) {
        if ((res->msgs[i]->flags & HY__MSG_FLAG__MSG_SYSTEM) != 0)
            continue;
        if (member->read >= day->log.line_count || !is_line(day, member->read, res->msgs[i]))
            differ(member, "history", member->read, res->msgs[i]);
        member->read++;
        day->read_back++;
    }
    day->moved_ms = hy_loop_now_ms(day->replay->loop);
    if (res->complete || member->failed)
        member_read_all(member);
    else
        read_page(member, res->next_seq);
}

static void read_page(struct member *member, uint64_t from_seq)
{
    enum hy_err err = hongyan_history(member->person->client, HY__CONV_TYPE__CONV_GROUP,
                                      member->day->group, from_seq, true, 0, on_page, member);

    if (err != HY_OK)
        on_page(member, 1, hy_err_text(err), NULL);
}

static void start_reading(struct day *day)
{
    day->stage = DAY_READS;
    day->open = day->log.user_count;
    for (size_t i = 0; i < day->log.user_count; i++)
        read_page(&day->members[i], 0);
}

/* ---- the stream ---- */

/* A member's own lines do not come to them. */
static void skip_own(struct member *member)
{
    const struct day *day = member->day;

    while (member->heard < day->said && day->log.lines[member->heard].user == member->index)
        member->heard++;
}

static bool heard_all(struct member *member)
{
    skip_own(member);
    return member->failed || member->heard >= member->day->log.line_count;
}

static void look_whether_settled(struct day *day)
{
    if (day->stage != DAY_SETTLES)
        return;
    for (size_t i = 0; i < day->log.user_count; i++)
        if (!heard_all(&day->members[i]))
            return;
    start_reading(day);
}

void day_heard(struct member *member, const Hy__Msg *msg)
{
    struct day *day = member->day;

    if ((msg->flags & HY__MSG_FLAG__MSG_SYSTEM) != 0 || member->failed || day->stage == DAY_WAITS)
        return;
    /* The answer to a line may come after the line's push to another member. */
    while (member->heard < day->log.line_count &&
           day->log.lines[member->heard].user == member->index)
        member->heard++;
    if (member->heard >= day->log.line_count || !is_line(day, member->heard, msg))
        differ(member, "stream", member->heard, msg);
    member->heard++;
    day->deliveries++;
    day->moved_ms = hy_loop_now_ms(day->replay->loop);
}

/* ---- saying ---- */

static void say_next(struct day *day);

static void on_sent(void *arg, const struct hongyan_sent *sent)
{
    struct day *day = arg;

    day->sending = false;
    if (day->stage != DAY_SENDS)
        return;
    if (sent->code != 0) {
        fprintf(stderr, "%s: line %zu was not sent: %u %s\n", day->group, day->said, sent->code,
                sent->info);
        day->differences++;
        day->stage = DAY_ENDED;
        replay_day_ended(day);
        return;
    }
    day->seqs[day->said++] = sent->seq;
    day->moved_ms = hy_loop_now_ms(day->replay->loop);
    if (day->said < day->log.line_count) {
        say_next(day);
        return;
    }
    day->stage = DAY_SETTLES;
    look_whether_settled(day);
}

/* When the line is due at this speed, steady ms. */
static uint64_t due_ms(const struct day *day)
{
    uint32_t minutes = day->log.lines[day->said].minute - day->log.lines[0].minute;

    if (day->replay->speed <= 0)
        return 0;
    return day->start_ms + (uint64_t)(minutes * 60000.0 / day->replay->speed);
}

static void say_next(struct day *day)
{
    const struct irc_line *line = &day->log.lines[day->said];
    char client_id[65];
    struct hongyan_message message = {
        .conv_type = HY__CONV_TYPE__CONV_GROUP,
        .to = day->group,
        .text = line->text,
        .client_id = client_id,
    };
    enum hy_err err = HY_OK;

    if (due_ms(day) > hy_loop_now_ms(day->replay->loop))
        return; /* the timer comes back */
    day->sending = true;
    snprintf(client_id, sizeof client_id, "%.40s:%zu", day->group, day->said);
    err = hongyan_send(day->members[line->user].person->client, &message, on_sent, day);
    if (err != HY_OK)
        on_sent(day, &(struct hongyan_sent){.code = 1, .info = hy_err_text(err)});
}

/* ---- life ---- */

static void give_up(struct day *day)
{
    size_t waiting = 0;

    for (size_t i = 0; i < day->log.user_count; i++) {
        struct member *member = &day->members[i];

        if (heard_all(member))
            continue;
        waiting++;
        fprintf(stderr, "%s: %s has heard %zu of %zu lines\n", day->group, member->person->user,
                member->heard, day->log.line_count);
    }
    fprintf(stderr, "%s: nothing moved for %" PRId64 " s; %zu members wait\n", day->group,
            day->replay->patience_s, waiting);
    day->differences += waiting > 0 ? waiting : 1;
    day->stage = DAY_ENDED;
    replay_day_ended(day);
}

static void on_timer(void *arg)
{
    struct day *day = arg;
    uint64_t now = hy_loop_now_ms(day->replay->loop);

    if (day->stage == DAY_SENDS && !day->sending) {
        say_next(day); /* if it is due now */
        return;
    }
    look_whether_settled(day);
    if (day->stage != DAY_ENDED && now > day->moved_ms + (uint64_t)day->replay->patience_s * 1000)
        give_up(day);
}

void day_start(struct day *day)
{
    day->start_ms = day->moved_ms = hy_loop_now_ms(day->replay->loop);
    if (hy_timer_open(day->replay->loop, on_timer, day, &day->timer) != HY_OK) {
        day->differences++;
        replay_day_ended(day);
        return;
    }
    hy_timer_every(day->timer, TICK_MS);
    if (day->replay->verify_only) {
        day->said = 0;
        start_reading(day);
        return;
    }
    day->stage = DAY_SENDS;
    say_next(day);
}

void day_close(struct day *day)
{
    hy_timer_close(&day->timer);
    irc_free(&day->log);
    free(day->members);
    free(day->seqs);
}
