#include "ctl/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct options {
    const char *dir;
    int64_t number;
    bool flag;
    struct arg_list sets;
};

static const struct arg rows[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct options, dir), 0, 0, true, "folder"},
    {"number", "N", ARG_INT, offsetof(struct options, number), 1, 10, false, "number"},
    {"flag", NULL, ARG_FLAG, offsetof(struct options, flag), 0, 0, false, "flag"},
    {"set", "K=V", ARG_LIST, offsetof(struct options, sets), 0, 0, false, "setting"},
    {0},
};
static const struct command command = {"test", "", "", NULL};

/* Parse words that end with NULL. */
static int parse(struct options *options, struct arg_list *rest, ...)
{
    char *argv[16];
    int argc = 0;
    va_list list;

    *options = (struct options){.number = 3};
    *rest = (struct arg_list){0};
    va_start(list, rest);
    while ((argv[argc] = va_arg(list, char *)) != NULL)
        argc++;
    va_end(list);
    return args_parse(&command, rows, argc, argv, options, rest);
}

static void let_go(struct options *options, struct arg_list *rest)
{
    args_free(&options->sets);
    args_free(rest);
}

static void options_and_words_may_be_mixed(void **state)
{
    struct options options;
    struct arg_list rest;

    (void)state;
    assert_int_equal(parse(&options, &rest, "one", "--dir", "d", "--set", "a=1", "--number=7",
                           "two", "--flag", "--set=b=2", "--", "--three", NULL),
                     -1);
    assert_string_equal(options.dir, "d");
    assert_int_equal(options.number, 7);
    assert_true(options.flag);
    assert_int_equal(options.sets.count, 2);
    assert_string_equal(options.sets.items[1], "b=2");
    assert_int_equal(rest.count, 3);
    assert_string_equal(rest.items[2], "--three");
    let_go(&options, &rest);
}

static void what_is_not_given_keeps_its_default(void **state)
{
    struct options options;
    struct arg_list rest;

    (void)state;
    assert_int_equal(parse(&options, &rest, "--dir", "d", NULL), -1);
    assert_int_equal(options.number, 3);
    assert_false(options.flag);
    let_go(&options, &rest);
}

static void wrong_calls_are_refused(void **state)
{
    struct options options;
    struct arg_list rest;

    (void)state;
    assert_int_equal(parse(&options, &rest, NULL), 2); /* --dir is needed */
    assert_int_equal(parse(&options, &rest, "--dir", NULL), 2);
    assert_int_equal(parse(&options, &rest, "--dir", "d", "--nothing", NULL), 2);
    assert_int_equal(parse(&options, &rest, "--dir", "d", "--flag=yes", NULL), 2);
    assert_int_equal(parse(&options, &rest, "--dir", "d", "--number", "11", NULL), 2);
    assert_int_equal(parse(&options, &rest, "--dir", "d", "--number", "3x", NULL), 2);
}

static void numbers_are_read_whole_and_in_range(void **state)
{
    int64_t number = 0;

    (void)state;
    assert_true(args_number("-5", -5, 5, &number));
    assert_int_equal(number, -5);
    assert_false(args_number("6", -5, 5, &number));
    assert_false(args_number("", 0, 5, &number));
    assert_false(args_number("1 ", 0, 5, &number));
    assert_false(args_number("99999999999999999999", INT64_MIN, INT64_MAX, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_words_may_be_mixed),
        cmocka_unit_test(what_is_not_given_keeps_its_default),
        cmocka_unit_test(wrong_calls_are_refused),
        cmocka_unit_test(numbers_are_read_whole_and_in_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
