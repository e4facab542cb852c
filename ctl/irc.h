/* irc - one day of a chat channel's log: who said what, in order.
 *
 * Lines "[HH:MM] <nick> text" are said; others (joins, notices) are counted only. Nicks become
 * account ids, texts become UTF-8. */

#ifndef CTL_IRC_H
#define CTL_IRC_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct irc_line {
    uint32_t user;   /* in users */
    uint32_t minute; /* of the day */
    char *text;      /* UTF-8, not empty */
};

struct irc_day {
    char name[49]; /* the file's, fit for a group id */
    struct irc_line *lines;
    size_t line_count;
    char **users;
    size_t user_count;
    size_t other;     /* lines that nobody said */
    size_t empty;     /* said, but without text: no message */
    size_t converted; /* were no UTF-8, and read as Latin-1 */
};

/* Read a log. HY_EIO, HY_ENOMEM; HY_EMALFORMED: nobody said anything in it. */
enum hy_err irc_read(const char *path, struct irc_day *day) HY_CHECKED;
void irc_free(struct irc_day *day);

#endif
