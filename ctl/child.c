#include "ctl/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LASTED_MS = 500, /* a process that came up and ran so long did not fail at its start */
    PAUSE_MS = 200,
    PAUSE_MOST_MS = 5000,
};

/* In the child. */
static void become(char *const argv[], int log, pid_t parent)
{
    int nothing = open("/dev/null", O_RDONLY);
    sigset_t none;

    /* SIGKILL: nothing acknowledged is lost by it, and a successor never meets us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);  /* it died before we asked to be told */
    setpgid(0, 0); /* Ctrl-C is for us; we stop them in order */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(nothing, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot run %s\n", argv[0]);
    _exit(127);
}

pid_t child_start(char *const argv[], const char *log)
{
    pid_t parent = getpid(), pid = -1;
    int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become(argv, fd, parent);
    close(fd);
    return pid;
}

json_t *child_read_ports(const char *path, const char *host)
{
    FILE *file = fopen(path, "re");
    char line[512];
    json_t *ports = NULL;

    if (file == NULL)
        return NULL;
    ports = json_object();
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, '=');

        if (value == NULL)
            continue;
        *value++ = '\0';
        value[strcspn(value, "\r\n")] = '\0';
        json_object_set_new(
            ports, line,
            strchr(value, ':') != NULL
                ? json_string(value)
                : json_sprintf("%s:%s", strcmp(line, "status") == 0 ? "127.0.0.1" : host, value));
    }
    fclose(file);
    if (json_object_size(ports) > 0)
        return ports;
    json_decref(ports);
    return NULL;
}

void child_ended(struct child *child, int exit_status, uint64_t now_ms)
{
    uint64_t pause = PAUSE_MS;

    child->exit_status = exit_status;
    child->pid = 0;
    if (child->ports_told && now_ms - child->started_ms >= LASTED_MS)
        child->failures = 0;
    else if (!child->ports_told && child->ports != NULL && WIFEXITED(exit_status))
        json_object_clear(child->ports); /* it gave up by itself: somebody else may have them now */
    for (uint32_t i = 1; i < child->failures && pause < PAUSE_MOST_MS; i++)
        pause *= 2;
    child->start_ms = now_ms + (child->failures == 0 ? 0 : pause);
    child->failures++;
    if (child->removed)
        child->start_ms = UINT64_MAX;
}

uint16_t child_port(const struct child *child, const char *kind)
{
    const char *address = json_string_value(json_object_get(child->ports, kind));
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;

    return colon != NULL ? (uint16_t)atoi(colon + 1) : 0;
}
