/* file: whole or not at all, and words for what failed. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"

static char root[64];
static char why[256];

static const char *in(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void assert_holds(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_true(fgets(got, sizeof got, file) != NULL);
    fclose(file);
    assert_string_equal(got, text);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/hy-file-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    return hy_dir_remove(root) ? 0 : 1;
}

static void a_file_is_replaced_for_its_owner_alone(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(hy_file_replace(in("a"), "old", 3, true, why), HY_OK);
    assert_int_equal(hy_file_replace(in("a"), "new", 3, false, why), HY_OK);
    assert_holds(in("a"), "new");
    assert_int_equal(stat(in("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* Files of this process may have 2 bytes, so the third fails. */
static void what_cannot_be_written_leaves_the_file_as_it_was(void **state)
{
    struct rlimit before, little = {2, RLIM_INFINITY};
    char aside[600];
    enum hy_err err;

    (void)state;
    assert_int_equal(hy_file_replace(in("a"), "ok", 2, true, why), HY_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    err = hy_file_replace(in("a"), "more", 4, true, why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, HY_EIO);
    assert_non_null(strstr(why, "cannot write"));
    assert_holds(in("a"), "ok");
    snprintf(aside, sizeof aside, "%s.new-%d", in("a"), (int)getpid());
    assert_int_not_equal(access(aside, F_OK), 0);
}

static void what_failed_is_told_with_its_path(void **state)
{
    (void)state;
    assert_int_equal(hy_file_replace(in("none/a"), "x", 1, true, why), HY_ENOTFOUND);
    assert_non_null(strstr(why, "cannot create"));
    assert_non_null(strstr(why, "none/a"));
    assert_int_equal(hy_dir_sync(in("none"), why), HY_ENOTFOUND);
    assert_int_equal(hy_file_replace(in("a"), "x", 1, false, why), HY_OK);
    assert_int_equal(hy_dir_make(in("a/b"), why), HY_EIO);
    assert_non_null(strstr(why, "Not a directory"));
}

static void folders_are_made_and_removed_with_what_is_above_and_in_them(void **state)
{
    (void)state;
    assert_int_equal(hy_dir_make(in("a/b/c"), why), HY_OK);
    assert_int_equal(hy_dir_make(in("a/b/c"), why), HY_OK);
    assert_int_equal(hy_file_replace(in("a/b/c/file"), "x", 1, true, why), HY_OK);
    assert_true(hy_dir_remove(in("a")));
    assert_int_not_equal(access(in("a"), F_OK), 0);
    assert_true(hy_dir_remove(in("a"))); /* nothing is left of what was not there */
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    static char path[4200];

    (void)state;
    memset(path, 'a', sizeof path - 1);
    assert_int_equal(hy_file_replace(path, "x", 1, true, why), HY_EIO);
    assert_int_equal(hy_dir_make(path, why), HY_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_replaced_for_its_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_the_file_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_failed_is_told_with_its_path, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made_and_removed_with_what_is_above_and_in_them,
                                        set_up, tear_down),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
