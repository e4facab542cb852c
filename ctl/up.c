#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "ctl/commands.h"
#include "ctl/files.h"
#include "ctl/layout.h"
#include "ctl/plan.h"
#include "ctl/supervisor.h"

enum { WAIT_S = 30 };

/* clang-format off */
#define P struct plan
static const struct arg args[] = {
    {"dir", "DIR", ARG_TEXT, offsetof(P, dir), 0, 0, true, "folder of the cluster; made if it is not there"},
    {"gateways", "N", ARG_INT, offsetof(P, gateways), 1, PLAN_MOST, false, "number of gateways (1)"},
    {"routers", "N", ARG_INT, offsetof(P, routers), 1, PLAN_MOST, false, "number of routers (1)"},
    {"presence", "N", ARG_INT, offsetof(P, presences), 1, PLAN_MOST, false, "number of presence processes (1)"},
    {"shards", "N", ARG_INT, offsetof(P, shards), 1, PLAN_MOST, false, "number of shards (1, or as many as it has); with etcd, shard add and shard drain change it later"},
    {"replicas", "N", ARG_INT, offsetof(P, replicas), 1, PLAN_COPIES, false, "copies of each shard; 2 and more need etcd, which is started (1)"},
    {"etcd", "N", ARG_INT, offsetof(P, etcd), 0, 3, false, "members of an etcd that coordinates the cluster, 1 or 3: processes can then come and go (0)"},
    {"detach", NULL, ARG_FLAG, offsetof(P, detach), 0, 0, false, "return when everything is ready"},
    {"bin", "DIR", ARG_TEXT, offsetof(P, bin), 0, 0, false, "where the programs are (beside hongyanctl)"},
    {"set", "COMPONENT.KEY=VALUE", ARG_LIST, offsetof(P, sets), 0, 0, false, "a setting, as in gateway.heartbeat_ms=1000 or store-1.log.level=debug"},
    {"app-set", "NAME=VALUE", ARG_LIST, offsetof(P, app_sets), 0, 0, false, "a setting of the first app, as in group_rate=0"},
    {"bus", "ipc|tcp", ARG_TEXT, offsetof(P, bus), 0, 0, false, "between processes: ipc sockets (default), or tcp with CURVE"},
    {"host", "ADDRESS", ARG_TEXT, offsetof(P, host), 0, 0, false, "where gateways listen (127.0.0.1)"},
    {"console", "DIR", ARG_TEXT, offsetof(P, console), 0, 0, false, "pages of the demo; \"\" for no demo"},
    {"wait", "SECONDS", ARG_INT, offsetof(P, wait_s), 1, 3600, false, "how long the start may take (30)"},
    {0},
};
#undef P
/* clang-format on */

/* The lock says who runs; the number in the file is for `down`. Kept open until the end. -1: it
 * runs already, or the file cannot be written. */
static int take_pid_file(const struct layout *layout)
{
    char path[4096], text[16];
    int fd = -1, len = 0;

    files_path(path, "%s/hongyanctl.pid", layout->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        fprintf(stderr, "hongyanctl: %s: %s\n", path,
                errno == EWOULDBLOCK ? "this cluster is up already" : strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    len = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)len) == len)
        return fd;
    close(fd);
    return -1;
}

/* Everything is ready: let the waiting parent go, or greet. */
static void tell_ready(const struct layout *layout, int ready_fd)
{
    if (ready_fd >= 0) {
        if (write(ready_fd, "+", 1) != 1)
            hy_log_warn("parent.gone", "why=\"%s\"", strerror(errno));
        close(ready_fd);
        return;
    }
    printf("The cluster is up: %s/cluster.json. Ctrl-C stops it.\n", layout->dir);
    fflush(stdout);
}

/* Run the cluster until it is told to stop. ready_fd: where a parent waits, or -1. */
static int supervise(struct plan *plan, struct layout *layout, int ready_fd)
{
    struct hy_loop *loop = NULL;
    struct supervisor *supervisor = NULL;
    int pid_fd = take_pid_file(layout);
    enum hy_err err = pid_fd >= 0 ? plan_settle_shards(plan, layout) : HY_EEXIST;

    signal(SIGPIPE, SIG_IGN);
    if (err == HY_OK)
        err = hy_loop_open(&loop);
    if (err == HY_OK)
        err = supervisor_open(loop, plan, layout, &supervisor);
    if (err == HY_OK)
        err = supervisor_start(supervisor);
    if (err == HY_OK) {
        plan_copies_settled(layout);
        tell_ready(layout, ready_fd);
        supervisor_run(supervisor);
    }
    supervisor_close(&supervisor);
    hy_loop_close(&loop);
    if (pid_fd >= 0)
        close(pid_fd);
    return err == HY_OK || err == HY_ECLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* In the background: no terminal, and the log in a file once the parent was told. */
static int become_daemon(struct plan *plan, struct layout *layout, int ready_fd)
{
    char path[4096];
    int log = -1, nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid();
    files_path(path, "%s/log/hongyanctl.log", layout->dir);
    log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log < 0 || nothing < 0)
        return EXIT_FAILURE;
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO); /* a test that reads our output until its end must see the end */
    dup2(log, STDERR_FILENO);
    return supervise(plan, layout, ready_fd);
}

/* Show what the supervisor had to say in vain. */
static void show_log_since(const struct layout *layout, long size)
{
    char path[4096];
    char *text = NULL;
    size_t len = 0;

    files_path(path, "%s/log/hongyanctl.log", layout->dir);
    text = files_read(path, &len);
    if (text != NULL && len > (size_t)size)
        fputs(text + size, stderr);
    free(text);
}

static long log_size(const struct layout *layout)
{
    char path[4096];
    size_t len = 0;

    files_path(path, "%s/log/hongyanctl.log", layout->dir);
    free(files_read(path, &len));
    return (long)len;
}

static int detach(struct plan *plan, struct layout *layout)
{
    int pipe_fds[2];
    char byte = 0;
    long size = log_size(layout);
    pid_t pid = -1;

    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return EXIT_FAILURE;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(pipe_fds[0]);
        exit(become_daemon(plan, layout, pipe_fds[1]));
    }
    close(pipe_fds[1]);
    if (pid > 0 && read(pipe_fds[0], &byte, 1) == 1) {
        close(pipe_fds[0]);
        return EXIT_SUCCESS;
    }
    close(pipe_fds[0]);
    show_log_since(layout, size);
    fprintf(stderr, "hongyanctl: the cluster did not start\n");
    return EXIT_FAILURE;
}

/* Clients, files and sockets: children inherit the limit. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        hy_log_warn("limit.kept", "descriptors=%lu", (unsigned long)limit.rlim_cur);
}

int command_up(const struct command *command, int argc, char **argv)
{
    struct plan plan = {.gateways = 1, .routers = 1, .presences = 1};
    struct arg_list rest = {0};
    struct layout layout;
    int code = 0;

    plan.host = "127.0.0.1";
    plan.bus = "ipc";
    plan.wait_s = WAIT_S;
    code = args_parse(command, args, argc, argv, &plan, &rest);
    if (code < 0 && rest.count > 0)
        code = args_wrong(command, "unexpected argument %s", rest.items[0]);
    if (plan.replicas > 1 && plan.etcd == 0)
        plan.etcd = 1;
    if (code < 0 && plan_settle_copies(&plan) != HY_OK)
        code = EXIT_FAILURE;
    if (code < 0 && plan.etcd == 2)
        code = args_wrong(command, "two members of etcd are worse than one: --etcd 1 or 3");
    if (code < 0 && plan_check(command, &plan) != HY_OK)
        code = 2;
    if (code < 0) {
        hy_log_open("ctl", "hongyanctl", HY_LOG_INFO, false);
        raise_limits();
        if (layout_open(plan.dir, &layout) != HY_OK) {
            code = EXIT_FAILURE;
        } else {
            code = plan.detach ? detach(&plan, &layout) : supervise(&plan, &layout, -1);
            layout_close(&layout);
        }
    }
    args_free(&rest);
    args_free(&plan.sets);
    args_free(&plan.app_sets);
    return code;
}
