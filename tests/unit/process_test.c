/* A process as the shell sees it: exit codes, signals, the ports file. */

#include "common/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct hy_setting table[] = {{0}};
static const struct hy_settings_spec spec = {"thing", table, sizeof(struct hy_common_settings)};

static char dir[] = "/tmp/hy-process-XXXXXX";
static char config[64], ports[64], marks[64];

static void write_config(const char *more)
{
    FILE *file = fopen(config, "w");

    assert_non_null(file);
    fprintf(file, "ports_file = \"%s\";\n%s\n", ports, more);
    fclose(file);
}

/* Leave a mark for the test to see. */
static void mark(const char *what)
{
    FILE *file = fopen(marks, "a");

    if (file != NULL) {
        fputs(what, file);
        fclose(file);
    }
}

static void on_reloaded(void *ctx, void *settings)
{
    (void)ctx;
    (void)settings;
    mark("reloaded ");
}

static void on_stopping(void *ctx)
{
    mark("stopping ");
    hy_loop_stop(((struct hy_process *)ctx)->loop);
}

/* What a program's main does. */
static int thing_main(int argc, char **argv)
{
    struct hy_process process = {.reloaded = on_reloaded, .stopping = on_stopping, .ctx = &process};
    int exit_code;

    if (!hy_process_start(&process, &spec, argc, argv, &exit_code))
        return exit_code;
    hy_process_port(&process, "bus", "tcp://127.0.0.1:7");
    hy_process_ports_done(&process);
    hy_process_run(&process);
    hy_process_end(&process);
    return exit_code;
}

static pid_t start(char *option)
{
    char *argv[] = {(char *)"thing", (char *)"--config", config, option, NULL};
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
        _exit(99);
    _exit(thing_main(option != NULL ? 4 : 3, argv));
}

static int wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Wait until a file has the text; fails after 10 s. */
static void until_has(const char *path, const char *text)
{
    for (int i = 0; i < 1000; i++) {
        char content[256] = "";
        FILE *file = fopen(path, "r");

        if (file != NULL) {
            size_t n = fread(content, 1, sizeof content - 1, file);

            content[n] = '\0';
            fclose(file);
        }
        if (strstr(content, text) != NULL)
            return;
        usleep(10000);
    }
    fail_msg("%s never had \"%s\"", path, text);
}

static void quick_options_end_at_once(void **state)
{
    (void)state;
    write_config("");
    assert_int_equal(wait_for(start((char *)"--version")), 0);
    assert_int_equal(wait_for(start((char *)"--help")), 0);
    assert_int_equal(wait_for(start((char *)"--check-config")), 0);
    assert_int_equal(wait_for(start((char *)"--print-config")), 0);
    assert_int_equal(wait_for(start((char *)"--config-doc")), 0);
    assert_int_equal(wait_for(start((char *)"--nonsense")), 2);
    assert_int_equal(wait_for(start((char *)"extra")), 2);
    write_config("zap = 1;");
    assert_int_equal(wait_for(start((char *)"--check-config")), 1);
    assert_int_equal(wait_for(start(NULL)), 1);
}

static void it_tells_its_ports_reloads_and_stops_cleanly(void **state)
{
    pid_t pid;

    (void)state;
    write_config("");
    pid = start(NULL);
    until_has(ports, "status=");
    until_has(ports, "bus=tcp://127.0.0.1:7\n");
    /* The signals are handled from the loop's first turn on, which begins after the ports are told.
     */
    usleep(100000);
    write_config("log: { level = \"warn\"; };");
    kill(pid, SIGHUP);
    until_has(marks, "reloaded ");
    kill(pid, SIGTERM);
    assert_int_equal(wait_for(pid), 0);
    until_has(marks, "stopping ");
}

static int make_dir(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(config, sizeof config, "%s/thing.conf", dir);
    snprintf(ports, sizeof ports, "%s/ports", dir);
    snprintf(marks, sizeof marks, "%s/marks", dir);
    return 0;
}

static int drop_dir(void **state)
{
    (void)state;
    unlink(config);
    unlink(ports);
    unlink(marks);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_options_end_at_once),
        cmocka_unit_test(it_tells_its_ports_reloads_and_stops_cleanly),
    };

    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
