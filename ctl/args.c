#include "ctl/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *args_program = "hongyanctl";

static void print_help(const struct command *command, const struct arg *rows)
{
    printf("usage: %s %s %s\n\n%s\n\n", args_program, command->name, command->usage, command->help);
    for (; rows->name != NULL; rows++) {
        char left[64];

        snprintf(left, sizeof left, "--%s%s%s", rows->name, rows->value != NULL ? " " : "",
                 rows->value != NULL ? rows->value : "");
        printf("  %-26s %s\n", left, rows->help);
    }
}

int args_wrong(const struct command *command, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "%s %s: ", args_program, command->name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, " (see %s %s --help)\n", args_program, command->name);
    return 2;
}

bool args_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end = NULL;

    errno = 0;
    *number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= least && *number <= most;
}

static bool list_add(struct arg_list *list, const char *item)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (items == NULL)
        return false;
    list->items = items;
    items[list->count++] = item;
    return true;
}

void args_free(struct arg_list *list)
{
    free(list->items);
    *list = (struct arg_list){0};
}

/* The row of "--name" or "--name=value"; *value is set for the latter. */
static const struct arg *find(const struct arg *rows, const char *word, const char **value)
{
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);

    *value = equals != NULL ? equals + 1 : NULL;
    for (; rows->name != NULL; rows++)
        if (strlen(rows->name) == len && memcmp(rows->name, word, len) == 0)
            return rows;
    return NULL;
}

static int store(const struct command *command, const struct arg *row, const char *value,
                 void *into)
{
    void *at = (char *)into + row->offset;

    switch (row->type) {
    case ARG_FLAG:
        *(bool *)at = true;
        return -1;
    case ARG_TEXT:
        *(const char **)at = value;
        return -1;
    case ARG_LIST:
        return list_add(at, value) ? -1 : args_wrong(command, "out of memory");
    case ARG_INT:
        if (args_number(value, row->least, row->most, at))
            return -1;
        return args_wrong(command, "--%s is a number from %" PRId64 " to %" PRId64 ", not %s",
                          row->name, row->least, row->most, value);
    }
    return -1;
}

/* One option at argv[*at]; moves *at over its value. */
static int take(const struct command *command, const struct arg *rows, int argc, char **argv,
                int *at, void *into)
{
    const char *value = NULL;
    const struct arg *row = find(rows, argv[*at] + 2, &value);

    if (row == NULL)
        return args_wrong(command, "unknown option %s", argv[*at]);
    if (row->type == ARG_FLAG && value != NULL)
        return args_wrong(command, "--%s takes no value", row->name);
    if (row->type != ARG_FLAG && value == NULL) {
        if (*at + 1 >= argc)
            return args_wrong(command, "--%s needs %s", row->name, row->value);
        value = argv[++*at];
    }
    return store(command, row, value, into);
}

static int check_needed(const struct command *command, const struct arg *rows, const void *into)
{
    for (; rows->name != NULL; rows++) {
        const void *at = (const char *)into + rows->offset;

        if (rows->needed && rows->type == ARG_TEXT && *(const char *const *)at == NULL)
            return args_wrong(command, "--%s %s is needed", rows->name, rows->value);
    }
    return -1;
}

int args_parse(const struct command *command, const struct arg *rows, int argc, char **argv,
               void *into, struct arg_list *rest)
{
    bool only_words = false;

    for (int i = 0; i < argc; i++) {
        int code = -1;

        if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(command, rows);
            return 0;
        }
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && strncmp(argv[i], "--", 2) == 0)
            code = take(command, rows, argc, argv, &i, into);
        else if (!list_add(rest, argv[i]))
            code = args_wrong(command, "out of memory");
        if (code >= 0)
            return code;
    }
    return check_needed(command, rows, into);
}
