#include "ctl/supervisor_inside.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "ctl/files.h"
#include "ctl/programs.h"
#include "ctl/report.h"

enum { STAGE_MS = 15000 }; /* how long a kind of processes may take to stop */

static const int handled[SUPERVISOR_SIGNALS] = {SIGTERM, SIGINT, SIGCHLD, SIGUSR1, SIGUSR2};

/* ---- starting one ---- */

static void ports_path(const struct supervisor *s, const struct child *child, char out[static 4096])
{
    files_path(out, "%s/run/%s.ports", s->layout->dir, child->name);
}

static void look_for_ports(struct supervisor *s, struct child *child)
{
    char path[4096];
    json_t *ports = NULL;

    ports_path(s, child, path);
    ports = child->pid > 0 && !child->ports_told ? child_read_ports(path, s->plan->host) : NULL;
    if (ports == NULL)
        return;
    json_decref(child->ports);
    child->ports = ports;
    child->ports_told = true;
}

static void run_demo(struct supervisor *s, struct child *child, const char *log)
{
    char program[4200], cluster[4200], ports[4096];
    char port[16];
    char *argv[] = {program,
                    (char *)"demo",
                    (char *)"--cluster",
                    cluster,
                    (char *)"--console",
                    s->console,
                    (char *)"--port",
                    port,
                    (char *)"--ports-file",
                    ports,
                    NULL};

    snprintf(program, sizeof program, "%s/hongyanctl", s->bin);
    snprintf(cluster, sizeof cluster, "%s/cluster.json", s->layout->dir);
    snprintf(port, sizeof port, "%u", child_port(child, "http"));
    ports_path(s, child, ports);
    child->pid = child_start(argv, log);
}

static void run_process(struct supervisor *s, struct child *child, const char *log)
{
    char program[4200], conf[4200];
    char *argv[] = {program, (char *)"--config", conf, NULL};
    enum hy_err err = plan_write_process(s->plan, s->layout, (enum part)child->part, child->number,
                                         s->endpoints[child->part], child->ports);

    if (err != HY_OK)
        hy_log_error("process.conf", "name=%s why=\"%s\"", child->name, hy_err_text(err));
    snprintf(program, sizeof program, "%s/hongyan-%s", s->bin, part_names[child->part]);
    snprintf(conf, sizeof conf, "%s/conf/%s.conf", s->layout->dir, child->name);
    child->pid = child_start(argv, log);
}

static void start_child(struct supervisor *s, struct child *child, uint64_t now_ms)
{
    char path[4096], log[4096];

    files_path(log, "%s/log/%s.log", s->layout->dir, child->name);
    ports_path(s, child, path);
    unlink(path);
    child->ports_told = false;
    child->started_ms = now_ms;
    child->start_ms = UINT64_MAX;
    if (child->part == PARTS)
        run_demo(s, child, log);
    else if (child->part == PART_ETCD)
        supervisor_run_etcd(s, child, log);
    else
        run_process(s, child, log);
    if (child->pid > 0) {
        hy_log_info("process.started", "name=%s pid=%d", child->name, (int)child->pid);
        return;
    }
    hy_log_error("process.start_failed", "name=%s why=\"%s\"", child->name, strerror(errno));
    child_ended(child, 0, now_ms);
}

/* ---- looking after them ---- */

void supervisor_report(struct supervisor *s)
{
    json_t *report = report_make(s->layout, s->children, s->count,
                                 (const json_t *const *)s->endpoints, s->curve);
    enum hy_err err = report_write(s->layout, report);

    if (err != HY_OK)
        hy_log_error("report.not_written", "dir=\"%s\" why=\"%s\"", s->layout->dir,
                     hy_err_text(err));
    json_decref(report);
}

static struct child *child_of(struct supervisor *s, pid_t pid)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].pid == pid)
            return &s->children[i];
    return NULL;
}

static void reap(struct supervisor *s)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *child = child_of(s, pid);

        if (child == NULL)
            continue;
        look_for_ports(s, child);
        child_ended(child, status, hy_loop_now_ms(s->loop));
        if (!s->stopping)
            hy_log_warn("process.ended", "name=%s pid=%d code=%d signal=%d", child->name, (int)pid,
                        WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                        WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        if (child->removed && s->running)
            supervisor_report(s);
    }
}

/* The report changes with a pid or a port. */
void supervisor_tick(struct supervisor *s)
{
    uint64_t now = hy_loop_now_ms(s->loop);
    bool changed = false;

    for (size_t i = 0; i < s->count && !s->stopping; i++) {
        struct child *child = &s->children[i];
        bool told = child->ports_told;

        if (child->pid == 0 && child->part <= s->started && child->start_ms <= now) {
            start_child(s, child, now);
            changed = true;
        }
        look_for_ports(s, child);
        changed = changed || child->ports_told != told;
    }
    if (changed && s->running)
        supervisor_report(s);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct supervisor *s = arg;

    (void)what;
    if (number == SIGCHLD) {
        reap(s);
        supervisor_tick(s);
    } else if (number == SIGUSR1) { /* an app was made */
        layout_read_apps(s->layout);
        supervisor_report(s);
    } else if (number == SIGUSR2) {
        supervisor_change(s);
    } else {
        s->stopping = true;
        hy_loop_stop(s->loop);
    }
}

static void on_tick(void *arg)
{
    supervisor_tick(arg);
}

/* ---- opening ---- */

struct child *supervisor_add(struct supervisor *s, int part, size_t number)
{
    struct child *child;
    char path[4096];

    if (s->count == s->room) {
        struct child *more = realloc(s->children, 2 * s->room * sizeof *more);

        if (more == NULL)
            return NULL;
        s->children = more;
        s->room *= 2;
    }
    child = &s->children[s->count++];
    *child = (struct child){.part = part, .number = number};
    if (part < PARTS)
        plan_name(s->plan, (enum part)part, number, child->name);
    else
        snprintf(child->name, sizeof child->name, "demo");
    ports_path(s, child, path);
    child->ports = child_read_ports(
        path, s->plan->host); /* of the time before: the same again, if they are free */
    return child;
}

static void add_children(struct supervisor *s, int part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (part == PARTS || !plan_gone(s->plan, (enum part)part, i))
            (void)supervisor_add(s, part, i);
}

static enum hy_err listen_to_signals(struct supervisor *s)
{
    for (int i = 0; i < SUPERVISOR_SIGNALS; i++) {
        s->signals[i] = evsignal_new(hy_loop_base(s->loop), handled[i], on_signal, s);
        if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0)
            return HY_ENOMEM;
    }
    return HY_OK;
}

static enum hy_err set_up(struct supervisor *s)
{
    size_t most = 1;
    enum hy_err err = programs_find(s->plan->bin, s->bin);

    s->curve = strcmp(s->plan->bus, "tcp") == 0;
    s->started = -1;
    for (int part = 0; part < PARTS; part++) {
        most += plan_count(s->plan, (enum part)part);
        s->endpoints[part] = plan_endpoints(s->plan, s->layout, (enum part)part);
    }
    s->room = most;
    s->children = calloc(most, sizeof *s->children);
    if (s->children == NULL)
        return HY_ENOMEM;
    for (int part = 0; part < PARTS; part++)
        add_children(s, part, plan_count(s->plan, (enum part)part));
    if (programs_find_console(s->bin, s->plan->console, s->console))
        add_children(s, PARTS, 1);
    if (err == HY_OK)
        err = plan_write_cluster(s->plan, s->layout, (const json_t *const *)s->endpoints, s->curve);
    if (err == HY_OK)
        err = listen_to_signals(s);
    if (err == HY_OK)
        err = hy_timer_open(s->loop, on_tick, s, &s->tick);
    return err;
}

enum hy_err supervisor_open(struct hy_loop *loop, struct plan *plan, struct layout *layout,
                            struct supervisor **supervisor)
{
    struct supervisor *s = calloc(1, sizeof *s);
    enum hy_err err = HY_ENOMEM;

    if (s == NULL)
        return err;
    *s = (struct supervisor){.loop = loop, .plan = plan, .layout = layout};
    err = set_up(s);
    if (err != HY_OK) {
        fprintf(stderr, "hongyanctl: the cluster cannot be set up: %s\n", hy_err_text(err));
        supervisor_close(&s);
        return err;
    }
    *supervisor = s;
    return HY_OK;
}

/* ---- stopping ---- */

static bool runs(const struct supervisor *s, int part)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].part == part && s->children[i].pid > 0)
            return true;
    return false;
}

static void signal_part(struct supervisor *s, int part, int number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->children[i].part == part && s->children[i].pid > 0)
            kill(s->children[i].pid, number);
}

static void stop_part(struct supervisor *s, int part)
{
    uint64_t end = hy_loop_now_ms(s->loop) + STAGE_MS;

    /* One that was stopped cannot hear otherwise. Not after SIGTERM: it takes away a stop that is
     * under way, and a debugger or leak checker at the process's end would wait for it forever. */
    signal_part(s, part, SIGCONT);
    signal_part(s, part, SIGTERM);
    while (runs(s, part) && hy_loop_now_ms(s->loop) < end)
        hy_loop_turn(s->loop, 100);
    if (!runs(s, part))
        return;
    hy_log_warn("process.killed", "part=%s after_ms=%d", part < PARTS ? part_names[part] : "demo",
                STAGE_MS);
    signal_part(s, part, SIGKILL);
    while (runs(s, part))
        hy_loop_turn(s->loop, 100);
}

void supervisor_close(struct supervisor **supervisor)
{
    struct supervisor *s = *supervisor;

    if (s == NULL)
        return;
    *supervisor = NULL;
    s->stopping = true;
    for (int part = PARTS; part >= 0; part--)
        stop_part(s, part);
    for (int i = 0; i < SUPERVISOR_SIGNALS; i++)
        if (s->signals[i] != NULL)
            event_free(s->signals[i]);
    hy_timer_close(&s->tick);
    for (size_t i = 0; i < s->count; i++)
        json_decref(s->children[i].ports);
    for (int part = 0; part < PARTS; part++)
        json_decref(s->endpoints[part]);
    free(s->children);
    free(s);
}

void supervisor_run(struct supervisor *s)
{
    if (!s->stopping)
        hy_loop_run(s->loop);
}
