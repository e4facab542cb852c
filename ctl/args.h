/* args - a command's options from a table: parsing, range checks and --help walk the same rows. */

#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arg_type {
    ARG_FLAG, /* bool; given or not */
    ARG_TEXT, /* const char * */
    ARG_INT,  /* int64_t */
    ARG_LIST, /* struct arg_list; may be given again */
};

struct arg_list {
    const char **items; /* point into argv */
    size_t count;
};

struct arg {
    const char *name;  /* without the dashes */
    const char *value; /* what the value is called in --help; NULL for a flag */
    enum arg_type type;
    size_t offset;
    int64_t least, most; /* INT */
    bool needed;
    const char *help;
};

/* One command of the program; the table is in main.c. */
struct command {
    const char *name;  /* "up", or "app create" */
    const char *usage; /* what comes after the name: "--dir DIR [options]" */
    const char *help;  /* one sentence */
    int (*run)(const struct command *command, int argc, char **argv); /* exit code */
};

/* What the program is called in messages and --help; main() may change it at first. */
extern const char *args_program;

/* Read argv[0..argc) into the struct at `into` (defaults are there already) and *rest, the words
 * that are no options. rows end with a NULL name. Returns -1 to go on, or the exit code: 0 after
 * --help, 2 after an error that was printed. */
int args_parse(const struct command *command, const struct arg *rows, int argc, char **argv,
               void *into, struct arg_list *rest);

/* Free what a list holds. */
void args_free(struct arg_list *list);

/* Print an error about how the command was called, with a pointer to --help. Returns 2. */
int args_wrong(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Read a whole number with its range. */
bool args_number(const char *text, int64_t least, int64_t most, int64_t *number);

#endif
