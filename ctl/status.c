#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/http.h"
#include "ctl/nodes.h"
#include "ctl/shard.h"

#include <jansson.h>

enum { READY_MS = 1000, DOWN_MS = 90000 };

/* The supervisor's pid if it runs (it holds the lock of its pid file), or 0. */
static pid_t supervisor_of(const char *dir)
{
    char path[4096], text[32] = "";
    pid_t pid = 0;
    int fd = -1;

    files_path(path, "%s/hongyanctl.pid", dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && read(fd, text, sizeof text - 1) > 0)
        pid = (pid_t)atoi(text);
    close(fd);
    return pid;
}

/* ---- down ---- */

struct down {
    const char *dir;
};

/* clang-format off */
static const struct arg down_args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct down, dir), 0, 0, true, "folder of the cluster"},
    {0},
};
/* clang-format on */

/* True when the process has ended within wait_ms. */
static bool wait_for_end(pid_t pid, int wait_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int ended = fd < 0 ? errno == ESRCH : poll(&poll_fd, 1, wait_ms) == 1;

    if (fd >= 0)
        close(fd);
    return ended;
}

int command_down(const struct command *command, int argc, char **argv)
{
    struct down options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, down_args, argc, argv, &options, &rest);
    pid_t pid = 0;

    args_free(&rest);
    if (code >= 0)
        return code;
    pid = supervisor_of(options.dir);
    if (pid == 0) {
        fprintf(stderr, "hongyanctl: no cluster is up in %s\n", options.dir);
        return EXIT_FAILURE;
    }
    if (kill(pid, SIGTERM) == 0 && wait_for_end(pid, DOWN_MS))
        return EXIT_SUCCESS;
    fprintf(stderr, "hongyanctl: the supervisor (pid %d) does not end\n", (int)pid);
    return EXIT_FAILURE;
}

/* ---- status ---- */

struct status {
    const char *dir;
    const char *output;
    bool quiet;
};

/* clang-format off */
static const struct arg status_args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(struct status, dir), 0, 0, true, "folder of the cluster"},
    {"output", "text|json", ARG_TEXT, offsetof(struct status, output), 0, 0, false, "form of the answer"},
    {"quiet", NULL, ARG_FLAG, offsetof(struct status, quiet), 0, 0, false,
     "print nothing: the exit code says whether the cluster is up"},
    {0},
};
/* clang-format on */

static uint16_t port_of(const char *url)
{
    const char *colon = url != NULL ? strrchr(url, ':') : NULL;

    return colon != NULL ? (uint16_t)atoi(colon + 1) : 0;
}

/* Ask every process. Returns {name: {pid, ready, why}}. */
static json_t *ask_all(const json_t *cluster, bool *all_ready)
{
    json_t *out = json_object(), *pid = NULL;
    const json_t *metrics = json_object_get(cluster, "metrics");
    const char *name = NULL;

    *all_ready = true;
    json_object_foreach(json_object_get(cluster, "pids"), name, pid)
    {
        char why[512];
        uint16_t port = port_of(json_string_value(json_object_get(metrics, name)));
        int answer = http_get(port, strncmp(name, "etcd-", 5) == 0 ? "/health" : "/readyz",
                              READY_MS, why, sizeof why);
        json_t *entry = json_object();

        why[strcspn(why, "\r\n")] = '\0';
        json_object_set(entry, "pid", pid);
        json_object_set_new(entry, "ready", json_boolean(answer == 200));
        if (answer != 200)
            json_object_set_new(entry, "why", json_string(answer == 0 ? "does not answer" : why));
        *all_ready = *all_ready && answer == 200;
        json_object_set_new(out, name, entry);
    }
    return out;
}

static void print_text(const json_t *cluster, const json_t *processes, const json_t *nodes,
                       const json_t *copies)
{
    static const char *const addresses[] = {"demo", "rest", "ws", "wss", "tcp", "tls"};
    const json_t *metrics = json_object_get(cluster, "metrics");
    const char *name = NULL;
    json_t *entry = NULL;

    printf("%-14s %8s  %-6s %s\n", "process", "pid", "state", "metrics");
    json_object_foreach((json_t *)processes, name, entry)
    {
        const char *why = json_string_value(json_object_get(entry, "why"));
        const char *url = json_string_value(json_object_get(metrics, name));

        printf(
            "%-14s %8lld  %s%s\n", name,
            (long long)json_integer_value(json_object_get(entry, "pid")),
            why == NULL ? "ready  " : "not ready: ", why == NULL ? (url == NULL ? "" : url) : why);
    }
    putchar('\n');
    if (nodes != NULL) {
        nodes_print(nodes);
        putchar('\n');
        shard_copies_print(copies);
        putchar('\n');
    }
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const char *address = json_string_value(json_object_get(cluster, addresses[i]));

        if (address != NULL)
            printf("%-14s %s\n", addresses[i], address);
    }
}

static void print_json(const json_t *cluster, json_t *processes, json_t *nodes, json_t *copies,
                       pid_t supervisor)
{
    json_t *out = json_deep_copy(cluster);

    json_object_del(out, "apps"); /* has keys; they stay in the file */
    json_object_set(out, "processes", processes);
    if (nodes != NULL)
        json_object_set(out, "coordinator", nodes);
    json_object_set(out, "copies", copies);
    json_object_set_new(out, "up", json_boolean(supervisor != 0));
    json_dumpf(out, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(out);
}

static int show(const struct status *options, pid_t supervisor)
{
    char path[4096];
    json_t *cluster = NULL, *processes = NULL, *nodes = NULL, *copies = NULL;
    bool all_ready = false;

    files_path(path, "%s/cluster.json", options->dir);
    cluster = json_load_file(path, 0, NULL);
    if (cluster == NULL || supervisor == 0) {
        if (!options->quiet)
            printf("No cluster is up in %s.\n", options->dir);
        json_decref(cluster);
        return EXIT_FAILURE;
    }
    processes = ask_all(cluster, &all_ready);
    nodes = options->quiet ? NULL : nodes_read(cluster);
    copies = options->quiet ? NULL : shard_copies_read(cluster);
    if (options->quiet)
        all_ready = true; /* up is enough */
    else if (options->output != NULL && strcmp(options->output, "json") == 0)
        print_json(cluster, processes, nodes, copies, supervisor);
    else
        print_text(cluster, processes, nodes, copies);
    json_decref(copies);
    json_decref(nodes);
    json_decref(processes);
    json_decref(cluster);
    return all_ready ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_status(const struct command *command, int argc, char **argv)
{
    struct status options = {0};
    struct arg_list rest = {0};
    int code = args_parse(command, status_args, argc, argv, &options, &rest);

    args_free(&rest);
    return code >= 0 ? code : show(&options, supervisor_of(options.dir));
}
