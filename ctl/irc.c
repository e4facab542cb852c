#include "ctl/irc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/body.h"
#include "ctl/files.h"

enum { ACCOUNT_MAX = 32 };

/* A nick that is no account id gets one from its hash. */
static void account_of(const char *nick, char out[static ACCOUNT_MAX + 1])
{
    uint64_t hash = 14695981039346656037u;

    snprintf(out, ACCOUNT_MAX + 1, "%s", nick);
    if (strlen(nick) <= ACCOUNT_MAX && hy_account_ok(nick))
        return;
    for (; *nick != '\0'; nick++)
        hash = (hash ^ (uint8_t)*nick) * 1099511628211u;
    snprintf(out, ACCOUNT_MAX + 1, "nick-%016llx", (unsigned long long)hash);
}

/* Latin-1 is what old clients sent that did not send UTF-8; every byte is a character of it. */
static char *to_utf8(const char *text, size_t *converted)
{
    size_t len = strlen(text);
    char *out = malloc(2 * len + 1), *at = out;

    if (out == NULL)
        return NULL;
    if (hy_utf8(text, len))
        return memcpy(out, text, len + 1);
    (*converted)++;
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;

        if (byte >= 0x80) {
            *at++ = (char)(0xc0 | byte >> 6);
            byte = 0x80 | (byte & 0x3f);
        }
        *at++ = (char)byte;
    }
    *at = '\0';
    return out;
}

static bool user_index(struct irc_day *day, const char *account, uint32_t *index)
{
    char **users = NULL;

    for (size_t i = 0; i < day->user_count; i++) {
        if (strcmp(day->users[i], account) == 0) {
            *index = (uint32_t)i;
            return true;
        }
    }
    users = realloc(day->users, (day->user_count + 1) * sizeof *users);
    if (users == NULL)
        return false;
    day->users = users;
    users[day->user_count] = strdup(account);
    *index = (uint32_t)day->user_count;
    return users[day->user_count++] != NULL;
}

static bool add_line(struct irc_day *day, const char *nick, uint32_t minute, const char *text)
{
    char account[ACCOUNT_MAX + 1];
    struct irc_line line = {.minute = minute};
    struct irc_line *lines = realloc(day->lines, (day->line_count + 1) * sizeof *lines);

    if (lines == NULL)
        return false;
    day->lines = lines;
    account_of(nick, account);
    line.text = to_utf8(text, &day->converted);
    lines[day->line_count] = line;
    return line.text != NULL && user_index(day, account, &lines[day->line_count++].user);
}

/* "[HH:MM] <nick> text", cut into its parts in place. */
static bool parse(char *line, uint32_t *minute, char **nick, char **text)
{
    unsigned hour = 0, min = 0;
    int at = 0;
    char *end = NULL;

    if (sscanf(line, "[%2u:%2u] <%n", &hour, &min, &at) != 2 || at == 0)
        return false;
    end = strchr(line + at, '>');
    if (end == NULL || end == line + at)
        return false;
    *end++ = '\0';
    *minute = hour * 60 + min;
    *nick = line + at;
    *text = end + (*end == ' ');
    return true;
}

static enum hy_err take_line(struct irc_day *day, char *line)
{
    uint32_t minute = 0;
    char *nick = NULL, *text = NULL;

    line[strcspn(line, "\r")] = '\0';
    if (line[0] == '\0')
        return HY_OK;
    if (!parse(line, &minute, &nick, &text)) {
        day->other++;
    } else if (text[0] == '\0') {
        day->empty++;
    } else if (!add_line(day, nick, minute, text)) {
        return HY_ENOMEM;
    }
    return HY_OK;
}

static void name_it(struct irc_day *day, const char *path)
{
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    const char *dot = strrchr(base, '.');

    snprintf(day->name, sizeof day->name - 8, "%.*s", (int)(dot != NULL ? dot - base : 40), base);
}

enum hy_err irc_read(const char *path, struct irc_day *day)
{
    char *text = files_read(path, NULL), *rest = text;
    enum hy_err err = HY_OK;

    *day = (struct irc_day){0};
    if (text == NULL)
        return HY_EIO;
    name_it(day, path);
    while (rest != NULL && err == HY_OK) {
        char *line = strsep(&rest, "\n");

        err = take_line(day, line);
    }
    free(text);
    if (err == HY_OK && day->line_count == 0)
        err = HY_EMALFORMED;
    if (err != HY_OK)
        irc_free(day);
    return err;
}

void irc_free(struct irc_day *day)
{
    for (size_t i = 0; i < day->line_count; i++)
        free(day->lines[i].text);
    for (size_t i = 0; i < day->user_count; i++)
        free(day->users[i]);
    free(day->lines);
    free(day->users);
    *day = (struct irc_day){0};
}
